//! One municipality's stream: what its server writes, how it travels in blocks, what comes back.
//!
//! The communication server is the single writer of its journal. Blocks are signed once by it and
//! verified again at every tier; a receipt is signed by its tier and travels down unchanged
//! (docs/wire.md, "Journal").

mod block;
mod cursor;
pub mod message;
mod receipt;
mod receiver;
mod sender;
mod upstream;

pub use block::{BLOCK_BYTES_MAX, Block, BlockError, BlockHeader, JournalEntry, SignedBlock};
pub use cursor::{Cursor, Heights};
pub use message::{JournalMessage, Refused};
pub use receipt::{Receipt, Tier};
pub use receiver::JournalReceiver;
pub use sender::JournalSender;

use juki_ledger::EntryKind;

/// A journal entry of this municipality's own server.
pub const JOURNAL_ENTRY: EntryKind = EntryKind(32);
/// Where the entries are cut into blocks, with the fold's digest there. No block is sent before its
/// cut is durable.
pub const BLOCK_BOUNDARY: EntryKind = EntryKind(33);
/// A block accepted from a municipality, as it stands.
pub const BLOCK: EntryKind = EntryKind(34);
/// A receipt of a tier above.
pub const RECEIPT: EntryKind = EntryKind(35);
/// A block refused, and why.
pub const BLOCK_REFUSED: EntryKind = EntryKind(36);
