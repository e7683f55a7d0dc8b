//! What happens in one household on the days asked for.

mod moving;

use juki_domain::{ChangeReason, ChangeRequest, CivilDate, PersonName, RegisterNumber, Sex};

use crate::block::{Household, residents_of};
use crate::correction::{Correction, SPACE, correct};
use crate::daily::Row;
use crate::draw::Draw;
use crate::fate::Fate;
use crate::name::given_name;
use crate::{PopulationSettings, Resident};

/// One municipality's days while its households are gone through.
pub(crate) struct Step<'a> {
    all: &'a [PopulationSettings],
    index: usize,
    settings: &'a PopulationSettings,
    fate: Fate,
    dates: &'a [CivilDate],
    rows: &'a mut Vec<Row>,
}

/// When what happens in one household, by day.
struct Events {
    between: Option<usize>,
    within: Option<usize>,
    members: Vec<MemberEvents>,
    /// Who goes when the household moves to another municipality.
    movers: Vec<usize>,
}

/// When what happens to one of a household.
#[derive(Debug, Clone, Copy)]
struct MemberEvents {
    death: Option<usize>,
    birth: Option<usize>,
    surname: Option<usize>,
    slip: Option<usize>,
    code_request: Option<usize>,
}

impl MemberEvents {
    fn all(self) -> [Option<usize>; 5] {
        [
            self.death,
            self.birth,
            self.surname,
            self.slip,
            self.code_request,
        ]
    }
}

impl Events {
    /// The days on which something may happen, each once and in order.
    fn days(&self) -> Vec<usize> {
        let members = self.members.iter().flat_map(|member| member.all());
        let mut days: Vec<usize> = [self.between, self.within]
            .into_iter()
            .chain(members)
            .flatten()
            .collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    /// Whether a child was born before this day: it is not in the household's list, so the
    /// household stays where it is.
    fn child_before(&self, day: usize) -> bool {
        self.members
            .iter()
            .any(|member| member.birth.is_some_and(|birth| birth < day))
    }

    /// The day on which the movers really leave the municipality.
    fn leaving(&self) -> Option<usize> {
        self.between.filter(|day| !self.child_before(*day))
    }

    /// Those of the household who live and are registered at the beginning of a day.
    fn here(&self, day: usize) -> impl Iterator<Item = (usize, MemberEvents)> {
        let left = self.leaving().is_some_and(|leaving| leaving < day);
        self.members
            .iter()
            .copied()
            .enumerate()
            .filter(move |(at, member)| {
                member.death.is_none_or(|death| death >= day) && !(left && self.movers.contains(at))
            })
    }
}

/// A day on which something happens in a household.
struct Today<'a> {
    household: &'a Household,
    events: &'a Events,
    /// Counted from the population's day.
    day: usize,
    date: CivilDate,
    /// The household's residents as their records stand.
    residents: &'a mut [Resident],
}

impl<'a> Step<'a> {
    /// Goes through households of the population at `index`; nothing where no day is asked for.
    pub(crate) fn new(
        all: &'a [PopulationSettings],
        index: usize,
        dates: &'a [CivilDate],
        rows: &'a mut Vec<Row>,
    ) -> Option<Self> {
        let settings = all.get(index)?;
        Some(Self {
            all,
            index,
            settings,
            fate: Fate::new(settings, *dates.last()?),
            dates,
            rows,
        })
    }

    pub(crate) fn household(&mut self, household: &Household) {
        let events = self.events(household);
        let days = events.days();
        if !days.iter().any(|day| self.asked(*day).is_some()) {
            return;
        }
        let mut residents = residents_of(self.settings, household);
        // The records' state on a day follows from all that happened before, asked for or not.
        for day in days {
            let Some(date) = self.date(day) else {
                return;
            };
            let mut today = Today {
                household,
                events: &events,
                day,
                date,
                residents: &mut residents,
            };
            let rows = self.day(&mut today);
            if let Some(slot) = self.asked(day) {
                self.rows
                    .extend(rows.into_iter().map(|(file, request)| Row {
                        slot,
                        file: file.unwrap_or(self.index),
                        newcomer: file.is_some(),
                        request,
                    }));
            }
        }
    }

    fn events(&self, household: &Household) -> Events {
        let members = (household.first..)
            .zip(&household.members)
            .map(|(place, member)| MemberEvents {
                death: self.fate.death(place, member),
                birth: self.fate.birth(place, member),
                surname: self.fate.surname(place, member),
                slip: self.fate.slip(place),
                code_request: self.fate.code_request(place),
            })
            .collect();
        let between = if self.all.len() > 1 {
            self.fate.move_between(household)
        } else {
            None
        };
        Events {
            between,
            within: self.fate.move_within(household),
            members,
            movers: match between {
                Some(_) => self.movers(household),
                None => Vec::new(),
            },
        }
    }

    fn date(&self, day: usize) -> Option<CivilDate> {
        let day = i64::try_from(day).ok()?;
        CivilDate::from_days(self.settings.as_of.days().checked_add(day)?).ok()
    }

    /// The place of a day among those asked for.
    fn asked(&self, day: usize) -> Option<usize> {
        let ahead = self.date(day)?.days() - self.dates.first()?.days();
        usize::try_from(ahead)
            .ok()
            .filter(|slot| *slot < self.dates.len())
    }

    /// The day's rows, those for another municipality's file with its place; the residents' records
    /// are brought up to the day's end.
    fn day(&self, today: &mut Today<'_>) -> Vec<(Option<usize>, ChangeRequest)> {
        let (events, day, date) = (today.events, today.day, today.date);
        let mut rows = Vec::new();
        let mut own = |request| rows.push((None, request));
        let number = |today: &Today<'_>, at: usize| {
            today
                .residents
                .get(at)
                .map(|resident| resident.register_number.clone())
        };
        for (at, member) in events.here(day) {
            if member.death == Some(day)
                && let Some(number) = number(today, at)
            {
                own(change(&number, ChangeReason::Death, date));
            }
        }
        let alive: Vec<(usize, MemberEvents)> = events
            .here(day)
            .filter(|(_, member)| member.death != Some(day))
            .collect();
        for &(at, member) in &alive {
            self.corrections(today, at, member)
                .into_iter()
                .for_each(&mut own);
            if member.code_request == Some(day)
                && let Some(number) = number(today, at)
            {
                own(change(&number, ChangeReason::CodeChangeRequest, date));
            }
        }
        let leaves = |at: usize| events.leaving() == Some(day) && events.movers.contains(&at);
        let leaving: Vec<usize> = alive
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| leaves(*at))
            .collect();
        let staying: Vec<(usize, MemberEvents)> =
            alive.into_iter().filter(|(at, _)| !leaves(*at)).collect();
        rows.extend(self.move_between(today, &leaving));
        if events.within == Some(day) && !events.child_before(day) {
            rows.extend(self.move_within(today, &staying));
        }
        for (at, _) in staying
            .iter()
            .filter(|(_, member)| member.birth == Some(day))
        {
            let mother = today.residents.get(*at);
            let born = mother.and_then(|mother| self.birth(mother, date));
            rows.extend(born.map(|row| (None, row)));
        }
        rows
    }

    fn corrections(
        &self,
        today: &mut Today<'_>,
        at: usize,
        member: MemberEvents,
    ) -> Vec<ChangeRequest> {
        let (day, date) = (today.day, today.date);
        let place = today.household.first + u64::try_from(at).unwrap_or(0);
        let Some(resident) = today.residents.get_mut(at) else {
            return Vec::new();
        };
        [
            (member.surname, Correction::Surname),
            (member.slip, Correction::Slip),
        ]
        .into_iter()
        .filter(|(of, _)| *of == Some(day))
        .filter_map(|(_, why)| correct(self.settings, place, resident, why, date))
        .collect()
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
        let surname = mother.name.reveal().split(SPACE).next()?;
        Some(ChangeRequest {
            resident: RegisterNumber::parse(&format!("9{number}")).ok()?,
            reason: ChangeReason::Birth,
            name: Some(PersonName::parse(&format!("{surname}{SPACE}{}", given.written)).ok()?),
            birth: Some(date.into()),
            sex: Some(sex),
            ..mother.entry(date)
        })
    }
}

/// A row with nothing but what every row has.
pub(crate) fn change(
    resident: &RegisterNumber,
    reason: ChangeReason,
    date: CivilDate,
) -> ChangeRequest {
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
