//! Civil dates: days of the proleptic Gregorian calendar.

use std::fmt;
use std::str::FromStr;

use crate::Era;
use crate::date_text::WrittenDate;
use crate::gregorian::{civil_from_days, days_from_civil, days_in_month};

/// A day of the network's civil calendar, from 1850-01-01 to 2150-12-31.
///
/// Days before 1873 are Gregorian too: the lunisolar calendar of the first Meiji years is not converted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    year: u16,
    month: u8,
    day: u8,
}

/// Why a text or a number is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Written in none of the accepted ways.
    #[error("not written as a date")]
    Form,
    /// The calendar has no such day.
    #[error("the calendar has no such day")]
    NoSuchDay,
    /// A year before 1850 or after 2150.
    #[error("the year is outside 1850 to 2150")]
    YearOutOfRange,
    /// The era had not begun or was over on that day.
    #[error("the day lies outside its era")]
    OutsideEra,
}

impl CivilDate {
    /// First year that a date may have.
    pub const YEAR_MIN: u16 = 1850;
    /// Last year that a date may have.
    pub const YEAR_MAX: u16 = 2150;

    /// The day with this year, month (1 to 12) and day of the month (1 to 31).
    ///
    /// # Errors
    /// [`DateError::YearOutOfRange`] or [`DateError::NoSuchDay`].
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Result<Self, DateError> {
        let year = u16::try_from(year).map_err(|_| DateError::YearOutOfRange)?;
        if !(Self::YEAR_MIN..=Self::YEAR_MAX).contains(&year) {
            return Err(DateError::YearOutOfRange);
        }
        if day == 0 || day > days_in_month(year, month) {
            return Err(DateError::NoSuchDay);
        }
        Ok(Self { year, month, day })
    }

    /// The day with this number, written yyyymmdd.
    ///
    /// # Errors
    /// [`DateError::YearOutOfRange`] or [`DateError::NoSuchDay`].
    pub fn from_number(number: u32) -> Result<Self, DateError> {
        let (year, month, day) = split_number(number)?;
        Self::from_ymd(year, month, day)
    }

    /// The day this many days after 1970-01-01 (before it, if negative).
    ///
    /// # Errors
    /// [`DateError::YearOutOfRange`].
    pub fn from_days(days: i64) -> Result<Self, DateError> {
        if !(DAYS_MIN..=DAYS_MAX).contains(&days) {
            return Err(DateError::YearOutOfRange);
        }
        let (year, month, day) = civil_from_days(days)?;
        Self::from_ymd(year, month, day)
    }

    /// Reads a date as registers write it: `1970-01-02`, `19700102`, `1970/01/02`,
    /// `1970年1月2日`, `昭和45年1月2日`, `平成元年1月8日`, `S45.1.2`, full-width digits too.
    ///
    /// # Errors
    /// [`DateError`], [`DateError::OutsideEra`] for a day such as 昭和65年1月1日.
    pub fn parse_japanese(text: &str) -> Result<Self, DateError> {
        let written = WrittenDate::read(text)?;
        let date = Self::from_ymd(written.year()?, written.month, written.day)?;
        match written.era {
            Some(era) if date < era.first_day() || date > era.last_day() => {
                Err(DateError::OutsideEra)
            }
            Some(_) | None => Ok(date),
        }
    }

    /// The year of the Gregorian calendar, 1850 to 2150.
    #[must_use]
    pub fn year(self) -> i32 {
        i32::from(self.year)
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }

    /// The date as the number yyyymmdd.
    #[must_use]
    pub fn number(self) -> u32 {
        u32::from(self.year) * 10_000 + u32::from(self.month) * 100 + u32::from(self.day)
    }

    /// Days since 1970-01-01, negative before it.
    #[must_use]
    pub fn days(self) -> i64 {
        days_from_civil(self.year, self.month, self.day)
    }

    /// The era (元号) of this day and the year within it, or nothing before 1868-01-25.
    #[must_use]
    pub fn era(self) -> Option<(Era, u16)> {
        let era = Era::on(self)?;
        Some((era, self.year - era.first_day().year + 1))
    }

    /// The date in Japanese, with its era where it has one: `昭和45年1月2日`, `平成元年1月8日`.
    #[must_use]
    pub fn to_japanese(self) -> String {
        format!("{}{}月{}日", japanese_year(self), self.month, self.day)
    }

    /// A day of the calendar that the caller knows to exist.
    pub(crate) const fn known(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }
}

/// The year of a day in Japanese: `昭和45年`, `平成元年`, and `1860年` before the first era.
pub(crate) fn japanese_year(date: CivilDate) -> String {
    match date.era() {
        Some((era, 1)) => format!("{}元年", era.ja()),
        Some((era, year)) => format!("{}{year}年", era.ja()),
        None => format!("{}年", date.year),
    }
}

/// Year, month and day of a number yyyymmdd, unchecked but for its length.
pub(crate) fn split_number(number: u32) -> Result<(i32, u8, u8), DateError> {
    let year = i32::try_from(number / 10_000).map_err(|_| DateError::YearOutOfRange)?;
    let narrow = |value: u32| u8::try_from(value).map_err(|_| DateError::NoSuchDay);
    Ok((year, narrow(number / 100 % 100)?, narrow(number % 100)?))
}

impl FromStr for CivilDate {
    type Err = DateError;

    /// Reads `YYYY-MM-DD` and nothing else.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let (year, month, day) = split_iso(text)?;
        Self::from_ymd(year, month, day)
    }
}

/// Year, month and day of a text `YYYY-MM-DD`, unchecked but for their digits.
pub(crate) fn split_iso(text: &str) -> Result<(i32, u8, u8), DateError> {
    let digits = |part: Option<&str>, len: usize| {
        let part = part
            .filter(|part| part.len() == len)
            .ok_or(DateError::Form)?;
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DateError::Form);
        }
        part.parse::<u16>().map_err(|_| DateError::Form)
    };
    let narrow = |value: u16| u8::try_from(value).map_err(|_| DateError::Form);
    let mut parts = text.splitn(4, '-');
    let year = digits(parts.next(), 4)?;
    let month = narrow(digits(parts.next(), 2)?)?;
    let day = narrow(digits(parts.next(), 2)?)?;
    if parts.next().is_some() {
        return Err(DateError::Form);
    }
    Ok((i32::from(year), month, day))
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const DAYS_MIN: i64 = days_from_civil(CivilDate::YEAR_MIN, 1, 1);
const DAYS_MAX: i64 = days_from_civil(CivilDate::YEAR_MAX, 12, 31);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn known_days_have_their_numbers() {
        assert_eq!(date("1970-01-01").days(), 0);
        assert_eq!(date("1969-12-31").days(), -1);
        assert_eq!(date("2000-02-29").days(), 11_016);
        assert_eq!(date("2002-08-05").days(), 11_904);
        assert_eq!(date("2002-08-05").number(), 20_020_805);
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2001-02-29",
            "1900-02-29",
            "2002-04-31",
            "2002-13-01",
            "2002-00-10",
            "2002-01-00",
        ] {
            assert_eq!(
                text.parse::<CivilDate>(),
                Err(DateError::NoSuchDay),
                "{text}"
            );
        }
        for text in [
            "",
            "2002-8-5",
            "2002-08-05-",
            "02-08-05",
            "+200-01-01",
            "2002-08-05T",
            "２００２-08-05",
        ] {
            assert_eq!(text.parse::<CivilDate>(), Err(DateError::Form), "{text}");
        }
        assert_eq!(
            "1849-12-31".parse::<CivilDate>(),
            Err(DateError::YearOutOfRange)
        );
        assert_eq!(
            "2151-01-01".parse::<CivilDate>(),
            Err(DateError::YearOutOfRange)
        );
        assert_eq!(
            CivilDate::from_ymd(-1, 1, 1),
            Err(DateError::YearOutOfRange)
        );
        assert_eq!(
            CivilDate::from_days(i64::MIN),
            Err(DateError::YearOutOfRange)
        );
        assert_eq!(
            CivilDate::from_days(i64::MAX),
            Err(DateError::YearOutOfRange)
        );
        assert_eq!(
            CivilDate::from_number(u32::MAX),
            Err(DateError::YearOutOfRange)
        );
    }

    #[test]
    fn every_way_of_writing_a_day_gives_the_same_day() {
        for text in [
            "1970-01-02",
            "19700102",
            "1970/01/02",
            "1970/1/2",
            "1970年1月2日",
            "昭和45年1月2日",
            "昭和４５年１月２日",
            "昭和四十五年一月二日",
            "S45.1.2",
            "s45.01.02",
            "Ｓ４５．１．２",
            " 昭和45年 1月 2日 ",
            "㍼45年1月2日",
        ] {
            assert_eq!(
                CivilDate::parse_japanese(text),
                Ok(date("1970-01-02")),
                "{text}"
            );
        }
        assert_eq!(
            CivilDate::parse_japanese("平成元年1月8日"),
            Ok(date("1989-01-08"))
        );
        assert_eq!(CivilDate::parse_japanese("R1.5.1"), Ok(date("2019-05-01")));
    }

    #[test]
    fn days_outside_their_era_are_refused() {
        for text in [
            "昭和65年1月1日",
            "昭和64年1月8日",
            "平成元年1月7日",
            "大正15年12月25日",
            "平成31年5月1日",
            "令和元年4月30日",
            "明治45年7月30日",
            "明治元年1月24日",
        ] {
            assert_eq!(
                CivilDate::parse_japanese(text),
                Err(DateError::OutsideEra),
                "{text}"
            );
        }
        for text in [
            "昭和64年1月7日",
            "大正15年12月24日",
            "昭和元年12月25日",
            "平成31年4月30日",
            "明治45年7月29日",
        ] {
            assert!(CivilDate::parse_japanese(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_full_date_is_refused() {
        for text in [
            "",
            "昭和",
            "昭和45年",
            "昭和45年1月",
            "昭和0年1月1日",
            "昭和45年1月日不詳",
            "1970-1-",
            "1970--1",
            "197001",
            "X45.1.2",
            "45.1.2",
            "昭和45年1月2日3",
            "昭和99999999999年1月1日",
            "S45,1,2",
            "1970/01-02",
        ] {
            assert!(CivilDate::parse_japanese(text).is_err(), "{text}");
        }
        assert_eq!(
            CivilDate::parse_japanese(&"1".repeat(1000)),
            Err(DateError::Form)
        );
    }

    proptest! {
        #[test]
        fn a_day_reads_back_from_each_of_its_forms(days in DAYS_MIN..=DAYS_MAX) {
            let date = CivilDate::from_days(days).unwrap();
            prop_assert_eq!(date.days(), days);
            prop_assert_eq!(CivilDate::from_number(date.number()), Ok(date));
            prop_assert_eq!(date.to_string().parse(), Ok(date));
            prop_assert_eq!(CivilDate::parse_japanese(&date.to_japanese()), Ok(date));
            prop_assert_eq!(CivilDate::parse_japanese(&date.to_string()), Ok(date));
        }

        #[test]
        fn the_next_day_is_later(days in DAYS_MIN..DAYS_MAX) {
            let (today, tomorrow) = (CivilDate::from_days(days).unwrap(), CivilDate::from_days(days + 1).unwrap());
            prop_assert!(today < tomorrow);
            prop_assert!(tomorrow.day() == today.day() + 1 || tomorrow.day() == 1);
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in "\\PC{0,40}") {
            let _ = CivilDate::parse_japanese(&text);
            let _ = text.parse::<CivilDate>();
        }

        #[test]
        fn no_date_like_text_makes_the_readers_panic(text in "[明大昭平成治正和令MTSHR0-9０-９年月日元不詳./ -]{0,24}") {
            if let Ok(date) = CivilDate::parse_japanese(&text) {
                prop_assert_eq!(CivilDate::from_days(date.days()), Ok(date));
            }
        }
    }
}
