//! Codes of municipalities and prefectures (全国地方公共団体コード).

use std::fmt;
use std::str::FromStr;

/// The code of one municipality: prefecture (JIS X 0401), three digits within it (JIS X 0402),
/// and a check digit that is computed, not kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MunicipalityCode(u32);

/// The code of one prefecture, 1 to 47 (JIS X 0401).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrefectureCode(u8);

/// Why a text or a number is not the code of a municipality or prefecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MunicipalityCodeError {
    /// Not five or six ASCII digits, or for a prefecture not two.
    #[error("a municipality code has five or six digits, a prefecture code two")]
    Form,
    /// Outside prefectures 01 to 47, or below 100 within its prefecture.
    #[error("no municipality or prefecture can have this number")]
    OutOfRange,
    /// The sixth digit is not the check digit of the first five.
    #[error("the check digit does not fit")]
    CheckDigit,
}

impl MunicipalityCode {
    /// The code with this number of five digits, without check digit.
    ///
    /// # Errors
    /// [`MunicipalityCodeError::OutOfRange`].
    pub fn from_number(number: u32) -> Result<Self, MunicipalityCodeError> {
        let in_prefecture = (PREFECTURE_MIN..=PREFECTURE_MAX).contains(&(number / 1000));
        // Numbers below 100 stand for the prefecture itself.
        if in_prefecture && number % 1000 >= 100 {
            Ok(Self(number))
        } else {
            Err(MunicipalityCodeError::OutOfRange)
        }
    }

    /// The five digits without check digit, as a number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The prefecture that the municipality lies in.
    #[must_use]
    pub fn prefecture(self) -> PrefectureCode {
        // A checked code lies within 01 to 47, so the fallback is never taken.
        PrefectureCode(u8::try_from(self.0 / 1000).unwrap_or(0))
    }

    /// The check digit: weights 6 5 4 3 2, r = sum mod 11, last digit of 11 - r. So r = 0 gives 1
    /// and r = 1 gives 0, unlike a resident record code (domain.md 2.1).
    #[must_use]
    pub fn check_digit(self) -> u32 {
        let digits = [10_000, 1000, 100, 10, 1].map(|place| self.0 / place % 10);
        let sum: u32 = digits
            .iter()
            .zip([6, 5, 4, 3, 2])
            .map(|(digit, weight)| digit * weight)
            .sum();
        (11 - sum % 11) % 10
    }
}

impl FromStr for MunicipalityCode {
    type Err = MunicipalityCodeError;

    /// Reads five digits, or six with a check digit that must fit.
    fn from_str(text: &str) -> Result<Self, MunicipalityCodeError> {
        let number: u32 = digits(text, 5..=6)?;
        if text.len() == 5 {
            return Self::from_number(number);
        }
        let code = Self::from_number(number / 10)?;
        if code.check_digit() == number % 10 {
            Ok(code)
        } else {
            Err(MunicipalityCodeError::CheckDigit)
        }
    }
}

impl fmt::Display for MunicipalityCode {
    /// Six digits, the check digit last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}{}", self.0, self.check_digit())
    }
}

impl fmt::Debug for MunicipalityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PrefectureCode {
    /// The code with this number, 1 to 47.
    ///
    /// # Errors
    /// [`MunicipalityCodeError::OutOfRange`].
    pub fn from_number(number: u8) -> Result<Self, MunicipalityCodeError> {
        if (PREFECTURE_MIN..=PREFECTURE_MAX).contains(&u32::from(number)) {
            Ok(Self(number))
        } else {
            Err(MunicipalityCodeError::OutOfRange)
        }
    }

    /// The number, 1 to 47.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl FromStr for PrefectureCode {
    type Err = MunicipalityCodeError;

    /// Reads two digits.
    fn from_str(text: &str) -> Result<Self, MunicipalityCodeError> {
        let number = digits(text, 2..=2)?;
        Self::from_number(u8::try_from(number).map_err(|_| MunicipalityCodeError::OutOfRange)?)
    }
}

impl fmt::Display for PrefectureCode {
    /// Two digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

impl fmt::Debug for PrefectureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn digits(text: &str, len: std::ops::RangeInclusive<usize>) -> Result<u32, MunicipalityCodeError> {
    let fits = len.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| fits)
        .ok_or(MunicipalityCodeError::Form)
}

const PREFECTURE_MIN: u32 = 1;
const PREFECTURE_MAX: u32 = 47;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const YAMAGUCHI: &str = include_str!("../../../configs/yamaguchi-2002-municipalities.csv");

    #[test]
    fn all_municipalities_of_yamaguchi_in_2002_have_their_check_digits() {
        let mut count = 0;
        for row in YAMAGUCHI.lines().skip(1) {
            let text = row.split(',').next().unwrap();
            let code: MunicipalityCode = text
                .parse()
                .unwrap_or_else(|error| panic!("{row}: {error}"));
            assert_eq!(code.to_string(), text);
            assert_eq!(text[..5].parse(), Ok(code));
            assert_eq!(
                (
                    code.prefecture().number(),
                    code.prefecture().to_string().as_str()
                ),
                (35, "35")
            );
            count += 1;
        }
        assert_eq!(count, 56);
    }

    #[test]
    fn remainders_zero_and_one_give_one_and_zero() {
        for (number, code) in [
            (35_202, "352021"),
            (13_113, "131130"),
            (35_203, "352039"),
            (1100, "011002"),
        ] {
            assert_eq!(
                MunicipalityCode::from_number(number).unwrap().to_string(),
                code
            );
        }
    }

    #[test]
    fn what_is_no_municipality_is_refused() {
        for (text, error) in [
            ("352013", MunicipalityCodeError::CheckDigit),
            ("480001", MunicipalityCodeError::OutOfRange),
            ("00201", MunicipalityCodeError::OutOfRange),
            ("350001", MunicipalityCodeError::OutOfRange),
            ("3520", MunicipalityCodeError::Form),
            ("3520120", MunicipalityCodeError::Form),
            ("+35201", MunicipalityCodeError::Form),
            ("３５", MunicipalityCodeError::Form),
            ("", MunicipalityCodeError::Form),
        ] {
            assert_eq!(text.parse::<MunicipalityCode>(), Err(error), "{text}");
        }
        for (text, error) in [
            ("00", MunicipalityCodeError::OutOfRange),
            ("48", MunicipalityCodeError::OutOfRange),
            ("5", MunicipalityCodeError::Form),
        ] {
            assert_eq!(text.parse::<PrefectureCode>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_code_reads_back_and_one_wrong_digit_is_found(prefecture in 1_u32..=47, rest in 100_u32..=999, place in 0_usize..6, shift in 1_u8..=9) {
            let code = MunicipalityCode::from_number(prefecture * 1000 + rest).unwrap();
            let text = code.to_string();
            prop_assert_eq!(text.parse(), Ok(code));
            let mut wrong = text.into_bytes();
            wrong[place] = b'0' + (wrong[place] - b'0' + shift) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            // Remainders 0 and 10 share the digit 1: nothing else can hide a slip.
            if wrong.parse::<MunicipalityCode>().is_ok() {
                prop_assert!(place < 5 && code.check_digit() == 1, "{} passed", wrong);
            }
        }
    }
}
