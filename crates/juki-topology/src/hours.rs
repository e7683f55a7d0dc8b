//! Hours of the week, as a person writes them.

use std::fmt;
use std::str::FromStr;

use juki_domain::CivilDate;

/// When something is allowed: windows of the week by the network's civil time, such as
/// `Mon-Fri 08:00-20:00, Sat 09:00-12:00` or `daily 06:00-24:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<Window>);

/// The same hours on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    /// Bit 0 is Monday.
    days: u8,
    /// The first minute of the day that is in it.
    from: u16,
    /// The first minute after it; at most 1,440.
    to: u16,
}

/// A time of the network: the civil date with the minute of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilTime {
    /// Days since Monday: 0 to 6.
    pub weekday: u8,
    /// Minutes since the civil day began: 0 to 1,439.
    pub minute: u16,
}

/// A text gives no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hours are windows such as Mon-Fri 08:00-20:00, Sat 09:00-12:00 or daily 06:00-24:00")]
pub struct HoursError;

impl CivilTime {
    /// The time of a civil date at a minute of its day; minutes beyond the day count as its last.
    #[must_use]
    pub fn of(date: CivilDate, minute: u16) -> Self {
        // 1970-01-01, day 0, was a Thursday.
        let weekday = (date.days() + 3).rem_euclid(7);
        Self {
            weekday: u8::try_from(weekday).unwrap_or(0),
            minute: minute.min(DAY_MINUTES - 1),
        }
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = DAYS.get(usize::from(self.weekday)).unwrap_or(&"?");
        write!(f, "{day} {:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

impl Hours {
    /// Whether a time lies in one of the windows.
    #[must_use]
    pub fn contain(&self, time: CivilTime) -> bool {
        self.0.iter().any(|window| {
            window.days & (1 << time.weekday) != 0
                && (window.from..window.to).contains(&time.minute)
        })
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let windows: Vec<Window> = text
            .split(',')
            .take(WINDOWS_MAX + 1)
            .map(|part| window(part.trim()).ok_or(HoursError))
            .collect::<Result<_, _>>()?;
        if windows.len() > WINDOWS_MAX {
            return Err(HoursError);
        }
        Ok(Self(windows))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, window) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write_days(f, window.days)?;
            let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            write!(f, " {}-{}", clock(window.from), clock(window.to))?;
        }
        Ok(())
    }
}

fn write_days(f: &mut fmt::Formatter<'_>, days: u8) -> fmt::Result {
    let is_in = |day: usize| days & (1 << (day % 7)) != 0;
    if days == ALL_DAYS {
        return f.write_str("daily");
    }
    // Windows name one run of days, which may go over Sunday.
    let first = (0..7)
        .find(|day| is_in(*day) && !is_in(day + 6))
        .unwrap_or(0);
    let length = (1..7).find(|length| !is_in(first + length)).unwrap_or(1);
    let name = |day: usize| DAYS.get(day % 7).unwrap_or(&"?");
    if length == 1 {
        f.write_str(name(first))
    } else {
        write!(f, "{}-{}", name(first), name(first + length - 1))
    }
}

fn window(text: &str) -> Option<Window> {
    let (days, hours) = text.split_once(' ')?;
    let (from, to) = hours.trim().split_once('-')?;
    let window = Window {
        days: parse_days(days)?,
        from: parse_minute(from)?,
        to: parse_minute(to)?,
    };
    (window.from < window.to).then_some(window)
}

fn parse_days(text: &str) -> Option<u8> {
    if text == "daily" {
        return Some(ALL_DAYS);
    }
    let day = |name: &str| DAYS.iter().position(|known| *known == name);
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let length = (last + 7 - first) % 7;
    let days = (first..=first + length).fold(0u8, |days, day| days | 1 << (day % 7));
    Some(days)
}

fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    let of_day = hour * 60 + minute;
    (minute < 60 && of_day <= DAY_MINUTES).then_some(of_day)
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ALL_DAYS: u8 = 0b111_1111;
const DAY_MINUTES: u16 = 24 * 60;
/// More than any office's week needs.
const WINDOWS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(text: &str) -> Hours {
        text.parse().unwrap()
    }

    fn at(weekday: u8, minute: u16) -> CivilTime {
        CivilTime { weekday, minute }
    }

    #[test]
    fn an_offices_week_is_read_as_written() {
        let week = hours("Mon-Fri 08:30-17:15, Sat 09:00-12:00");
        assert!(week.contain(at(0, 8 * 60 + 30)) && week.contain(at(4, 17 * 60 + 14)));
        assert!(!week.contain(at(0, 8 * 60 + 29)) && !week.contain(at(4, 17 * 60 + 15)));
        assert!(week.contain(at(5, 9 * 60)) && !week.contain(at(6, 9 * 60)));
        assert!(hours("daily 00:00-24:00").contain(at(6, 1_439)));
        let over_sunday = hours("Sat-Mon 10:00-11:00");
        assert!(
            [5, 6, 0]
                .iter()
                .all(|day| over_sunday.contain(at(*day, 600)))
        );
        assert!(!over_sunday.contain(at(1, 600)));
    }

    #[test]
    fn the_day_of_the_network_began_on_the_weekday_of_its_date() {
        // The first stage of the network came into force on a Monday.
        let date: CivilDate = "2002-08-05".parse().unwrap();
        assert_eq!(CivilTime::of(date, 61).to_string(), "Mon 01:01");
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in [
            "",
            "Mon",
            "Mon 08:00",
            "Mon 8:00-9:00",
            "Mon 09:00-08:00",
            "Mon 09:00-09:00",
            "Mon 00:00-24:01",
            "Mon 00:60-02:00",
            "Someday 08:00-09:00",
            "Mon-Fri 08:00-20:00,",
            "月 08:00-09:00",
        ] {
            assert_eq!(text.parse::<Hours>(), Err(HoursError), "{text}");
        }
        let many = vec!["Mon 08:00-09:00"; 17].join(",");
        assert_eq!(many.parse::<Hours>(), Err(HoursError));
    }

    proptest! {
        #[test]
        fn written_hours_read_back(windows in prop::collection::vec((0usize..7, 0usize..7, 0u16..1_440, 1u16..=1_440), 1..6)) {
            let windows = windows.into_iter().map(|(first, length, from, long)| Window {
                days: (first..=first + length).fold(0, |days, day| days | 1 << (day % 7)),
                from,
                to: (from + long).min(1_440),
            });
            let hours = Hours(windows.collect());
            prop_assert_eq!(hours.to_string().parse::<Hours>().unwrap(), hours);
        }

        #[test]
        fn any_text_is_hours_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<Hours>();
        }
    }
}
