//! When a node reports.

/// A node that has nothing to tell reports this often.
pub(crate) const HEARTBEAT_MS: u64 = 10_000;
/// Reports with alerts are at least this far apart, so that alerts of one moment share one.
const GAP_MS: u64 = 100;
/// After how long a report with alerts that nobody acknowledged is repeated, at first.
const RETRY_MS: u64 = 1_000;

/// When the next report is due. Times are in ms since 1970.
#[derive(Debug, Clone)]
pub struct Pace {
    due_ms: u64,
    sent_ms: u64,
    retry_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            due_ms: 0,
            sent_ms: 0,
            retry_ms: RETRY_MS,
        }
    }
}

impl Pace {
    /// There is something new to tell.
    pub fn alert(&mut self) {
        self.due_ms = self.due_ms.min(self.sent_ms + GAP_MS);
    }

    /// When the next report is due: at once for a node that has just begun.
    #[must_use]
    pub fn due_ms(&self) -> u64 {
        self.due_ms
    }

    /// Whether a report is due. A clock that was set back makes one due too.
    #[must_use]
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.due_ms <= now_ms || self.sent_ms > now_ms
    }

    /// A report left, with alerts or without.
    pub fn sent(&mut self, now_ms: u64, with_alerts: bool) {
        self.sent_ms = now_ms;
        if with_alerts {
            self.due_ms = now_ms + self.retry_ms;
            self.retry_ms = (self.retry_ms * 2).min(HEARTBEAT_MS);
        } else {
            self.due_ms = now_ms + HEARTBEAT_MS;
        }
    }

    /// The tier above has what was sent; `more` says that further alerts wait.
    pub fn acknowledged(&mut self, now_ms: u64, more: bool) {
        self.retry_ms = RETRY_MS;
        self.due_ms = if more {
            self.sent_ms + GAP_MS
        } else {
            now_ms + HEARTBEAT_MS
        };
    }

    /// A report did not get through: also a heartbeat is tried again soon, then less and less often.
    pub fn refused(&mut self, now_ms: u64) {
        self.due_ms = now_ms + self.retry_ms;
        self.retry_ms = (self.retry_ms * 2).min(HEARTBEAT_MS);
    }

    /// The way up is open again.
    pub fn way_up(&mut self) {
        self.retry_ms = RETRY_MS;
        self.due_ms = self.due_ms.min(self.sent_ms + GAP_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_node_says_something_every_ten_seconds_and_an_alert_at_once() {
        let mut pace = Pace::default();
        assert!(pace.is_due(1_000));
        pace.sent(1_000, false);
        pace.acknowledged(1_010, false);
        assert!(!pace.is_due(11_009) && pace.is_due(11_010));
        pace.sent(11_010, false);
        pace.alert();
        assert!(!pace.is_due(11_050) && pace.is_due(11_110));
    }

    #[test]
    fn what_nobody_acknowledges_is_repeated_less_and_less_often() {
        let mut pace = Pace::default();
        let mut gaps = Vec::new();
        let mut now_ms = 0;
        for _ in 0..6 {
            pace.sent(now_ms, true);
            gaps.push(pace.due_ms() - now_ms);
            now_ms = pace.due_ms();
        }
        assert_eq!(gaps, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        pace.way_up();
        assert_eq!(pace.due_ms(), pace.sent_ms + GAP_MS);
        pace.acknowledged(now_ms, true);
        pace.sent(now_ms, true);
        assert_eq!(pace.due_ms(), now_ms + RETRY_MS);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_a_node() {
        let mut pace = Pace::default();
        pace.sent(50_000, false);
        assert!(pace.is_due(49_000));
    }
}
