//! When something happens to whom: a fixed lot for each resident and household.
//!
//! Every lot is a point on a line of 2^40; an event's rate moves a mark along the line day by day,
//! and the event happens on the day on which the mark passes the lot. So a day's events need no
//! memory of the days before, nothing happens twice, and any days can be asked for alone.

use std::sync::LazyLock;

use juki_domain::{CivilDate, Sex};

use crate::PopulationSettings;
use crate::age::{by_age, national_rate_ppm};
use crate::block::Household;
use crate::draw::{mixed_u64, spread};
use crate::household::Member;
use crate::table::{demography, demography_value};

/// The length of the line on which lots lie.
const LINE: u64 = 1 << 40;

/// A million: rates are per million persons or households a year.
const MILLION: u128 = 1_000_000;

/// The days of one municipality, counted from the day of its population (day 0).
pub(crate) struct Fate {
    keys: [u64; LOTS.len()],
    /// Share of a year's events passed by the end of each day, per million, without season.
    plain: Vec<u64>,
    /// The same for moves, which crowd in April.
    moves: Vec<u64>,
    /// Requests for another code passed by the end of each day, per 10^9 residents.
    code_requests: Vec<u64>,
    between_ppm: u64,
    within_ppm: u64,
    slips_ppm: u64,
}

/// Kinds of lots.
#[derive(Debug, Clone, Copy)]
enum Lot {
    Death,
    Birth,
    MoveBetween,
    MoveWithin,
    WholeHousehold,
    Surname,
    Slip,
    CodeRequest,
}

const LOTS: [Lot; 8] = [
    Lot::Death,
    Lot::Birth,
    Lot::MoveBetween,
    Lot::MoveWithin,
    Lot::WholeHousehold,
    Lot::Surname,
    Lot::Slip,
    Lot::CodeRequest,
];

static DEATHS_PPM: LazyLock<Vec<u64>> = LazyLock::new(|| {
    // The table's shape in deaths per 100,000, scaled to the deaths of the nation in 2002.
    let shape = by_age("mortality");
    let by_group: Vec<u64> = shape.iter().step_by(5).copied().collect();
    let expected: u64 = demography("age")
        .zip(by_group)
        .map(|((_, persons), rate)| persons * (rate / 1000) / 100_000)
        .sum();
    let deaths = demography_value("rate", "deaths 2002") / 1000;
    shape
        .iter()
        .map(|rate| rate / 1000 * 10 * deaths / expected.max(1))
        .collect()
});

static BIRTHS_PPM: LazyLock<u64> = LazyLock::new(|| per_young_woman_ppm("rate", "births 2002"));

static SURNAMES_PPM: LazyLock<u64> =
    LazyLock::new(|| per_young_woman_ppm("correction", "marriages 2002"));

/// The rate of an event that falls on women of [`YOUNG_AGE_MIN`] to [`YOUNG_AGE_MAX`] alone, from
/// its number in the nation.
fn per_young_woman_ppm(kind: &'static str, key: &str) -> u64 {
    let female = by_age("female");
    let years = usize::from(YOUNG_AGE_MIN)..=usize::from(YOUNG_AGE_MAX);
    let groups = demography("age").zip(female.iter().step_by(5)).enumerate();
    let women: u64 = groups
        .filter(|(group, _)| years.contains(&(group * 5)))
        .map(|(_, ((_, persons), share))| persons * (share / 1000) / 1000)
        .sum();
    demography_value(kind, key) / 1000 * 1_000_000 / women.max(1)
}

impl Fate {
    /// What happens to a population up to the day `last`.
    pub(crate) fn new(settings: &PopulationSettings, last: CivilDate) -> Self {
        let keys =
            LOTS.map(|lot| mixed_u64(settings.seed, settings.municipality, "lot", lot as u64));
        let april = demography_value("rate", "April share of moves");
        let requests = CodeRequests::read();
        let mut fate = Self {
            keys,
            plain: vec![0],
            moves: vec![0],
            code_requests: vec![0],
            between_ppm: national_rate_ppm("moves between municipalities") * HOUSEHOLD_SIZE
                / MOVERS,
            // The table has both per mille, so its values times 1,000 are per million.
            within_ppm: demography_value("moves", "within"),
            slips_ppm: demography_value("correction", "slips"),
        };
        let (mut moved, mut requested) = (0, 0);
        for (passed, day) in (1..).zip(settings.as_of.days() + 1..=last.days()) {
            let date = CivilDate::from_days(day).ok();
            moved += date.map_or(0, |date| moves_of_day(date, april));
            requested += date.map_or(0, |date| requests.of_day(date));
            fate.plain.push(passed * 1_000_000 / 365);
            fate.moves.push(moved);
            fate.code_requests.push(requested);
        }
        fate
    }

    /// The day on which a resident dies.
    pub(crate) fn death(&self, place: u64, member: &Member) -> Option<usize> {
        let rate = DEATHS_PPM
            .get(usize::from(member.age))
            .copied()
            .unwrap_or(0);
        day_of(self.lot(Lot::Death, place), rate, &self.plain)
    }

    /// The day on which a resident has a child.
    pub(crate) fn birth(&self, place: u64, member: &Member) -> Option<usize> {
        if !is_young_woman(member) {
            return None;
        }
        day_of(self.lot(Lot::Birth, place), *BIRTHS_PPM, &self.plain)
    }

    /// The day on which a resident's surname changes, as by marriage.
    pub(crate) fn surname(&self, place: u64, member: &Member) -> Option<usize> {
        if !is_young_woman(member) {
            return None;
        }
        day_of(self.lot(Lot::Surname, place), *SURNAMES_PPM, &self.plain)
    }

    /// The day on which a slip in a resident's record is corrected.
    pub(crate) fn slip(&self, place: u64) -> Option<usize> {
        day_of(self.lot(Lot::Slip, place), self.slips_ppm, &self.plain)
    }

    /// The day on which a resident asks for another code.
    pub(crate) fn code_request(&self, place: u64) -> Option<usize> {
        // A rate of 1,000 per million makes one of the shares a part of 10^9.
        day_of(
            self.lot(Lot::CodeRequest, place),
            1_000,
            &self.code_requests,
        )
    }

    /// The day on which a household, or one of it, moves to another municipality.
    pub(crate) fn move_between(&self, household: &Household) -> Option<usize> {
        day_of(
            self.lot(Lot::MoveBetween, household.number),
            self.between_ppm,
            &self.moves,
        )
    }

    /// The day on which a household moves within its municipality.
    pub(crate) fn move_within(&self, household: &Household) -> Option<usize> {
        day_of(
            self.lot(Lot::MoveWithin, household.number),
            self.within_ppm,
            &self.moves,
        )
    }

    /// Whether the whole household moves to another municipality when it is drawn, and if not, a
    /// number that says who of it does.
    pub(crate) fn whole_household_moves(&self, household: &Household) -> Result<(), u64> {
        let lot = self.lot(Lot::WholeHousehold, household.number);
        if lot.is_multiple_of(2) {
            Ok(())
        } else {
            Err(lot / 2)
        }
    }

    fn lot(&self, lot: Lot, number: u64) -> u64 {
        spread(self.keys.get(lot as usize).copied().unwrap_or(0), number) % LINE
    }
}

/// How many of 10^9 residents ask for another code on a day of the first weeks, and later.
struct CodeRequests {
    first_weeks: u64,
    later: u64,
}

impl CodeRequests {
    fn read() -> Self {
        let counted = demography_value("code change", "first weeks") / 1000;
        let residents = demography_value("code change", "residents") / 1000;
        let days = u64::from(COUNTED_UPTO.2 - NETWORK_BEGAN.2) + 1;
        Self {
            first_weeks: counted * 1_000_000_000 / (residents * days).max(1),
            // The table has residents per mille a year, times 1,000 here.
            later: demography_value("code change", "later") * 1000 / 365,
        }
    }

    fn of_day(&self, date: CivilDate) -> u64 {
        match (date.year(), date.month(), date.day()) {
            day if day < NETWORK_BEGAN => 0,
            day if day <= COUNTED_UPTO => self.first_weeks,
            _ => self.later,
        }
    }
}

fn is_young_woman(member: &Member) -> bool {
    member.sex == Sex::Female && (YOUNG_AGE_MIN..=YOUNG_AGE_MAX).contains(&member.age)
}

/// The first day by whose end the mark has passed the lot.
fn day_of(lot: u64, rate_ppm: u64, shares: &[u64]) -> Option<usize> {
    // The same as `LINE * rate * share / MILLION^2 > lot`, without a division for every lot.
    let wanted = (u128::from(lot) + 1) * MILLION * MILLION;
    let rate = u128::from(LINE) * u128::from(rate_ppm);
    let passed = |share: u64| rate * u128::from(share) >= wanted;
    if !shares.last().is_some_and(|share| passed(*share)) {
        return None;
    }
    Some(shares.partition_point(|share| !passed(*share)))
}

/// The share of a year's moves on this day, per million, `april` per mille being April's.
fn moves_of_day(date: CivilDate, april: u64) -> u64 {
    if date.month() == 4 {
        april * 1000 / 30
    } else {
        (1000 - april) * 1000 / 335
    }
}

/// The day on which everybody was given a code: nobody has one to change before.
const NETWORK_BEGAN: (i32, u8, u8) = (2002, 8, 5);

/// The last day, of the same month, of those in which the table's first requests were counted.
const COUNTED_UPTO: (i32, u8, u8) = (2002, 8, 27);

const YOUNG_AGE_MIN: u8 = 20;
const YOUNG_AGE_MAX: u8 = 39;

/// Mean persons of a household, times 100.
const HOUSEHOLD_SIZE: u64 = 267;

/// Mean persons that move when a household is drawn, times 100: all of it or one of it.
const MOVERS: u64 = 190;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_for_another_code_come_at_the_counted_rate_and_then_at_the_later_one() {
        let requests = CodeRequests::read();
        let of = |date: &str| requests.of_day(date.parse().unwrap());
        assert_eq!(of("2002-08-04"), 0);
        // 335 of 1,527,964 residents in 23 days.
        let counted = of("2002-08-05") * 23 * 1_527_964 / 1_000_000_000;
        assert!(counted == 334 || counted == 335, "{counted}");
        assert_eq!(of("2002-08-27"), of("2002-08-05"));
        assert_eq!(of("2002-08-28"), 943_000 / 365);
    }

    #[test]
    fn an_event_happens_on_the_first_day_whose_mark_is_beyond_the_lot() {
        let shares = [0, 500_000, 1_000_000];
        assert_eq!(day_of(0, 1_000_000, &shares), Some(1));
        assert_eq!(day_of(LINE / 2 - 1, 1_000_000, &shares), Some(1));
        assert_eq!(day_of(LINE / 2, 1_000_000, &shares), Some(2));
        assert_eq!(day_of(LINE - 1, 1_000_000, &shares), Some(2));
        assert_eq!(day_of(LINE / 2, 500_000, &shares), None);
        assert_eq!(day_of(0, 0, &shares), None);
    }
}
