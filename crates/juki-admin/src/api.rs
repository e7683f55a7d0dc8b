//! What the admin API answers with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a node is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It works and every peer that it dials is up.
    Ready,
    /// It works, and a peer that it dials is not up.
    Connecting,
    /// It can no longer do its work, for example after a failed write.
    Failed,
}

impl NodeState {
    /// The word used in JSON and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Connecting => "connecting",
            Self::Failed => "failed",
        }
    }
}

/// One peer as a node sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerReport {
    /// The peer's node name.
    pub name: String,
    /// The interface on which the two meet.
    pub interface: String,
    /// Whether the connection is up.
    pub up: bool,
    /// Whether this node dials the peer; otherwise the peer dials it.
    #[serde(default)]
    pub dialled: bool,
    /// Since when the connection is up or down, in seconds since 1970-01-01 UTC.
    #[serde(default)]
    pub since_unix_s: u64,
    /// How often the connection came up again after it was down.
    #[serde(default)]
    pub reconnects: u64,
    /// The code of what keeps the connection down; empty where nothing is known.
    #[serde(default)]
    pub last_error: String,
    /// How often a connection with this peer was refused before it was a link.
    #[serde(default)]
    pub refusals: u64,
    /// Where the peer was met or dialled last; empty where it never was.
    #[serde(default)]
    pub address: String,
    /// By how many milliseconds the peer's clock was ahead of this node's when they greeted each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_ms: Option<i64>,
    /// The version of the peer's calendar as it said; 0 where it has said nothing yet.
    #[serde(default)]
    pub calendar_version: u32,
    /// The peer's civil date as it said, yyyymmdd; 0 where it has said nothing yet.
    #[serde(default)]
    pub civil_date: u32,
    /// The version of the hop protocol that the peer speaks; 0 where it has said nothing yet.
    #[serde(default)]
    pub wire: u32,
    /// The version of the peer's program; empty where it has said nothing.
    #[serde(default)]
    pub version: String,
}

/// The answer to `GET /status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The node's name.
    pub node: String,
    /// The name of its program.
    pub role: String,
    /// How it is doing.
    pub state: NodeState,
    /// Its peers.
    #[serde(default)]
    pub peers: Vec<PeerReport>,
    /// How many entries the tier above has not yet acknowledged.
    #[serde(default)]
    pub behind: u64,
    /// How many residents it holds a record of.
    #[serde(default)]
    pub residents: u64,
    /// Further members that only some roles have.
    #[serde(flatten)]
    pub more: BTreeMap<String, serde_json::Value>,
}

impl StatusReport {
    /// A report without peers, entries behind or residents.
    #[must_use]
    pub fn new(node: impl Into<String>, role: impl Into<String>, state: NodeState) -> Self {
        Self {
            node: node.into(),
            role: role.into(),
            state,
            peers: Vec::new(),
            behind: 0,
            residents: 0,
            more: BTreeMap::new(),
        }
    }
}

/// One node's sight of one frame of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The node that saw the frame.
    pub node: String,
    /// When, by that node's clock, in microseconds since 1970-01-01 UTC.
    pub at_unix_us: u64,
    /// The peer that it came from; the node itself where it was made here.
    pub from: String,
    /// The peer that it went to; the node itself where it ended here.
    pub to: String,
    /// The service's name.
    pub service: String,
    /// The frame's length in bytes.
    pub length: u64,
    /// `passed`, `answered`, or the code of the refusal.
    pub verdict: String,
}
