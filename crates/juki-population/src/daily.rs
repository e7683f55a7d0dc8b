//! The changes of a day: births, deaths, moves within a municipality and between several.

use juki_domain::{
    Address, ChangeReason, ChangeRequest, CivilDate, MunicipalityCode, PersonName, RegisterNumber,
    Sex,
};
use juki_intake::{FileEncoding, FileKind, WriteError, Writer};

use crate::block::{self, Household, residents_of};
use crate::draw::{Draw, mixed_u64, spread};
use crate::fate::Fate;
use crate::household::ADULT_AGE;
use crate::name::given_name;
use crate::place::address;
use crate::{PopulationError, PopulationSettings, Resident};

/// The day-by-day changes of several populations that people move between.
///
/// Every day stands alone: asking for it twice gives the same rows, and no day needs another.
#[derive(Debug)]
pub struct DailyChanges {
    populations: Vec<PopulationSettings>,
}

/// One municipality's rows of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFile {
    /// Whose register writes the file.
    pub municipality: MunicipalityCode,
    /// The rows, residents' own changes before those of newcomers.
    pub requests: Vec<ChangeRequest>,
}

impl DayFile {
    /// Writes the rows as a daily file in UTF-8.
    ///
    /// # Errors
    /// [`WriteError`]; UTF-8 holds every name, so none is expected.
    pub fn write(&self, sink: &mut impl FnMut(&[u8])) -> Result<(), WriteError> {
        let mut writer = Writer::new(FileKind::Daily, FileEncoding::Utf8, sink);
        self.requests
            .iter()
            .try_for_each(|request| writer.row(request))
    }
}

impl DailyChanges {
    /// The changes of these populations. With a single one, nobody moves between municipalities.
    ///
    /// # Errors
    /// [`PopulationError`] where the settings of one do not fit.
    pub fn new(populations: Vec<PopulationSettings>) -> Result<Self, PopulationError> {
        populations.iter().try_for_each(PopulationSettings::check)?;
        Ok(Self { populations })
    }

    /// The rows of one day: see [`DailyChanges::days`].
    #[must_use]
    pub fn day(&self, date: CivilDate) -> Vec<DayFile> {
        self.days(date, 1).into_iter().next().unwrap_or_default()
    }

    /// The rows of `count` days from `first`: for each day a file for each municipality in the
    /// order given, all held in memory. There are none up to the day on which a population is
    /// counted. Each resident of a population dies or moves away at most once; newcomers and
    /// newborn have no further changes. Days after the last civil date are left out.
    #[must_use]
    pub fn days(&self, first: CivilDate, count: u16) -> Vec<Vec<DayFile>> {
        let dates: Vec<CivilDate> = (first.days()..)
            .take(usize::from(count))
            .map_while(|day| CivilDate::from_days(day).ok())
            .collect();
        let Some(&last) = dates.last() else {
            return Vec::new();
        };
        let empty = |settings: &PopulationSettings| DayFile {
            municipality: settings.municipality,
            requests: Vec::new(),
        };
        let mut own: Vec<Vec<DayFile>> = dates
            .iter()
            .map(|_| self.populations.iter().map(empty).collect())
            .collect();
        let mut newcomers = own.clone();
        for (index, settings) in self.populations.iter().enumerate() {
            let fate = Fate::new(settings, last);
            let mut step = Step {
                all: &self.populations,
                index,
                settings,
                fate,
                dates: &dates,
                own: &mut own,
                newcomers: &mut newcomers,
            };
            for number in 0..block::count(settings) {
                for household in block::block(settings, number) {
                    step.household(&household);
                }
            }
        }
        for (file, arrived) in own
            .iter_mut()
            .flatten()
            .zip(newcomers.into_iter().flatten())
        {
            file.requests.extend(arrived.requests);
        }
        own
    }
}

/// One municipality's days while its households are gone through.
struct Step<'a> {
    all: &'a [PopulationSettings],
    index: usize,
    settings: &'a PopulationSettings,
    fate: Fate,
    dates: &'a [CivilDate],
    own: &'a mut [Vec<DayFile>],
    newcomers: &'a mut [Vec<DayFile>],
}

/// When what happens in one household, by day.
struct Events {
    between: Option<usize>,
    within: Option<usize>,
    deaths: Vec<Option<usize>>,
    births: Vec<Option<usize>>,
}

impl Events {
    /// The days on which something may happen, each once and in order.
    fn days(&self) -> Vec<usize> {
        let mut days: Vec<usize> = [&self.between, &self.within]
            .into_iter()
            .chain(&self.deaths)
            .chain(&self.births)
            .filter_map(|day| *day)
            .collect();
        days.sort_unstable();
        days.dedup();
        days
    }
}

impl Step<'_> {
    fn household(&mut self, household: &Household) {
        let places = (household.first..).zip(&household.members);
        let events = Events {
            between: if self.all.len() > 1 {
                self.fate.move_between(household)
            } else {
                None
            },
            within: self.fate.move_within(household),
            deaths: places
                .clone()
                .map(|(place, member)| self.fate.death(place, member))
                .collect(),
            births: places
                .map(|(place, member)| self.fate.birth(place, member))
                .collect(),
        };
        let days = events.days();
        let asked: Vec<(usize, usize)> = days
            .into_iter()
            .filter_map(|day| Some((day, self.asked(day)?)))
            .collect();
        if asked.is_empty() {
            return;
        }
        let residents = residents_of(self.settings, household);
        let movers = self.movers(household);
        for (day, slot) in asked {
            self.household_day(household, &residents, &movers, &events, day, slot);
        }
    }

    /// The place of a day among those asked for.
    fn asked(&self, day: usize) -> Option<usize> {
        let date = self
            .settings
            .as_of
            .days()
            .checked_add(i64::try_from(day).ok()?)?;
        usize::try_from(date - self.dates.first()?.days())
            .ok()
            .filter(|slot| *slot < self.dates.len())
    }

    fn household_day(
        &mut self,
        household: &Household,
        residents: &[Resident],
        movers: &[usize],
        events: &Events,
        day: usize,
        slot: usize,
    ) {
        let Some(&date) = self.dates.get(slot) else {
            return;
        };
        let before = |event: Option<usize>| event.is_some_and(|event| event < day);
        let later = |event: Option<usize>| event.is_none_or(|event| event > day);
        // A child born since is not in the household's list, so its household stays where it is.
        let stays = |at_day: usize| {
            events
                .births
                .iter()
                .any(|birth| birth.is_some_and(|birth| birth < at_day))
        };
        let gone = |at: usize| {
            before(events.between) && movers.contains(&at) && !events.between.is_some_and(stays)
        };
        let mut rows = Vec::new();
        for (at, resident) in residents.iter().enumerate() {
            if events.deaths.get(at) == Some(&Some(day)) && !gone(at) {
                rows.push(change(&resident.register_number, ChangeReason::Death, date));
            }
        }
        let lives = |at: usize| later(events.deaths.get(at).copied().flatten());
        let alive: Vec<(usize, &Resident)> = residents
            .iter()
            .enumerate()
            .filter(|(at, _)| lives(*at))
            .collect();
        if events.between == Some(day) && !stays(day) {
            let moving: Vec<&Resident> = alive
                .iter()
                .filter(|(at, _)| movers.contains(at))
                .map(|(_, resident)| *resident)
                .collect();
            self.move_between(household, &moving, date, slot, &mut rows);
        } else if events.within == Some(day) && later(events.between) && !stays(day) {
            self.move_within(household, &alive, date, &mut rows);
        } else if later(events.between) && later(events.within) {
            let mothers = alive
                .iter()
                .filter(|(at, _)| events.births.get(*at) == Some(&Some(day)));
            rows.extend(mothers.filter_map(|(_, mother)| self.birth(mother, date)));
        }
        if let Some(file) = self
            .own
            .get_mut(slot)
            .and_then(|files| files.get_mut(self.index))
        {
            file.requests.append(&mut rows);
        }
    }

    /// Who goes when the household is drawn to move: all of it, or one adult where another stays.
    fn movers(&self, household: &Household) -> Vec<usize> {
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

    fn move_between(
        &mut self,
        household: &Household,
        moving: &[&Resident],
        date: CivilDate,
        slot: usize,
        rows: &mut Vec<ChangeRequest>,
    ) {
        let others = u64::try_from(self.all.len() - 1).unwrap_or(1);
        let key = mixed_u64(
            self.settings.seed,
            self.settings.municipality,
            "destination",
            0,
        );
        let mut to = usize::try_from(spread(key, household.number) % others).unwrap_or(0);
        to += usize::from(to >= self.index);
        let Some(newcomers) = self
            .newcomers
            .get_mut(slot)
            .and_then(|files| files.get_mut(to))
        else {
            return;
        };
        let mut draw = Draw::new(
            self.settings.seed,
            self.settings.municipality,
            "new address",
            household.number,
        );
        let address =
            address(newcomers.municipality, &mut draw).and_then(|text| Address::parse(&text).ok());
        for resident in moving {
            let certificate = format!(
                "{}-{}",
                self.settings.municipality,
                resident.register_number.reveal()
            );
            let number = format!(
                "8{:05}{}",
                self.settings.municipality.number(),
                resident.register_number.reveal()
            );
            let Ok(number) = RegisterNumber::parse(&number) else {
                continue;
            };
            rows.push(ChangeRequest {
                certificate: Some(certificate.clone()),
                counterpart: Some(newcomers.municipality),
                ..change(&resident.register_number, ChangeReason::MoveOut, date)
            });
            newcomers.requests.push(ChangeRequest {
                resident: number,
                reason: ChangeReason::MoveIn,
                address: address.clone(),
                certificate: Some(certificate),
                counterpart: Some(self.settings.municipality),
                ..resident.entry(date)
            });
        }
    }

    fn move_within(
        &self,
        household: &Household,
        staying: &[(usize, &Resident)],
        date: CivilDate,
        rows: &mut Vec<ChangeRequest>,
    ) {
        let mut draw = Draw::new(
            self.settings.seed,
            self.settings.municipality,
            "within",
            household.number,
        );
        let address = address(self.settings.municipality, &mut draw)
            .and_then(|text| Address::parse(&text).ok());
        for (_, resident) in staying {
            let row = change(&resident.register_number, ChangeReason::AddressChange, date);
            rows.push(ChangeRequest {
                address: address.clone(),
                ..row
            });
        }
    }

    fn birth(&self, mother: &Resident, date: CivilDate) -> Option<ChangeRequest> {
        let number = mother.register_number.reveal();
        let mut draw = Draw::new(
            self.settings.seed,
            self.settings.municipality,
            "birth",
            number.parse().ok()?,
        );
        let sex = if draw.chance(487) {
            Sex::Female
        } else {
            Sex::Male
        };
        let given = given_name(sex, date.year(), &mut draw);
        let surname = mother.name.reveal().split('　').next().unwrap_or_default();
        Some(ChangeRequest {
            resident: RegisterNumber::parse(&format!("9{number}")).ok()?,
            reason: ChangeReason::Birth,
            name: Some(PersonName::parse(&format!("{surname}　{}", given.written)).ok()?),
            birth: Some(date.into()),
            sex: Some(sex),
            ..mother.entry(date)
        })
    }
}

fn change(resident: &RegisterNumber, reason: ChangeReason, date: CivilDate) -> ChangeRequest {
    ChangeRequest {
        resident: resident.clone(),
        reason,
        event_date: date,
        name: None,
        birth: None,
        sex: None,
        address: None,
        certificate: None,
        counterpart: None,
    }
}
