//! The legal-basis table in force at an answering node, and what its ledger says of it.

use juki_access::BasisInForce;
use juki_crypto::{Notice, sha256};
use juki_dispatch::{LedgerRead, View};
use juki_domain::{LegalBasisTable, Purpose};
use juki_ledger::{Entry, EntryKind};
use prost::Message;

/// A legal-basis table was taken in force, or could not be.
pub const BASIS_IN_FORCE: EntryKind = EntryKind(81);

/// The payload of a [`BASIS_IN_FORCE`] entry. It holds the table itself: what a decision rested on
/// can be read from the ledger alone.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BasisRecord {
    /// When, in milliseconds since 1970 on the machine's clock.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The number of the registrar's notice.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// SHA-256 of the table's text.
    #[prost(bytes = "vec", tag = "3")]
    pub digest: Vec<u8>,
    /// Rows that the table before did not have, each as body and affair; of all kinds at most 1,000.
    #[prost(string, repeated, tag = "4")]
    pub added: Vec<String>,
    /// Rows that are gone.
    #[prost(string, repeated, tag = "5")]
    pub removed: Vec<String>,
    /// Rows that say something else.
    #[prost(string, repeated, tag = "6")]
    pub changed: Vec<String>,
    /// Why the table could not be taken in force; empty where it was. The one before stays.
    #[prost(string, tag = "7")]
    pub fault: String,
    /// The text; empty where it could not be taken in force.
    #[prost(string, tag = "8")]
    pub table: String,
}

impl BasisRecord {
    /// Reads the record of a ledger entry; `None` for entries of other kinds.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        if entry.kind == BASIS_IN_FORCE {
            Self::decode(entry.payload.as_slice()).ok()
        } else {
            None
        }
    }
}

/// What the view keeps: where in the ledger the table in force stands, and the last number heard.
#[derive(Clone, PartialEq, Eq, Message)]
struct Place {
    /// The entry's number; 0 where no table was ever in force.
    #[prost(uint64, tag = "1")]
    entry: u64,
    #[prost(uint64, tag = "2")]
    heard: u64,
}

/// What a table of the registrar comes to at this node.
pub(super) struct Heard {
    /// What is to be recorded; none where it was before.
    pub(super) record: Option<BasisRecord>,
    /// What is to be taken in force; none where that before stays.
    pub(super) in_force: Option<(u64, LegalBasisTable)>,
}

/// Reads a newer table and compares it with the one in force.
pub(super) fn hear(notice: &Notice, now_ms: u64, ledger: &dyn LedgerRead, view: &View) -> Heard {
    let place = place(view);
    let table = std::str::from_utf8(&notice.body)
        .map_err(|_| "not UTF-8".to_owned())
        .and_then(|text| {
            LegalBasisTable::parse(text)
                .map(|table| (text, table))
                .map_err(|error| error.to_string())
        });
    let known = notice.number <= place.heard;
    let record = BasisRecord {
        at_ms: now_ms,
        number: notice.number,
        digest: sha256(&notice.body).to_vec(),
        ..BasisRecord::default()
    };
    match table {
        Err(fault) => Heard {
            record: (!known).then_some(BasisRecord { fault, ..record }),
            in_force: None,
        },
        // What the ledger has goes before what lies beside the keys: that may be an older table, or
        // another under a known number. After a start the ledger's own is in force already. A table
        // that could not be read when it came may have become readable.
        Ok(_) if known && !unread(ledger, &place, notice.number) => Heard {
            record: None,
            in_force: None,
        },
        Ok((text, table)) => {
            let before = recorded(ledger, place.entry).map(|(_, table)| table);
            let changes = table.changes_since(before.as_ref());
            let record = BasisRecord {
                added: words(&changes.added),
                removed: words(&changes.removed),
                changed: words(&changes.changed),
                table: text.to_owned(),
                ..record
            };
            Heard {
                record: Some(record),
                in_force: Some((notice.number, table)),
            }
        }
    }
}

/// Whether the last table that was heard of could not be taken in force.
fn unread(ledger: &dyn LedgerRead, place: &Place, number: u64) -> bool {
    number == place.heard
        && recorded(ledger, place.entry).is_none_or(|(in_force, _)| in_force != number)
}

/// Folds an entry.
pub(super) fn apply(entry: &Entry, view: &mut View) {
    let Some(record) = BasisRecord::of(entry) else {
        return;
    };
    let before = place(view);
    let place = Place {
        entry: if record.fault.is_empty() {
            entry.seq
        } else {
            before.entry
        },
        heard: record.number.max(before.heard),
    };
    view.put(PLACE.to_vec(), place.encode_to_vec());
}

/// The table in force as the ledger has it.
pub(super) fn resumed(ledger: &dyn LedgerRead, view: &View) -> Option<(u64, LegalBasisTable)> {
    recorded(ledger, place(view).entry)
}

/// The rows of a table under which a node answers.
pub(super) fn of_node((number, table): (u64, LegalBasisTable), tables: &[&str]) -> BasisInForce {
    BasisInForce {
        number,
        table: table.of_tables(tables),
    }
}

fn recorded(ledger: &dyn LedgerRead, seq: u64) -> Option<(u64, LegalBasisTable)> {
    if seq == 0 {
        return None;
    }
    let entries = ledger.entries(seq, 1);
    let record = entries
        .iter()
        .find(|entry| entry.seq == seq)
        .and_then(|entry| BasisRecord::of(entry))?;
    let table = LegalBasisTable::parse(&record.table).ok()?;
    Some((record.number, table))
}

fn place(view: &View) -> Place {
    view.get(PLACE)
        .and_then(|bytes| Place::decode(bytes).ok())
        .unwrap_or_default()
}

fn words(purposes: &[Purpose<'_>]) -> Vec<String> {
    purposes
        .iter()
        .take(WORDS_MAX)
        .map(|purpose| format!("{} {}", purpose.body, purpose.affair))
        .collect()
}

/// Rows of each kind that a record names: with them and a table of the greatest length it is still an
/// entry. Both tables are on record, so that nothing is lost where more have changed.
const WORDS_MAX: usize = 1_000;

/// The key of the place in the view.
const PLACE: &[u8] = b"lb";

#[cfg(test)]
mod tests;
