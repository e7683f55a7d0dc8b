//! Queries on colleagues and listed persons: once may be work, again or off time is asked about.

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, Who, World};
use crate::{Event, What};

/// One look-up; repetitions within some minutes belong to it.
struct Look {
    person: [u8; 16],
    day: CivilDate,
    last_ms: u64,
    points: u64,
    trail: Trail,
}

#[derive(Default)]
struct Looks {
    looks: Vec<Look>,
    is_new: bool,
}

/// Look-ups of one operator that are remembered.
const LOOKS_MAX: usize = 256;

pub(super) struct ListedPerson {
    operators: Table<Who, Looks>,
}

impl ListedPerson {
    pub(super) fn new() -> Self {
        Self {
            operators: Table::new(Analysis::SUBJECTS_MAX),
        }
    }
}

impl Judge for ListedPerson {
    fn take(&mut self, event: &Event, world: &World, _: &mut Vec<Finding>) {
        let What::Query(query) = &event.what else {
            return;
        };
        let Some(person) = query.person.first_chunk::<16>() else {
            return;
        };
        if query.operator.is_empty() || !world.listed.contains(person) {
            return;
        }
        let Some(row) = self.operators.row(&query.who()) else {
            return;
        };
        let settings = &world.settings.listed;
        let same_ms = settings.same_minutes * 60_000;
        let (now, day) = (event.at.at_ms, event.at.date);
        if let Some(look) = row
            .looks
            .iter_mut()
            .rev()
            .find(|look| look.person == *person && now.saturating_sub(look.last_ms) <= same_ms)
        {
            look.last_ms = now;
            look.trail.add(event);
            return;
        }
        let again = row
            .looks
            .iter()
            .any(|look| look.person == *person && look.day < day);
        let off_time = !world.settings.is_permitted(
            &world.holidays,
            (&query.operator, &query.body),
            &event.at,
        );
        let mut trail = Trail::default();
        trail.add(event);
        if row.looks.len() < LOOKS_MAX {
            row.looks.push(Look {
                person: *person,
                day,
                last_ms: now,
                points: 1 + u64::from(again) + u64::from(off_time),
                trail,
            });
        }
        row.is_new = true;
    }

    fn end_of_day(&mut self, day: CivilDate, world: &World, out: &mut Vec<Finding>) {
        let settings = &world.settings.listed;
        let oldest = day.days() - settings.days;
        for ((body, operator), row) in self.operators.iter_mut() {
            row.looks.retain(|look| look.day.days() > oldest);
            let points: u64 = row.looks.iter().map(|look| look.points).sum();
            if std::mem::take(&mut row.is_new) && points >= settings.points_min {
                let mut all = Trail::default();
                row.looks.iter().for_each(|look| all.extend(&look.trail));
                out.extend(all.finding(
                    Rule::ListedPerson,
                    (SubjectKind::Operator, operator, body),
                    (points, settings.points_min),
                ));
            }
        }
        self.operators.retain(|_, row| !row.looks.is_empty());
    }

    fn left_out(&self) -> u64 {
        self.operators.left_out()
    }
}
