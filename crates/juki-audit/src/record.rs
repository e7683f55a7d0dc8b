//! The audit record: one request for identity records, answered or refused.

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
    /// Pseudonym of what was asked: of the code, or of the four items as searches fold them. A code
    /// that fits gives the same as `person`. Empty where the question could not be read.
    #[prost(bytes = "vec", tag = "16")]
    pub asked: Vec<u8>,
    /// The first 8 bytes of the digest of the grant that the request came under; empty without one.
    #[prost(bytes = "vec", tag = "17")]
    pub grant: Vec<u8>,
}

impl Outcome {
    /// The outcome with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Match, Self::NoMatch, Self::Several, Self::Refused]
            .into_iter()
            .find(|outcome| *outcome as u32 == number)
    }

    /// The word for files and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no-match",
            Self::Several => "several",
            Self::Refused => "refused",
        }
    }
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
