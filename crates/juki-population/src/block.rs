//! Blocks of residents: the unit in which a population is generated.

use std::ops::Range;
use std::sync::LazyLock;

use juki_domain::{Address, BirthDate, PersonName, RegisterNumber};

use crate::PopulationSettings;
use crate::age::{age_at, birth_day, by_age, sex_of};
use crate::draw::{Draw, GOLDEN, Weighted, mixed_u64};
use crate::household::{Member, households};
use crate::name::{given_name, surname};
use crate::place::address;
use crate::population::Resident;
use crate::table::demography;

/// Most residents of one block: enough to find a partner and a parent for everybody.
const BLOCK_RESIDENTS_MAX: u64 = 4096;

static SIZES: LazyLock<Weighted<u8>> = LazyLock::new(|| {
    Weighted::new(
        (1..)
            .zip(demography("household"))
            .map(|(size, (_, share))| (size, share)),
    )
});

static FEMALE: LazyLock<Vec<u64>> = LazyLock::new(|| by_age("female"));

/// A household before names. Its residents' numbers run from `first`.
pub(crate) struct Household {
    /// Unique within the municipality.
    pub(crate) number: u64,
    /// The place of its first member among the municipality's residents, counted from 0.
    pub(crate) first: u64,
    pub(crate) members: Vec<Member>,
}

/// How many blocks a population has: at least one, which may be of nobody.
pub(crate) fn count(settings: &PopulationSettings) -> u64 {
    residents(settings).div_ceil(BLOCK_RESIDENTS_MAX).max(1)
}

/// The households of one block; blocks do not depend on one another.
pub(crate) fn block(settings: &PopulationSettings, number: u64) -> Vec<Household> {
    let range = range(settings, number);
    let offset = mixed_u64(settings.seed, settings.municipality, "ages", 0);
    let mut draw = Draw::new(settings.seed, settings.municipality, "block", number);
    let people: Vec<_> = range
        .clone()
        .map(|person| {
            // Multiples of the golden ratio: any run of residents has the ages of the census.
            let age = age_at(offset.wrapping_add(person.wrapping_mul(GOLDEN)));
            (
                age,
                sex_of(
                    draw.below(1000),
                    FEMALE
                        .get(usize::from(age))
                        .map_or(500, |thousandths| thousandths / 1000),
                ),
            )
        })
        .collect();
    let mut first = range.start;
    let mut made = Vec::new();
    for (nth, members) in (0..).zip(households(people.into_iter(), &SIZES, &mut draw)) {
        let size = u64::try_from(members.len()).unwrap_or(0);
        made.push(Household {
            number: number * BLOCK_RESIDENTS_MAX + nth + 1,
            first,
            members,
        });
        first += size;
    }
    made
}

/// The residents of a household: names, birth dates and an address that depend on nothing else.
pub(crate) fn residents_of(settings: &PopulationSettings, household: &Household) -> Vec<Resident> {
    let mut draw = Draw::new(
        settings.seed,
        settings.municipality,
        "household",
        household.number,
    );
    let family = surname(&mut draw);
    let address =
        address(settings.municipality, &mut draw).and_then(|text| Address::parse(&text).ok());
    let mut taken: Vec<String> = Vec::new();
    let mut residents = Vec::with_capacity(household.members.len());
    for (place, member) in (household.first..).zip(&household.members) {
        let own = (!member.shares_surname).then(|| surname(&mut draw));
        let last = own.as_ref().unwrap_or(&family);
        let day = birth_day(settings.as_of, member.age, draw.below(366));
        let mut given = given_name(member.sex, day.year(), &mut draw);
        for _ in 0..4 {
            if taken.contains(&given.written) {
                given = given_name(member.sex, day.year(), &mut draw);
            }
        }
        let name = PersonName::parse(&format!("{}　{}", last.written, given.written)).ok();
        let number = RegisterNumber::parse(&format!("{:010}", place + 1)).ok();
        // The tables hold nothing that a name or an address may not hold, so nobody is left out.
        if let (Some(register_number), Some(name), Some(address)) = (number, name, address.clone())
        {
            residents.push(Resident {
                register_number,
                household: household.number,
                name,
                kana: format!("{}　{}", last.kana, given.kana),
                birth: partly_unknown(member.age, day.into(), &mut draw),
                sex: member.sex,
                address,
            });
        }
        taken.push(given.written);
    }
    residents
}

/// A few of the very old have no known day or month of birth (invented rates).
fn partly_unknown(age: u8, birth: BirthDate, draw: &mut Draw) -> BirthDate {
    let unknown = match draw.below(3000) {
        0 if age >= 80 => birth.number() / 10_000 * 10_000,
        1 | 2 if age >= 80 => birth.number() / 100 * 100,
        _ => return birth,
    };
    BirthDate::from_number(unknown).unwrap_or(birth)
}

fn range(settings: &PopulationSettings, number: u64) -> Range<u64> {
    let all = u128::from(residents(settings));
    let blocks = u128::from(count(settings));
    let bound = |number: u64| u64::try_from(all * u128::from(number) / blocks).unwrap_or(u64::MAX);
    bound(number)..bound(number + 1)
}

fn residents(settings: &PopulationSettings) -> u64 {
    u64::try_from(settings.residents).unwrap_or(u64::MAX)
}
