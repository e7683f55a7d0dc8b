//! Moves within a municipality and to another one.

use juki_domain::{Address, ChangeReason, ChangeRequest, RegisterNumber};

use super::{MemberEvents, Step, Today, change};
use crate::block::Household;
use crate::draw::{Draw, mixed_u64, spread};
use crate::household::ADULT_AGE;
use crate::place::address;

impl Step<'_> {
    /// Who goes when the household is drawn to move: all of it, or one adult where another stays.
    pub(super) fn movers(&self, household: &Household) -> Vec<usize> {
        let adults: Vec<usize> = (0..)
            .zip(&household.members)
            .filter(|(_, member)| member.age >= ADULT_AGE)
            .map(|(at, _)| at)
            .collect();
        let one = match self.fate.whole_household_moves(household) {
            Err(number) if adults.len() > 1 => adults
                .get(
                    usize::try_from(number % u64::try_from(adults.len()).unwrap_or(1)).unwrap_or(0),
                )
                .copied(),
            Err(_) | Ok(()) => None,
        };
        one.map_or_else(|| (0..household.members.len()).collect(), |at| vec![at])
    }

    /// The departures and, for the file of another municipality, the arrivals.
    pub(super) fn move_between(
        &self,
        today: &Today<'_>,
        leaving: &[usize],
    ) -> Vec<(Option<usize>, ChangeRequest)> {
        let Some(others) = u64::try_from(self.all.len() - 1)
            .ok()
            .filter(|_| !leaving.is_empty())
        else {
            return Vec::new();
        };
        let (seed, municipality) = (self.settings.seed, self.settings.municipality);
        let number = today.household.number;
        let key = mixed_u64(seed, municipality, "destination", 0);
        let mut to = usize::try_from(spread(key, number) % others).unwrap_or(0);
        to += usize::from(to >= self.index);
        let Some(destination) = self.all.get(to).map(|settings| settings.municipality) else {
            return Vec::new();
        };
        let mut draw = Draw::new(seed, municipality, "new address", number);
        let address = address(destination, &mut draw).and_then(|text| Address::parse(&text).ok());
        let mut rows = Vec::new();
        for resident in leaving.iter().filter_map(|at| today.residents.get(*at)) {
            let here = resident.register_number.reveal();
            let certificate = format!("{municipality}-{here}");
            let there = format!("8{:05}{here}", municipality.number());
            let Ok(there) = RegisterNumber::parse(&there) else {
                continue;
            };
            let out = ChangeRequest {
                certificate: Some(certificate.clone()),
                counterpart: Some(destination),
                ..change(&resident.register_number, ChangeReason::MoveOut, today.date)
            };
            let entry = ChangeRequest {
                resident: there,
                reason: ChangeReason::MoveIn,
                address: address.clone(),
                certificate: Some(certificate),
                counterpart: Some(municipality),
                ..resident.entry(today.date)
            };
            rows.extend([(None, out), (Some(to), entry)]);
        }
        rows
    }

    /// One new address for all who stay in the municipality.
    pub(super) fn move_within(
        &self,
        today: &mut Today<'_>,
        staying: &[(usize, MemberEvents)],
    ) -> Vec<(Option<usize>, ChangeRequest)> {
        let mut draw = Draw::new(
            self.settings.seed,
            self.settings.municipality,
            "within",
            today.household.number,
        );
        let address = address(self.settings.municipality, &mut draw)
            .and_then(|text| Address::parse(&text).ok());
        let Some(address) = address else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        for (at, _) in staying {
            if let Some(resident) = today.residents.get_mut(*at) {
                resident.address = address.clone();
                let row = ChangeRequest {
                    address: Some(address.clone()),
                    ..change(
                        &resident.register_number,
                        ChangeReason::AddressChange,
                        today.date,
                    )
                };
                rows.push((None, row));
            }
        }
        rows
    }
}
