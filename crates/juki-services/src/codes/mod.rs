//! Allocation of resident record codes: in blocks from the national center through the prefecture
//! (Act art. 30-7 para. 1-2, Enforcement Regulations art. 14; domain.md 1.5).

mod allocator;
mod designator;
mod message;
mod stock;

pub use allocator::CodeAllocator;
pub use designator::CodeDesignator;
pub use message::{CODE_BLOCK_MAX, CodeBlock, CodeRequest};
pub use stock::CodeStock;

use juki_ledger::EntryKind;

/// The national center gave out a block.
pub const CODES_ALLOCATED: EntryKind = EntryKind(64);
/// The prefecture designated a block to a municipality.
pub const CODES_DESIGNATED: EntryKind = EntryKind(65);
/// The municipality took a block into stock.
pub const CODES_RECEIVED: EntryKind = EntryKind(66);

fn key(kind: u8, municipality: u32, number: u32) -> Vec<u8> {
    let mut key = vec![b'k', kind];
    key.extend_from_slice(&municipality.to_be_bytes());
    key.extend_from_slice(&number.to_be_bytes());
    key
}
