//! One stored version of a record, and which of a person's records is the current one.

use std::fmt;

use juki_domain::{Change, MunicipalityCode, ReasonClass};
use prost::Message;

use crate::{Position, codec};

/// Whether a municipality's record of a person stands or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The municipality says that the person is its resident.
    Present,
    /// The municipality ended the record.
    Ended,
}

/// One municipality's latest word on one code.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The journal entry that said it.
    pub position: Position,
    /// What it said.
    pub change: Change,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Stored {
    #[prost(uint32, tag = "1")]
    municipality: u32,
    #[prost(uint32, tag = "2")]
    epoch: u32,
    #[prost(uint64, tag = "3")]
    seq: u64,
    #[prost(bytes = "vec", tag = "4")]
    change: Vec<u8>,
}

impl StoredRecord {
    /// Whether the record stands. A change of code ends the record under the code before.
    #[must_use]
    pub fn standing(&self) -> Standing {
        standing_of(&self.change)
    }

    /// Whether the code was replaced by another: it is nobody's any more, and the person goes by the
    /// new one.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.change.reason.class() == ReasonClass::CodeCorrection
            && self.standing() == Standing::Ended
    }

    /// The record's bytes, which are also its element in the municipality's digest.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_record(self.municipality, self.position, &self.change, &mut bytes);
        bytes
    }

    /// Reads a record; `None` for bytes that are none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let stored = Stored::decode(bytes).ok()?;
        Some(Self {
            municipality: MunicipalityCode::from_number(stored.municipality).ok()?,
            position: Position {
                epoch: stored.epoch,
                seq: stored.seq,
            },
            change: codec::decode_change(&stored.change).ok()?,
        })
    }
}

impl fmt::Debug for StoredRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StoredRecord({}, {:?}, {:?})",
            self.municipality, self.position, self.change
        )
    }
}

/// Whether a record stands that a change left.
pub(crate) fn standing_of(change: &Change) -> Standing {
    match change.reason.class() {
        ReasonClass::Deletion => Standing::Ended,
        ReasonClass::CodeCorrection if change.previous_code == Some(change.record.code) => {
            Standing::Ended
        }
        ReasonClass::Entry | ReasonClass::Correction | ReasonClass::CodeCorrection => {
            Standing::Present
        }
    }
}

/// Appends the bytes of a record to others.
pub(crate) fn encode_record(
    municipality: MunicipalityCode,
    position: Position,
    change: &Change,
    bytes: &mut Vec<u8>,
) {
    let stored = Stored {
        municipality: municipality.number(),
        epoch: position.epoch,
        seq: position.seq,
        change: codec::encode_change(change),
    };
    bytes.reserve(stored.encoded_len());
    stored.encode_raw(bytes);
}

/// The current one of a person's records: a pure function of the set, whatever order it came in.
///
/// A standing record goes before an ended one; a record that cites another's municipality as its
/// origin goes before that one, unless the person returned there later; then the later event goes
/// before the earlier, and last the greater municipality code (design.md 1).
///
/// A return shows as a ring of citations, or as a record that came from elsewhere itself and whose
/// event is later than that of the record which cites it. A record that came from nowhere is not of
/// a return: there the citation counts, whatever the dates say.
#[must_use]
pub fn choose_current(records: &[StoredRecord]) -> Option<&StoredRecord> {
    let standing = records
        .iter()
        .filter(|record| record.standing() == Standing::Present);
    let pool: Vec<&StoredRecord> = match standing.collect::<Vec<_>>() {
        standing if standing.is_empty() => records.iter().collect(),
        standing => standing,
    };
    let leaves = |other: &StoredRecord, record: &StoredRecord| {
        let is_older = other.change.event_date < record.change.event_date;
        cited(&pool, other) == Some(record) && !(record.change.origin.is_some() && is_older)
    };
    let left_behind = |record: &StoredRecord| {
        pool.iter().any(|other| leaves(other, record)) && !returned_to(&pool, record)
    };
    // Whoever is left behind is so by a record on no ring, and the first of such a line is left
    // behind by nobody: one is always kept.
    let kept = pool.iter().copied().filter(|record| !left_behind(record));
    kept.max_by_key(|record| (record.change.event_date, record.municipality))
}

/// The record that another cites as its origin.
fn cited<'a>(pool: &[&'a StoredRecord], record: &StoredRecord) -> Option<&'a StoredRecord> {
    let origin = record.change.origin?.municipality;
    pool.iter()
        .copied()
        .find(|other| other.municipality == origin && other.municipality != record.municipality)
}

/// Whether citations lead from a record back to it.
fn returned_to(pool: &[&StoredRecord], record: &StoredRecord) -> bool {
    let mut at = record;
    for _ in pool {
        match cited(pool, at) {
            Some(next) if next == record => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}
