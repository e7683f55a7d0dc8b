//! The task that judges what the links bring, passes it on and records it.

mod reporting;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_firewall::{
    Entry, Finding, FrameNote, Policy, PolicyChange, RefusedFrame, Summary, Verdict, Watcher,
};
use juki_node::{Hops, LedgerThread, StartError, Stored};
use juki_runtime::Clock;
use juki_topology::Interface;
use juki_transport::{Class, LinkEvent, SendError, Transport};
use juki_wire::{Header, Priority, Refusal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use crate::floods::{Floods, Tally};
use crate::orders::{InForce, Order, ReloadBy};
use crate::policy_source::PolicyRead;
use crate::recorder::Recorder;
use crate::records::{FirewallRecord, LinkRefusals, PolicyRecord, RunRecord};
use crate::reporter::Reporter;
use crate::traffic::Traffic;

/// Events taken at once.
const BATCH_MAX: usize = 256;
/// How often runs are looked at and a silent ledger is tried again.
const TICK: Duration = Duration::from_secs(1);
/// The rule that a refusal names where the next link did not take the frame.
const LINE_RULE: &str = "line";

/// What the task works with.
pub(crate) struct Forwarder {
    pub(crate) node: NodeId,
    pub(crate) policy: Policy,
    pub(crate) summary: Summary,
    pub(crate) recorder: Recorder<LedgerThread>,
    pub(crate) transport: Transport,
    pub(crate) hops: Arc<Hops>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) failed: watch::Sender<Option<String>>,
    pub(crate) floods: RefusalFloods,
    /// Complete entries of the summary, on their way to the recorder.
    pub(crate) entries: Vec<Entry>,
    pub(crate) watcher: Watcher,
    pub(crate) in_force: InForce,
    /// What the detectors have found, on its way to the recorder.
    pub(crate) findings: Vec<Finding>,
    /// Speaks for the firewall to the server above; none where nobody stands above.
    pub(crate) reporter: Option<Reporter>,
    /// What the ledger says to be durable.
    pub(crate) stored: mpsc::Receiver<Stored>,
}

/// Refusals that the policy's summary does not see. Only peers of the configuration, its services
/// and codes name the kinds, so that no stranger makes them more.
pub(crate) struct RefusalFloods {
    lines: Floods<(NodeId, ServiceId, ErrorCode)>,
    links: Floods<(Interface, ErrorCode)>,
}

impl RefusalFloods {
    pub(crate) fn new() -> Self {
        Self {
            lines: Floods::new(),
            links: Floods::new(),
        }
    }
}

impl Forwarder {
    /// Works until it is told to stop or the links end; then closes runs and the ledger.
    pub(crate) async fn run(
        mut self,
        mut events: mpsc::Receiver<LinkEvent>,
        mut orders: mpsc::Receiver<Order>,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<(), String> {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => break,
                _ = tick.tick() => self.on_tick(),
                Some(order) = orders.recv() => self.on_order(order),
                Some(stored) = self.stored.recv() => self.on_stored(stored),
                taken = events.recv_many(&mut batch, BATCH_MAX) => {
                    if taken == 0 {
                        break;
                    }
                    let now_ms = self.clock.now_ms();
                    for event in batch.drain(..) {
                        self.on_event(now_ms, event);
                    }
                    self.record_entries(now_ms);
                    self.record_findings(now_ms);
                }
            }
        }
        self.close().await
    }

    fn on_event(&mut self, now_ms: u64, event: LinkEvent) {
        match event {
            LinkEvent::Frame { peer, frame } => self.on_frame(now_ms, &peer, frame),
            LinkEvent::Refused {
                interface,
                remote,
                peer,
                code,
                count,
            } => {
                self.watcher
                    .on_link_refused(now_ms, interface, code, count, &mut self.findings);
                let refusal = LinkRefusals {
                    interface: interface.name().to_owned(),
                    remote: remote.to_string(),
                    claimed: peer.map_or_else(String::new, |peer| peer.to_string()),
                    code: code.code().to_owned(),
                    first_ms: now_ms,
                    last_ms: now_ms,
                    count,
                };
                self.on_link_refused(now_ms, (interface, code), refusal);
            }
            // The transport has logged it, and the status asks the transport.
            LinkEvent::Up { peer, .. } => self.on_up(&peer),
            LinkEvent::Down { .. } => {}
            LinkEvent::NewCrl { der } => {
                tracing::info!(event = "revocation_list.installed", bytes = der.len())
            }
            // A firewall passes it on and judges nothing by it.
            LinkEvent::NewNotice { notice } => tracing::info!(
                event = "notice.in_force",
                kind = notice.kind.name(),
                number = notice.number
            ),
        }
    }

    fn on_frame(&mut self, now_ms: u64, peer: &NodeId, frame: Bytes) {
        let length = frame.len();
        let header = match Header::decode(&frame) {
            Ok((header, _)) => header,
            Err(error) => {
                // Without a header nobody can be named in an answer.
                self.traffic.refuse(error.code());
                self.summary
                    .note_unreadable(now_ms, peer, length, error, &mut self.entries);
                return;
            }
        };
        if header.destination == self.node && self.take_own(now_ms, peer, &frame) {
            return;
        }
        let verdict = self.policy.judge(now_ms, peer, &header, length);
        match verdict {
            Verdict::Pass { to, flow } => match self.transport.send(to, class_of(&header), frame) {
                Ok(()) => {
                    self.watcher
                        .on_passed(now_ms, peer, &header, flow, length, &mut self.findings);
                    self.traffic.pass(header.service, length);
                    self.hops
                        .note(&header, length, (peer.as_str(), to.as_str()), "passed");
                    self.summary
                        .note(now_ms, peer, &header, length, verdict, &mut self.entries);
                    let rule = self.policy.flow(flow).map_or(0, |flow| flow.rule);
                    self.in_force.note_passed(rule, length);
                }
                Err(error) => {
                    self.hops.note(
                        &header,
                        length,
                        (peer.as_str(), to.as_str()),
                        error.code().code(),
                    );
                    self.on_line_refused(now_ms, peer, &header, length, error);
                }
            },
            Verdict::Refuse { rule, code } => {
                self.traffic.refuse(code);
                self.watcher
                    .on_refused(now_ms, peer, &header, rule, &mut self.findings);
                self.hops.note(
                    &header,
                    length,
                    (peer.as_str(), self.node.as_str()),
                    code.code(),
                );
                self.summary
                    .note(now_ms, peer, &header, length, verdict, &mut self.entries);
                self.answer(peer, &header, rule.to_string(), code);
            }
        }
    }

    /// The policy passes the frame and the next link does not take it.
    fn on_line_refused(
        &mut self,
        now_ms: u64,
        peer: &NodeId,
        header: &Header,
        length: usize,
        error: SendError,
    ) {
        let (code, bytes) = (error.code(), length as u64);
        self.traffic.refuse(code);
        if self
            .floods
            .lines
            .note(now_ms, (peer.clone(), header.service, code), bytes)
        {
            let frame = FrameNote {
                service: header.service,
                source: header.source.clone(),
                destination: header.destination.clone(),
                message_id: header.message_id,
            };
            let peer = peer.clone();
            self.entries.push(Entry::Refused(RefusedFrame {
                at_ms: now_ms,
                peer,
                rule: LINE_RULE.to_owned(),
                code,
                bytes,
                frame: Some(frame),
            }));
        }
        self.answer(peer, header, LINE_RULE.to_owned(), code);
    }

    fn answer(&self, peer: &NodeId, header: &Header, rule: String, code: ErrorCode) {
        let refusal = Refusal {
            node: self.node.to_string(),
            rule,
            code: code.code().to_owned(),
        };
        let Some(frame) = refusal.frame_for(header) else {
            return;
        };
        if let Err(error) = self.transport.send(peer, class_of(header), frame) {
            // Its sender asks again when the answer does not come.
            metrics::counter!("juki_refusals_unsent_total", "error_code" => error.code().code())
                .increment(1);
        }
    }

    fn on_link_refused(
        &mut self,
        now_ms: u64,
        kind: (Interface, ErrorCode),
        refusal: LinkRefusals,
    ) {
        metrics::counter!("juki_links_refused_total", "error_code" => kind.1.code())
            .increment(refusal.count);
        if self.floods.links.note_many(now_ms, kind, refusal.count, 0) {
            self.recorder
                .record(now_ms, &FirewallRecord::LinkRefused(refusal));
        }
    }

    fn on_order(&mut self, order: Order) {
        // Whoever asked may have gone away meanwhile.
        match order {
            Order::TakePolicy { read, by, reply } => {
                let _gone = reply.send(self.take_policy(read, by));
            }
            Order::Explain {
                sample,
                now_ms,
                reply,
            } => {
                let now_ms = now_ms.unwrap_or_else(|| self.clock.now_ms());
                let _gone = reply.send(self.policy.explain(now_ms, &sample));
            }
            Order::Report { reply } => {
                let _gone = reply.send(self.in_force.report());
            }
            Order::Alerts { reply } => {
                let answer = self.reporter.as_ref().map(Reporter::answer);
                let _gone = reply.send(answer.unwrap_or_default());
            }
        }
    }

    /// Puts a policy in the place of the one in force, between two frames.
    fn take_policy(
        &mut self,
        read: Result<Box<PolicyRead>, StartError>,
        by: ReloadBy,
    ) -> Result<PolicyChange, StartError> {
        let now_ms = self.clock.now_ms();
        let mut read = match read {
            Ok(read) => *read,
            Err(error) => {
                tracing::error!(
                    event = "policy.not-taken",
                    code = ErrorCode::PolicyNotTaken.code(),
                    by = by.name(),
                    error = error.sentence
                );
                self.record_policy(PolicyChange::default(), Some((by, error.code)));
                return Err(error);
            }
        };
        // Runs name rules of the policy under which they passed.
        self.summary.close(&mut self.entries);
        self.record_entries(now_ms);
        let in_force = InForce::new(&read, now_ms, by);
        let findings = std::mem::take(&mut self.in_force.findings);
        self.in_force = InForce {
            findings,
            ..in_force
        };
        let change = read.policy.succeed(&self.policy);
        self.watcher
            .change_policy(&read.config, &self.policy, &read.policy);
        self.policy = read.policy;
        self.summary = Summary::new(&self.policy);
        tracing::info!(
            event = "policy.in-force",
            by = by.name(),
            rules = self.in_force.rules.len(),
            added = change.added,
            removed = change.removed,
            changed = change.changed
        );
        self.record_policy(change, None);
        Ok(change)
    }

    /// Records the policy in force; `refused` says who offered another one that was not taken.
    pub(crate) fn record_policy(
        &mut self,
        change: PolicyChange,
        refused: Option<(ReloadBy, ErrorCode)>,
    ) {
        let now_ms = self.clock.now_ms();
        let by = refused.map_or(self.in_force.by, |(by, _)| by);
        let record = PolicyRecord {
            at_ms: now_ms,
            digest: self.in_force.digest.to_vec(),
            rules: u32::try_from(self.in_force.rules.len()).unwrap_or(u32::MAX),
            added: change.added,
            removed: change.removed,
            changed: change.changed,
            by: by.name().to_owned(),
            code: refused.map_or("", |(_, code)| code.code()).to_owned(),
        };
        self.recorder
            .record(now_ms, &FirewallRecord::Policy(record));
    }

    fn on_tick(&mut self) {
        let now_ms = self.clock.now_ms();
        self.summary.on_timeout(now_ms, &mut self.entries);
        let (lines, links) = (
            self.floods.lines.on_timeout(now_ms),
            self.floods.links.on_timeout(now_ms),
        );
        self.record_floods(now_ms, lines, links);
        self.record_entries(now_ms);
        self.watcher.on_timeout(now_ms, &mut self.findings);
        self.record_findings(now_ms);
        self.report_due(now_ms);
        self.recorder.report_lost(now_ms);
        if let Some(failure) = self.recorder.failure(now_ms) {
            self.failed.send_replace(Some(failure.to_string()));
        }
    }

    fn record_entries(&mut self, now_ms: u64) {
        for entry in self.entries.drain(..) {
            log_refusals(&entry);
            self.recorder.record(now_ms, &entry.into());
        }
    }

    fn record_findings(&mut self, now_ms: u64) {
        for finding in std::mem::take(&mut self.findings) {
            let kind = finding.kind.name();
            let code = finding.code.map_or("", ErrorCode::code);
            tracing::warn!(
                event = "alert.raised",
                kind,
                subject = finding.subject,
                code,
                count = finding.count
            );
            metrics::counter!("juki_alerts_total", "kind" => kind).increment(1);
            self.in_force.note_finding(&finding);
            self.raise(now_ms, (&finding).into());
        }
    }

    fn record_floods(
        &mut self,
        now_ms: u64,
        lines: Vec<((NodeId, ServiceId, ErrorCode), Tally)>,
        links: Vec<((Interface, ErrorCode), Tally)>,
    ) {
        for ((peer, service, code), tally) in lines {
            tracing::warn!(event = "frames.refused", peer = %peer, code = code.code(), count = tally.count);
            self.recorder.record(
                now_ms,
                &FirewallRecord::Run(RunRecord::of_line(&peer, service, code, tally)),
            );
        }
        for ((interface, code), tally) in links {
            self.recorder.record(
                now_ms,
                &FirewallRecord::LinkRefused(LinkRefusals::of_flood(interface, code, tally)),
            );
        }
    }

    async fn close(mut self) -> Result<(), String> {
        let now_ms = self.clock.now_ms();
        self.summary.close(&mut self.entries);
        let (lines, links) = (self.floods.lines.close(), self.floods.links.close());
        self.record_floods(now_ms, lines, links);
        self.record_entries(now_ms);
        self.recorder.report_lost(now_ms);
        let ledger = self.recorder.into_sink();
        ledger.close().await
    }
}

fn class_of(header: &Header) -> Class {
    match header.priority {
        Priority::Interactive => Class::Interactive,
        Priority::Bulk => Class::Bulk,
    }
}

/// One log line for each refusal that is recorded by itself and for each run of them: no flood of
/// frames makes a flood of lines.
fn log_refusals(entry: &Entry) {
    match entry {
        Entry::Refused(refused) => {
            tracing::warn!(event = "frame.refused", peer = %refused.peer, rule = refused.rule, code = refused.code.code(), bytes = refused.bytes);
        }
        Entry::Run(run) => match run.verdict {
            juki_firewall::RunVerdict::Refused { code } => {
                tracing::warn!(event = "frames.refused", peer = %run.from, code = code.code(), count = run.count);
            }
            juki_firewall::RunVerdict::Passed { .. } => {}
        },
    }
}
