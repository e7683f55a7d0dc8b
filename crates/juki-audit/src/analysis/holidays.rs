//! Weekends, national holidays and the days on which offices are closed.

use std::collections::BTreeSet;

use juki_domain::CivilDate;

/// The holidays of 2002 to 2004, as embedded: date, name, mark of evidence.
pub const DEFAULT_HOLIDAYS: &str = include_str!("../../../../configs/holidays-2002-2004.csv");

/// Days on which nobody works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays(BTreeSet<CivilDate>);

/// A line of the list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the holidays: write YYYY-MM-DD,NAME,MARK in at most {LINES_MAX} lines")]
pub struct HolidaysError {
    /// The line, from 1.
    pub line: usize,
}

/// A century of holidays.
const LINES_MAX: usize = 3_000;

impl Holidays {
    /// Reads the list: a header, then one day a line.
    ///
    /// # Errors
    /// [`HolidaysError`] naming the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, HolidaysError> {
        let mut days = BTreeSet::new();
        for (at, line) in text.lines().enumerate().skip(1) {
            let wrong = HolidaysError { line: at + 1 };
            if at > LINES_MAX {
                return Err(wrong);
            }
            let mut fields = line.split(',');
            let date = fields.next().and_then(|date| date.parse().ok());
            match (date, fields.count()) {
                (Some(date), 2) => days.insert(date),
                (Some(_) | None, _) => return Err(wrong),
            };
        }
        Ok(Self(days))
    }

    /// Whether a day is a holiday of the list.
    #[must_use]
    pub fn contain(&self, date: CivilDate) -> bool {
        self.0.contains(&date)
    }

    /// Whether offices are open: neither a weekend nor a holiday.
    #[must_use]
    pub fn is_working_day(&self, date: CivilDate) -> bool {
        weekday(date) < SATURDAY && !self.contain(date)
    }
}

/// Days since Monday, 0 to 6.
pub(crate) fn weekday(date: CivilDate) -> i64 {
    // 1970-01-01, day 0, was a Thursday.
    (date.days() + 3).rem_euclid(7)
}

const SATURDAY: i64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_embedded_list_follows_its_own_rules() {
        let holidays = Holidays::parse(DEFAULT_HOLIDAYS).unwrap();
        for line in DEFAULT_HOLIDAYS.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let day = date(fields[0]);
            let happy_monday = ["成人の日", "体育の日"].contains(&fields[1])
                || (day.year() >= 2003 && ["海の日", "敬老の日"].contains(&fields[1]));
            if happy_monday || fields[1] == "振替休日" {
                assert_eq!(weekday(day), 0, "{line}");
            }
            // A Sunday's holiday has its substitute on the Monday after it.
            if weekday(day) == 6 && !fields[1].starts_with("行政機関") {
                let next = CivilDate::from_days(day.days() + 1).unwrap();
                assert!(holidays.contain(next), "{line}");
            }
        }
    }

    #[test]
    fn offices_are_closed_on_weekends_and_holidays() {
        let holidays = Holidays::parse(DEFAULT_HOLIDAYS).unwrap();
        for (day, open) in [
            ("2002-08-05", true),
            ("2002-10-12", false),
            ("2002-10-14", false),
            ("2002-10-15", true),
            ("2003-11-24", false),
            ("2004-12-31", false),
        ] {
            assert_eq!(holidays.is_working_day(date(day)), open, "{day}");
        }
    }

    #[test]
    fn a_line_that_is_no_day_is_named() {
        for (text, line) in [
            ("date,name,mark\n2002-02-30,x,y\n", 2),
            ("date,name,mark\n2002-01-01,x,y\n2002-01-02\n", 3),
        ] {
            assert_eq!(Holidays::parse(text), Err(HolidaysError { line }));
        }
    }
}
