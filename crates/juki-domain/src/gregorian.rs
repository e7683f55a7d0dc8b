//! Arithmetic of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
//! date algorithms"): years that begin in March put the leap day last.

use crate::DateError;

/// The days of a month, 0 where there is no such month.
pub(crate) fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

/// Days from 1970-01-01 to a day of a year after 0; negative before it.
pub(crate) const fn days_from_civil(year: u16, month: u8, day: u8) -> i64 {
    let (month, day) = (month as i64, day as i64);
    let year = year as i64 - (month <= 2) as i64;
    let cycle = year / 400;
    let year_of_cycle = year % 400;
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * DAYS_PER_CYCLE + day_of_cycle - DAYS_TO_EPOCH
}

/// Year, month and day of the day this many days after 1970-01-01, within some thousand years of it.
pub(crate) fn civil_from_days(days: i64) -> Result<(i32, u8, u8), DateError> {
    let shifted = days + DAYS_TO_EPOCH;
    let cycle = shifted.div_euclid(DAYS_PER_CYCLE);
    let day_of_cycle = shifted.rem_euclid(DAYS_PER_CYCLE);
    let leap_days = day_of_cycle / 1460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
    let year_of_cycle = (day_of_cycle - leap_days) / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    let narrow = |value: i64| u8::try_from(value).map_err(|_| DateError::NoSuchDay);
    let year = i32::try_from(year).map_err(|_| DateError::YearOutOfRange)?;
    Ok((year, narrow(month)?, narrow(day)?))
}

/// Days from 0000-03-01, where the cycles of 400 years are counted from, to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
/// Days in 400 years.
const DAYS_PER_CYCLE: i64 = 146_097;
