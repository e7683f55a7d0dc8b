//! Periodic analysis (定期的に解析): events in, findings out, in bounded memory.
//!
//! Events come in order of time, from one ledger or from several merged. Each rule keeps what it
//! needs of the days before and judges a day when the next one begins.

mod failed_pins;
mod finding;
mod holidays;
mod listed_person;
mod many_persons;
mod mass_search;
mod one_person;
mod repeated_refusals;
mod settings;
mod silence;
mod trail;
mod unpermitted;

use std::collections::BTreeSet;

use juki_domain::CivilDate;

use crate::{Event, Moment, What};

use unpermitted::{Days, Unpermitted};

pub use finding::{Finding, Rule, SubjectKind};
pub use holidays::{DEFAULT_HOLIDAYS, Holidays, HolidaysError};
pub use settings::{DEFAULT_SETTINGS, Settings};

/// Body and operator.
type Who = (String, String);

/// What every rule sees.
struct World {
    settings: Settings,
    holidays: Holidays,
    listed: BTreeSet<[u8; 16]>,
    /// The day of the first event.
    begins: Option<CivilDate>,
    /// The latest event so far.
    seen_until: Option<Moment>,
}

impl World {
    /// Whether an operator is new: first seen well after the ledgers begin, and not long at work.
    fn is_new(&self, first: Option<CivilDate>, days_worked: usize) -> bool {
        let settings = &self.settings.staff;
        days_worked < settings.new_days
            && first.zip(self.begins).is_some_and(|(first, begins)| {
                first.days() - begins.days() >= settings.new_after_days
            })
    }
}

/// One rule at work.
trait Judge {
    /// Takes in one event.
    fn take(&mut self, event: &Event, world: &World, out: &mut Vec<Finding>);

    /// A civil day is over.
    fn end_of_day(&mut self, day: CivilDate, world: &World, out: &mut Vec<Finding>);

    /// What did not fit into this rule's memory.
    fn left_out(&self) -> u64;
}

/// An analysis at work.
pub struct Analysis {
    world: World,
    judges: Vec<Box<dyn Judge>>,
    day: Option<CivilDate>,
    operators_today: BTreeSet<Who>,
    report: Report,
}

/// What an analysis found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings, in order of time; at most [`Report::FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub findings_left: u64,
    /// How many events were seen.
    pub events: u64,
    /// The first and the last of them.
    pub span: Option<(Moment, Moment)>,
    /// Days on which an operator asked anything, summed over all operators.
    pub operator_days: u64,
    /// Events that some rule could not follow since its memory was full.
    pub left_out: u64,
}

impl Report {
    /// How many findings are kept.
    pub const FINDINGS_MAX: usize = 10_000;
}

impl Analysis {
    /// Operators, cards, terminals or flows that one rule follows at once.
    pub(crate) const SUBJECTS_MAX: usize = 100_000;

    /// An analysis under these thresholds; `listed` are the pseudonyms of colleagues and listed
    /// persons on the nodes whose ledgers are read.
    #[must_use]
    pub fn new(settings: Settings, holidays: Holidays, listed: BTreeSet<[u8; 16]>) -> Self {
        let judges: Vec<Box<dyn Judge>> = vec![
            Box::new(Unpermitted::on(Days::Working)),
            Box::new(Unpermitted::on(Days::Off)),
            Box::new(mass_search::MassSearch::new()),
            Box::new(many_persons::ManyPersons::new()),
            Box::new(one_person::OnePerson::new(settings.person.persons_max)),
            Box::new(repeated_refusals::RepeatedRefusals::new()),
            Box::new(listed_person::ListedPerson::new()),
            Box::new(failed_pins::FailedPins::new()),
            Box::new(silence::Silence::new()),
        ];
        Self {
            world: World {
                settings,
                holidays,
                listed,
                begins: None,
                seen_until: None,
            },
            judges,
            day: None,
            operators_today: BTreeSet::new(),
            report: Report::default(),
        }
    }

    /// Takes in the next event. One that comes late counts for the day at which analysis is.
    pub fn take(&mut self, event: &Event) {
        let date = event.at.date;
        match self.day {
            None => {
                self.world.begins = Some(date);
                self.day = Some(date);
            }
            Some(day) if date > day => self.go_on_to(day, date),
            Some(_) => {}
        }
        self.world.seen_until = self.world.seen_until.max(Some(event.at));
        self.report.events += 1;
        self.report.span = match self.report.span {
            None => Some((event.at, event.at)),
            Some((from, to)) => Some((from.min(event.at), to.max(event.at))),
        };
        if let What::Query(query) = &event.what
            && !query.operator.is_empty()
            && self.operators_today.len() < Self::SUBJECTS_MAX
        {
            self.operators_today.insert(query.who());
        }
        let mut found = Vec::new();
        for judge in &mut self.judges {
            judge.take(event, &self.world, &mut found);
        }
        self.keep(found);
    }

    /// Ends the last day and gives the report.
    #[must_use]
    pub fn finish(mut self) -> Report {
        if let Some(day) = self.day {
            self.end_day(day);
        }
        self.report.left_out = self.judges.iter().map(|judge| judge.left_out()).sum();
        self.report
            .findings
            .sort_by_key(|finding| (finding.from, finding.rule));
        self.report
    }

    fn go_on_to(&mut self, mut day: CivilDate, date: CivilDate) {
        // Days without events matter to silence; a jump of more than a year is no silence but
        // another time.
        if date.days() - day.days() > DAYS_MAX {
            self.end_day(day);
        } else {
            while day < date {
                self.end_day(day);
                let Ok(next) = CivilDate::from_days(day.days() + 1) else {
                    break;
                };
                day = next;
            }
        }
        self.day = Some(date);
    }

    fn end_day(&mut self, day: CivilDate) {
        let mut found = Vec::new();
        for judge in &mut self.judges {
            judge.end_of_day(day, &self.world, &mut found);
        }
        self.keep(found);
        self.report.operator_days += self.operators_today.len() as u64;
        self.operators_today.clear();
    }

    fn keep(&mut self, found: Vec<Finding>) {
        let room = Report::FINDINGS_MAX.saturating_sub(self.report.findings.len());
        self.report.findings_left += found.len().saturating_sub(room) as u64;
        self.report.findings.extend(found.into_iter().take(room));
    }
}

const DAYS_MAX: i64 = 400;

/// The median of some numbers; `None` for none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Counts are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

/// The smallest count that is not below a number, which is never negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "thresholds are positive and far below 2^53"
)]
fn at_least(number: f64) -> u64 {
    number.ceil() as u64
}

#[cfg(test)]
mod tests;
