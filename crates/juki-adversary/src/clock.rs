//! A clock that somebody has set.

use juki_runtime::{Clock, SystemClock};

/// The system's clock, shifted.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShiftedClock {
    /// By how many milliseconds; back where negative.
    pub by_ms: i64,
}

impl Clock for ShiftedClock {
    fn now_ms(&self) -> u64 {
        SystemClock.now_ms().saturating_add_signed(self.by_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_by_an_hour_is_an_hour_behind() {
        let back = ShiftedClock { by_ms: -3_600_000 };
        let behind = SystemClock.now_ms() - back.now_ms();
        assert!((3_599_000..=3_601_000).contains(&behind), "{behind}");
    }
}
