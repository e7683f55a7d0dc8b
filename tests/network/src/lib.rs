//! Whole networks as processes on this machine: made, started, driven, broken and taken down.
//!
//! Every deployment lies in a short folder under `/tmp`, listens on ports that the system chooses,
//! and is gone when its value is dropped, also where a test panics.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step of a test that fails ends the test"
)]

mod deployment;
mod dice;
mod forger;
mod hostile;
mod prefecture;
mod printed;
mod programs;
mod record;

pub use deployment::{Deployment, Running, kill};
pub use dice::Dice;
pub use forger::rewrite;
pub use hostile::{Hostile, Seat};
pub use prefecture::{Codes, LOAD_PATIENCE, Prefecture, Register, Supervised, Told};
pub use printed::{Printed, until};
pub use programs::programs;
pub use record::{
    SecurityNote, audits, basis_records, entries, firewall_alerts, firewall_codes, payloads,
    security_notes,
};

/// How long anything may take before a test gives up, beside what a test bounds itself.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
