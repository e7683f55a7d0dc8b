//! A generated month with some weeks before it: what honest operators and nodes leave in ledgers.

use std::collections::{BTreeMap, BTreeSet};

use juki_audit::{
    AUDIT, AuditRecord, DEFAULT_HOLIDAYS, Holidays, Outcome, PIN_FAILED, PinFailed, TRAFFIC_RUN,
};
use juki_dispatch::CommunicationRecord;
use juki_domain::CivilDate;
use juki_ledger::EntryKind;
use prost::Message as _;

use super::dice::{Dice, rounded};
use super::office::{Body, Offices, Operator};

/// One entry that some node's ledger will hold.
pub(super) struct Written {
    pub(super) at_ms: u64,
    pub(super) node: String,
    pub(super) kind: EntryKind,
    pub(super) payload: Vec<u8>,
}

/// A month.
pub(super) struct Month {
    pub(super) dice: Dice,
    pub(super) offices: Offices,
    /// The day of the first entries, some weeks before the month.
    pub(super) begins: CivilDate,
    pub(super) first: CivilDate,
    pub(super) last: CivilDate,
    pub(super) written: Vec<Written>,
    pub(super) listed: Vec<[u8; 16]>,
    /// Days on which somebody honestly asked, by operator.
    pub(super) worked: BTreeSet<(String, CivilDate)>,
    /// Nodes whose journals flow.
    pub(super) flows: Vec<(String, f64)>,
    holidays: Holidays,
    /// Cases of each body that go from hand to hand.
    shared: BTreeMap<usize, Vec<[u8; 16]>>,
}

/// One request, before it is written.
pub(super) struct Asked<'a> {
    pub(super) operator: &'a Operator,
    pub(super) day: CivilDate,
    pub(super) minute: f64,
    pub(super) person: [u8; 16],
    pub(super) outcome: Outcome,
    pub(super) refusal: &'a str,
}

/// Weeks before the month, which say what is usual.
const WEEKS_BEFORE: i64 = 3;
const MONTHS: [(&str, &str); 6] = [
    ("2002-10-01", "2002-10-31"),
    ("2002-11-01", "2002-11-30"),
    ("2003-02-01", "2003-02-28"),
    ("2003-05-06", "2003-06-04"),
    ("2003-07-01", "2003-07-31"),
    ("2003-09-01", "2003-09-30"),
];

impl Month {
    /// The honest part of a month.
    pub(super) fn draw(seed: u64) -> Option<Self> {
        let mut dice = Dice::new(seed);
        let (first, last) = dice.one(&MONTHS)?;
        let (first, last): (CivilDate, CivilDate) = (first.parse().ok()?, last.parse().ok()?);
        let begins = CivilDate::from_days(first.days() - WEEKS_BEFORE * 7).ok()?;
        let offices = Offices::draw(&mut dice, (begins, last));
        let listed = (0..60).map(|_| dice.pseudonym()).collect();
        let flows = (0..12)
            .map(|number| {
                let an_hour = match number % 3 {
                    0 => dice.within(8.0, 14.0),
                    1 => dice.within(1.5, 3.0),
                    _ => dice.within(0.2, 0.6),
                };
                (format!("cs-35{number:03}0"), an_hour)
            })
            .collect();
        let mut month = Self {
            dice,
            offices,
            begins,
            first,
            last,
            written: Vec::new(),
            listed,
            worked: BTreeSet::new(),
            flows,
            holidays: Holidays::parse(DEFAULT_HOLIDAYS).ok()?,
            shared: BTreeMap::new(),
        };
        for day in begins.days()..=last.days() {
            month.day(CivilDate::from_days(day).ok()?);
        }
        Some(month)
    }

    /// Working days of the month itself.
    pub(super) fn working_days(&self) -> Vec<CivilDate> {
        self.days()
            .filter(|day| self.holidays.is_working_day(*day))
            .collect()
    }

    /// Days of the month on which offices are closed.
    pub(super) fn days_off(&self) -> Vec<CivilDate> {
        self.days()
            .filter(|day| !self.holidays.is_working_day(*day))
            .collect()
    }

    fn days(&self) -> impl Iterator<Item = CivilDate> {
        (self.first.days()..=self.last.days()).filter_map(|day| CivilDate::from_days(day).ok())
    }

    /// The days at the month's end, or the one before the month, that are busy for some bodies.
    fn is_month_end(day: CivilDate) -> bool {
        day.day() >= 28
    }

    fn day(&mut self, day: CivilDate) {
        let is_working_day = self.holidays.is_working_day(day);
        let is_saturday = (day.days() + 3).rem_euclid(7) == 5;
        for flow in self.flows.clone() {
            self.journal(day, &flow, is_working_day);
        }
        for body in 0..self.offices.bodies.len() {
            let busy = if self.dice.chance(0.06) {
                self.dice.within(1.4, 2.1)
            } else {
                1.0
            };
            // Once a month or so all of an office are in a meeting.
            let meeting = self.dice.chance(0.04).then(|| {
                let from = self.dice.within(9.5 * 60.0, 15.5 * 60.0);
                from..from + self.dice.within(45.0, 80.0)
            });
            let staff: Vec<Operator> = self
                .offices
                .operators
                .iter()
                .filter(|operator| operator.body == body && operator.begins <= day)
                .cloned()
                .collect();
            let Some(desk) = self.offices.bodies.get(body) else {
                continue;
            };
            let has_desk = is_saturday && desk.has_saturday_desk && !self.holidays.contain(day);
            for operator in &staff {
                let works = if is_working_day {
                    !self.dice.chance(0.05)
                } else {
                    has_desk && self.dice.chance(0.3)
                };
                if works {
                    let part = if is_working_day { busy } else { 0.4 };
                    self.work(day, operator, part, meeting.as_ref());
                }
            }
        }
    }

    fn work(
        &mut self,
        day: CivilDate,
        operator: &Operator,
        part: f64,
        meeting: Option<&std::ops::Range<f64>>,
    ) {
        self.log_in(day, operator);
        let mut mean = operator.rate * part;
        let weekday = (day.days() + 3).rem_euclid(7);
        mean *= [1.15, 1.0, 1.0, 1.0, 0.9]
            .get(usize::try_from(weekday).unwrap_or(0))
            .unwrap_or(&1.0);
        let Some(body) = self.offices.bodies.get(operator.body) else {
            return;
        };
        if Self::is_month_end(day) {
            mean *= body.month_end * if operator.has_batch { 1.15 } else { 1.0 };
        }
        if operator.is_new {
            let days = operator.begins.days().abs_diff(day.days());
            mean *= (0.35 + 0.05 * f64::from(u32::try_from(days).unwrap_or(99))).min(1.0);
        }
        let mean = self.dice.log_normal(mean, operator.spread);
        let count = self.dice.poisson(mean);
        let times = self.times(operator, count, weekday == 5);
        let mut own: Vec<[u8; 16]> = Vec::new();
        for minute in times {
            if meeting.is_some_and(|meeting| meeting.contains(&minute)) {
                continue;
            }
            self.request(day, operator, minute, &mut own);
        }
    }

    fn log_in(&mut self, day: CivilDate, operator: &Operator) {
        let factor = if operator.is_new { 3.0 } else { 1.0 };
        if self.dice.chance(0.022 * factor) {
            let minute = self.dice.within(8.0 * 60.0 + 20.0, 9.0 * 60.0);
            self.wrong_pin(day, minute, &operator.terminal, &operator.card());
            if self.dice.chance(0.1) {
                self.wrong_pin(day, minute + 0.5, &operator.terminal, &operator.card());
            }
        }
    }

    /// When an operator asks: mornings and afternoons, seldom at noon, some minutes longer at times.
    fn times(&mut self, operator: &Operator, count: u64, is_saturday: bool) -> Vec<f64> {
        let (mut opens, mut closes) = match self.offices.bodies.get(operator.body) {
            Some(Body { opens, closes, .. }) => (f64::from(*opens), f64::from(*closes)),
            None => return Vec::new(),
        };
        if is_saturday {
            (opens, closes) = (9.0 * 60.0, 13.0 * 60.0);
        } else if closes > 18.0 * 60.0 && self.dice.chance(0.5) {
            opens = 10.0 * 60.0;
        } else {
            closes = closes.min(17.0 * 60.0 + 15.0);
        }
        if self.dice.chance(0.03) {
            // Half a day of leave.
            let noon = 12.0 * 60.0;
            if self.dice.chance(0.5) {
                opens = opens.max(noon + 60.0);
            } else {
                closes = closes.min(noon);
            }
        }
        if self.dice.chance(0.05) {
            closes += self.dice.within(5.0, 40.0);
        }
        let on_lunch_duty = self.dice.chance(0.2);
        let mut times = Vec::new();
        while u64::try_from(times.len()).unwrap_or(u64::MAX) < count {
            let minute = self.dice.within(opens + 3.0, closes);
            let is_noon = (12.0 * 60.0..13.0 * 60.0).contains(&minute);
            if !is_noon || on_lunch_duty || self.dice.chance(0.07) {
                times.push(minute);
            }
        }
        // Somebody finishes a case without having the overtime signed.
        if self.dice.chance(0.004) {
            let more = self.dice.between(1, 3);
            (0..more).for_each(|_| times.push(closes + self.dice.within(30.0, 85.0)));
        }
        times.sort_by(f64::total_cmp);
        times
    }

    fn request(
        &mut self,
        day: CivilDate,
        operator: &Operator,
        minute: f64,
        own: &mut Vec<[u8; 16]>,
    ) {
        let person = self.case(operator, own);
        let misses = self
            .offices
            .bodies
            .get(operator.body)
            .map_or(0.0, |body| body.misses);
        let slips = if operator.is_new { 0.05 } else { 0.014 };
        let mut asked = Asked {
            operator,
            day,
            minute,
            person,
            outcome: Outcome::Refused,
            refusal: "",
        };
        if self.dice.chance(slips) {
            // A slip of the pen, then the same again.
            if self.dice.chance(0.5) {
                asked.refusal = "JKD-1003";
            } else {
                asked.outcome = Outcome::NoMatch;
                asked.person = self.dice.pseudonym();
            }
            self.ask(&asked);
            asked = Asked {
                person,
                minute: minute + 0.6,
                outcome: Outcome::Refused,
                ..asked
            };
        }
        if self.dice.chance(0.0006) {
            asked.refusal = "JKA-1101";
            self.ask(&asked);
        }
        if self.dice.chance(0.006) {
            asked.refusal = "JKA-1002";
            self.ask(&asked);
        }
        asked.refusal = "";
        asked.outcome = if self.dice.chance(misses) {
            Outcome::NoMatch
        } else if self.dice.chance(0.004) {
            Outcome::Several
        } else {
            Outcome::Match
        };
        self.ask(&asked);
        self.worked.insert((operator.name.clone(), day));
    }

    /// Whose case is next: mostly somebody new, at times one's own or a colleague's of before.
    fn case(&mut self, operator: &Operator, own: &mut Vec<[u8; 16]>) -> [u8; 16] {
        if self.dice.chance(0.07)
            && let Some(person) = self.dice.one(own)
        {
            return *person;
        }
        if self.dice.chance(0.025)
            && let Some(shared) = self.shared.get(&operator.body)
            && let Some(person) = self.dice.one(shared)
        {
            return *person;
        }
        // Some are known to more than one body.
        if self.dice.chance(0.004) {
            let other = self.dice.between(0, self.offices.bodies.len() as u64 - 1);
            let other = usize::try_from(other).unwrap_or(0);
            if let Some(person) = self.shared.get(&other).and_then(|row| self.dice.one(row)) {
                return *person;
            }
        }
        if self.dice.chance(0.000_12)
            && let Some(person) = self.dice.one(&self.listed)
        {
            let person = *person;
            // What belongs to a case is looked at twice at times.
            own.push(person);
            return person;
        }
        let person = self.dice.pseudonym();
        own.push(person);
        if self.dice.chance(0.2) {
            let shared = self.shared.entry(operator.body).or_default();
            shared.push(person);
            if shared.len() > 60 {
                shared.remove(0);
            }
        }
        person
    }

    /// Writes a request's audit record.
    pub(super) fn ask(&mut self, asked: &Asked<'_>) {
        let Asked {
            operator,
            day,
            minute,
            person,
            outcome,
            refusal,
        } = asked;
        let Some(body) = self.offices.bodies.get(operator.body) else {
            return;
        };
        let at_ms = self.at_ms(*day, *minute);
        let record = AuditRecord {
            at_ms,
            civil_date: day.number(),
            operator: operator.name.clone(),
            card: operator.card(),
            terminal: operator.terminal.clone(),
            body: body.name.clone(),
            affair: body.affair.clone(),
            statute: "statute".to_owned(),
            keys: if self.dice.chance(body.by_code) { 1 } else { 2 },
            person: if *outcome == Outcome::Match {
                person.to_vec()
            } else {
                Vec::new()
            },
            asked: person.to_vec(),
            outcome: *outcome as u32,
            refusal: (*refusal).to_owned(),
            ..AuditRecord::default()
        };
        self.write(at_ms, "national", AUDIT, record.encode_to_vec());
    }

    pub(super) fn wrong_pin(&mut self, day: CivilDate, minute: f64, terminal: &str, card: &str) {
        let at_ms = self.at_ms(day, minute);
        let failed = PinFailed {
            at_ms,
            card: card.to_owned(),
            left: 2,
            ..PinFailed::default()
        };
        self.write(at_ms, terminal, PIN_FAILED, failed.encode_to_vec());
    }

    fn journal(&mut self, day: CivilDate, (node, an_hour): &(String, f64), is_working_day: bool) {
        for hour in 8..18_u32 {
            let share = match hour {
                12 => 0.4,
                8 | 17 => 0.6,
                _ => 1.0,
            };
            let share = if is_working_day { share } else { 0.02 };
            for _ in 0..self.dice.poisson(an_hour * share) {
                let minute = f64::from(hour * 60) + self.dice.within(0.0, 60.0);
                let at_ms = self.at_ms(day, minute);
                let run = CommunicationRecord {
                    from: node.clone(),
                    to: "prefecture-35".to_owned(),
                    service: "journal".to_owned(),
                    first_ms: at_ms.saturating_sub(9_000),
                    last_ms: at_ms,
                    count: 4,
                    bytes: 2_000,
                    ..CommunicationRecord::default()
                };
                self.write(at_ms, "prefecture-35", TRAFFIC_RUN, run.encode_to_vec());
            }
        }
    }

    /// Takes out what a node's journal said from one time to another.
    pub(super) fn silence(
        &mut self,
        node: &str,
        (first, from): (CivilDate, f64),
        (last, to): (CivilDate, f64),
    ) {
        let silent = self.at_ms(first, from)..=self.at_ms(last, to);
        self.written.retain(|written| {
            written.kind != TRAFFIC_RUN
                || !silent.contains(&written.at_ms)
                || CommunicationRecord::decode(written.payload.as_slice())
                    .is_ok_and(|run| run.from != node)
        });
    }

    fn write(&mut self, at_ms: u64, node: &str, kind: EntryKind, payload: Vec<u8>) {
        self.written.push(Written {
            at_ms,
            node: node.to_owned(),
            kind,
            payload,
        });
    }

    fn at_ms(&self, day: CivilDate, minute: f64) -> u64 {
        let days = u64::try_from(day.days() - self.begins.days()).unwrap_or(0);
        days * 86_400_000 + rounded(minute * 60_000.0).min(86_399_000) + ANCHOR_S * 1_000
    }
}

/// The midnight with which the first day begins, in seconds since 1970.
pub(super) const ANCHOR_S: u64 = 1_000_000_000;
