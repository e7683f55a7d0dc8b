//! Repeated refusals: a few that show overreach, or very many of any kind.

use std::collections::VecDeque;

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, World};
use crate::{Event, Outcome, What};

/// The kind of subject, the body and the name.
type Key = (SubjectKind, String, String);

#[derive(Default)]
struct Refusals {
    overreach: Trail,
    other: Trail,
    /// Days on which overreach was refused and not reported.
    before: VecDeque<(CivilDate, Trail)>,
}

pub(super) struct RepeatedRefusals {
    refusals: Table<Key, Refusals>,
}

impl RepeatedRefusals {
    pub(super) fn new() -> Self {
        Self {
            refusals: Table::new(Analysis::SUBJECTS_MAX),
        }
    }
}

impl Judge for RepeatedRefusals {
    fn take(&mut self, event: &Event, world: &World, _: &mut Vec<Finding>) {
        let What::Query(query) = &event.what else {
            return;
        };
        if query.outcome != Outcome::Refused {
            return;
        }
        // Where nobody was recognised, the terminal is all that is known.
        let key = if query.operator.is_empty() {
            (SubjectKind::Terminal, String::new(), query.terminal.clone())
        } else {
            (
                SubjectKind::Operator,
                query.body.clone(),
                query.operator.clone(),
            )
        };
        let is_overreach = world.settings.refusals.overreach.contains(&query.refusal);
        if let Some(refusals) = self.refusals.row(&key) {
            if is_overreach {
                refusals.overreach.add_many(event, query.requests);
            } else {
                refusals.other.add_many(event, query.requests);
            }
        }
    }

    fn end_of_day(&mut self, day: CivilDate, world: &World, out: &mut Vec<Finding>) {
        let settings = &world.settings.refusals;
        for ((kind, body, subject), refusals) in self.refusals.iter_mut() {
            let oldest = day.days() - settings.overreach_days;
            refusals.before.retain(|(day, _)| day.days() > oldest);
            let today = std::mem::take(&mut refusals.overreach);
            let other = std::mem::take(&mut refusals.other);
            let mut week = today.clone();
            refusals
                .before
                .iter()
                .for_each(|(_, trail)| week.extend(trail));
            let (trail, limit) = if today.count >= settings.overreach_day {
                (today, settings.overreach_day)
            } else if today.count > 0 && week.count >= settings.overreach_week {
                (week, settings.overreach_week)
            } else if other.count >= settings.other_day {
                (other, settings.other_day)
            } else {
                if today.count > 0 {
                    refusals.before.push_back((day, today));
                }
                continue;
            };
            refusals.before.clear();
            out.extend(trail.finding(
                Rule::RepeatedRefusals,
                (*kind, subject, body),
                (trail.count, limit),
            ));
        }
        self.refusals
            .retain(|_, refusals| !refusals.before.is_empty());
    }

    fn left_out(&self) -> u64 {
        self.refusals.left_out()
    }
}
