//! The firewall speaks for itself: alerts, a heartbeat and checkpoints to the server above its
//! office, over a session of its own.
//!
//! It never opens what it passes on. Only frames that the server above addresses to the firewall
//! itself come here.

mod upper;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use juki_crypto::{Randomness, SigningKey, SystemRandomness, random_array};
use juki_dispatch::{OpenedFrame, Sessions};
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_incident::{
    ALERTS_PASSED, Acknowledged, Alert, AlertsPassed, MonitorAnswer, NEIGHBOUR_CHECKPOINT,
    Neighbour, NeighbourCheckpoint, Outbox, Pace, Report, judge_checkpoint,
};
use juki_incident::{KeptCheckpoint, ListedAlert};
use juki_ledger::{Checkpoint, NewEntry};
use juki_node::{Prepared, Stored};
use juki_wire::{FrameParts, Header, MessageId, Priority, Refusal};
use prost::Message as _;

use crate::records::AlertRecord;

pub(crate) use upper::Upper;

/// Alerts that wait for the disk at most.
const UNSTORED_MAX: usize = 256;
/// Alerts that are kept for whoever asks; the ledger has them all.
const LISTED_MAX: usize = 1_000;
/// How long a report waits for a checkpoint that was asked for.
const CHECKPOINT_WAIT_MS: u64 = 5_000;
/// A firewall with new entries has its chain signed and told at the latest after this.
const CHECKPOINT_EVERY_MS: u64 = 60_000;

/// What becomes of a frame for the firewall itself.
#[derive(Default)]
pub(crate) struct Heard {
    /// Frames for the server above.
    pub(crate) frames: Vec<Bytes>,
    /// Entries for the ledger.
    pub(crate) entries: Vec<NewEntry>,
    /// Something about the server above that people have to know.
    pub(crate) alert: Option<AlertRecord>,
    /// The frame was refused with this code.
    pub(crate) refused: Option<ErrorCode>,
}

/// Reports to the server above.
pub(crate) struct Reporter {
    node: NodeId,
    upper: Upper,
    prepared: Arc<Prepared>,
    signing: Arc<SigningKey>,
    sessions: Sessions,
    randomness: Arc<dyn Randomness>,
    pace: Pace,
    outbox: Outbox,
    /// Alerts whose entries are not durable yet, by their tags.
    unstored: BTreeMap<u64, Alert>,
    tag: u64,
    listed: VecDeque<Alert>,
    passed: u64,
    checkpoint: Option<Checkpoint>,
    checkpoint_ms: u64,
    /// A report is due and waits for a checkpoint that was asked for.
    waits: bool,
    neighbour: Option<Neighbour>,
}

impl Reporter {
    /// A reporter that goes on with the alerts of earlier runs that nobody has acknowledged; none
    /// where the directory does not name the server above.
    pub(crate) fn new(prepared: &Arc<Prepared>, left: Vec<Alert>) -> Option<Self> {
        let config = &prepared.config;
        let upper = Upper::of(config)?;
        prepared.keys.directory.entry(&upper.server)?;
        let randomness: Arc<dyn Randomness> = Arc::new(SystemRandomness);
        let node = config.node.name.clone();
        let signing = Arc::clone(&prepared.keys.signing);
        let sessions = Sessions::new(
            node.clone(),
            Arc::clone(&signing),
            Arc::clone(&prepared.keys.sealing),
            Arc::clone(&prepared.keys.directory),
            Arc::clone(&randomness),
            config.calendar.version,
        );
        let mut reporter = Self {
            node,
            upper,
            prepared: Arc::clone(prepared),
            signing,
            sessions,
            randomness,
            pace: Pace::default(),
            outbox: Outbox::default(),
            unstored: BTreeMap::new(),
            tag: 0,
            listed: VecDeque::new(),
            passed: 0,
            checkpoint: None,
            checkpoint_ms: 0,
            waits: false,
            neighbour: None,
        };
        for alert in left {
            reporter.tell(alert);
        }
        Some(reporter)
    }

    /// The server above and the peer that leads there.
    pub(crate) fn upper(&self) -> &Upper {
        &self.upper
    }

    /// Whether a frame for the firewall itself may be looked into.
    pub(crate) fn admits(
        &mut self,
        now_ms: u64,
        peer: &NodeId,
        header: &Header,
        length: usize,
    ) -> bool {
        header.destination == self.node && self.upper.admits(now_ms, peer, header, length)
    }

    /// Takes an alert that is on its way to the disk, and gives the tag to hand it over with.
    pub(crate) fn take(&mut self, record: &AlertRecord) -> u64 {
        self.tag += 1;
        if self.unstored.len() == UNSTORED_MAX {
            self.unstored.pop_first();
            self.outbox.lose();
        }
        self.unstored.insert(self.tag, alert(&self.node, 0, record));
        self.tag
    }

    /// The ledger could not take an alert: it is told by number alone.
    pub(crate) fn lose(&mut self, tag: u64) {
        if self.unstored.remove(&tag).is_some() {
            self.outbox.lose();
        }
    }

    /// What was handed over is durable; true where a report is to leave now.
    pub(crate) fn on_stored(&mut self, stored: Stored) -> bool {
        let mut told = false;
        for (tag, seq) in stored.tagged {
            if let Some(alert) = self.unstored.remove(&tag) {
                self.tell(Alert {
                    evidence: seq,
                    ..alert
                });
                told = true;
            }
        }
        if stored.checkpoint.is_some() {
            self.checkpoint = stored.checkpoint;
        }
        std::mem::take(&mut self.waits) || told
    }

    /// Whether a report is due.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        // The ledger's word may be lost where many come at once.
        let waits = self.waits && now_ms.abs_diff(self.checkpoint_ms) < CHECKPOINT_WAIT_MS;
        !waits && self.pace.is_due(now_ms)
    }

    /// Whether the report that is due shall wait for a checkpoint, the ledger having grown.
    pub(crate) fn wants_checkpoint(&self, now_ms: u64) -> bool {
        now_ms.abs_diff(self.checkpoint_ms) >= CHECKPOINT_EVERY_MS
    }

    /// A checkpoint was asked for.
    pub(crate) fn awaits_checkpoint(&mut self, now_ms: u64) {
        self.waits = true;
        self.checkpoint_ms = now_ms;
    }

    /// The way to the server above is open again.
    pub(crate) fn way_up(&mut self) {
        self.pace.way_up();
    }

    /// A report could not be sent.
    pub(crate) fn unsent(&mut self, now_ms: u64) {
        self.pace.refused(now_ms);
    }

    /// The report as a frame.
    pub(crate) fn report(&mut self, now_ms: u64) -> Option<Bytes> {
        let id = MessageId(random_array(self.randomness.as_ref()));
        let (alerts, counters) = self.outbox.report(id);
        self.pace.sent(now_ms, !alerts.is_empty());
        let report = Report {
            alerts,
            checkpoint: self.checkpoint.clone(),
            counters: Some(counters),
        };
        let sealed = self.sessions.seal(
            now_ms,
            &self.upper.server,
            (ServiceId::Monitor, Priority::Interactive),
            (Some(id), false),
            report.encode_to_vec(),
        );
        sealed.ok().map(|(_, frame)| frame)
    }

    /// Takes a frame for the firewall itself.
    pub(crate) fn on_frame(&mut self, now_ms: u64, parts: &FrameParts) -> Heard {
        let mut heard = Heard::default();
        match self.sessions.open(now_ms, parts) {
            OpenedFrame::Message { origin, body, .. } if origin.reply => {
                self.on_acknowledged(now_ms, origin.message_id, &body, &mut heard);
            }
            OpenedFrame::Message { .. } => {
                let refusal = Refusal {
                    node: self.node.to_string(),
                    rule: "service".to_owned(),
                    code: ErrorCode::ServiceUnknown.code().to_owned(),
                };
                heard.frames.extend(refusal.frame_for(&parts.header));
                heard.refused = Some(ErrorCode::ServiceUnknown);
            }
            OpenedFrame::Refused { .. } => self.pace.refused(now_ms),
            OpenedFrame::Resend(frames) => {
                heard.frames = frames.into_iter().map(|(_, _, frame)| frame).collect();
            }
            OpenedFrame::Reject { code, answer, .. } => {
                heard.frames.extend(answer);
                heard.refused = Some(code);
            }
            OpenedFrame::Nothing => {}
        }
        heard
    }

    /// What the admin API says.
    pub(crate) fn answer(&self) -> MonitorAnswer {
        let listed = self.listed.iter().map(|alert| ListedAlert {
            entry: alert.evidence,
            alert: Some(alert.clone()),
        });
        let neighbour = self.neighbour.iter().map(|kept| KeptCheckpoint {
            node: self.upper.server.to_string(),
            seq: kept.seq,
            kept_ms: kept.kept_ms,
        });
        MonitorAnswer {
            alerts: listed.collect(),
            passed: self.passed,
            lost: self.outbox.lost(),
            neighbours: neighbour.collect(),
        }
    }

    fn tell(&mut self, alert: Alert) {
        let alert = alert.signed(&self.signing);
        if self.listed.len() == LISTED_MAX {
            self.listed.pop_front();
        }
        self.listed.push_back(alert.clone());
        self.outbox.push(alert);
        self.pace.alert();
    }

    fn on_acknowledged(&mut self, now_ms: u64, id: MessageId, body: &[u8], heard: &mut Heard) {
        let Ok(answer) = Acknowledged::decode(body) else {
            return;
        };
        if !answer.refusal.is_empty() {
            self.pace.refused(now_ms);
            return;
        }
        let Some(through) = self.outbox.acknowledged(id) else {
            return;
        };
        if through > 0 {
            self.passed = through;
            heard.entries.push(NewEntry {
                kind: ALERTS_PASSED,
                payload: AlertsPassed { through }.encode_to_vec(),
            });
        }
        self.pace.acknowledged(now_ms, self.outbox.has_alerts());
        if let Some(checkpoint) = answer.checkpoint {
            self.on_checkpoint(now_ms, checkpoint, heard);
        }
    }

    fn on_checkpoint(&mut self, now_ms: u64, checkpoint: Checkpoint, heard: &mut Heard) {
        let judged = judge_checkpoint(
            &self.prepared.keys.directory,
            &self.upper.server,
            &checkpoint,
            self.neighbour.as_ref(),
            (now_ms, false),
        );
        if let Err(code) = judged {
            heard.alert = Some(AlertRecord {
                kind: "evidence".to_owned(),
                level: LEDGER_CONTRADICTS,
                subject: self.upper.server.to_string(),
                code: code.code().to_owned(),
                service: ServiceId::Monitor.name().to_owned(),
                first_ms: now_ms,
                last_ms: now_ms,
                count: 1,
            });
        }
        if judged != Ok(false) && judged != Err(ErrorCode::CheckpointForged) {
            self.neighbour = Some(Neighbour::after(&checkpoint, now_ms));
            let kept = NeighbourCheckpoint {
                checkpoint: Some(checkpoint),
            };
            heard.entries.push(NewEntry {
                kind: NEIGHBOUR_CHECKPOINT,
                payload: kept.encode_to_vec(),
            });
        }
    }
}

/// The alert that an entry of the ledger stands for, unsigned.
pub(crate) fn alert(node: &NodeId, evidence: u64, record: &AlertRecord) -> Alert {
    Alert {
        node: node.to_string(),
        at_ms: record.last_ms,
        kind: record.kind.clone(),
        level: record.level,
        count: record.count,
        service: record.service.clone(),
        peer: record.subject.clone(),
        code: record.code.clone(),
        evidence,
        signature: Vec::new(),
    }
}

/// Unauthorised access that passed a firewall: a server's ledger is not what it was.
const LEDGER_CONTRADICTS: u32 = 3;
