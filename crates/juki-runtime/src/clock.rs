//! The machine's clock and the network's civil date, which never mix (design.md 2).

use std::time::{SystemTime, UNIX_EPOCH};

use juki_domain::CivilDate;

/// The machine's clock.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
}

/// The operating system's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            })
    }
}

/// The network's calendar: civil dates as a function of the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The civil date at the anchor.
    pub base: CivilDate,
    /// The machine's clock at the anchor, in seconds since 1970.
    pub anchor_unix_s: u64,
    /// The version that frames carry.
    pub version: u32,
}

impl Calendar {
    /// The civil date when the machine's clock says `now_ms`. Before the anchor it is the base.
    #[must_use]
    pub fn civil_date(&self, now_ms: u64) -> CivilDate {
        let days = (now_ms / 1000).saturating_sub(self.anchor_unix_s) / 86_400;
        let days = i64::try_from(days).unwrap_or(0);
        CivilDate::from_days(self.base.days() + days).unwrap_or(self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_civil_date_moves_on_a_day_after_the_anchor() {
        let calendar = Calendar {
            base: "2002-10-15".parse().unwrap(),
            anchor_unix_s: 1_000_000,
            version: 1,
        };
        let at = |s: u64| calendar.civil_date(s * 1000).to_string();
        assert_eq!(at(0), "2002-10-15");
        assert_eq!(at(1_000_000 + 86_399), "2002-10-15");
        assert_eq!(at(1_000_000 + 86_400), "2002-10-16");
    }
}
