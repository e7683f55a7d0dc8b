//! Mass searches: too many requests in an hour or a day, or far more than is usual for an operator
//! while the office as a whole is not that busy.

use std::collections::{BTreeMap, VecDeque};

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, Who, World, at_least, median, real};
use crate::{Event, What};

#[derive(Default)]
struct Habit {
    today: Trail,
    hour: u16,
    in_hour: u64,
    hour_max: u64,
    first: Option<CivilDate>,
    /// Requests on the working days before, the oldest first.
    history: VecDeque<u64>,
}

impl Habit {
    /// What is usual: the mean of the days before, or most of the busiest of them.
    fn usual(&self, days_min: usize) -> Option<f64> {
        let sum: u64 = self.history.iter().sum();
        let most = self.history.iter().max().copied().unwrap_or(0);
        let mean = real(sum) / real(self.history.len() as u64);
        (self.history.len() >= days_min).then(|| mean.max(real(most) * BUSIEST_PART))
    }
}

/// The busiest day of an honest operator is below twice his mean; one that reaches it again is no
/// news.
const BUSIEST_PART: f64 = 0.6;

/// Colleagues whose day says how busy the office is.
const COLLEAGUES_MIN: usize = 3;

pub(super) struct MassSearch {
    habits: Table<Who, Habit>,
}

impl MassSearch {
    pub(super) fn new() -> Self {
        Self {
            habits: Table::new(Analysis::SUBJECTS_MAX),
        }
    }

    fn offices(&self, days_min: usize) -> BTreeMap<String, Office> {
        let mut offices: BTreeMap<String, Office> = BTreeMap::new();
        for ((body, _), habit) in self.habits.iter() {
            if habit.today.count > 0
                && let Some(usual) = habit.usual(days_min)
            {
                let office = offices.entry(body.clone()).or_default();
                office.ratios.push(real(habit.today.count) / usual);
                office.usual.push(usual);
            }
        }
        offices
    }
}

/// Of each operator of a body who works today: how much more than usual, and what is usual.
#[derive(Default)]
struct Office {
    ratios: Vec<f64>,
    usual: Vec<f64>,
}

impl Judge for MassSearch {
    fn take(&mut self, event: &Event, _: &World, _: &mut Vec<Finding>) {
        if let What::Query(query) = &event.what
            && !query.operator.is_empty()
            && let Some(habit) = self.habits.row(&query.who())
        {
            let hour = event.at.minute / 60;
            if habit.hour != hour {
                (habit.hour, habit.in_hour) = (hour, 0);
            }
            habit.first.get_or_insert(event.at.date);
            habit.in_hour += 1;
            habit.hour_max = habit.hour_max.max(habit.in_hour);
            habit.today.add(event);
        }
    }

    fn end_of_day(&mut self, _: CivilDate, world: &World, out: &mut Vec<Finding>) {
        let settings = &world.settings.mass;
        let offices = self.offices(settings.history_days_min);
        for ((body, operator), habit) in self.habits.iter_mut() {
            let count = habit.today.count;
            if count == 0 {
                continue;
            }
            let office = offices
                .get(body)
                .filter(|office| office.ratios.len() > COLLEAGUES_MIN);
            let busy = office
                .and_then(|office| median(office.ratios.clone()))
                .unwrap_or(1.0)
                .max(1.0);
            let of_colleagues = office
                .filter(|_| world.is_new(habit.first, habit.history.len()))
                .and_then(|office| median(office.usual.clone()))
                .unwrap_or(0.0);
            let own = habit
                .usual(settings.history_days_min)
                .map_or(u64::MAX, |usual| {
                    at_least(usual.max(of_colleagues) * busy * settings.usual_factor)
                })
                .max(settings.requests_min);
            let is_mass = count >= own.min(settings.day_max);
            if is_mass || habit.hour_max >= settings.hour_max {
                let (count, limit) = if is_mass {
                    (count, own.min(settings.day_max))
                } else {
                    (habit.hour_max, settings.hour_max)
                };
                out.extend(habit.today.finding(
                    Rule::MassSearch,
                    (SubjectKind::Operator, operator, body),
                    (count, limit),
                ));
            } else {
                habit.history.push_back(count);
                while habit.history.len() > settings.history_days_max {
                    habit.history.pop_front();
                }
            }
            habit.today = Trail::default();
            (habit.in_hour, habit.hour_max) = (0, 0);
        }
    }

    fn left_out(&self) -> u64 {
        self.habits.left_out()
    }
}
