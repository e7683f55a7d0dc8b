//! The last frames that passed this node, for `jukinet trace`.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use juki_admin::Hop;
use juki_domain::NodeId;
use juki_wire::{Header, MessageId};

/// How many hops are kept.
const HOPS_MAX: usize = 8192;

struct Kept {
    message_id: MessageId,
    at_unix_us: u64,
    from: String,
    to: String,
    service: &'static str,
    length: u64,
    verdict: String,
}

/// A bounded memory of hops. It holds header fields only, never a body.
#[derive(Default)]
pub struct Hops {
    kept: Mutex<VecDeque<Kept>>,
}

impl Hops {
    /// Notes a frame: where it came from, where it went, and what was decided.
    pub fn note(&self, header: &Header, length: usize, (from, to): (&str, &str), verdict: &str) {
        let at_unix_us = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
            });
        let hop = Kept {
            message_id: header.message_id,
            at_unix_us,
            from: from.to_owned(),
            to: to.to_owned(),
            service: header.service.name(),
            length: length as u64,
            verdict: verdict.to_owned(),
        };
        if let Ok(mut kept) = self.kept.lock() {
            if kept.len() >= HOPS_MAX {
                kept.pop_front();
            }
            kept.push_back(hop);
        }
    }

    /// The hops of one message, oldest first.
    #[must_use]
    pub fn of(&self, node: &NodeId, message: [u8; 16]) -> Vec<Hop> {
        let Ok(kept) = self.kept.lock() else {
            return Vec::new();
        };
        let same = kept.iter().filter(|hop| hop.message_id.0 == message);
        same.map(|hop| Hop {
            node: node.to_string(),
            at_unix_us: hop.at_unix_us,
            from: hop.from.clone(),
            to: hop.to.clone(),
            service: hop.service.to_owned(),
            length: hop.length,
            verdict: hop.verdict.clone(),
        })
        .collect()
    }
}
