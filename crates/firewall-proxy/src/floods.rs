//! Like events, told one by one until they become a flood, then counted.

use std::collections::BTreeMap;

/// Events of one kind that are told one by one within a window.
pub(crate) const SINGLES_MAX: u32 = 100;
/// How long a window is, in ms.
pub(crate) const WINDOW_MS: u64 = 10_000;

/// Events that were only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) first_ms: u64,
    pub(crate) last_ms: u64,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

/// The windows that are open, one for each kind of event. Whoever names the kinds bounds them.
#[derive(Debug)]
pub(crate) struct Floods<K> {
    open: BTreeMap<K, Window>,
}

#[derive(Debug)]
struct Window {
    since_ms: u64,
    singles: u32,
    counted: Option<Tally>,
}

impl<K: Ord> Floods<K> {
    pub(crate) fn new() -> Self {
        Self {
            open: BTreeMap::new(),
        }
    }

    /// Notes an event; true where it is to be told by itself.
    pub(crate) fn note(&mut self, now_ms: u64, kind: K, bytes: u64) -> bool {
        self.note_many(now_ms, kind, 1, bytes)
    }

    /// Notes what stands for so many like events; true where it is to be told by itself.
    pub(crate) fn note_many(&mut self, now_ms: u64, kind: K, count: u64, bytes: u64) -> bool {
        let window = self.open.entry(kind).or_insert(Window {
            since_ms: now_ms,
            singles: 0,
            counted: None,
        });
        if window.singles < SINGLES_MAX {
            window.singles += 1;
            return true;
        }
        let tally = window.counted.get_or_insert(Tally {
            first_ms: now_ms,
            last_ms: now_ms,
            count: 0,
            bytes: 0,
        });
        tally.last_ms = now_ms;
        tally.count = tally.count.saturating_add(count);
        tally.bytes = tally.bytes.saturating_add(bytes);
        false
    }

    /// Closes the windows that have been open for their time, and gives what they counted. A clock
    /// that steps back closes them too.
    pub(crate) fn on_timeout(&mut self, now_ms: u64) -> Vec<(K, Tally)> {
        self.close_where(|since_ms| now_ms < since_ms || now_ms - since_ms >= WINDOW_MS)
    }

    /// Closes all windows.
    pub(crate) fn close(&mut self) -> Vec<(K, Tally)> {
        self.close_where(|_| true)
    }

    fn close_where(&mut self, is_over: impl Fn(u64) -> bool) -> Vec<(K, Tally)> {
        let over = self
            .open
            .extract_if(.., |_, window| is_over(window.since_ms));
        over.filter_map(|(kind, window)| Some((kind, window.counted?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_a_hundred_times_and_then_counted() {
        let mut floods = Floods::new();
        let singles = (0..250)
            .filter(|at| floods.note(1_000 + at, "refused", 10))
            .count();
        assert_eq!(singles, 100);
        assert_eq!(floods.on_timeout(10_999), [], "the window is still open");
        let tally = Tally {
            first_ms: 1_100,
            last_ms: 1_249,
            count: 150,
            bytes: 1_500,
        };
        assert_eq!(floods.on_timeout(11_000), [("refused", tally)]);
        assert!(floods.note(11_001, "refused", 10), "a new window begins");
    }

    #[test]
    fn one_kind_of_event_takes_nothing_from_another() {
        let mut floods = Floods::new();
        for _ in 0..=SINGLES_MAX {
            floods.note(0, 1, 0);
        }
        assert!(!floods.note(0, 1, 0) && floods.note(0, 2, 0));
        assert_eq!(floods.close().len(), 1);
        assert_eq!(floods.close(), []);
    }

    #[test]
    fn a_clock_that_steps_back_leaves_no_window_open_for_ever() {
        let mut floods = Floods::new();
        for _ in 0..200 {
            floods.note(50_000, (), 1);
        }
        assert_eq!(floods.on_timeout(49_999).len(), 1);
    }
}
