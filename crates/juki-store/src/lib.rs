//! Where a ledger lives: segment files with grouped sync.

mod ledger;
mod open;
mod purge;
mod read;
mod recover;
mod verify;
mod walk;

pub use ledger::{Ledger, LedgerError, LedgerIdentity, LedgerSettings, OpenReport, TornTail};
pub use purge::Purge;
pub use read::{LedgerReader, ReadFailure};
pub use verify::{VerifyFailure, VerifyReport, verify_each, verify_files};
pub use walk::{LedgerOwner, Walked, ledger_owner, walk_chain};
