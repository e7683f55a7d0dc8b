//! Reading the ways in which registers write a date.

use unicode_normalization::UnicodeNormalization;

use crate::numeral::decimal_of_kanji;
use crate::{DateError, Era};

/// A date as written: month and day are 0 where the text calls them unknown (不詳).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrittenDate {
    /// The era the year is counted in; without one the year is Gregorian.
    pub(crate) era: Option<Era>,
    /// The year as written.
    pub(crate) year_written: u16,
    /// The month as written, 0 if unknown.
    pub(crate) month: u8,
    /// The day as written, 0 if unknown.
    pub(crate) day: u8,
}

impl WrittenDate {
    /// Longest text that can be a date, in bytes.
    pub(crate) const BYTES_MAX: usize = 64;

    /// Takes a text apart without asking whether the calendar has such a day.
    ///
    /// # Errors
    /// [`DateError::Form`].
    pub(crate) fn read(text: &str) -> Result<Self, DateError> {
        if text.len() > Self::BYTES_MAX {
            return Err(DateError::Form);
        }
        let plain: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
        let (era, rest) = split_era(&plain);
        if let Some((year, rest)) = rest.split_once('年') {
            return Self::read_japanese(era, year, rest);
        }
        if era.is_none() && rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::read_digits(rest);
        }
        let separator = rest
            .chars()
            .find(|c| matches!(c, '-' | '/' | '.'))
            .ok_or(DateError::Form)?;
        let parts: Vec<&str> = rest.splitn(4, separator).collect();
        let [year, month, day] = parts.as_slice() else {
            return Err(DateError::Form);
        };
        if era.is_none() && year.len() != 4 {
            return Err(DateError::Form);
        }
        Ok(Self {
            era,
            year_written: number(year)?,
            month: small(month)?,
            day: small(day)?,
        })
    }

    /// The Gregorian year.
    ///
    /// # Errors
    /// [`DateError::YearOutOfRange`] for a year 0 of an era.
    pub(crate) fn year(&self) -> Result<i32, DateError> {
        let written = i32::from(self.year_written);
        match self.era {
            None => Ok(written),
            Some(_) if written == 0 => Err(DateError::YearOutOfRange),
            Some(era) => Ok(era.first_day().year() + written - 1),
        }
    }

    /// Reads what surrounds 年: `45`, `1月2日`, `1月日不詳`, `月日不詳`, `1月不詳`, `不詳`.
    fn read_japanese(era: Option<Era>, year: &str, rest: &str) -> Result<Self, DateError> {
        let year_written = if year == "元" && era.is_some() {
            1
        } else {
            number(year)?
        };
        let (month, day) = match rest {
            "月日不詳" | "不詳" => (0, 0),
            known => {
                let (month, day) = known.split_once('月').ok_or(DateError::Form)?;
                let day = match day {
                    "日不詳" | "不詳" => 0,
                    known => positive(known.strip_suffix('日').ok_or(DateError::Form)?)?,
                };
                (positive(month)?, day)
            }
        };
        Ok(Self {
            era,
            year_written,
            month,
            day,
        })
    }

    fn read_digits(digits: &str) -> Result<Self, DateError> {
        let (year, rest) = digits.split_at_checked(4).ok_or(DateError::Form)?;
        let (month, day) = rest.split_at_checked(2).ok_or(DateError::Form)?;
        Ok(Self {
            era: None,
            year_written: number(year)?,
            month: small(month)?,
            day: small(day)?,
        })
    }
}

fn split_era(text: &str) -> (Option<Era>, &str) {
    for era in Era::ALL {
        let letter = [era.letter(), era.letter().to_ascii_lowercase()];
        if let Some(rest) = text
            .strip_prefix(era.ja())
            .or_else(|| text.strip_prefix(letter))
        {
            return (Some(era), rest);
        }
    }
    (None, text)
}

/// A number of ASCII digits or kanji numerals.
fn number(text: &str) -> Result<u16, DateError> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| DateError::Form);
    }
    decimal_of_kanji(text)
        .and_then(|digits| digits.parse().ok())
        .ok_or(DateError::Form)
}

fn small(text: &str) -> Result<u8, DateError> {
    u8::try_from(number(text)?).map_err(|_| DateError::NoSuchDay)
}

/// A month or day in words: unlike `1930-03-00`, `3月0日` is nobody's way to say unknown.
fn positive(text: &str) -> Result<u8, DateError> {
    match small(text)? {
        0 => Err(DateError::NoSuchDay),
        known => Ok(known),
    }
}
