//! Ages and sexes by the census table.

use std::sync::LazyLock;

use juki_domain::{CivilDate, Sex};

use crate::draw::Weighted;
use crate::table::{demography, demography_value};

/// Ages go from 0 to one below this.
pub(crate) const AGES: usize = 105;

/// Width of the census's age groups; the last one is open.
const GROUP_YEARS: usize = 5;

static AGE_WEIGHTS: LazyLock<Weighted<u8>> = LazyLock::new(|| {
    let groups: Vec<u64> = demography("age").map(|(_, persons)| persons).collect();
    let last = groups.len().saturating_sub(1);
    let open: Vec<u64> = (0..AGES.saturating_sub(last * GROUP_YEARS))
        .scan(100_000, |share, _| fading(share))
        .collect();
    let open_sum = open.iter().sum::<u64>().max(1);
    Weighted::new((0..AGES).map(|age| {
        let group = (age / GROUP_YEARS).min(last);
        let persons = groups.get(group).copied().unwrap_or(0);
        let weight = match open.get(age - group * GROUP_YEARS) {
            Some(share) if group == last => persons * 100 * share / open_sum,
            Some(_) | None => persons * 100 / 5,
        };
        (u8::try_from(age).unwrap_or(0), weight)
    }))
});

/// The age at a position of the whole population, 2^64 being everybody.
pub(crate) fn age_at(position: u64) -> u8 {
    AGE_WEIGHTS.at(position).copied().unwrap_or(0)
}

/// The rows of a table by age group, one value for each year of age.
pub(crate) fn by_age(kind: &'static str) -> Vec<u64> {
    let groups: Vec<u64> = demography(kind).map(|(_, value)| value).collect();
    let last = groups.len().saturating_sub(1);
    (0..AGES)
        .map(|age| {
            groups
                .get((age / GROUP_YEARS).min(last))
                .copied()
                .unwrap_or(0)
        })
        .collect()
}

/// Persons of the census in all age groups.
pub(crate) fn census_persons() -> u64 {
    demography("age").map(|(_, thousands)| thousands).sum()
}

/// The rate of an event a year, times a million, from its number in the nation.
pub(crate) fn national_rate_ppm(key: &str) -> u64 {
    demography_value("rate", key) * 1000 / census_persons().max(1)
}

/// The day of birth of someone who is `age` on the day `as_of`, the `nth` of the possible days.
pub(crate) fn birth_day(as_of: CivilDate, age: u8, nth: u64) -> CivilDate {
    let latest = birthday(as_of, i32::from(age)).days();
    let earliest = birthday(as_of, i32::from(age) + 1).days() + 1;
    let width = u64::try_from(latest - earliest + 1).unwrap_or(1).max(1);
    CivilDate::from_days(earliest + i64::try_from(nth % width).unwrap_or(0)).unwrap_or(as_of)
}

/// The sex of a person, `share` being drawn below 1,000 and `female` per mille of the age.
pub(crate) fn sex_of(share: u64, female: u64) -> Sex {
    if share < female {
        Sex::Female
    } else {
        Sex::Male
    }
}

fn birthday(as_of: CivilDate, years: i32) -> CivilDate {
    let day = |day| CivilDate::from_ymd(as_of.year() - years, as_of.month(), day);
    // Only the 29th of February may not exist.
    day(as_of.day()).or_else(|_| day(28)).unwrap_or(as_of)
}

/// Each year above 84 holds 0.82 of the year before (invented: the census group is open).
#[allow(clippy::unnecessary_wraps, reason = "scan asks for an option")]
fn fading(share: &mut u64) -> Option<u64> {
    let now = *share;
    *share = now * 82 / 100;
    Some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn someone_is_exactly_as_old_as_drawn() {
        for as_of in ["2002-08-05", "2004-02-29", "2003-01-01"] {
            let as_of: CivilDate = as_of.parse().unwrap();
            for age in [0, 1, 17, 84, 104] {
                for nth in [0, 1, 200, 364, 365, 1000] {
                    let birth = birth_day(as_of, age, nth);
                    let had_birthday = (birth.month(), birth.day()) <= (as_of.month(), as_of.day());
                    let years = as_of.year() - birth.year() - i32::from(!had_birthday);
                    assert_eq!(years, i32::from(age), "{birth} on {as_of}");
                }
            }
        }
    }

    #[test]
    fn rates_of_the_nation_come_out_per_person() {
        assert_eq!(national_rate_ppm("births 2002"), 9107);
        assert_eq!(national_rate_ppm("moves between municipalities"), 41_042);
    }
}
