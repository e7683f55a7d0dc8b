//! When a node that ended by itself is started again, and when no more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bounds of restarting and stopping.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RestartPolicy {
    /// The wait before the first restart; it doubles with each further one.
    pub(crate) delay_first: Duration,
    /// The longest wait.
    pub(crate) delay_max: Duration,
    /// How many restarts are allowed within the window.
    pub(crate) restarts_max: usize,
    /// The window; a node that ran this long begins anew with the first wait.
    pub(crate) window: Duration,
    /// How long a node may take to stop before it is killed.
    pub(crate) stop_grace: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            delay_first: Duration::from_millis(100),
            delay_max: Duration::from_secs(5),
            restarts_max: 5,
            window: Duration::from_secs(60),
            stop_grace: STOP_GRACE,
        }
    }
}

/// How long a node may take to stop before it is killed.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(10);

/// The restarts of one node.
#[derive(Debug)]
pub(crate) struct RestartHistory {
    policy: RestartPolicy,
    restarts: VecDeque<Instant>,
    delay: Duration,
}

impl RestartHistory {
    pub(crate) fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            restarts: VecDeque::new(),
            delay: policy.delay_first,
        }
    }

    /// Forgets what was, after a restart that somebody asked for.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.policy);
    }

    /// How long to wait before the restart of a node that ended now after running so long; `None` at the limit.
    pub(crate) fn after_end(&mut self, now: Instant, ran: Duration) -> Option<Duration> {
        while self
            .restarts
            .front()
            .is_some_and(|at| now.saturating_duration_since(*at) >= self.policy.window)
        {
            self.restarts.pop_front();
        }
        if self.restarts.len() >= self.policy.restarts_max {
            return None;
        }
        if ran >= self.policy.window {
            self.delay = self.policy.delay_first;
        }
        self.restarts.push_back(now);
        let delay = self.delay;
        self.delay = delay.saturating_mul(2).min(self.policy.delay_max);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::from_millis(1);

    #[test]
    fn waits_double_and_the_sixth_end_within_a_minute_is_the_last() {
        let mut history = RestartHistory::new(RestartPolicy::default());
        let start = Instant::now();
        let waits: Vec<Option<u128>> = (0..6)
            .map(|n| {
                history
                    .after_end(start + Duration::from_secs(n), AT_ONCE)
                    .map(|wait| wait.as_millis())
            })
            .collect();
        assert_eq!(
            waits,
            [Some(100), Some(200), Some(400), Some(800), Some(1600), None]
        );
        history.forget();
        assert_eq!(
            history.after_end(start + Duration::from_secs(6), AT_ONCE),
            Some(Duration::from_millis(100))
        );
    }

    #[test]
    fn ends_that_are_far_apart_are_never_too_many_and_wait_five_seconds_at_most() {
        let mut history = RestartHistory::new(RestartPolicy::default());
        let start = Instant::now();
        let mut longest = Duration::ZERO;
        for n in 0..100 {
            let wait = history
                .after_end(start + Duration::from_secs(n * 13), Duration::from_secs(8))
                .unwrap();
            longest = longest.max(wait);
        }
        assert_eq!(longest, Duration::from_secs(5));
    }

    #[test]
    fn a_node_that_ran_a_minute_begins_anew() {
        let mut history = RestartHistory::new(RestartPolicy::default());
        let start = Instant::now();
        history.after_end(start, AT_ONCE);
        history.after_end(start, AT_ONCE);
        let wait = history.after_end(start + Duration::from_secs(90), Duration::from_secs(60));
        assert_eq!(wait, Some(Duration::from_millis(100)));
    }
}
