//! What was provided, to whom and why: the audit record, the supply ledger as a view of it, and the
//! periodic analysis of both histories.

mod analysis;
mod event;
mod pin_failed;
mod record;
mod supply;

pub use analysis::{
    Analysis, DEFAULT_HOLIDAYS, DEFAULT_SETTINGS, Finding, Holidays, HolidaysError, Report, Rule,
    Settings, SubjectKind,
};
pub use event::{Event, Evidence, Moment, Query, Source, TRAFFIC_RUN, What};
pub use pin_failed::{PIN_FAILED, PinFailed};
pub use record::{AUDIT, AuditRecord, Outcome};
pub use supply::{SupplyLedger, SupplyLine, SupplyMethod};
