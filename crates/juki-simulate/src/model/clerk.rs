//! The registers of all towns: they ask, ask again until they are answered, and remember what they
//! were told.

use std::collections::{BTreeMap, BTreeSet};

use juki_domain::{Change, ErrorCode, MunicipalityCode, ResidentRecordCode};
use juki_registry::Position;
use juki_services::registration::{Registered, RegistrationOutcome, change_message};
use prost::Message as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::resident::{Draft, Place, Resident};

/// How long a register waits before it asks again, in milliseconds.
const ASK_AGAIN_MS: u64 = 3_000;

/// A change that a communication server acknowledged.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// The town.
    pub town: usize,
    /// The place in its journal.
    pub position: Position,
    /// What the entry must say.
    pub change: Change,
}

/// What a register asks a communication server.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The town.
    pub town: usize,
    /// What its answer is known by.
    pub ticket: u64,
    /// The request in the registration service's form.
    pub request: Vec<u8>,
}

pub(crate) enum Want {
    /// A new journal entry.
    Entry(Box<Draft>),
    /// The same answer as before.
    Told(Position, String),
    /// A refusal with this code.
    Refusal(ErrorCode),
}

struct Task {
    town: usize,
    resident: Option<usize>,
    bytes: Vec<u8>,
    want: Want,
    due_ms: u64,
    asked: u32,
}

/// What was acknowledged once, to be asked again or misused.
pub(crate) struct Past {
    pub(crate) town: usize,
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) position: Position,
    pub(crate) code: String,
}

/// All registers and the model of what they must be told.
pub struct TownHall {
    pub(crate) rng: ChaCha8Rng,
    towns: Vec<MunicipalityCode>,
    /// The residents.
    pub residents: Vec<Resident>,
    tasks: BTreeMap<u64, Task>,
    tickets: BTreeMap<u64, u64>,
    settled: BTreeMap<u64, Position>,
    numbered: u64,
    pub(crate) past: Vec<Past>,
    /// What was acknowledged.
    pub acknowledged: Vec<Acknowledged>,
    /// The last word of each town on each code.
    pub records: BTreeMap<(usize, ResidentRecordCode), Change>,
    /// Codes that came out of a stock.
    pub given: BTreeSet<ResidentRecordCode>,
    /// What should not have been answered.
    pub violations: Vec<String>,
    /// How many requests were refused as they had to be.
    pub refused: u64,
    /// How many requests were answered as known already.
    pub duplicates: u64,
}

impl TownHall {
    /// Registers with a number of residents to come.
    #[must_use]
    pub fn new(seed: u64, residents: usize, towns: Vec<MunicipalityCode>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let residents = (0..residents)
            .map(|number| Resident::new(number, &mut rng))
            .collect();
        Self {
            rng,
            towns,
            residents,
            tasks: BTreeMap::new(),
            tickets: BTreeMap::new(),
            settled: BTreeMap::new(),
            numbered: 0,
            past: Vec::new(),
            acknowledged: Vec::new(),
            records: BTreeMap::new(),
            given: BTreeSet::new(),
            violations: Vec::new(),
            refused: 0,
            duplicates: 0,
        }
    }

    /// Something happens to somebody, or a clerk errs.
    pub fn act(&mut self, now_ms: u64) {
        let number = self.rng.random_range(0..self.residents.len());
        match self.rng.random_range(0..100) {
            0..12 => self.err(now_ms, number),
            12..20 => self.repeat(now_ms),
            _ => self.change(now_ms, number),
        }
    }

    /// Enters somebody new in a town, whoever is left.
    pub fn enter(&mut self, now_ms: u64, town: usize) {
        let unborn = self
            .residents
            .iter()
            .position(|resident| resident.place == Place::Unborn && !resident.busy);
        let Some(number) = unborn else { return };
        let (rng, Some(resident)) = (&mut self.rng, self.residents.get_mut(number)) else {
            return;
        };
        let Some((request, paper, draft)) = resident.next_act(rng, now_ms, &self.towns) else {
            return;
        };
        resident.busy = true;
        let request = juki_domain::ChangeRequest {
            resident: resident.register_number(town),
            ..request
        };
        self.ask(
            now_ms,
            town,
            Some(number),
            Want::Entry(Box::new(Draft {
                town,
                place: Place::In(town),
                ..draft
            })),
            |key| change_message(key, &request, paper),
        );
    }

    fn change(&mut self, now_ms: u64, number: usize) {
        let (rng, Some(resident)) = (&mut self.rng, self.residents.get_mut(number)) else {
            return;
        };
        if resident.busy {
            return;
        }
        let Some((request, paper, draft)) = resident.next_act(rng, now_ms, &self.towns) else {
            return;
        };
        resident.busy = true;
        let town = draft.town;
        self.ask(
            now_ms,
            town,
            Some(number),
            Want::Entry(Box::new(draft)),
            |key| change_message(key, &request, paper),
        );
    }

    pub(crate) fn ask(
        &mut self,
        now_ms: u64,
        town: usize,
        resident: Option<usize>,
        want: Want,
        bytes: impl FnOnce(&str) -> Vec<u8>,
    ) {
        self.numbered += 1;
        let bytes = bytes(&format!("key-{}", self.numbered));
        self.tasks.insert(
            self.numbered,
            Task {
                town,
                resident,
                bytes,
                want,
                due_ms: now_ms,
                asked: 0,
            },
        );
    }

    /// What the registers ask now.
    pub fn due(&mut self, now_ms: u64) -> Vec<Asked> {
        let mut asked = Vec::new();
        for (number, task) in self
            .tasks
            .iter_mut()
            .filter(|(_, task)| task.due_ms <= now_ms)
        {
            task.due_ms = now_ms + ASK_AGAIN_MS;
            // An impatient register asks twice in one breath.
            for _ in 0..self.rng.random_range(0..20) / 19 + 1 {
                task.asked += 1;
                let ticket = number * 1_000 + u64::from(task.asked);
                self.tickets.insert(ticket, *number);
                asked.push(Asked {
                    town: task.town,
                    ticket,
                    request: task.bytes.clone(),
                });
            }
        }
        asked
    }

    /// When a register asks next.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        self.tasks.values().map(|task| task.due_ms).min()
    }

    /// The towns.
    #[must_use]
    pub fn towns(&self) -> &[MunicipalityCode] {
        &self.towns
    }

    /// How many requests wait for an answer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.tasks.len()
    }

    /// A communication server answered.
    pub fn answer(&mut self, now_ms: u64, town: usize, ticket: u64, body: &[u8]) {
        let Some(number) = self.tickets.remove(&ticket) else {
            self.violations.push(format!(
                "town {town} answered ticket {ticket} twice or unasked"
            ));
            return;
        };
        let told = Registered::decode(body).expect("the service answers in its own form");
        let position = Position {
            epoch: told.epoch,
            seq: told.seq,
        };
        let Some(task) = self.tasks.get_mut(&number) else {
            let before = self.settled.get(&number).copied().unwrap_or_default();
            if before != position {
                self.violations.push(format!(
                    "town {town}: one request became {before:?} and {position:?}"
                ));
            }
            return;
        };
        let refusal = told.refusal.as_str();
        let stock_empty = refusal == ErrorCode::CodeStockEmpty.code();
        if stock_empty && matches!(&task.want, Want::Entry(draft) if draft.from_stock) {
            task.due_ms = now_ms + 400;
            return;
        }
        let Some(task) = self.tasks.remove(&number) else {
            return;
        };
        self.settled.insert(number, position);
        if let Some(resident) = task
            .resident
            .and_then(|number| self.residents.get_mut(number))
        {
            resident.busy = false;
        }
        let accepted = told.outcome == RegistrationOutcome::Accepted as u32;
        let duplicate = told.outcome == RegistrationOutcome::Duplicate as u32;
        self.duplicates += u64::from(duplicate);
        match &task.want {
            Want::Refusal(code) if refusal == code.code() => self.refused += 1,
            Want::Told(before, code) if duplicate && *before == position && *code == told.code => {}
            Want::Entry(draft) if accepted || (duplicate && task.asked > 1) => {
                self.take(number, &task, draft, &told, position)
            }
            Want::Refusal(_) | Want::Told(..) | Want::Entry(_) => {
                self.violations.push(format!(
                    "town {town}: outcome {} {refusal} at {position:?} is not what had to come",
                    told.outcome
                ));
            }
        }
    }

    fn take(
        &mut self,
        number: u64,
        task: &Task,
        draft: &Draft,
        told: &Registered,
        position: Position,
    ) {
        let mut change = draft.change.clone();
        let Ok(code) = told.code.parse::<ResidentRecordCode>() else {
            self.violations
                .push(format!("{position:?} was told without a code"));
            return;
        };
        if draft.from_stock {
            change.record.code = code;
            if !self.given.insert(code) {
                self.violations.push(format!(
                    "town {}: {position:?} has a code that was given before",
                    task.town
                ));
            }
        } else if code != change.record.code {
            self.violations.push(format!(
                "town {}: {position:?} has another code than the resident's",
                task.town
            ));
        }
        let mut draft = draft.clone();
        if let Place::Between(paper, _) = &mut draft.place {
            paper.code = code.reveal().to_owned();
            if told.certificate.as_ref() != Some(paper) {
                self.violations.push(format!(
                    "town {}: {position:?} came with another certificate",
                    task.town
                ));
            }
        }
        if let Some(resident) = task
            .resident
            .and_then(|number| self.residents.get_mut(number))
        {
            resident.take(&draft, &change);
        }
        self.keep_record(draft.town, &change);
        self.past.push(Past {
            town: task.town,
            key: format!("key-{number}"),
            bytes: task.bytes.clone(),
            position,
            code: told.code.clone(),
        });
        self.acknowledged.push(Acknowledged {
            town: task.town,
            position,
            change,
        });
    }

    fn keep_record(&mut self, town: usize, change: &Change) {
        if let Some(previous) = change.previous_code
            && let Some(old) = self.records.get(&(town, previous)).cloned()
        {
            let mut ended = change.clone();
            ended.record = juki_domain::IdentityRecord {
                code: previous,
                ..old.record
            };
            self.records.insert((town, previous), ended);
        }
        self.records
            .insert((town, change.record.code), change.clone());
    }
}
