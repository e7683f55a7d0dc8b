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
