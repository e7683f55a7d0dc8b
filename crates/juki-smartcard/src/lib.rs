//! Operators' cards as PIN-protected files or PKCS#11 tokens, and the sealed form of key files.
//!
//! A [`SoftCard`] plays a chip card without a reader. It counts wrong PINs like one, but whoever
//! copies the file copies its counter too: the node that admits operators must count failures per
//! card serial as well, and the file deserves the care of a key. A [`Pkcs11Card`] is in a reader or
//! in a module; since not every module locks after wrong PINs, they are counted here too.

mod card_file;
mod operator_card;
mod pkcs11;
pub mod sealed_file;
mod soft_card;
mod token_pins;
mod unlocking;

pub use operator_card::{CardError, OperatorCard, PIN_TRIES, Pin};
pub use pkcs11::{Pkcs11Card, UnlockedToken};
pub use soft_card::{NewCard, SoftCard, UnlockedCard};
