//! What analysis sees of ledgers: entries of several kinds, read into one vocabulary.

use juki_domain::{CivilDate, NodeId};
use juki_ledger::{Entry, EntryKind};
use juki_topology::Calendar;
use prost::Message;

use crate::{AUDIT, AuditRecord, Outcome};

/// A run of like frames, as a node with services writes it: [`TrafficRun`].
pub const COMMUNICATION: EntryKind = EntryKind(17);
/// An operator began a session (the payload is the card's certificate) or ended one (it is empty).
pub const OPERATOR_SESSION: EntryKind = EntryKind(96);
/// A wrong PIN at a terminal: [`FailedPin`].
pub const FAILED_PIN: EntryKind = EntryKind(100);
/// A run of like frames, as a firewall writes it: [`TrafficRun`].
pub const TRAFFIC_RUN: EntryKind = EntryKind(128);

/// Like frames, counted. Times are in ms since 1970.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TrafficRun {
    /// The frames' source.
    #[prost(string, tag = "1")]
    pub from: String,
    /// The frames' destination.
    #[prost(string, tag = "2")]
    pub to: String,
    /// The service's name.
    #[prost(string, tag = "3")]
    pub service: String,
    /// The code they were refused with; empty where they passed.
    #[prost(string, tag = "5")]
    pub code: String,
    /// When the first was seen.
    #[prost(uint64, tag = "6")]
    pub first_ms: u64,
    /// When the last was seen.
    #[prost(uint64, tag = "7")]
    pub last_ms: u64,
    /// How many there were.
    #[prost(uint64, tag = "8")]
    pub count: u64,
    /// Their bytes, headers included.
    #[prost(uint64, tag = "9")]
    pub bytes: u64,
}

/// A wrong PIN.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FailedPin {
    /// When, in ms since 1970.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The card.
    #[prost(string, tag = "2")]
    pub card: String,
    /// Tries that are left before the card is locked.
    #[prost(uint32, tag = "3")]
    pub tries_left: u32,
}

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
    /// An operator's session began or ended at the terminal whose ledger says so.
    Session {
        /// Whether it began.
        begins: bool,
    },
    /// A wrong PIN at the terminal whose ledger says so.
    FailedPin(FailedPin),
    /// Frames that passed or were refused.
    Traffic(TrafficRun),
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
        OPERATOR_SESSION => Some((
            source.moment(entry.at_ms),
            What::Session {
                begins: !payload.is_empty(),
            },
        )),
        FAILED_PIN => {
            let failed = FailedPin::decode(payload).ok()?;
            Some((source.moment(failed.at_ms), What::FailedPin(failed)))
        }
        COMMUNICATION | TRAFFIC_RUN => {
            let run = TrafficRun::decode(payload).ok()?;
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
            kind in prop::sample::select(vec![AUDIT, OPERATOR_SESSION, FAILED_PIN, COMMUNICATION, TRAFFIC_RUN]),
            payload in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = Event::of(&source(), &entry(kind, payload));
        }
    }
}
