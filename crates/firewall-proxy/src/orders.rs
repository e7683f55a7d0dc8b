//! What is asked of a forwarder that runs.

use std::collections::VecDeque;

use juki_firewall::{Explanation, Finding, PolicyChange, Sample};
use juki_incident::MonitorAnswer;
use juki_node::StartError;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::policy_source::PolicyRead;

/// One request with the place for its answer.
pub(crate) enum Order {
    /// Take another policy in force, or record that it could not be.
    TakePolicy {
        read: Result<Box<PolicyRead>, StartError>,
        by: ReloadBy,
        reply: oneshot::Sender<Result<PolicyChange, StartError>>,
    },
    /// What would become of a frame.
    Explain {
        sample: Sample,
        now_ms: Option<u64>,
        reply: oneshot::Sender<Explanation>,
    },
    /// Which policy is in force and what it did.
    Report { reply: oneshot::Sender<Value> },
    /// Which alerts were raised, and what the server above has of them.
    Alerts {
        reply: oneshot::Sender<MonitorAnswer>,
    },
}

/// Who asked for another policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadBy {
    /// The start of the node.
    Start,
    /// The signal HUP.
    Signal,
    /// The admin API.
    Admin,
}

impl ReloadBy {
    /// The name in records and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Signal => "signal",
            Self::Admin => "admin",
        }
    }
}

/// The policy in force, as people ask for it.
pub(crate) struct InForce {
    pub(crate) digest: [u8; 32],
    pub(crate) since_ms: u64,
    pub(crate) by: ReloadBy,
    pub(crate) file: String,
    /// The sentence of each rule, with the frames and bytes that passed under it since it is in
    /// force.
    pub(crate) rules: Vec<(String, u64, u64)>,
    /// The newest findings, the last one last.
    pub(crate) findings: VecDeque<Finding>,
}

impl InForce {
    pub(crate) fn new(read: &PolicyRead, now_ms: u64, by: ReloadBy) -> Self {
        let rules = read.config.rule.iter();
        let file = read.file.as_ref();
        Self {
            digest: read.digest,
            since_ms: now_ms,
            by,
            file: file.map_or_else(String::new, |file| file.display().to_string()),
            rules: rules.map(|rule| (rule.sentence(), 0, 0)).collect(),
            findings: VecDeque::new(),
        }
    }

    pub(crate) fn note_passed(&mut self, rule: u16, bytes: usize) {
        let place = usize::from(rule).checked_sub(1);
        if let Some((_, frames, total)) = place.and_then(|place| self.rules.get_mut(place)) {
            *frames = frames.saturating_add(1);
            *total = total.saturating_add(bytes as u64);
        }
    }

    pub(crate) fn note_finding(&mut self, finding: &Finding) {
        if self.findings.len() == FINDINGS_MAX {
            self.findings.pop_front();
        }
        self.findings.push_back(finding.clone());
    }

    pub(crate) fn report(&self) -> Value {
        let rules = self.rules.iter().zip(1u16..);
        let rules: Vec<Value> = rules
            .map(|((sentence, frames, bytes), rule)| {
                json!({"rule": rule, "says": sentence, "frames": frames, "bytes": bytes})
            })
            .collect();
        let findings: Vec<Value> = self.findings.iter().map(finding_json).collect();
        json!({
            "digest": hex(&self.digest),
            "since_unix_s": self.since_ms / 1000,
            "by": self.by.name(),
            "file": self.file,
            "rules": rules,
            "findings": findings,
        })
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.name(),
        "subject": finding.subject,
        "code": finding.code.map_or("", juki_domain::ErrorCode::code),
        "service": finding.service.map_or("", juki_domain::ServiceId::name),
        "first_unix_ms": finding.first_ms,
        "last_unix_ms": finding.last_ms,
        "count": finding.count,
    })
}

/// Bytes as people compare them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Findings that are kept for whoever asks; the ledger has them all.
const FINDINGS_MAX: usize = 100;
