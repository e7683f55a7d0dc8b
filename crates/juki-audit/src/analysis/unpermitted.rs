//! Work at hours that nobody permitted: outside office hours on working days, and on days off.

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, Who, World};
use crate::{Event, What};

/// Which days a judge looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    /// Weekdays that are no holidays.
    Working,
    /// Weekends and holidays.
    Off,
}

impl Days {
    fn rule(self) -> Rule {
        match self {
            Self::Working => Rule::OutsideHours,
            Self::Off => Rule::HolidayWork,
        }
    }

    fn limit(self, world: &World) -> u64 {
        match self {
            Self::Working => world.settings.hours.requests_min,
            Self::Off => world.settings.holidays.requests_min,
        }
    }
}

pub(super) struct Unpermitted {
    days: Days,
    today: Table<Who, Trail>,
}

impl Unpermitted {
    pub(super) fn on(days: Days) -> Self {
        Self {
            days,
            today: Table::new(Analysis::SUBJECTS_MAX),
        }
    }
}

impl Judge for Unpermitted {
    fn take(&mut self, event: &Event, world: &World, _: &mut Vec<Finding>) {
        if let What::Query(query) = &event.what
            && !query.operator.is_empty()
            && world.holidays.is_working_day(event.at.date) == (self.days == Days::Working)
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
        let (rule, limit) = (self.days.rule(), self.days.limit(world));
        out.extend(
            self.today
                .iter()
                .filter(|(_, trail)| trail.count >= limit)
                .filter_map(|((body, operator), trail)| {
                    trail.finding(
                        rule,
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
