//! The monitor service of a node with services: it reports upwards and collects from below.

mod collecting;

use std::collections::{BTreeMap, BTreeSet};

use juki_crypto::random_array;
use juki_dispatch::{
    Context, Forward, Origin, SECURITY, SecurityRecord, Service, Step, Ticket, View,
};
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_ledger::{Checkpoint, Entry, EntryKind};
use juki_wire::{MessageId, Priority, Refusal};
use prost::Message as _;

use crate::alert::bounded;
use crate::kept::{self, Window};
use crate::suspicion::refused_behind;
use crate::{
    ALERT_REPORTED, ALERTS_PASSED, Acknowledged, Alert, AlertReported, AlertsPassed, Counters,
    MonitorAnswer, MonitorQuestion, NEIGHBOUR_CHECKPOINT, Neighbour, NeighbourCheckpoint, Pace,
    REPORT_ALERTS_MAX, Report, Suspect, Suspicion, judge_checkpoint,
};

/// Like refusals within this time make one alert; the next one says how many there were.
const WINDOW_MS: u64 = 60_000;
/// A node with new entries has its chain signed and tells the tier above at the latest after this.
const CHECKPOINT_EVERY_MS: u64 = 60_000;
/// Alerts that one question is answered with at most.
const LIST_MAX: usize = 1_000;

/// What a monitor service is to do.
#[derive(Clone, Default)]
pub struct MonitorSettings {
    /// The tier above, if there is one.
    pub upper: Option<NodeId>,
    /// Whether other nodes report to this one.
    pub collects: bool,
    /// What of this node's own entries, beside refused frames, is an alert.
    pub suspects: Vec<Suspect>,
}

/// The monitor service of one node.
pub struct Monitor {
    settings: MonitorSettings,
    pace: Pace,
    /// The last report: its id, and the own entry behind the last alert in it.
    sent: Option<(MessageId, u64)>,
    /// The ledger has entries that no checkpoint covers.
    has_news: bool,
    /// A checkpoint was asked for, and the report that is due waits for it.
    wants_report: bool,
    checkpoint_ms: u64,
    /// An alert was folded that the tier above has not heard of.
    alerted: bool,
    /// The next report carries a checkpoint that covers an alert's evidence.
    urgent: bool,
    /// Neighbours whose first checkpoint since the start was looked at: it is kept where it is newer.
    heard: BTreeSet<NodeId>,
    /// How many alerts of each node were looked at in which minute.
    looked_at: BTreeMap<NodeId, (u64, u64)>,
}

impl Monitor {
    /// A service with these settings.
    #[must_use]
    pub fn new(settings: MonitorSettings) -> Self {
        Self {
            settings,
            pace: Pace::default(),
            sent: None,
            has_news: true,
            wants_report: false,
            checkpoint_ms: 0,
            alerted: false,
            urgent: false,
            heard: BTreeSet::new(),
            looked_at: BTreeMap::new(),
        }
    }

    /// Has the chain signed where it has grown, and lets a report follow when that is durable.
    fn prepare(&mut self, now_ms: u64) -> Step {
        let mut step = Step::none().lazy();
        let urgent = std::mem::take(&mut self.urgent);
        let old = now_ms.abs_diff(self.checkpoint_ms) >= CHECKPOINT_EVERY_MS;
        if self.has_news && (urgent || old) {
            self.has_news = false;
            self.checkpoint_ms = now_ms;
            step.checkpoint();
        }
        self.wants_report = true;
        step
    }

    fn report(&mut self, context: &Context<'_>, view: &View) -> Step {
        let mut step = Step::none();
        let Some(upper) = &self.settings.upper else {
            self.pace.sent(context.now_ms, false);
            return step;
        };
        let tally = kept::tally(view);
        let mut waiting = kept::alerts_after(view, tally.passed, REPORT_ALERTS_MAX + 1);
        let more = waiting.len() > REPORT_ALERTS_MAX;
        waiting.truncate(REPORT_ALERTS_MAX);
        let through = waiting.last().map_or(0, |(entry, _)| *entry);
        let me = context.me.as_str();
        let alerts: Vec<Alert> = waiting
            .into_iter()
            .map(|(_, alert)| {
                if alert.node.is_empty() {
                    named(alert, me).signed(context.signing)
                } else {
                    alert
                }
            })
            .collect();
        self.pace.sent(context.now_ms, !alerts.is_empty());
        let report = Report {
            alerts,
            checkpoint: context.ledger.checkpoint(),
            counters: Some(Counters {
                lost: tally.lost,
                waiting: u64::from(more),
            }),
        };
        let id = MessageId(random_array(context.randomness));
        self.sent = Some((id, through));
        let body = report.encode_to_vec();
        let forward = Forward::new(
            upper.clone(),
            ServiceId::Monitor,
            Priority::Interactive,
            body,
        );
        step.forward(forward.with_id(id));
        step
    }

    fn on_acknowledged(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &View,
    ) -> Step {
        let mut step = Step::none().lazy();
        let ours = self.settings.upper.as_ref() == Some(&origin.node);
        let sent = self
            .sent
            .take_if(|(id, _)| ours && *id == origin.message_id);
        let (Some((_, through)), Ok(answer)) = (sent, Acknowledged::decode(message)) else {
            return step;
        };
        if !answer.refusal.is_empty() {
            self.pace.refused(context.now_ms);
            return step;
        }
        let passed = kept::tally(view).passed.max(through);
        if through > 0 {
            step.append(ALERTS_PASSED, AlertsPassed { through }.encode_to_vec());
        }
        let more = !kept::alerts_after(view, passed, 1).is_empty();
        self.pace.acknowledged(context.now_ms, more);
        if let Some(checkpoint) = &answer.checkpoint {
            self.note_checkpoint(context, &origin.node, checkpoint, (view, false), &mut step);
        }
        step
    }

    /// Keeps a neighbour's checkpoint where that is due; what contradicts an earlier one, or is not
    /// the neighbour's, goes on record.
    fn note_checkpoint(
        &mut self,
        context: &Context<'_>,
        from: &NodeId,
        checkpoint: &Checkpoint,
        (view, urgent): (&View, bool),
        step: &mut Step,
    ) {
        let known = kept::neighbour(view, from);
        let first = !self.heard.contains(from);
        let judged = judge_checkpoint(
            context.directory,
            from,
            checkpoint,
            known.as_ref(),
            (context.now_ms, urgent || first),
        );
        if let Err(code) = judged {
            record(step, from, code, 1);
        }
        if judged != Err(ErrorCode::CheckpointForged) {
            if first {
                self.heard.insert(from.clone());
            }
            if judged != Ok(false) {
                let kept = NeighbourCheckpoint {
                    checkpoint: Some(checkpoint.clone()),
                };
                step.append(NEIGHBOUR_CHECKPOINT, kept.encode_to_vec());
            }
        }
    }

    fn suspicion(&self, entry: &Entry) -> Option<Suspicion> {
        refused_behind(entry).or_else(|| {
            let mut suspects = self.settings.suspects.iter();
            suspects.find_map(|suspect| suspect(entry))
        })
    }

    /// Folds what an entry of this node gives reason to suspect.
    fn suspect(&mut self, entry: &Entry, suspicion: Suspicion, view: &mut View) {
        let peer = bounded(&suspicion.peer);
        let window = kept::window(view, &peer, &suspicion.code);
        let counted = match window {
            Some(window) if within(entry.at_ms, window.since_ms) => {
                let counted = window.counted.saturating_add(suspicion.count);
                kept::put_window(view, &peer, &suspicion.code, &Window { counted, ..window });
                return;
            }
            Some(window) => window.counted,
            None => 0,
        };
        let since_ms = entry.at_ms;
        let fresh = Window {
            since_ms,
            counted: 0,
        };
        kept::put_window(view, &peer, &suspicion.code, &fresh);
        let alert = Alert {
            // Whose ledger this is says the report, which signs it.
            node: String::new(),
            at_ms: entry.at_ms,
            kind: suspicion.kind.to_owned(),
            level: suspicion.level.number(),
            count: counted.saturating_add(suspicion.count),
            service: suspicion.service,
            peer,
            code: suspicion.code,
            evidence: entry.seq,
            signature: Vec::new(),
        };
        kept::add(view, entry.seq, &alert);
        self.alerted = true;
    }
}

impl Service for Monitor {
    fn name(&self) -> &'static str {
        ServiceId::Monitor.name()
    }

    fn on_message(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &mut View,
    ) -> Step {
        if origin.reply {
            self.on_acknowledged(context, origin, message, view)
        } else {
            self.on_report(context, origin, message, view)
        }
    }

    fn on_local(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        request: &[u8],
        view: &mut View,
    ) -> Step {
        let mut step = Step::none();
        let question = MonitorQuestion::decode(request).unwrap_or_default();
        let limit = usize::try_from(question.limit).unwrap_or(LIST_MAX);
        let tally = kept::tally(view);
        let me = context.me.as_str();
        let mut alerts = kept::newest(view, limit.min(LIST_MAX));
        for listed in &mut alerts {
            listed.alert = listed.alert.take().map(|alert| named(alert, me));
        }
        let answer = MonitorAnswer {
            alerts,
            passed: tally.passed,
            // Nobody stands above the national center who could miss anything.
            lost: self.settings.upper.as_ref().map_or(0, |_| tally.lost),
            neighbours: kept::neighbours(view),
        };
        step.answer_local(ticket, answer.encode_to_vec());
        step
    }

    fn on_refused(
        &mut self,
        context: &Context<'_>,
        message_id: MessageId,
        _refusal: &Refusal,
        _view: &mut View,
    ) -> Step {
        if self.sent.is_some_and(|(id, _)| id == message_id) {
            self.sent = None;
            self.pace.refused(context.now_ms);
        }
        Step::none()
    }

    fn on_timeout(&mut self, context: &Context<'_>, _view: &mut View) -> Step {
        if !self.wants_report && self.pace.is_due(context.now_ms) {
            self.prepare(context.now_ms)
        } else {
            Step::none()
        }
    }

    fn next_timeout(&self) -> Option<u64> {
        if self.alerted {
            Some(0)
        } else if self.wants_report {
            None
        } else {
            Some(self.pace.due_ms())
        }
    }

    fn before_sync(&mut self, context: &Context<'_>, _view: &mut View) -> Step {
        if self.settings.upper.is_none() {
            self.alerted = false;
            return Step::none();
        }
        if std::mem::take(&mut self.alerted) {
            self.urgent = true;
            self.pace.alert();
        }
        // Any turn will do: after the clock was set back, the time that was asked for is far off.
        if !self.wants_report && self.pace.is_due(context.now_ms) {
            self.prepare(context.now_ms)
        } else {
            Step::none()
        }
    }

    fn on_durable(&mut self, context: &Context<'_>, _durable: u64, view: &mut View) -> Step {
        // A checkpoint that was asked for may wait for a later sync, and the report with it.
        if !self.wants_report || context.ledger.checkpoint_waits() {
            return Step::none();
        }
        self.wants_report = false;
        self.report(context, view)
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        let own = [EntryKind::CHECKPOINT, NEIGHBOUR_CHECKPOINT, ALERTS_PASSED];
        if !own.contains(&entry.kind) {
            self.has_news = true;
        }
        let payload = entry.payload.as_slice();
        match entry.kind {
            ALERT_REPORTED => {
                if let Ok(AlertReported {
                    alert: Some(alert), ..
                }) = AlertReported::decode(payload)
                {
                    kept::note_seen(view, &alert);
                    kept::add(view, entry.seq, &alert);
                    self.alerted = true;
                }
            }
            ALERTS_PASSED => {
                if let Ok(AlertsPassed { through }) = AlertsPassed::decode(payload) {
                    kept::pass(view, through);
                }
            }
            NEIGHBOUR_CHECKPOINT => {
                if let Ok(NeighbourCheckpoint {
                    checkpoint: Some(checkpoint),
                }) = NeighbourCheckpoint::decode(payload)
                {
                    let neighbour = Neighbour::after(&checkpoint, entry.at_ms);
                    kept::put_neighbour(view, &checkpoint.node, &neighbour);
                }
            }
            _ => {
                if let Some(suspicion) = self.suspicion(entry) {
                    self.suspect(entry, suspicion, view);
                }
            }
        }
    }
}

/// An alert of the own ledger, which its entry does not name.
fn named(alert: Alert, me: &str) -> Alert {
    if alert.node.is_empty() {
        let node = me.to_owned();
        Alert { node, ..alert }
    } else {
        alert
    }
}

/// Puts something that concerns security on record, from where it becomes an alert.
fn record(step: &mut Step, source: &NodeId, code: ErrorCode, count: u32) {
    let record = SecurityRecord {
        source: source.to_string(),
        code: code.code().to_owned(),
        message_id: String::new(),
        count,
    };
    step.append(SECURITY, record.encode_to_vec());
}

/// Whether a time lies within a window that began earlier; a clock that was set back begins another.
fn within(at_ms: u64, since_ms: u64) -> bool {
    at_ms
        .checked_sub(since_ms)
        .is_some_and(|passed| passed < WINDOW_MS)
}

#[cfg(test)]
mod tests;
