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
    keys: [u64; 5],
    /// Share of a year's events passed by the end of each day, per million, without season.
    plain: Vec<u64>,
    /// The same for moves, which crowd in April.
    moves: Vec<u64>,
    between_ppm: u64,
    within_ppm: u64,
}

/// Kinds of lots.
#[derive(Debug, Clone, Copy)]
enum Lot {
    Death,
    Birth,
    MoveBetween,
    MoveWithin,
    WholeHousehold,
}

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

static BIRTHS_PPM: LazyLock<u64> = LazyLock::new(|| {
    let female = by_age("female");
    let years = usize::from(MOTHER_AGE_MIN)..=usize::from(MOTHER_AGE_MAX);
    let groups = demography("age").zip(female.iter().step_by(5)).enumerate();
    let mothers: u64 = groups
        .filter(|(group, _)| years.contains(&(group * 5)))
        .map(|(_, ((_, persons), share))| persons * (share / 1000) / 1000)
        .sum();
    demography_value("rate", "births 2002") / 1000 * 1_000_000 / mothers.max(1)
});

impl Fate {
    /// What happens to a population up to the day `last`.
    pub(crate) fn new(settings: &PopulationSettings, last: CivilDate) -> Self {
        let keys = [
            Lot::Death,
            Lot::Birth,
            Lot::MoveBetween,
            Lot::MoveWithin,
            Lot::WholeHousehold,
        ]
        .map(|lot| mixed_u64(settings.seed, settings.municipality, "lot", lot as u64));
        let april = demography_value("rate", "April share of moves");
        let mut fate = Self {
            keys,
            plain: vec![0],
            moves: vec![0],
            between_ppm: national_rate_ppm("moves between municipalities") * HOUSEHOLD_SIZE
                / MOVERS,
            // The table has households per mille, so its value times 1,000 is per million.
            within_ppm: demography_value("moves", "within"),
        };
        let mut moved = 0;
        for (passed, day) in (1..).zip(settings.as_of.days() + 1..=last.days()) {
            moved += CivilDate::from_days(day).map_or(0, |date| moves_of_day(date, april));
            fate.plain.push(passed * 1_000_000 / 365);
            fate.moves.push(moved);
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
        let may =
            member.sex == Sex::Female && (MOTHER_AGE_MIN..=MOTHER_AGE_MAX).contains(&member.age);
        if may {
            day_of(self.lot(Lot::Birth, place), *BIRTHS_PPM, &self.plain)
        } else {
            None
        }
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

/// The first day by whose end the mark has passed the lot.
fn day_of(lot: u64, rate_ppm: u64, shares: &[u64]) -> Option<usize> {
    let passed = |share: u64| {
        u128::from(LINE) * u128::from(rate_ppm) * u128::from(share) / (MILLION * MILLION)
            > u128::from(lot)
    };
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

const MOTHER_AGE_MIN: u8 = 20;
const MOTHER_AGE_MAX: u8 = 39;

/// Mean persons of a household, times 100.
const HOUSEHOLD_SIZE: u64 = 267;

/// Mean persons that move when a household is drawn, times 100: all of it or one of it.
const MOVERS: u64 = 190;
