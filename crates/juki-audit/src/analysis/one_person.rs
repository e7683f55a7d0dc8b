//! One person whom several operators ask for, from several terminals, within some days.

use std::collections::BTreeMap;

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Judge, World};
use crate::{Event, Evidence, Moment, What};

/// One request for the person. Names are numbers, since there are very many persons.
#[derive(Clone, Copy)]
struct Ask {
    at: Moment,
    operator: u32,
    body: u32,
    terminal: u32,
    node: u32,
    seq: u64,
}

#[derive(Default)]
struct Asked {
    asks: Vec<Ask>,
    reported: bool,
}

/// Requests for one person that are remembered.
const ASKS_MAX: usize = 64;

pub(super) struct OnePerson {
    persons: Table<[u8; 16], Asked>,
    names: Names,
}

/// Names of operators, terminals and nodes by number.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn name(&self, number: u32) -> &str {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.names.get(number))
            .map_or("", String::as_str)
    }
}

impl OnePerson {
    pub(super) fn new(persons_max: usize) -> Self {
        Self {
            persons: Table::new(persons_max),
            names: Names::default(),
        }
    }
}

impl Judge for OnePerson {
    fn take(&mut self, event: &Event, world: &World, out: &mut Vec<Finding>) {
        let What::Query(query) = &event.what else {
            return;
        };
        let Some(person) = query.person.first_chunk::<16>() else {
            return;
        };
        if query.operator.is_empty() {
            return;
        }
        let ask = Ask {
            at: event.at,
            operator: self
                .names
                .number(&format!("{}/{}", query.body, query.operator)),
            body: self.names.number(&query.body),
            terminal: self.names.number(&query.terminal),
            node: self.names.number(event.evidence.node.as_str()),
            seq: event.evidence.seq,
        };
        let settings = &world.settings.person;
        let Some(asked) = self.persons.row(person) else {
            return;
        };
        let oldest = event.at.date.days() - settings.days;
        asked.asks.retain(|ask| ask.at.date.days() > oldest);
        if asked.asks.len() < ASKS_MAX {
            asked.asks.push(ask);
        }
        let points = points(&asked.asks);
        let terminals = distinct(asked.asks.iter().map(|ask| ask.terminal));
        if asked.reported || points < settings.points_min || terminals < settings.terminals_min {
            return;
        }
        asked.reported = true;
        let mut trail = Trail::default();
        for ask in &asked.asks {
            if let Ok(node) = self.names.name(ask.node).parse() {
                trail.add_entry(ask.at, Evidence { node, seq: ask.seq });
            }
        }
        let operators = distinct(asked.asks.iter().map(|ask| ask.operator));
        let subject: String = person.iter().map(|byte| format!("{byte:02x}")).collect();
        out.extend(trail.finding(
            Rule::OnePerson,
            (SubjectKind::Person, &subject, ""),
            (operators as u64, 0),
        ));
    }

    fn end_of_day(&mut self, day: CivilDate, world: &World, _: &mut Vec<Finding>) {
        let oldest = day.days() - world.settings.person.days;
        self.persons.retain(|_, asked| {
            asked
                .asks
                .last()
                .is_some_and(|ask| ask.at.date.days() > oldest)
        });
    }

    fn left_out(&self) -> u64 {
        self.persons.left_out()
    }
}

/// Two for each operator; of the body with most of them one for each.
fn points(asks: &[Ask]) -> usize {
    let mut operators: Vec<(u32, u32)> = asks.iter().map(|ask| (ask.body, ask.operator)).collect();
    operators.sort_unstable();
    operators.dedup();
    let largest = operators
        .chunk_by(|one, other| one.0 == other.0)
        .map(<[_]>::len)
        .max()
        .unwrap_or(0);
    2 * operators.len() - largest
}

fn distinct(numbers: impl Iterator<Item = u32>) -> usize {
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}
