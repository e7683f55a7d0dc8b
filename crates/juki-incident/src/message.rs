//! The messages of the monitor service.

use juki_ledger::Checkpoint;
use prost::Message;

use crate::Alert;

/// Most alerts of one report; the next one follows when it is acknowledged.
pub const REPORT_ALERTS_MAX: usize = 64;

/// What a node says of itself to the tier above: at the latest every ten seconds, and at once when
/// there is an alert.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Report {
    /// Alerts that are not acknowledged yet, the oldest first, at most [`REPORT_ALERTS_MAX`].
    #[prost(message, repeated, tag = "1")]
    pub alerts: Vec<Alert>,
    /// The newest checkpoint of the node's ledger.
    #[prost(message, optional, tag = "2")]
    pub checkpoint: Option<Checkpoint>,
    /// Figures.
    #[prost(message, optional, tag = "3")]
    pub counters: Option<Counters>,
}

/// Figures of a report.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Counters {
    /// Alerts that were pushed out by newer ones before anybody acknowledged them.
    #[prost(uint64, tag = "1")]
    pub lost: u64,
    /// Alerts that wait beyond those of this report.
    #[prost(uint64, tag = "2")]
    pub waiting: u64,
}

/// What the tier above answers when a report's alerts are durable with it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Acknowledged {
    /// The newest checkpoint of the answering node's ledger.
    #[prost(message, optional, tag = "1")]
    pub checkpoint: Option<Checkpoint>,
    /// The code of a refusal; then nothing was taken.
    #[prost(string, tag = "2")]
    pub refusal: String,
}

/// What somebody on a node asks its monitor service.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MonitorQuestion {
    /// How many alerts, the newest ones.
    #[prost(uint32, tag = "1")]
    pub limit: u32,
}

/// What the monitor service of a node knows.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MonitorAnswer {
    /// The newest alerts, the oldest of them first.
    #[prost(message, repeated, tag = "1")]
    pub alerts: Vec<ListedAlert>,
    /// The own entry behind the newest alert that the tier above has.
    #[prost(uint64, tag = "2")]
    pub passed: u64,
    /// Alerts that nobody above ever heard of.
    #[prost(uint64, tag = "3")]
    pub lost: u64,
    /// The newest checkpoint that is kept of each neighbour.
    #[prost(message, repeated, tag = "4")]
    pub neighbours: Vec<KeptCheckpoint>,
}

/// An alert with its place in the ledger of the node that was asked.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ListedAlert {
    /// The number of the entry.
    #[prost(uint64, tag = "1")]
    pub entry: u64,
    /// The alert.
    #[prost(message, optional, tag = "2")]
    pub alert: Option<Alert>,
}

/// Which checkpoint is kept of a neighbour.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KeptCheckpoint {
    /// The neighbour.
    #[prost(string, tag = "1")]
    pub node: String,
    /// The last entry of its ledger that the checkpoint covers.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
    /// When it was kept, in ms since 1970.
    #[prost(uint64, tag = "3")]
    pub kept_ms: u64,
}
