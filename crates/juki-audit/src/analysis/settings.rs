//! Thresholds of the analysis, as `analysis.toml` has them.

use juki_domain::{CivilDate, ErrorCode};
use juki_topology::{CivilTime, ConfigError, Hours};
use serde::{Deserialize, Deserializer};

use super::holidays::Holidays;
use crate::Moment;

/// The thresholds that hold where a deployment has none of its own.
pub const DEFAULT_SETTINGS: &str = include_str!("../../../../configs/analysis.toml");

/// All thresholds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub(crate) hours: HoursSettings,
    pub(crate) holidays: HolidaySettings,
    pub(crate) staff: StaffSettings,
    pub(crate) mass: MassSettings,
    pub(crate) persons: PersonsSettings,
    pub(crate) person: PersonSettings,
    pub(crate) refusals: RefusalSettings,
    pub(crate) listed: ListedSettings,
    pub(crate) pins: PinSettings,
    pub(crate) silence: SilenceSettings,
    #[serde(default)]
    pub(crate) overtime: Vec<Overtime>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursSettings {
    #[serde(deserialize_with = "parsed")]
    pub(crate) usual: Hours,
    pub(crate) grace_minutes: u16,
    pub(crate) requests_min: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidaySettings {
    pub(crate) requests_min: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffSettings {
    pub(crate) new_after_days: i64,
    pub(crate) new_days: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MassSettings {
    pub(crate) hour_max: u64,
    pub(crate) day_max: u64,
    pub(crate) requests_min: u64,
    pub(crate) usual_factor: f64,
    pub(crate) history_days_min: usize,
    pub(crate) history_days_max: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonsSettings {
    pub(crate) days: usize,
    pub(crate) persons_min: u64,
    pub(crate) usual_factor: f64,
    pub(crate) office_factor: f64,
    pub(crate) history_days_min: usize,
    pub(crate) misses_min: u64,
    pub(crate) misses_share: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonSettings {
    pub(crate) days: i64,
    pub(crate) points_min: usize,
    pub(crate) terminals_min: usize,
    pub(crate) persons_max: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusalSettings {
    pub(crate) overreach: Vec<String>,
    pub(crate) overreach_day: u64,
    pub(crate) overreach_days: i64,
    pub(crate) overreach_week: u64,
    pub(crate) other_day: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedSettings {
    pub(crate) days: i64,
    pub(crate) points_min: u64,
    pub(crate) same_minutes: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinSettings {
    pub(crate) day: u64,
    pub(crate) days: i64,
    pub(crate) week: u64,
    pub(crate) cards_day: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SilenceSettings {
    pub(crate) history_days_min: u32,
    pub(crate) surprise_min: f64,
}

/// Hours that are permitted beyond the usual ones.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overtime {
    body: Option<String>,
    operator: Option<String>,
    #[serde(deserialize_with = "parsed")]
    hours: Hours,
    #[serde(default, deserialize_with = "parsed_option")]
    from: Option<CivilDate>,
    #[serde(default, deserialize_with = "parsed_option")]
    to: Option<CivilDate>,
    #[serde(default)]
    holidays: bool,
}

impl Settings {
    /// Reads a text; `file` is the name that errors show.
    ///
    /// # Errors
    /// [`ConfigError`] naming line, key and what to write.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        let settings: Self = juki_topology::parse_text(text, file)?;
        match settings.out_of_bounds() {
            None => Ok(settings),
            Some((key, sentence)) => Err(ConfigError {
                code: ErrorCode::ConfigBadValue,
                file: file.to_owned(),
                line: None,
                key: key.to_owned(),
                sentence: sentence.to_owned(),
            }),
        }
    }

    fn out_of_bounds(&self) -> Option<(&'static str, &'static str)> {
        let days = "is out of bounds; write 1 to 366";
        let factor = "is out of bounds; write a number from 1 to 1000";
        let is_days = |value: usize| (1..=366).contains(&value);
        let is_days_long = |value: i64| (1..=366).contains(&value);
        let is_factor = |value: f64| (1.0..=1_000.0).contains(&value);
        let checks = [
            (
                "mass.history_days_max",
                is_days(self.mass.history_days_max),
                days,
            ),
            (
                "mass.history_days_min",
                is_days(self.mass.history_days_min),
                days,
            ),
            (
                "mass.usual_factor",
                is_factor(self.mass.usual_factor),
                factor,
            ),
            ("persons.days", is_days(self.persons.days), days),
            (
                "persons.history_days_min",
                is_days(self.persons.history_days_min),
                days,
            ),
            (
                "persons.usual_factor",
                is_factor(self.persons.usual_factor),
                factor,
            ),
            (
                "persons.office_factor",
                is_factor(self.persons.office_factor),
                factor,
            ),
            (
                "persons.misses_share",
                (0.0..=1.0).contains(&self.persons.misses_share),
                "is out of bounds; write a number from 0 to 1",
            ),
            ("person.days", is_days_long(self.person.days), days),
            (
                "person.persons_max",
                (1..=10_000_000).contains(&self.person.persons_max),
                "is out of bounds; write 1 to 10000000",
            ),
            (
                "refusals.overreach_days",
                is_days_long(self.refusals.overreach_days),
                days,
            ),
            ("listed.days", is_days_long(self.listed.days), days),
            ("pins.days", is_days_long(self.pins.days), days),
            (
                "silence.surprise_min",
                is_factor(self.silence.surprise_min),
                factor,
            ),
        ];
        checks
            .into_iter()
            .find(|(_, holds, _)| !holds)
            .map(|(key, _, sentence)| (key, sentence))
    }

    /// Whether somebody of a body works at a time when it is usual or permitted.
    pub(crate) fn is_permitted(
        &self,
        holidays: &Holidays,
        (operator, body): (&str, &str),
        at: &Moment,
    ) -> bool {
        let grace = self.hours.grace_minutes;
        let within = |hours: &Hours| {
            [
                at.minute,
                at.minute.saturating_sub(grace),
                at.minute.saturating_add(grace),
            ]
            .into_iter()
            .any(|minute| hours.contain(CivilTime::of(at.date, minute)))
        };
        let is_holiday = holidays.contain(at.date);
        (!is_holiday && within(&self.hours.usual))
            || self.overtime.iter().any(|overtime| {
                let is_for = |wanted: &Option<String>, own: &str| {
                    wanted.as_deref().is_none_or(|wanted| wanted == own)
                };
                is_for(&overtime.body, body)
                    && is_for(&overtime.operator, operator)
                    && overtime.from.is_none_or(|from| from <= at.date)
                    && overtime.to.is_none_or(|to| at.date <= to)
                    && (overtime.holidays || !is_holiday)
                    && within(&overtime.hours)
            })
    }
}

fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(
    from: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn parsed_option<'de, D: Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    parsed(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::holidays::DEFAULT_HOLIDAYS;
    use super::*;

    fn moment(date: &str, hour: u16, minute: u16) -> Moment {
        Moment {
            at_ms: 0,
            date: date.parse().unwrap(),
            minute: hour * 60 + minute,
        }
    }

    #[test]
    fn the_embedded_text_is_read_and_a_misspelt_key_is_refused() {
        assert!(Settings::parse(DEFAULT_SETTINGS, "f").is_ok());
        let wrong = DEFAULT_SETTINGS.replace("grace_minutes", "grace_minute");
        let error = Settings::parse(&wrong, "f").unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigUnknownKey);
        let wrong = DEFAULT_SETTINGS.replace("misses_share = 0.4", "misses_share = 4.0");
        let error = Settings::parse(&wrong, "f").unwrap_err();
        assert_eq!(error.key, "persons.misses_share");
        let wrong = DEFAULT_SETTINGS.replace("Mon-Fri 08:30-17:15", "always");
        assert!(Settings::parse(&wrong, "f").is_err());
    }

    #[test]
    fn overtime_holds_for_its_body_days_and_hours() {
        let text = format!(
            "{DEFAULT_SETTINGS}\n[[overtime]]\nbody = \"mhlw\"\nhours = \"Mon-Fri 07:00-22:00\"\nfrom = \"2002-09-24\"\nto = \"2002-09-30\"\n"
        );
        let settings = Settings::parse(&text, "f").unwrap();
        let holidays = Holidays::parse(DEFAULT_HOLIDAYS).unwrap();
        let permitted = |body, at: &Moment| settings.is_permitted(&holidays, ("op", body), at);
        assert!(permitted("other", &moment("2002-09-25", 10, 0)));
        assert!(permitted("mhlw", &moment("2002-09-25", 21, 30)));
        assert!(!permitted("other", &moment("2002-09-25", 21, 30)));
        assert!(!permitted("mhlw", &moment("2002-10-01", 21, 30)));
        assert!(
            !permitted("mhlw", &moment("2002-09-23", 10, 0)),
            "a holiday"
        );
    }
}
