//! The history of communication: like frames, counted, so that who spoke with whom, when and how
//! much stays on record without an entry for each frame.

use std::collections::BTreeMap;

use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_ledger::EntryKind;
use prost::Message;

/// A run of like frames: [`CommunicationRecord`].
pub const COMMUNICATION: EntryKind = EntryKind(17);

/// The payload of a [`COMMUNICATION`] entry. The numbers of its members are those of a firewall's
/// record of a run. Times are in ms since 1970.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CommunicationRecord {
    /// The frames' source; of refused ones what they claimed, empty where too many claimed something.
    #[prost(string, tag = "1")]
    pub from: String,
    /// The frames' destination.
    #[prost(string, tag = "2")]
    pub to: String,
    /// The service's name.
    #[prost(string, tag = "3")]
    pub service: String,
    /// The code with which they were refused or could not be sent; else empty.
    #[prost(string, tag = "5")]
    pub code: String,
    /// When the first came or left.
    #[prost(uint64, tag = "6")]
    pub first_ms: u64,
    /// When the last came or left.
    #[prost(uint64, tag = "7")]
    pub last_ms: u64,
    /// How many there were.
    #[prost(uint64, tag = "8")]
    pub count: u64,
    /// Their bytes, headers included.
    #[prost(uint64, tag = "9")]
    pub bytes: u64,
}

/// Which way frames go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a peer to this node.
    Received,
    /// From this node to a peer.
    Sent,
}

/// Counts the frames of one direction. A frame of a run that is open costs a look-up and no
/// allocation.
#[derive(Debug)]
pub struct Communication {
    me: NodeId,
    direction: Direction,
    peers: BTreeMap<NodeId, Vec<Run>>,
    /// Runs of peers beyond those that are told apart.
    others: Vec<Run>,
    /// No open run began before this.
    oldest_ms: Option<u64>,
}

#[derive(Debug)]
struct Run {
    service: ServiceId,
    code: Option<ErrorCode>,
    first_ms: u64,
    last_ms: u64,
    count: u64,
    bytes: u64,
}

impl Communication {
    /// How long a run stays open, in ms. What is open when a node crashes is lost to it; the
    /// firewalls before it close theirs sooner.
    pub const RUN_MS_MAX: u64 = 300_000;

    /// Peers that are told apart. A refused frame may claim any source.
    const PEERS_MAX: usize = 4_096;

    /// Counts what goes one way between this node and its peers.
    #[must_use]
    pub fn new(me: NodeId, direction: Direction) -> Self {
        Self {
            me,
            direction,
            peers: BTreeMap::new(),
            others: Vec::new(),
            oldest_ms: None,
        }
    }

    /// Counts a frame of this many bytes.
    pub fn note(
        &mut self,
        now_ms: u64,
        peer: &NodeId,
        (service, code): (ServiceId, Option<ErrorCode>),
        bytes: usize,
    ) {
        let runs = if self.peers.contains_key(peer) || self.peers.len() < Self::PEERS_MAX {
            match self.peers.get_mut(peer) {
                Some(runs) => runs,
                None => self.peers.entry(peer.clone()).or_default(),
            }
        } else {
            &mut self.others
        };
        let bytes = bytes as u64;
        match runs
            .iter_mut()
            .find(|run| run.service == service && run.code == code)
        {
            Some(run) => {
                run.last_ms = run.last_ms.max(now_ms);
                run.count += 1;
                run.bytes = run.bytes.saturating_add(bytes);
            }
            None => {
                runs.push(Run {
                    service,
                    code,
                    first_ms: now_ms,
                    last_ms: now_ms,
                    count: 1,
                    bytes,
                });
                self.oldest_ms = Some(self.oldest_ms.map_or(now_ms, |oldest| oldest.min(now_ms)));
            }
        }
    }

    /// When the first open run is to be closed.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        self.oldest_ms.map(|oldest| oldest + Self::RUN_MS_MAX)
    }

    /// Closes the runs that have been open long enough.
    pub fn due(&mut self, now_ms: u64) -> Vec<CommunicationRecord> {
        if self.next_due().is_none_or(|due| due > now_ms) {
            return Vec::new();
        }
        self.close_where(|first_ms| now_ms.saturating_sub(first_ms) >= Self::RUN_MS_MAX)
    }

    /// Closes all runs.
    pub fn close(&mut self) -> Vec<CommunicationRecord> {
        self.close_where(|_| true)
    }

    fn close_where(&mut self, is_due: impl Fn(u64) -> bool) -> Vec<CommunicationRecord> {
        let (me, direction) = (self.me.as_str(), self.direction);
        let mut records = Vec::new();
        let mut oldest_ms: Option<u64> = None;
        let named = self
            .peers
            .iter_mut()
            .map(|(peer, runs)| (peer.as_str(), runs));
        for (peer, runs) in named.chain([("", &mut self.others)]) {
            runs.retain(|run| {
                if is_due(run.first_ms) {
                    records.push(run.record(me, peer, direction));
                    return false;
                }
                oldest_ms = Some(oldest_ms.map_or(run.first_ms, |oldest| oldest.min(run.first_ms)));
                true
            });
        }
        self.peers.retain(|_, runs| !runs.is_empty());
        self.oldest_ms = oldest_ms;
        records
    }
}

impl Run {
    fn record(&self, me: &str, peer: &str, direction: Direction) -> CommunicationRecord {
        let (from, to) = match direction {
            Direction::Received => (peer, me),
            Direction::Sent => (me, peer),
        };
        CommunicationRecord {
            from: from.to_owned(),
            to: to.to_owned(),
            service: self.service.name().to_owned(),
            code: self.code.map_or("", ErrorCode::code).to_owned(),
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            count: self.count,
            bytes: self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    #[test]
    fn like_frames_are_one_run_and_a_refusal_is_another() {
        let mut received = Communication::new(node("national"), Direction::Received);
        let peer = node("prefecture-35");
        for now_ms in [10, 20, 30] {
            received.note(now_ms, &peer, (ServiceId::Journal, None), 100);
        }
        let refused = Some(ErrorCode::FrameReplayed);
        received.note(40, &peer, (ServiceId::Journal, refused), 7);
        received.note(50, &peer, (ServiceId::Query, None), 1);
        assert_eq!(received.due(10 + Communication::RUN_MS_MAX - 1), []);
        let closed = received.due(30 + Communication::RUN_MS_MAX);
        let [run] = closed.as_slice() else {
            panic!("{closed:?}")
        };
        assert_eq!(
            (run.from.as_str(), run.to.as_str(), run.service.as_str()),
            ("prefecture-35", "national", "journal")
        );
        assert_eq!(
            (run.first_ms, run.last_ms, run.count, run.bytes),
            (10, 30, 3, 300)
        );
        assert_eq!(received.next_due(), Some(40 + Communication::RUN_MS_MAX));
        let codes: Vec<String> = received.close().into_iter().map(|run| run.code).collect();
        assert_eq!(codes, [refused.map_or("", ErrorCode::code), ""]);
        assert_eq!((received.next_due(), received.close()), (None, Vec::new()));
    }

    #[test]
    fn claims_of_ever_other_sources_are_counted_together() {
        let mut received = Communication::new(node("national"), Direction::Received);
        for number in 0..Communication::PEERS_MAX + 5 {
            let peer = node(&format!("x-{number}"));
            received.note(1, &peer, (ServiceId::Query, None), 1);
        }
        let closed = received.close();
        assert_eq!(closed.len(), Communication::PEERS_MAX + 1);
        assert!(received.peers.is_empty(), "there is room for others again");
        assert!(
            closed
                .iter()
                .any(|run| run.from.is_empty() && run.count == 5)
        );
    }
}
