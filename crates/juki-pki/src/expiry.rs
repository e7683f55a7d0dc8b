//! How near the end of a certificate is.

/// How much a certificate's end presses, by the days at which people are warned: 30, 7 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expiry {
    /// More than thirty days are left.
    Far,
    /// At most thirty days are left.
    Month,
    /// At most seven days are left.
    Week,
    /// At most one day is left.
    Day,
    /// It is no longer valid.
    Ended,
}

impl Expiry {
    /// How near the end (Unix second of the last validity) is at this Unix second.
    #[must_use]
    pub fn of(not_after_s: u64, now_s: u64) -> Self {
        let Some(left) = not_after_s.checked_sub(now_s) else {
            return Self::Ended;
        };
        if left <= DAY_S {
            Self::Day
        } else if left <= WEEK_S {
            Self::Week
        } else if left <= MONTH_S {
            Self::Month
        } else {
            Self::Far
        }
    }

    /// Whether people are to be warned.
    #[must_use]
    pub fn warns(self) -> bool {
        self != Self::Far
    }

    /// The name in logs and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Far => "valid",
            Self::Month => "30-days",
            Self::Week => "7-days",
            Self::Day => "1-day",
            Self::Ended => "ended",
        }
    }
}

const DAY_S: u64 = 86_400;
const WEEK_S: u64 = 7 * DAY_S;
const MONTH_S: u64 = 30 * DAY_S;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_begin_thirty_seven_and_one_day_before_the_end() {
        const END: u64 = 1_790_000_000;
        for (left, expiry) in [
            (31 * DAY_S, Expiry::Far),
            (30 * DAY_S + 1, Expiry::Far),
            (30 * DAY_S, Expiry::Month),
            (7 * DAY_S + 1, Expiry::Month),
            (7 * DAY_S, Expiry::Week),
            (DAY_S + 1, Expiry::Week),
            (DAY_S, Expiry::Day),
            (0, Expiry::Day),
        ] {
            assert_eq!(Expiry::of(END, END - left), expiry, "{left}");
            assert_eq!(expiry.warns(), expiry != Expiry::Far);
        }
        assert_eq!(Expiry::of(END, END + 1), Expiry::Ended);
    }
}
