//! A wrong PIN at a terminal.

use juki_ledger::EntryKind;
use prost::Message;

/// Somebody entered a wrong PIN.
pub const PIN_FAILED: EntryKind = EntryKind(100);

/// The payload of a [`PIN_FAILED`] entry.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PinFailed {
    /// When, in milliseconds since 1970.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The card.
    #[prost(string, tag = "2")]
    pub card: String,
    /// Tries left, as the card itself counts.
    #[prost(uint32, tag = "3")]
    pub left: u32,
    /// The number of the registrar's last unlocking that the card carries.
    #[prost(uint64, tag = "4")]
    pub unlockings: u64,
}
