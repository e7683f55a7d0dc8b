//! What was provided, to whom and why: the audit record, the supply ledger as a view of it, and the
//! periodic analysis of both histories.

mod analysis;
mod event;
mod record;
mod supply;

pub use analysis::{
    Analysis, DEFAULT_HOLIDAYS, DEFAULT_SETTINGS, Finding, Holidays, HolidaysError, Report, Rule,
    Settings, SubjectKind,
};
pub use event::{
    COMMUNICATION, Event, Evidence, FAILED_PIN, FailedPin, Moment, OPERATOR_SESSION, Query, Source,
    TRAFFIC_RUN, TrafficRun, What,
};
pub use record::{AUDIT, AuditRecord, Outcome};
pub use supply::{SupplyLedger, SupplyLine, SupplyMethod};
