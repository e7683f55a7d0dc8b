//! Operators' cards as PIN-protected files, and the sealed form of key files.
//!
//! A [`SoftCard`] plays a chip card without a reader. It counts wrong PINs like one, but whoever
//! copies the file copies its counter too: the node that admits operators must count failures per
//! card serial as well, and the file deserves the care of a key.

mod card_file;
mod operator_card;
pub mod sealed_file;
mod soft_card;

pub use operator_card::{CardError, OperatorCard, PIN_TRIES, Pin};
pub use soft_card::{NewCard, SoftCard, UnlockedCard};
