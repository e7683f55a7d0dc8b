//! The collector's half: reports of other nodes become entries, and are acknowledged when durable.

use juki_dispatch::{Answer, Context, Origin, Step, View};
use juki_domain::{ErrorCode, NodeId, NodeRole, ServiceId};
use prost::Message as _;

use super::{Monitor, record};
use crate::kept;
use crate::{ALERT_REPORTED, Acknowledged, Alert, AlertReported, REPORT_ALERTS_MAX, Report};

impl Monitor {
    pub(super) fn on_report(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &View,
    ) -> Step {
        let report = match Report::decode(message) {
            Ok(report) if report.alerts.len() <= REPORT_ALERTS_MAX => report,
            Ok(_) | Err(_) => return refuse(origin, ErrorCode::FrameGarbage),
        };
        if !self.settings.collects {
            return refuse(origin, ErrorCode::ServiceUnknown);
        }
        // Each alert costs a signature's check: whoever sends without end is put off before that.
        if !self.has_room(context.now_ms, &origin.node, report.alerts.len() as u64) {
            return refuse(origin, ErrorCode::RateExceeded);
        }
        let mut step = Step::none();
        let mut forged = 0;
        let mut taken = false;
        // The view shows those of this report later.
        let mut told: Vec<Alert> = Vec::new();
        for alert in report.alerts {
            if !is_genuine(context, origin, &alert) {
                forged += 1;
            } else if !kept::is_seen(view, &alert) && !told.contains(&alert) {
                taken = true;
                told.push(alert.clone());
                let reported = AlertReported {
                    alert: Some(alert),
                    by: origin.node.to_string(),
                };
                step.append(ALERT_REPORTED, reported.encode_to_vec());
            }
        }
        if forged > 0 {
            record(&mut step, &origin.node, ErrorCode::AlertForged, forged);
        }
        if let Some(checkpoint) = &report.checkpoint {
            self.note_checkpoint(context, &origin.node, checkpoint, (view, taken), &mut step);
        }
        let acknowledged = Acknowledged {
            checkpoint: context.ledger.checkpoint(),
            refusal: String::new(),
        };
        let body = acknowledged.encode_to_vec();
        step.answer(Answer::to(origin, ServiceId::Monitor, body));
        // Only alerts are acknowledged; a checkpoint that is kept may share the sync of a later turn.
        if taken || forged > 0 {
            step
        } else {
            step.lazy()
        }
    }
}

impl Monitor {
    /// Whether so many more alerts of a node may be looked at in this minute.
    fn has_room(&mut self, now_ms: u64, from: &NodeId, alerts: u64) -> bool {
        let minute = now_ms / 60_000;
        let looked_at = self.looked_at.entry(from.clone()).or_default();
        if looked_at.0 != minute {
            *looked_at = (minute, 0);
        }
        looked_at.1 = looked_at.1.saturating_add(alerts);
        looked_at.1 <= ALERTS_PER_MINUTE_MAX
    }
}

/// Alerts of one node, or of all behind a prefecture, that are looked at in a minute.
const ALERTS_PER_MINUTE_MAX: u64 = 6_000;

/// Whether the alert is its node's own word, brought by that node or by a prefecture.
fn is_genuine(context: &Context<'_>, origin: &Origin, alert: &Alert) -> bool {
    let Some(node) = alert.origin() else {
        return false;
    };
    let entry = |node| context.directory.entry(node);
    let may_bring = node == origin.node
        || entry(&origin.node).is_some_and(|entry| entry.role == NodeRole::PrefectureServer);
    may_bring && entry(&node).is_some_and(|entry| alert.verify(&entry.signing).is_ok())
}

fn refuse(origin: &Origin, code: ErrorCode) -> Step {
    let mut step = Step::none();
    let refused = Acknowledged {
        checkpoint: None,
        refusal: code.code().to_owned(),
    };
    let body = refused.encode_to_vec();
    step.answer(Answer::to(origin, ServiceId::Monitor, body));
    step
}
