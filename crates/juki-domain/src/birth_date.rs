//! Dates of birth, which may be partly unknown.

use std::fmt;
use std::str::FromStr;

use crate::date::{japanese_year, split_iso, split_number};
use crate::date_text::WrittenDate;
use crate::gregorian::days_in_month;
use crate::{CivilDate, DateError};

/// A date of birth (出生の年月日) whose day, or month and day, may be unknown (日不詳, 月日不詳).
///
/// Unknown parts order before known ones. `Debug` shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BirthDate {
    year: u16,
    month: u8,
    day: u8,
}

impl BirthDate {
    /// The date with this number: yyyymmdd, 00 for an unknown day or an unknown month and day.
    ///
    /// # Errors
    /// [`DateError`] where the calendar has no such day, the year is out of range, or a day is
    /// given without its month.
    pub fn from_number(number: u32) -> Result<Self, DateError> {
        let (year, month, day) = split_number(number)?;
        Self::from_parts(year, month, day)
    }

    /// Reads a date of birth as registers write it: every form of
    /// [`CivilDate::parse_japanese`], and `昭和5年3月日不詳`, `昭和5年月日不詳`, `1930-03-00`, `19300000`.
    ///
    /// # Errors
    /// [`DateError`], [`DateError::OutsideEra`] where no possible day lies in the era.
    pub fn parse_japanese(text: &str) -> Result<Self, DateError> {
        let written = WrittenDate::read(text)?;
        let date = Self::from_parts(written.year()?, written.month, written.day)?;
        match written.era {
            Some(era)
                if date.last_possible() < era.first_day()
                    || date.first_possible() > era.last_day() =>
            {
                Err(DateError::OutsideEra)
            }
            Some(_) | None => Ok(date),
        }
    }

    /// The date as the number yyyymmdd, with 00 for what is unknown.
    #[must_use]
    pub fn number(self) -> u32 {
        u32::from(self.year) * 10_000 + u32::from(self.month) * 100 + u32::from(self.day)
    }

    /// The date as `1930-03-05`, with 00 for what is unknown, to be shown only where the law lets
    /// a person see it.
    #[must_use]
    pub fn reveal(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// The date in Japanese, to be shown only where the law lets a person see it. A year that two
    /// eras share is written in the earlier one where the day is unknown.
    #[must_use]
    pub fn to_japanese(self) -> String {
        let year = japanese_year(self.first_possible());
        match (self.month, self.day) {
            (0, _) => format!("{year}月日不詳"),
            (month, 0) => format!("{year}{month}月日不詳"),
            (month, day) => format!("{year}{month}月{day}日"),
        }
    }

    /// Whether a day that this date can mean lies between two days, both included.
    #[must_use]
    pub fn can_lie_within(self, from: CivilDate, to: CivilDate) -> bool {
        self.last_possible() >= from && self.first_possible() <= to
    }

    fn from_parts(year: i32, month: u8, day: u8) -> Result<Self, DateError> {
        if month == 0 && day != 0 {
            return Err(DateError::NoSuchDay);
        }
        CivilDate::from_ymd(year, month.max(1), day.max(1))?;
        let year = u16::try_from(year).map_err(|_| DateError::YearOutOfRange)?;
        Ok(Self { year, month, day })
    }

    fn first_possible(self) -> CivilDate {
        CivilDate::known(self.year, self.month.max(1), self.day.max(1))
    }

    fn last_possible(self) -> CivilDate {
        let month = if self.month == 0 { 12 } else { self.month };
        let day = if self.day == 0 {
            days_in_month(self.year, month)
        } else {
            self.day
        };
        CivilDate::known(self.year, month, day)
    }
}

impl From<CivilDate> for BirthDate {
    fn from(date: CivilDate) -> Self {
        // A civil date's year lies within the same bounds, so the fallback is never taken.
        Self {
            year: u16::try_from(date.year()).unwrap_or(CivilDate::YEAR_MIN),
            month: date.month(),
            day: date.day(),
        }
    }
}

impl FromStr for BirthDate {
    type Err = DateError;

    /// Reads `1930-03-05`, `1930-03-00`, `1930-00-00` and nothing else.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let (year, month, day) = split_iso(text)?;
        Self::from_parts(year, month, day)
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_unknown_day_lies_within_bounds_where_any_day_of_it_does() {
        let day = |text: &str| text.parse::<CivilDate>().unwrap();
        let (from, to) = (day("1868-01-25"), day("2002-10-15"));
        for (date, within) in [
            ("1868-01-00", true),
            ("1868-01-24", false),
            ("1868-01-25", true),
            ("1867-00-00", false),
            ("2002-10-15", true),
            ("2002-10-16", false),
            ("2002-10-00", true),
            ("2002-11-00", false),
            ("2003-00-00", false),
        ] {
            let date: BirthDate = date.parse().unwrap();
            assert_eq!(date.can_lie_within(from, to), within, "{}", date.reveal());
        }
    }

    #[test]
    fn partly_unknown_dates_are_read_in_every_form() {
        for (number, texts) in [
            (
                19_300_300,
                [
                    "昭和5年3月日不詳",
                    "昭和5年3月不詳",
                    "1930-03-00",
                    "19300300",
                    "S5.3.0",
                ],
            ),
            (
                19_300_000,
                [
                    "昭和5年月日不詳",
                    "昭和５年不詳",
                    "1930-00-00",
                    "19300000",
                    "1930年月日不詳",
                ],
            ),
            (
                19_300_305,
                [
                    "昭和5年3月5日",
                    "昭和五年三月五日",
                    "1930-03-05",
                    "19300305",
                    "S5.3.5",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(
                    BirthDate::parse_japanese(text).map(BirthDate::number),
                    Ok(number),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_day_must_be_possible_in_its_era() {
        for text in [
            "昭和64年月日不詳",
            "昭和64年1月日不詳",
            "平成元年1月日不詳",
            "大正15年12月日不詳",
            "昭和元年月日不詳",
        ] {
            assert!(BirthDate::parse_japanese(text).is_ok(), "{text}");
        }
        for text in [
            "昭和64年2月日不詳",
            "昭和65年月日不詳",
            "昭和元年11月日不詳",
            "平成31年5月日不詳",
        ] {
            assert_eq!(
                BirthDate::parse_japanese(text),
                Err(DateError::OutsideEra),
                "{text}"
            );
        }
    }

    #[test]
    fn a_day_without_its_month_is_refused() {
        assert_eq!("1930-00-05".parse::<BirthDate>(), Err(DateError::NoSuchDay));
        assert_eq!("1930-13-00".parse::<BirthDate>(), Err(DateError::NoSuchDay));
        assert_eq!(
            BirthDate::from_number(19_300_231),
            Err(DateError::NoSuchDay)
        );
        assert_eq!(BirthDate::from_number(0), Err(DateError::YearOutOfRange));
        assert!(BirthDate::parse_japanese("昭和5年3月0日").is_err());
    }

    #[test]
    fn debug_shows_no_digit() {
        let date: BirthDate = "1930-03-00".parse().unwrap();
        assert_eq!(format!("{date:?}"), "BirthDate(..)");
        assert_eq!(
            (date.reveal(), date.to_japanese()),
            ("1930-03-00".to_owned(), "昭和5年3月日不詳".to_owned())
        );
    }

    #[test]
    fn a_known_day_equals_its_civil_date() {
        let date: CivilDate = "1970-01-02".parse().unwrap();
        assert_eq!(BirthDate::from(date).reveal(), "1970-01-02");
    }

    proptest! {
        #[test]
        fn a_birth_date_reads_back_from_each_of_its_forms(year in 1850_u32..=2150, month in 0_u32..=12, day in 0_u32..=31) {
            let number = year * 10_000 + month * 100 + day;
            if let Ok(date) = BirthDate::from_number(number) {
                prop_assert_eq!(date.number(), number);
                prop_assert_eq!(date.reveal().parse(), Ok(date));
                prop_assert_eq!(BirthDate::parse_japanese(&date.to_japanese()), Ok(date));
            } else {
                prop_assert!(month == 0 || day > 28);
            }
        }
    }
}
