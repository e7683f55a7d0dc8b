//! Corrections ex officio (職権修正等) of names and birth dates.

use juki_domain::{BirthDate, ChangeReason, ChangeRequest, CivilDate, PersonName};

use crate::draw::Draw;
use crate::event::change;
use crate::name::{Name, given_name, surname};
use crate::{PopulationSettings, Resident};

/// Why a record is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Correction {
    /// The resident bears another surname, as after a marriage.
    Surname,
    /// Something was written wrongly: the given name or the birth date.
    Slip,
}

/// Corrects the record of the resident whose place among the municipality's is given, and returns
/// the row that says so; nothing where there is nothing to correct.
pub(crate) fn correct(
    settings: &PopulationSettings,
    place: u64,
    resident: &mut Resident,
    correction: Correction,
    date: CivilDate,
) -> Option<ChangeRequest> {
    let purpose = match correction {
        Correction::Surname => "surname",
        Correction::Slip => "slip",
    };
    let mut draw = Draw::new(settings.seed, settings.municipality, purpose, place);
    let row = change(
        &resident.register_number,
        ChangeReason::ExOfficioCorrection,
        date,
    );
    if correction == Correction::Slip && draw.chance(BIRTH_DATES_PER_MILLE) {
        resident.birth = other_day(resident.birth, settings.as_of, &mut draw)?;
        return Some(ChangeRequest {
            birth: Some(resident.birth),
            ..row
        });
    }
    let (last, given) = resident.name.reveal().split_once(SPACE)?;
    let (last_kana, given_kana) = resident.kana.split_once(SPACE)?;
    let year = i32::try_from(resident.birth.number() / 10_000).ok()?;
    let (name, kana) = match correction {
        Correction::Surname => {
            let new = other(last, &mut draw, surname)?;
            (
                format!("{}{SPACE}{given}", new.written),
                format!("{}{SPACE}{given_kana}", new.kana),
            )
        }
        Correction::Slip => {
            let new = other(given, &mut draw, |draw| {
                given_name(resident.sex, year, draw)
            })?;
            (
                format!("{last}{SPACE}{}", new.written),
                format!("{last_kana}{SPACE}{}", new.kana),
            )
        }
    };
    resident.name = PersonName::parse(&name).ok()?;
    resident.kana = kana;
    Some(ChangeRequest {
        name: Some(resident.name.clone()),
        ..row
    })
}

/// A drawn name that is not the present one.
fn other(present: &str, draw: &mut Draw, one: impl Fn(&mut Draw) -> Name) -> Option<Name> {
    (0..DRAWS_MAX)
        .map(|_| one(draw))
        .find(|name| name.written != present)
}

/// Another day of the same month, or of the same year where the month was not known; nothing where
/// it would lie after `latest`.
fn other_day(birth: BirthDate, latest: CivilDate, draw: &mut Draw) -> Option<BirthDate> {
    let number = birth.number();
    let month = match number / 100 % 100 {
        0 => u32::try_from(draw.below(12)).ok()? + 1,
        known => known,
    };
    // Every month has 28 days.
    let day = match u32::try_from(draw.below(27)).ok()? + 1 {
        day if day >= number % 100 => day + 1,
        day => day,
    };
    let corrected = number / 10_000 * 10_000 + month * 100 + day;
    if corrected > latest.number() {
        return None;
    }
    BirthDate::from_number(corrected).ok()
}

/// Between surname and given name.
pub(crate) const SPACE: char = '　';

/// Of 1,000 slips, those in the birth date; the others are in the given name (invented).
const BIRTH_DATES_PER_MILLE: u64 = 500;

/// No name is borne by half of all, so eight draws leave one in many thousands as it was.
const DRAWS_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrected_birth_date_is_another_day_that_exists_and_is_not_to_come() {
        let mut draw = Draw::new(1, "352047".parse().unwrap(), "test", 0);
        let latest: CivilDate = "2002-10-15".parse().unwrap();
        for text in [
            "1930-02-28",
            "1930-02-00",
            "1930-00-00",
            "2002-10-09",
            "1968-12-31",
        ] {
            let birth: BirthDate = text.parse().unwrap();
            let corrected: Vec<_> = (0..200)
                .filter_map(|_| other_day(birth, latest, &mut draw))
                .collect();
            assert!(!corrected.is_empty(), "{text}");
            for day in corrected {
                assert!(
                    day != birth && day.number() <= latest.number(),
                    "{text}: {}",
                    day.number()
                );
                assert_eq!(day.number() / 10_000, birth.number() / 10_000);
                assert!(day.number() % 100 > 0 && day.number() / 100 % 100 > 0);
            }
        }
    }
}
