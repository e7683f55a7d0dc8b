//! Registration at the communication server: what the existing register asks becomes journal
//! entries, once and in order.

mod decision;
mod message;
mod note;
mod residents;
mod service;

pub use message::{
    Certificate, LocalRegistration, Registered, RegistrationOutcome, RequestMessage,
    change_message, local_registration, row_message,
};
pub use residents::{RESIDENTS_PAGE_MAX, Resident, ResidentsAsk, ResidentsPage, find_message};
pub use service::Registration;

use juki_ledger::EntryKind;

/// What the communication server alone keeps of a change: the register's number, the code, the
/// idempotency key. None of it travels upward.
pub const REGISTRATION: EntryKind = EntryKind(48);
