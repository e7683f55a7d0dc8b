//! How a run ended.

use std::time::Duration;

use serde::Serialize;

/// How often things happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Faults of the list that happened.
    pub faults: u64,
    /// Losses of power.
    pub power_losses: u64,
    /// Nodes that ended by themselves since their machine failed them.
    pub failures: u64,
    /// Starts of nodes.
    pub starts: u64,
    /// Changes acknowledged.
    pub changes: u64,
    /// Requests refused as they had to be.
    pub refused: u64,
    /// Requests answered as known already.
    pub duplicates: u64,
    /// Questions asked.
    pub questions: u64,
    /// Questions answered with a record.
    pub provided: u64,
    /// Questions that failed, as they may while something is down.
    pub failed: u64,
    /// Datagrams sent.
    pub datagrams: u64,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was not as it must be; empty for a sound run.
    pub violations: Vec<String>,
    /// A digest over (time, from, to, length) of every datagram, in hexadecimal digits.
    pub trace: String,
    /// How often things happened.
    pub counts: Counts,
    /// How much virtual time went by while things happened.
    pub busy: Duration,
    /// And until all had settled and was checked.
    pub total: Duration,
}
