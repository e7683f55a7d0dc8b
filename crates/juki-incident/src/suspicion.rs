//! What of a node's own entries concerns people: refusals behind the firewall.

use juki_dispatch::{SECURITY, SecurityRecord};
use juki_ledger::Entry;
use prost::Message as _;

use crate::Level;

/// What an entry gives reason to suspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// The alert's kind.
    pub kind: &'static str,
    /// Its level.
    pub level: Level,
    /// Whom it is about.
    pub peer: String,
    /// The service that it concerns; empty where there is none.
    pub service: String,
    /// The stable code.
    pub code: String,
    /// How many events the entry stands for.
    pub count: u64,
}

/// Says what an entry of the node's own ledger gives reason to suspect. It must not depend on
/// anything but the entry.
pub type Suspect = fn(&Entry) -> Option<Suspicion>;

/// What a node refused though its firewall had let it pass.
pub(crate) fn refused_behind(entry: &Entry) -> Option<Suspicion> {
    if entry.kind != SECURITY {
        return None;
    }
    let record = SecurityRecord::decode(entry.payload.as_slice()).ok()?;
    // A connection that was not let in has passed nothing.
    let at_the_door = record.code.starts_with("JKT-") || record.code.starts_with("JKW-11");
    let (kind, level) = if at_the_door {
        ("link-refused", Level::Two)
    } else {
        ("refused-behind", Level::Three)
    };
    Some(Suspicion {
        kind,
        level,
        peer: record.source,
        service: String::new(),
        code: record.code,
        count: u64::from(record.count.max(1)),
    })
}
