//! Silence where there is usually traffic: bodies that ask, and nodes whose services speak.
//!
//! For each hour of the working day it is known on how many days before there was traffic. The
//! silent hours in a row are as surprising as they are unlikely by that.

use juki_domain::CivilDate;
use juki_topology::CivilTime;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, World};
use crate::{Event, Moment, What};

const HOURS: u16 = 24;

/// The first and the last event of an hour.
struct Hour {
    hour: u16,
    first: Event,
    last: Event,
}

#[derive(Default)]
struct Traffic {
    today: Vec<Hour>,
    /// Working days before, and on how many of them each hour had traffic.
    days: u32,
    active: [u32; HOURS as usize],
    /// The last event of the days before.
    last: Option<Event>,
    /// Silent hours up to the end of the day before, and how surprising they are.
    streak: Streak,
}

#[derive(Default, Clone, Copy)]
struct Streak {
    hours: u64,
    surprise: f64,
    first: u16,
    day: Option<CivilDate>,
}

pub(super) struct Silence {
    traffic: Table<(SubjectKind, String), Traffic>,
}

impl Silence {
    pub(super) fn new() -> Self {
        Self {
            traffic: Table::new(Analysis::SUBJECTS_MAX),
        }
    }
}

impl Judge for Silence {
    fn take(&mut self, event: &Event, _: &World, _: &mut Vec<Finding>) {
        let key = match &event.what {
            What::Query(query) if !query.body.is_empty() => (SubjectKind::Body, query.body.clone()),
            // Operators' requests are seen by their bodies: a terminal may rest with its operator.
            What::Traffic(run) if run.code.is_empty() && run.service != "query" => {
                (SubjectKind::Flow, format!("{} {}", run.from, run.service))
            }
            What::Query(_) | What::Traffic(_) | What::FailedPin(_) => return,
        };
        let Some(traffic) = self.traffic.row(&key) else {
            return;
        };
        let hour = event.at.minute / 60;
        match traffic.today.iter_mut().find(|known| known.hour == hour) {
            Some(known) => known.last = event.clone(),
            None => traffic.today.push(Hour {
                hour,
                first: event.clone(),
                last: event.clone(),
            }),
        }
    }

    fn end_of_day(&mut self, day: CivilDate, world: &World, out: &mut Vec<Finding>) {
        let is_working_day = world.holidays.is_working_day(day);
        let hours: Vec<u16> = (0..HOURS)
            .filter(|hour| {
                let middle = CivilTime::of(day, hour * 60 + 30);
                // Of a day that is not over, only the hours that are.
                let is_over = world.seen_until.is_none_or(|until| {
                    until.date > day || (until.date == day && until.minute >= (hour + 1) * 60)
                });
                is_over && world.settings.hours.usual.contain(middle)
            })
            .collect();
        for ((kind, name), traffic) in self.traffic.iter_mut() {
            if is_working_day {
                traffic.judge((day, &hours), (*kind, name), world, out);
            }
            if let Some(hour) = traffic.today.pop() {
                traffic.last = Some(hour.last);
            }
            traffic.today.clear();
        }
    }

    fn left_out(&self) -> u64 {
        self.traffic.left_out()
    }
}

impl Traffic {
    fn judge(
        &mut self,
        (day, hours): (CivilDate, &[u16]),
        (kind, name): (SubjectKind, &str),
        world: &World,
        out: &mut Vec<Finding>,
    ) {
        let settings = &world.settings.silence;
        let is_known = self.days >= settings.history_days_min;
        let mut is_silent = false;
        let mut streak = self.streak;
        for hour in hours {
            if self.today.iter().any(|known| known.hour == *hour) {
                if is_known && streak.surprise >= settings.surprise_min {
                    is_silent = true;
                    out.extend(self.finding(streak, (day, *hour), (kind, name)));
                }
                streak = Streak::default();
            } else {
                if streak.hours == 0 {
                    streak.first = *hour;
                    streak.day = Some(day);
                }
                streak.hours += 1;
                streak.surprise -= (1.0 - self.likelihood(*hour)).ln();
            }
        }
        if is_known && streak.surprise >= settings.surprise_min {
            is_silent = true;
            let end = hours.last().map_or(0, |hour| hour + 1);
            out.extend(self.finding(streak, (day, end), (kind, name)));
            // The next day reports what is new.
            streak = Streak::default();
        }
        self.streak = streak;
        // A day that was found silent says nothing about what is usual.
        if !is_silent {
            self.days += 1;
            for known in &self.today {
                if let Some(active) = self.active.get_mut(usize::from(known.hour)) {
                    *active += 1;
                }
            }
        }
    }

    /// How likely there is traffic in this hour.
    fn likelihood(&self, hour: u16) -> f64 {
        let active = self.active.get(usize::from(hour)).copied().unwrap_or(0);
        (f64::from(active) + 0.5) / (f64::from(self.days) + 1.0)
    }

    /// What is known of a silence up to an hour: the last event before it and the first one after.
    fn finding(
        &self,
        streak: Streak,
        (day, until): (CivilDate, u16),
        (kind, name): (SubjectKind, &str),
    ) -> Option<Finding> {
        let mut trail = Trail::default();
        let is_todays = streak.day == Some(day);
        let before = self
            .today
            .iter()
            .filter(|known| is_todays && known.hour < streak.first)
            .max_by_key(|known| known.hour)
            .map(|known| &known.last)
            .or(self.last.as_ref());
        let after = self.today.iter().find(|known| known.hour == until);
        before.into_iter().for_each(|event| trail.witness(event));
        after
            .into_iter()
            .for_each(|known| trail.witness(&known.first));
        let body = if kind == SubjectKind::Body { name } else { "" };
        let mut finding = trail.finding(Rule::Silence, (kind, name, body), (streak.hours, 0))?;
        // The silence itself is what is told, not the traffic around it.
        let known = finding.from;
        finding.from = moved(known, streak.day?, streak.first * 60);
        finding.to = moved(known, day, until * 60);
        Some(finding)
    }
}

/// Another moment of the calendar that a moment is of.
fn moved(known: Moment, date: CivilDate, minute: u16) -> Moment {
    let minutes =
        (date.days() - known.date.days()) * 1_440 + i64::from(minute) - i64::from(known.minute);
    Moment {
        at_ms: known.at_ms.saturating_add_signed(minutes * 60_000),
        date,
        minute,
    }
}
