//! What the ledgers of reporters and collectors hold.

use juki_ledger::{Checkpoint, EntryKind};
use prost::Message;

use crate::Alert;

/// An alert of another node, as it was signed: [`AlertReported`].
pub const ALERT_REPORTED: EntryKind = EntryKind(112);
/// A checkpoint of a neighbour's ledger: [`NeighbourCheckpoint`].
pub const NEIGHBOUR_CHECKPOINT: EntryKind = EntryKind(113);
/// How far the tier above has this node's alerts: [`AlertsPassed`].
pub const ALERTS_PASSED: EntryKind = EntryKind(115);

/// An alert of another node.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct AlertReported {
    /// The alert with its signature.
    #[prost(message, optional, tag = "1")]
    pub alert: Option<Alert>,
    /// The node that brought it.
    #[prost(string, tag = "2")]
    pub by: String,
}

/// The tier above has made durable what this node told it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct AlertsPassed {
    /// The number of the own entry behind the newest alert that it has.
    #[prost(uint64, tag = "1")]
    pub through: u64,
}

/// A signed checkpoint that a neighbour sent. It proves later what the neighbour's ledger held then.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct NeighbourCheckpoint {
    /// The checkpoint as it was signed.
    #[prost(message, optional, tag = "1")]
    pub checkpoint: Option<Checkpoint>,
}
