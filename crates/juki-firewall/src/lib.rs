//! What a firewall lets pass: a deny-by-default policy over clear frame headers, limits of size,
//! rate and hours, summaries of the traffic for the firewall's ledger, and detectors.
//!
//! Nothing here sees a body, a socket or a clock. A frame passes only if the peer may speak for
//! its source, a route leads to its destination, and a rule names interfaces, service, source and
//! destination together. Everything else is refused with the rule and a code.

mod counters;
mod explain;
mod policy;
mod rate;
mod summary;
mod tables;
mod verdict;
mod volume;
mod watcher;

pub use counters::Counters;
pub use explain::{Explanation, Sample, Step};
pub use policy::{Policy, PolicyChange};
pub use rate::{RateLimit, Rates};
pub use summary::{Entry, FrameNote, RefusedFrame, Run, RunVerdict, Summary};
pub use tables::{Flow, FlowIndex, PolicyError};
pub use verdict::{RefusedBy, Verdict};
pub use watcher::{Finding, FindingKind, Watcher};
