//! What was provided, to whom and why: the audit record and the supply ledger as a view of it.

use juki_domain::CivilDate;
use juki_ledger::{Entry, EntryKind};
use prost::Message;

/// A request for identity records, answered or refused.
pub const AUDIT: EntryKind = EntryKind(80);

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Outcome {
    /// One person's items were provided.
    Match = 1,
    /// Nobody fits.
    NoMatch = 2,
    /// More than one person fits; nothing was shown.
    Several = 3,
    /// Refused, with a code.
    Refused = 4,
}

/// The payload of an [`AUDIT`] entry. It names no person: the pseudonym is keyed by the node.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct AuditRecord {
    /// When, in milliseconds since 1970 on the machine's clock.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The civil date, yyyymmdd.
    #[prost(uint32, tag = "2")]
    pub civil_date: u32,
    /// The operator.
    #[prost(string, tag = "3")]
    pub operator: String,
    /// The card.
    #[prost(string, tag = "4")]
    pub card: String,
    /// The terminal's node.
    #[prost(string, tag = "5")]
    pub terminal: String,
    /// The body that asks.
    #[prost(string, tag = "6")]
    pub body: String,
    /// The affair it asks for.
    #[prost(string, tag = "7")]
    pub affair: String,
    /// The statute that permits it; empty where none does.
    #[prost(string, tag = "8")]
    pub statute: String,
    /// Whether it asked by code (1), by the four items (2) or by fewer of them (3).
    #[prost(uint32, tag = "9")]
    pub keys: u32,
    /// Pseudonym of the person shown; empty where nobody was.
    #[prost(bytes = "vec", tag = "10")]
    pub person: Vec<u8>,
    /// Which items were shown, as numbers of Act art. 30-5 para. 1.
    #[prost(uint32, repeated, tag = "11")]
    pub items: Vec<u32>,
    /// What became of it.
    #[prost(uint32, tag = "12")]
    pub outcome: u32,
    /// The code of a refusal.
    #[prost(string, tag = "13")]
    pub refusal: String,
    /// The message's id, as `trace` takes it.
    #[prost(string, tag = "14")]
    pub message_id: String,
    /// Number of the legal-basis table that it was decided by; 0 where none was in force.
    #[prost(uint64, tag = "15")]
    pub basis_version: u64,
    /// How many requests this record stands for, where it sums up like refusals that came after
    /// one with a record of its own; else 0. The message's id is that of the last of them.
    #[prost(uint64, tag = "18")]
    pub summed: u64,
}

impl AuditRecord {
    /// Reads the audit record of a ledger entry; `None` for entries of other kinds.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        if entry.kind == AUDIT {
            Self::decode(entry.payload.as_slice()).ok()
        } else {
            None
        }
    }
}

/// One line of the supply ledger that the law asks for: recipient, date, number, method
/// (Enforcement Regulations art. 31; domain.md 4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplyLine {
    /// The body.
    pub recipient: String,
    /// The affair.
    pub affair: String,
    /// The civil date.
    pub date: CivilDate,
    /// How many records.
    pub records: u64,
}

/// Sums audit records into supply lines, in order of recipient, affair and date.
#[must_use]
pub fn supply_lines<'a>(records: impl Iterator<Item = &'a AuditRecord>) -> Vec<SupplyLine> {
    let mut sums = std::collections::BTreeMap::new();
    for record in records.filter(|record| record.outcome == Outcome::Match as u32) {
        *sums
            .entry((
                record.body.clone(),
                record.affair.clone(),
                record.civil_date,
            ))
            .or_insert(0u64) += 1;
    }
    sums.into_iter()
        .filter_map(|((recipient, affair, date), records)| {
            Some(SupplyLine {
                recipient,
                affair,
                date: CivilDate::from_number(date).ok()?,
                records,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_provided_records_are_supplies() {
        let record = |body: &str, outcome: Outcome| AuditRecord {
            body: body.to_owned(),
            affair: "pension".to_owned(),
            civil_date: 20_021_015,
            outcome: outcome as u32,
            ..AuditRecord::default()
        };
        let records = [
            record("b", Outcome::Match),
            record("a", Outcome::Match),
            record("a", Outcome::Match),
            record("a", Outcome::Refused),
            record("c", Outcome::NoMatch),
        ];
        let lines = supply_lines(records.iter());
        assert_eq!(
            lines
                .iter()
                .map(|line| (line.recipient.as_str(), line.records))
                .collect::<Vec<_>>(),
            [("a", 2), ("b", 1)]
        );
    }
}
