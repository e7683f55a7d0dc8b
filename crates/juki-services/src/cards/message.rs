//! What is done with cards, and what the registrar's desk asks of its service.

use juki_access::SignedAct;
use juki_ledger::EntryKind;
use prost::Message;

use super::CardRow;

/// Something was done with a card.
pub const CARD_ACT: EntryKind = EntryKind(97);

/// What can be done with a card. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum ActKind {
    /// 登録: a card is made for an operator.
    Enrol = 1,
    /// 貸与: it is handed out.
    Lend = 2,
    /// 返却: it came back, or was found.
    Return = 3,
    /// 紛失: its holder does not know where it is.
    Lost = 4,
    /// 失効: it is withdrawn, or suspended.
    Revoke = 5,
    /// 解除: it gets its tries back, and a suspension ends.
    Unlock = 6,
    /// 点検: somebody looked whether it is where it should be.
    Inspect = 7,
    /// 引継ぎ: it was made together with the network.
    Entered = 8,
}

impl ActKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Enrol,
        Self::Lend,
        Self::Return,
        Self::Lost,
        Self::Revoke,
        Self::Unlock,
        Self::Inspect,
        Self::Entered,
    ];

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// The name that commands and reports use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::Lend => "lend",
            Self::Return => "return",
            Self::Lost => "lost",
            Self::Revoke => "revoke",
            Self::Unlock => "unlock",
            Self::Inspect => "inspect",
            Self::Entered => "entered",
        }
    }
}

/// One act, as the acting operator's card signs it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardAct {
    /// The number of its [`ActKind`].
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    /// The card; for an enrolment the registrar draws one.
    #[prost(string, tag = "2")]
    pub serial: String,
    /// Whom the card is for; of an enrolment only.
    #[prost(string, tag = "3")]
    pub operator: String,
    /// The body that they work for; of an enrolment only.
    #[prost(string, tag = "4")]
    pub body: String,
    /// The roles that the card carries; of an enrolment only.
    #[prost(uint32, repeated, tag = "5")]
    pub roles: Vec<u32>,
    /// The card's public key; of an enrolment only.
    #[prost(bytes = "vec", tag = "6")]
    pub key: Vec<u8>,
    /// How many days it serves; of an enrolment only.
    #[prost(uint32, tag = "7")]
    pub days: u32,
    /// Why it may not be used from now on, as a number of `ListedFor`; of a withdrawal only.
    #[prost(uint32, tag = "8")]
    pub reason: u32,
    /// What was found at an inspection, or any other remark: at most 200 bytes, naming no resident.
    #[prost(string, tag = "9")]
    pub note: String,
}

/// The payload of a [`CARD_ACT`] entry.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardActRecord {
    /// When, in milliseconds since 1970 on the machine's clock.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The civil date, yyyymmdd.
    #[prost(uint32, tag = "2")]
    pub civil_date: u32,
    /// The operator who did it; empty for cards that were made together with the network.
    #[prost(string, tag = "3")]
    pub by: String,
    /// Their card.
    #[prost(string, tag = "4")]
    pub by_card: String,
    /// What was done, with the card's serial.
    #[prost(message, optional, tag = "5")]
    pub act: Option<CardAct>,
    /// Until when an enrolled card may be used, in seconds since 1970.
    #[prost(uint64, tag = "6")]
    pub valid_until_s: u64,
    /// The act as it was signed: what proves it.
    #[prost(bytes = "vec", tag = "7")]
    pub signed: Vec<u8>,
}

/// What the registrar's desk asks.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardsAsk {
    /// Which thing.
    #[prost(oneof = "cards_ask::Kind", tags = "1, 2, 3, 4")]
    pub kind: Option<cards_ask::Kind>,
}

/// The kinds of requests of the registrar's desk.
pub mod cards_ask {
    use super::{FirstCards, PageAsk, SignedAct};

    /// One request.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// Do a [`super::CardAct`].
        #[prost(message, tag = "1")]
        Act(SignedAct),
        /// Enter cards that were made together with the network; those known are left alone.
        #[prost(message, tag = "2")]
        Enter(FirstCards),
        /// Show a page of the card ledger.
        #[prost(message, tag = "3")]
        Page(PageAsk),
        /// Make the list of cards that may not be used.
        #[prost(bool, tag = "4")]
        List(bool),
    }
}

/// Cards that were made together with the network.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FirstCards {
    /// Their certificates.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub certificates: Vec<Vec<u8>>,
}

/// A page of the card ledger.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PageAsk {
    /// The last serial of the page before; empty for the first.
    #[prost(string, tag = "1")]
    pub after: String,
}

/// What the registrar's desk hears.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardsAnswer {
    /// The code of a refusal; empty where it was done.
    #[prost(string, tag = "1")]
    pub failure: String,
    /// The card that was acted on, as it stands now.
    #[prost(message, optional, tag = "2")]
    pub card: Option<CardRow>,
    /// A page of the ledger.
    #[prost(message, repeated, tag = "3")]
    pub page: Vec<CardRow>,
    /// The bytes of a `CardList`.
    #[prost(bytes = "vec", tag = "4")]
    pub list: Vec<u8>,
}
