//! Where a ledger lives: segment files with grouped sync.

mod ledger;
mod open;
mod read;
mod recover;
mod verify;

pub use ledger::{Ledger, LedgerError, LedgerIdentity, LedgerSettings, OpenReport, TornTail};
pub use read::{LedgerReader, ReadFailure};
pub use verify::{VerifyFailure, VerifyReport, verify_files};
