//! Municipalities, towns and addresses.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use juki_domain::MunicipalityCode;

use crate::draw::Draw;
use crate::table::{INVENTED_TOWNS, MUNICIPALITIES, TOWNS, rows};

/// A municipality of the 2000 census.
struct Municipality {
    /// Prefecture, district and name, as an address begins.
    label: String,
    rural: bool,
    residents: u32,
    towns: Vec<&'static str>,
    /// Whether the towns are those of the table of invented ones.
    invented_towns: bool,
}

static PLACES: LazyLock<BTreeMap<u32, Municipality>> = LazyLock::new(|| {
    let mut places = BTreeMap::new();
    for [code, prefecture, name, residents] in rows::<4>(MUNICIPALITIES) {
        if let Ok(code) = code.parse::<MunicipalityCode>() {
            let municipality = Municipality {
                label: format!("{prefecture}{name}"),
                rural: name.ends_with('町') || name.ends_with('村'),
                residents: residents.parse().unwrap_or(0),
                towns: Vec::new(),
                invented_towns: false,
            };
            places.insert(code.number(), municipality);
        }
    }
    for [code, town] in rows::<2>(TOWNS) {
        let place = code
            .parse::<MunicipalityCode>()
            .ok()
            .and_then(|code| places.get_mut(&code.number()));
        if let Some(municipality) = place {
            municipality.towns.push(town);
        }
    }
    for municipality in places
        .values_mut()
        .filter(|municipality| municipality.towns.is_empty())
    {
        municipality.towns = rows::<1>(INVENTED_TOWNS).map(|[town]| town).collect();
        municipality.invented_towns = true;
    }
    places
});

/// The residents of a municipality at the census of 2000, foreign residents included; `None` where
/// the table of that year has no such municipality.
#[must_use]
pub fn census_residents(municipality: MunicipalityCode) -> Option<u32> {
    PLACES
        .get(&municipality.number())
        .map(|place| place.residents)
}

/// Whether a municipality's towns are invented, so that nobody of it lives in a town of the postal
/// code file; `None` where the table of the census has no such municipality.
#[must_use]
pub fn has_invented_towns(municipality: MunicipalityCode) -> Option<bool> {
    PLACES
        .get(&municipality.number())
        .map(|place| place.invented_towns)
}

/// An invented address in a municipality; `None` where the table has no such municipality.
pub(crate) fn address(municipality: MunicipalityCode, draw: &mut Draw) -> Option<String> {
    let place = PLACES.get(&municipality.number())?;
    let town = draw.one_of(&place.towns).copied().unwrap_or_default();
    let mut address = place.label.clone();
    if town.ends_with(['町', '街', '通', '台', '丘']) {
        address.push_str(town);
        address.push_str(&format!("{}番{}号", draw.below(30) + 1, draw.below(20) + 1));
        return Some(address);
    }
    if place.rural {
        address.push_str("大字");
    }
    address.push_str(town);
    address.push_str(&format!("{}番地", draw.below(2400) + 1));
    if draw.chance(350) {
        address.push_str(&(draw.below(9) + 1).to_string());
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_municipality_of_the_census_has_addresses() {
        assert_eq!(PLACES.len(), 3252);
        assert_eq!(
            PLACES
                .values()
                .map(|place| u64::from(place.residents))
                .sum::<u64>(),
            126_925_843
        );
        assert!(PLACES.values().all(|place| !place.towns.is_empty()));
    }

    #[test]
    fn in_yamaguchi_only_two_towns_have_to_be_invented_and_they_say_so() {
        let table = include_str!("../../../configs/yamaguchi-2002-municipalities.csv");
        let codes = table
            .lines()
            .skip(1)
            .map(|line| line[..6].parse::<MunicipalityCode>().unwrap());
        let (invented, mapped): (Vec<_>, Vec<_>) =
            codes.partition(|code| has_invented_towns(*code).unwrap());
        let invented: Vec<String> = invented.iter().map(ToString::to_string).collect();
        // 玖珂町 and 阿知須町: the postal code file has one area for each and no town in it.
        assert_eq!(
            (invented, mapped.len()),
            (vec!["353230".to_owned(), "354031".to_owned()], 54)
        );
        assert_eq!(has_invented_towns("131016".parse().unwrap()), Some(true));
        assert_eq!(has_invented_towns("352152".parse().unwrap()), None);
    }

    #[test]
    fn a_town_is_invented_exactly_where_the_municipality_says_so() {
        let invented: Vec<&str> = rows::<1>(INVENTED_TOWNS).map(|[town]| town).collect();
        for (code, real) in [("353230", false), ("354031", false), ("352047", true)] {
            let code: MunicipalityCode = code.parse().unwrap();
            let towns: Vec<&str> = rows::<2>(TOWNS)
                .filter(|[of, _]| of.parse() == Ok(code))
                .map(|[_, town]| town)
                .collect();
            assert_eq!(
                (towns.is_empty(), has_invented_towns(code)),
                (!real, Some(!real))
            );
            let mut draw = Draw::new(1, code, "test", 0);
            for _ in 0..500 {
                let drawn = address(code, &mut draw).unwrap();
                let rest = drawn.strip_prefix(&PLACES[&code.number()].label).unwrap();
                let known = if real { &towns } else { &invented };
                assert!(
                    known
                        .iter()
                        .any(|town| rest.trim_start_matches("大字").starts_with(town)),
                    "{drawn}"
                );
            }
        }
    }

    #[test]
    fn a_village_has_its_district_and_its_own_town() {
        let mut draw = Draw::new(1, "355011".parse().unwrap(), "test", 0);
        let address = address("355011".parse().unwrap(), &mut draw).unwrap();
        assert!(
            address.starts_with("山口県阿武郡川上村大字川上"),
            "{address}"
        );
        assert_eq!(census_residents("355011".parse().unwrap()), Some(1220));
    }
}
