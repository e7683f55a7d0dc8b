//! The machine's clock, and its times as people read them.

use std::time::{Duration, SystemTime};

use juki_domain::CivilDate;

/// The machine's clock in seconds since 1970-01-01 UTC.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

/// The same in milliseconds.
pub(crate) fn unix_now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time in microseconds since 1970-01-01 UTC as `YYYY-MM-DD hh:mm:ss.uuuuuu`.
pub(crate) fn clock_text(unix_us: u64) -> String {
    let (seconds, micros) = (unix_us / 1_000_000, unix_us % 1_000_000);
    let (days, in_day) = (seconds / DAY_S, seconds % DAY_S);
    let date = i64::try_from(days)
        .ok()
        .and_then(|days| CivilDate::from_days(days).ok());
    let date = date.map_or_else(|| format!("day {days}"), |date| date.to_string());
    format!(
        "{date} {:02}:{:02}:{:02}.{micros:06}",
        in_day / 3600,
        in_day / 60 % 60,
        in_day % 60
    )
}

/// A time in seconds since 1970-01-01 UTC as `YYYY-MM-DD hh:mm:ss`.
pub(crate) fn utc(unix_s: u64) -> String {
    let text = clock_text(unix_s.saturating_mul(1_000_000));
    text.split('.').next().unwrap_or_default().to_owned()
}

/// A time `YYYY-MM-DDThh:mm` of UTC in seconds since 1970-01-01; `None` for other texts and for
/// times before that day.
pub(crate) fn parse_utc(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let (hours, minutes) = time.split_once(':')?;
    let two = |digits: &str| {
        let lawful = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        lawful.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let days = u64::try_from(date.parse::<CivilDate>().ok()?.days()).ok()?;
    (hours < 24 && minutes < 60).then(|| days * DAY_S + hours * 3_600 + minutes * 60)
}

/// Seconds of a day.
pub(crate) const DAY_S: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_with_date_and_microseconds() {
        assert_eq!(clock_text(0), "1970-01-01 00:00:00.000000");
        assert_eq!(
            clock_text(1_028_509_445_000_012),
            "2002-08-05 01:04:05.000012"
        );
        assert!(clock_text(u64::MAX).starts_with("day "));
    }

    #[test]
    fn a_time_is_read_as_it_is_written_and_anything_else_is_none() {
        assert_eq!(parse_utc("1970-01-02T03:04"), Some(97_440));
        let again = parse_utc("2026-12-05T01:00").map(utc);
        assert_eq!(again.as_deref(), Some("2026-12-05 01:00:00"));
        for text in [
            "",
            "2026-12-05",
            "2026-12-05T24:00",
            "2026-12-05T1:00",
            "1969-12-31T23:59",
            "2026-12-05T+1:00",
        ] {
            assert_eq!(parse_utc(text), None, "{text}");
        }
    }
}
