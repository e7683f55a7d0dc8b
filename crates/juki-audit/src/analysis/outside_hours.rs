//! Work outside office hours that nobody permitted.

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, Who, World};
use crate::{Event, What};

pub(super) struct OutsideHours {
    today: Table<Who, Trail>,
}

impl OutsideHours {
    pub(super) fn new() -> Self {
        Self {
            today: Table::new(Analysis::SUBJECTS_MAX),
        }
    }
}

impl Judge for OutsideHours {
    fn take(&mut self, event: &Event, world: &World, _: &mut Vec<Finding>) {
        if let What::Query(query) = &event.what
            && !query.operator.is_empty()
            && world.holidays.is_working_day(event.at.date)
            && !world.settings.is_permitted(
                &world.holidays,
                (&query.operator, &query.body),
                &event.at,
            )
            && let Some(trail) = self.today.row(&query.who())
        {
            trail.add(event);
        }
    }

    fn end_of_day(&mut self, _: CivilDate, world: &World, out: &mut Vec<Finding>) {
        let limit = world.settings.hours.requests_min;
        out.extend(
            self.today
                .iter()
                .filter(|(_, trail)| trail.count >= limit)
                .filter_map(|((body, operator), trail)| {
                    trail.finding(
                        Rule::OutsideHours,
                        (SubjectKind::Operator, operator, body),
                        (trail.count, limit),
                    )
                }),
        );
        self.today.clear();
    }

    fn left_out(&self) -> u64 {
        self.today.left_out()
    }
}
