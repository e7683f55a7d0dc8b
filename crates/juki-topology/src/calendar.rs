//! The network's civil date.

use juki_domain::{CivilDate, DateError};
use serde::{Deserialize, Serialize};

use crate::hours::CivilTime;
use crate::text_form;

/// Which civil date the network lives on, as a function of the machine's clock.
///
/// One civil day passes per day of the machine's clock, counted from the anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The civil date at the anchor.
    #[serde(with = "text_form::single")]
    pub base: CivilDate,
    /// The anchor in unix seconds of the machine's clock.
    pub anchor_unix_s: u64,
    /// Rises with every order that changes the calendar; at least 1.
    pub version: u32,
}

impl Calendar {
    /// The civil date at a time of the machine's clock, in unix seconds. Before the anchor it is
    /// the base.
    ///
    /// # Errors
    /// Where the date leaves the years that [`CivilDate`] knows.
    pub fn date_at(&self, unix_s: u64) -> Result<CivilDate, DateError> {
        let days = unix_s.saturating_sub(self.anchor_unix_s) / SECONDS_PER_DAY;
        let days = i64::try_from(days).unwrap_or(i64::MAX);
        CivilDate::from_days(self.base.days().saturating_add(days))
    }

    /// The weekday and the minute of the civil day at a time of the machine's clock, in unix
    /// seconds. A civil day begins where its date does: the anchor is a midnight. A date beyond the
    /// years that [`CivilDate`] knows counts as the base.
    #[must_use]
    pub fn civil_time(&self, unix_s: u64) -> CivilTime {
        let date = self.date_at(unix_s).unwrap_or(self.base);
        let minute = unix_s.saturating_sub(self.anchor_unix_s) % SECONDS_PER_DAY / 60;
        CivilTime::of(date, u16::try_from(minute).unwrap_or(0))
    }
}

const SECONDS_PER_DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        let base = "2002-10-15".parse().expect("a date");
        Calendar {
            base,
            anchor_unix_s: 1_000_000,
            version: 1,
        }
    }

    #[test]
    fn the_date_changes_after_each_full_day_since_the_anchor() {
        let on = |unix_s| calendar().date_at(unix_s).expect("in range").to_string();
        assert_eq!(on(0), "2002-10-15");
        assert_eq!(on(1_000_000 + 86_399), "2002-10-15");
        assert_eq!(on(1_000_000 + 86_400), "2002-10-16");
        assert_eq!(on(1_000_000 + 17 * 86_400), "2002-11-01");
    }

    #[test]
    fn the_civil_day_begins_at_the_anchors_time_of_day() {
        let at = |unix_s| calendar().civil_time(unix_s).to_string();
        assert_eq!(at(0), "Tue 00:00");
        assert_eq!(at(1_000_000 + 8 * 3_600 + 59), "Tue 08:00");
        assert_eq!(at(1_000_000 + 86_400 * 5 - 1), "Sat 23:59");
        assert_eq!(at(1_000_000 + 86_400 * 5), "Sun 00:00");
    }

    #[test]
    fn a_clock_far_ahead_is_an_error_and_no_panic() {
        assert!(calendar().date_at(u64::MAX).is_err());
    }
}
