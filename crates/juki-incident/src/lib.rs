//! What nodes tell the tier above about themselves: alerts, a heartbeat, the newest checkpoint of
//! their ledger; and what that tier keeps of it (design.md 3, monitor; docs/adr/0018).
//!
//! A firewall speaks for itself to the server above its office. A node with services does the same,
//! and a prefecture passes on what it hears from its area. An alert is signed by the node that saw
//! it: a tier between can hold it back, and neither invent nor alter one.

mod alert;
mod entries;
mod evidence;
mod kept;
mod message;
mod monitor;
mod neighbour;
mod outbox;
mod pace;
mod suspicion;

pub use alert::{Alert, Level};
pub use entries::{
    ALERT_REPORTED, ALERTS_PASSED, AlertReported, AlertsPassed, NEIGHBOUR_CHECKPOINT,
    NeighbourCheckpoint,
};
pub use evidence::{Confronted, Contradiction, Witness, Witnesses, Wrong, confront, witness_of};
pub use message::{
    Acknowledged, Counters, KeptCheckpoint, ListedAlert, MonitorAnswer, MonitorQuestion,
    REPORT_ALERTS_MAX, Report,
};
pub use monitor::{Monitor, MonitorSettings};
pub use neighbour::{Neighbour, judge_checkpoint};
pub use outbox::Outbox;
pub use pace::Pace;
pub use suspicion::{Suspect, Suspicion};
