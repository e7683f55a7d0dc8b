//! What analysis sees of ledgers: entries of several kinds, read into one vocabulary.

use juki_dispatch::{COMMUNICATION, CommunicationRecord};
use juki_domain::{CivilDate, NodeId};
use juki_ledger::{Entry, EntryKind};
use juki_topology::Calendar;
use prost::Message as _;

use crate::{AUDIT, AuditRecord, Outcome, PIN_FAILED, PinFailed};

/// A run of like frames as a firewall writes it; of its members those of a [`CommunicationRecord`] are
/// read.
pub const TRAFFIC_RUN: EntryKind = EntryKind(128);

/// The ledger that entries come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The node whose ledger it is.
    pub node: NodeId,
    /// The network's calendar, which gives entries their civil date and hour.
    pub calendar: Calendar,
}

/// A time of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The machine's clock, in ms since 1970.
    pub at_ms: u64,
    /// The civil date.
    pub date: CivilDate,
    /// Minutes since the civil day began.
    pub minute: u16,
}

/// An entry that proves something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// The node whose ledger holds it.
    pub node: NodeId,
    /// Its number there.
    pub seq: u64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// The entry that says so.
    pub evidence: Evidence,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A request for identity records.
    Query(Query),
    /// A wrong PIN at the terminal whose ledger says so.
    FailedPin(PinFailed),
    /// Frames that passed or were refused.
    Traffic(CommunicationRecord),
}

/// A request for identity records, as far as analysis needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    /// The operator; empty where nobody could be recognised.
    pub operator: String,
    /// The card.
    pub card: String,
    /// The terminal.
    pub terminal: String,
    /// The body.
    pub body: String,
    /// The affair.
    pub affair: String,
    /// Pseudonym of the person shown, else of what was asked; empty where neither is known.
    pub person: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
    /// The code of a refusal.
    pub refusal: String,
    /// How many requests the record stands for: more than one where it sums up like refusals.
    pub requests: u64,
}

impl Query {
    /// Body and operator: what one operator is known by.
    #[must_use]
    pub fn who(&self) -> (String, String) {
        (self.body.clone(), self.operator.clone())
    }
}

// A pseudonym is no name, but nothing is gained by its being printed either.
impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Query({} of {} at {}: {})",
            self.operator,
            self.body,
            self.terminal,
            self.outcome.name()
        )
    }
}

impl Source {
    /// The network's time at a time of the machine's clock.
    #[must_use]
    pub fn moment(&self, at_ms: u64) -> Moment {
        let unix_s = at_ms / 1_000;
        let date = self.calendar.date_at(unix_s).unwrap_or(self.calendar.base);
        Moment {
            at_ms,
            date,
            minute: self.calendar.civil_time(unix_s).minute,
        }
    }
}

impl Event {
    /// Reads an entry; `None` where analysis has no use for it, or it cannot be read.
    #[must_use]
    pub fn of(source: &Source, entry: &Entry) -> Option<Self> {
        let (at, what) = read(source, entry)?;
        Some(Self {
            at,
            evidence: Evidence {
                node: source.node.clone(),
                seq: entry.seq,
            },
            what,
        })
    }
}

fn read(source: &Source, entry: &Entry) -> Option<(Moment, What)> {
    let payload = entry.payload.as_slice();
    match entry.kind {
        AUDIT => {
            let record = AuditRecord::decode(payload).ok()?;
            let mut at = source.moment(record.at_ms);
            at.date = CivilDate::from_number(record.civil_date).ok()?;
            Some((at, What::Query(query(record)?)))
        }
        PIN_FAILED => {
            let failed = PinFailed::decode(payload).ok()?;
            Some((source.moment(failed.at_ms), What::FailedPin(failed)))
        }
        COMMUNICATION | TRAFFIC_RUN => {
            let run = CommunicationRecord::decode(payload).ok()?;
            Some((source.moment(run.last_ms), What::Traffic(run)))
        }
        _ => None,
    }
}

fn query(record: AuditRecord) -> Option<Query> {
    let outcome = Outcome::from_number(record.outcome)?;
    let person = if record.person.is_empty() {
        record.asked
    } else {
        record.person
    };
    Some(Query {
        operator: record.operator,
        card: record.card,
        terminal: record.terminal,
        body: record.body,
        affair: record.affair,
        person,
        outcome,
        refusal: record.refusal,
        requests: record.summed.max(1),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source() -> Source {
        Source {
            node: "national".parse().unwrap(),
            calendar: Calendar {
                base: "2002-10-15".parse().unwrap(),
                anchor_unix_s: 1_000_000,
                version: 1,
            },
        }
    }

    fn entry(kind: EntryKind, payload: Vec<u8>) -> Entry {
        Entry {
            seq: 7,
            at_ms: 1_000_000_000,
            kind,
            salt: [0; 16],
            payload,
        }
    }

    #[test]
    fn an_audit_record_becomes_a_query_at_its_civil_hour() {
        let record = AuditRecord {
            at_ms: (1_000_000 + 9 * 3_600) * 1_000,
            civil_date: 20_021_015,
            operator: "op-1".to_owned(),
            outcome: Outcome::NoMatch as u32,
            asked: vec![3; 16],
            ..AuditRecord::default()
        };
        let event = Event::of(&source(), &entry(AUDIT, record.encode_to_vec())).unwrap();
        assert_eq!((event.at.minute, event.evidence.seq), (9 * 60, 7));
        let What::Query(query) = event.what else {
            panic!("not a query")
        };
        assert_eq!(
            (query.operator.as_str(), query.person),
            ("op-1", vec![3; 16])
        );
    }

    proptest! {
        #[test]
        fn no_payload_makes_the_reader_panic(
            kind in prop::sample::select(vec![AUDIT, PIN_FAILED, COMMUNICATION, TRAFFIC_RUN]),
            payload in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = Event::of(&source(), &entry(kind, payload));
        }
    }
}
