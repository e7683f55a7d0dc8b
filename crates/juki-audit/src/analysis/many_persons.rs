//! Many different persons by one operator: more than is usual for him over some days while the
//! office is not that busy, or a day of questions that mostly hit nobody.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, Who, World, at_least, median, real};
use crate::{Event, Outcome, What};

#[derive(Default)]
struct Reach {
    today: Trail,
    persons: BTreeSet<u64>,
    misses: Trail,
    asked: u64,
    first: Option<CivilDate>,
    /// Persons on the days before, the oldest first.
    history: VecDeque<u64>,
    /// The days of the window.
    window: VecDeque<(u64, Trail)>,
    /// Days until the same operator may be reported again.
    rest: usize,
}

impl Reach {
    fn in_window(&self) -> u64 {
        self.window.iter().map(|(persons, _)| persons).sum()
    }

    /// Persons of a window of this many days by the days before the window.
    fn usual(&self, days: usize, days_min: usize) -> Option<f64> {
        let sum: u64 = self.history.iter().sum();
        let days_before = self.history.len();
        (days_before >= days_min && self.window.len() >= days)
            .then(|| real(sum) / real(days_before as u64) * real(days as u64))
    }
}

/// Persons of an operator on one day; more count as this many.
const PERSONS_MAX: usize = 20_000;
/// Days before the window that say what is usual.
const HISTORY_MAX: usize = 20;
/// Colleagues that say how busy the office is.
const COLLEAGUES_MIN: usize = 3;

pub(super) struct ManyPersons {
    reaches: Table<Who, Reach>,
}

/// How an office's operators do in this window.
#[derive(Default)]
struct Office {
    ratios: Vec<f64>,
    persons: Vec<f64>,
}

impl ManyPersons {
    pub(super) fn new() -> Self {
        Self {
            reaches: Table::new(Analysis::SUBJECTS_MAX),
        }
    }

    fn offices(&self, world: &World) -> BTreeMap<String, Office> {
        let settings = &world.settings.persons;
        let mut offices: BTreeMap<String, Office> = BTreeMap::new();
        for ((body, _), reach) in self.reaches.iter() {
            if reach.window.len() < settings.days {
                continue;
            }
            let office = offices.entry(body.clone()).or_default();
            office.persons.push(real(reach.in_window()));
            if let Some(usual) = reach.usual(settings.days, settings.history_days_min) {
                office.ratios.push(real(reach.in_window()) / usual.max(1.0));
            }
        }
        offices
    }

    fn close_day(&mut self, days: usize) {
        for (_, reach) in self.reaches.iter_mut() {
            if reach.today.count == 0 {
                continue;
            }
            let persons = reach.persons.len() as u64;
            reach
                .window
                .push_back((persons, std::mem::take(&mut reach.today)));
            reach.persons.clear();
            if reach.window.len() > days
                && let Some((persons, _)) = reach.window.pop_front()
            {
                reach.history.push_back(persons);
            }
            if reach.history.len() > HISTORY_MAX {
                reach.history.pop_front();
            }
            reach.rest = reach.rest.saturating_sub(1);
        }
    }
}

impl Judge for ManyPersons {
    fn take(&mut self, event: &Event, _: &World, _: &mut Vec<Finding>) {
        if let What::Query(query) = &event.what
            && !query.operator.is_empty()
            && query.outcome != Outcome::Refused
            && let Some(reach) = self.reaches.row(&query.who())
        {
            reach.today.add(event);
            reach.first.get_or_insert(event.at.date);
            reach.asked += 1;
            if query.outcome != Outcome::Match {
                reach.misses.add(event);
            }
            if reach.persons.len() < PERSONS_MAX
                && let Some(person) = query.person.first_chunk::<8>()
            {
                reach.persons.insert(u64::from_be_bytes(*person));
            }
        }
    }

    fn end_of_day(&mut self, _: CivilDate, world: &World, out: &mut Vec<Finding>) {
        let settings = &world.settings.persons;
        self.close_day(settings.days);
        let offices = self.offices(world);
        for ((body, operator), reach) in self.reaches.iter_mut() {
            let subject = (SubjectKind::Operator, operator.as_str(), body.as_str());
            let (misses, asked) = (
                std::mem::take(&mut reach.misses),
                std::mem::take(&mut reach.asked),
            );
            if asked == 0 {
                continue;
            }
            if misses.count >= settings.misses_min
                && real(misses.count) >= settings.misses_share * real(asked)
            {
                let limit = settings
                    .misses_min
                    .max(at_least(settings.misses_share * real(asked)));
                out.extend(misses.finding(Rule::ManyPersons, subject, (misses.count, limit)));
                continue;
            }
            let office = offices.get(body);
            let busy = office
                .filter(|office| office.ratios.len() > COLLEAGUES_MIN)
                .and_then(|office| median(office.ratios.clone()))
                .unwrap_or(1.0)
                .max(1.0);
            let days_worked = reach.history.len() + reach.window.len();
            let of_colleagues = office
                .filter(|_| world.is_new(reach.first, days_worked))
                .and_then(|office| median(office.persons.clone()))
                .unwrap_or(0.0);
            let limit = match reach.usual(settings.days, settings.history_days_min) {
                Some(usual) => (usual * busy).max(of_colleagues) * settings.usual_factor,
                // Whoever is new is compared with the others.
                None => match office.filter(|office| office.persons.len() > COLLEAGUES_MIN) {
                    Some(office) => {
                        median(office.persons.clone()).unwrap_or(0.0) * settings.office_factor
                    }
                    None => continue,
                },
            };
            let limit = at_least(limit).max(settings.persons_min);
            let count = reach.in_window();
            if count >= limit && reach.rest == 0 {
                reach.rest = settings.days;
                let mut all = Trail::default();
                reach.window.iter().for_each(|(_, trail)| all.extend(trail));
                out.extend(all.finding(Rule::ManyPersons, subject, (count, limit)));
            }
        }
    }

    fn left_out(&self) -> u64 {
        self.reaches.left_out()
    }
}
