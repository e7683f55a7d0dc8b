//! What a transport reports, and how it refuses to send.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use juki_crypto::Notice;
use juki_domain::{ErrorCode, NodeId};
use juki_topology::Interface;

/// Which of a link's two streams a frame takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Frames with a person waiting; they overtake bulk frames.
    Interactive,
    /// Blocks and files.
    Bulk,
}

/// Something that happened on a link.
#[derive(Debug, Clone)]
pub enum LinkEvent {
    /// A link is up: both sides have greeted each other. Its frames follow.
    Up {
        /// The peer.
        peer: Arc<NodeId>,
        /// The two civil dates are more than one day apart: no personal data may travel.
        calendar_apart: bool,
    },
    /// A link is down; frames not yet delivered are lost. Also reported, once per new reason, where
    /// a dialled peer refuses us before the link is up.
    Down {
        /// The peer.
        peer: Arc<NodeId>,
        /// Why.
        code: ErrorCode,
    },
    /// A frame came in.
    Frame {
        /// Whose link it came by.
        peer: Arc<NodeId>,
        /// The frame, at most `frame_bytes_max` bytes; it may share memory with its neighbours.
        frame: Bytes,
    },
    /// This node refused a connection, or broke a link over what the peer sent. A `Down` follows
    /// where the link was up.
    Refused {
        /// The own side on which it happened.
        interface: Interface,
        /// Where it came from, or whom we dialled.
        remote: SocketAddr,
        /// The node that the certificate names, where there was one; a claim that proves nothing
        /// where the certificate itself was refused.
        peer: Option<NodeId>,
        /// Why.
        code: ErrorCode,
        /// How many alike this stands for: a flood is told once a second.
        count: u64,
    },
    /// A peer brought a newer revocation list, which is in force and kept now.
    NewCrl {
        /// The list as DER.
        der: Bytes,
    },
    /// A peer brought a newer notice, which is in force and kept now.
    NewNotice {
        /// The notice.
        notice: Arc<Notice>,
    },
}

/// Why a frame was not taken for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No link to this peer is up, or the configuration does not name it.
    #[error("no link to this peer is up")]
    NotConnected,
    /// The peer takes frames more slowly than they come.
    #[error("the queue to this peer is full")]
    QueueFull,
    /// The frame exceeds `frame_bytes_max`: the peer would break the link over it.
    #[error("the frame is too long")]
    TooLong,
}

impl SendError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::NotConnected => ErrorCode::LineDown,
            Self::QueueFull => ErrorCode::RateExceeded,
            Self::TooLong => ErrorCode::FrameTooLong,
        }
    }
}

/// How the link to one configured peer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerState {
    /// The peer.
    pub name: NodeId,
    /// The own side on which it is met.
    pub interface: Interface,
    /// Whether this node dials it; otherwise it dials us.
    pub dialled: bool,
    /// Whether the link is up.
    pub up: bool,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// Why it went down or does not come up, where that is known.
    pub code: Option<ErrorCode>,
    /// How often it came up since the start.
    pub ups: u64,
    /// The other end of the link that is or was up, or where the peer was dialled last.
    pub address: Option<SocketAddr>,
    /// How often a connection with this peer was refused, by either side's judgement of certificates,
    /// before it was a link.
    pub refusals: u64,
    /// What the peer said of itself last; none before its first hello.
    pub said: Option<PeerSaid>,
}

/// What a peer said of itself in its hello, be it accepted or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSaid {
    /// Version of the hop protocol that it speaks.
    pub wire: u32,
    /// Version of its program, at most 32 characters; empty where it does not say.
    pub program: String,
    /// Version of its calendar.
    pub calendar_version: u32,
    /// Its civil date, yyyymmdd.
    pub civil_date: u32,
    /// By how many milliseconds its clock was ahead of this node's, give or take half a round trip;
    /// none where it does not say.
    pub clock_ahead_ms: Option<i64>,
}

impl PeerState {
    /// Whether the link counts as up for whoever asks how the node is doing: it is up, or it was and
    /// has been down for less than `grace_ms`.
    #[must_use]
    pub fn holds(&self, now_ms: u64, grace_ms: u64) -> bool {
        self.up || (self.ups > 0 && now_ms.saturating_sub(self.since_ms) < grace_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(ups: u64, since_ms: u64) -> PeerState {
        PeerState {
            name: "fw-national".parse().unwrap(),
            interface: Interface::Line,
            dialled: true,
            up: false,
            since_ms,
            code: None,
            ups,
            address: None,
            refusals: 0,
            said: None,
        }
    }

    #[test]
    fn a_link_that_was_up_holds_for_the_grace_and_one_that_never_was_does_not() {
        assert!(down(1, 1_000).holds(3_999, 3_000));
        assert!(!down(1, 1_000).holds(4_000, 3_000));
        assert!(!down(0, 1_000).holds(1_001, 3_000));
        let up = PeerState {
            up: true,
            ..down(1, 0)
        };
        assert!(up.holds(u64::MAX, 0));
    }
}
