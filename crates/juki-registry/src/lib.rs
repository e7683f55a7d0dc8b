//! What the entries of municipalities add up to: records, search keys, digests.
//!
//! A registry is a fold: one record per (resident record code, municipality). Which of a person's
//! records is current is a pure function of that set, so the order in which two municipalities'
//! entries arrive never matters.

mod asked;
mod codec;
mod current;
mod difference;
mod fold;
mod fuzzy;
mod held;
mod items;
mod keys;
mod search;
mod slot;

pub use codec::{CodecError, decode_change, encode_change};
pub use current::{Standing, StoredRecord, choose_current};
pub use difference::{Difference, DifferenceKind};
pub use fold::{Position, Registry};
pub use fuzzy::FuzzyItems;
pub use items::FourItems;
pub use search::{Hit, Lookup};
