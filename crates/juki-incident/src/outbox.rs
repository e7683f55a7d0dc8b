//! Alerts of a node that folds no ledger: what waits for the tier above.

use std::collections::VecDeque;

use juki_wire::MessageId;

use crate::{Alert, Counters, REPORT_ALERTS_MAX};

/// Alerts that wait at most; beyond them the oldest are counted away. All are in the node's ledger.
const WAITING_MAX: usize = 1_000;

/// Alerts that are not acknowledged yet, in the order of their evidence.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Alert>,
    lost: u64,
    /// The last report: its id, and the evidence of the last alert in it.
    sent: Option<(MessageId, u64)>,
}

impl Outbox {
    /// Takes an alert.
    pub fn push(&mut self, alert: Alert) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
            self.lost = self.lost.saturating_add(1);
        }
        self.waiting.push_back(alert);
    }

    /// Counts an alert that could not even be kept.
    pub fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// The alerts of a report with this id.
    pub fn report(&mut self, id: MessageId) -> (Vec<Alert>, Counters) {
        let alerts: Vec<Alert> = self
            .waiting
            .iter()
            .take(REPORT_ALERTS_MAX)
            .cloned()
            .collect();
        let through = alerts.last().map_or(0, |alert| alert.evidence);
        self.sent = Some((id, through));
        let counters = Counters {
            lost: self.lost,
            waiting: (self.waiting.len() - alerts.len()) as u64,
        };
        (alerts, counters)
    }

    /// The report with this id is durable above: gives the evidence of its last alert, 0 for a
    /// heartbeat; none where it was not the last report.
    pub fn acknowledged(&mut self, id: MessageId) -> Option<u64> {
        let (_, through) = self.sent.take_if(|(sent, _)| *sent == id)?;
        while self
            .waiting
            .front()
            .is_some_and(|alert| alert.evidence <= through)
        {
            self.waiting.pop_front();
        }
        Some(through)
    }

    /// Whether alerts wait.
    #[must_use]
    pub fn has_alerts(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many alerts were counted away.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(evidence: u64) -> Alert {
        Alert {
            evidence,
            ..Alert::default()
        }
    }

    #[test]
    fn what_is_acknowledged_goes_and_what_came_meanwhile_stays() {
        let mut outbox = Outbox::default();
        outbox.push(alert(3));
        let (first, second) = (MessageId([1; 16]), MessageId([2; 16]));
        assert_eq!(outbox.report(first).0, [alert(3)]);
        outbox.push(alert(5));
        assert_eq!(outbox.acknowledged(second), None, "nobody sent that");
        assert_eq!(outbox.acknowledged(first), Some(3));
        assert_eq!(outbox.acknowledged(first), None, "an answer counts once");
        assert_eq!(outbox.report(second).0, [alert(5)]);
        assert_eq!(outbox.acknowledged(second), Some(5));
        assert!(!outbox.has_alerts());
    }

    #[test]
    fn a_node_that_nobody_hears_keeps_a_bounded_number_and_counts_the_rest() {
        let mut outbox = Outbox::default();
        for evidence in 1..=1_010 {
            outbox.push(alert(evidence));
        }
        let (alerts, counters) = outbox.report(MessageId([1; 16]));
        assert_eq!(alerts.len(), REPORT_ALERTS_MAX);
        assert_eq!((alerts[0].evidence, counters.lost), (11, 10));
        assert_eq!(counters.waiting, 1_000 - 64);
    }
}
