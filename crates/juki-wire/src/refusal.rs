//! Refusal and reset: the bodies that are not sealed, since any node on the way may say them.

use bytes::Bytes;
use prost::Message;

use crate::{Flags, FrameKind, Header};

/// Why a frame was not passed on or not accepted: silence is never an answer (design.md 2).
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Refusal {
    /// The node that refused.
    #[prost(string, tag = "1")]
    pub node: String,
    /// The rule it applied.
    #[prost(string, tag = "2")]
    pub rule: String,
    /// The stable error code, such as `JKP-1001`.
    #[prost(string, tag = "3")]
    pub code: String,
}

/// The destination does not know the session of a frame.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Reset {
    /// The receiver's boot nonce, which a new opening must name.
    #[prost(bytes = "vec", tag = "1")]
    pub boot_nonce: Vec<u8>,
    /// The session that is not known.
    #[prost(bytes = "vec", tag = "2")]
    pub session: Vec<u8>,
}

impl Refusal {
    /// The frame that answers a refused one: source and destination change places, so that it
    /// travels back under the same rules. `None` for a frame that is itself no message, since
    /// refusing a refusal would never end.
    #[must_use]
    pub fn frame_for(&self, refused: &Header) -> Option<Bytes> {
        answer_frame(refused, FrameKind::Refusal, &self.encode_to_vec())
    }
}

impl Reset {
    /// The frame that asks the source of `unknown` to seal its message anew.
    #[must_use]
    pub fn frame_for(&self, unknown: &Header) -> Option<Bytes> {
        answer_frame(unknown, FrameKind::Reset, &self.encode_to_vec())
    }
}

fn answer_frame(header: &Header, kind: FrameKind, body: &[u8]) -> Option<Bytes> {
    if header.kind != FrameKind::Message {
        return None;
    }
    let back = Header {
        kind,
        flags: Flags {
            opening: false,
            reply: true,
        },
        source: header.destination.clone(),
        destination: header.source.clone(),
        session: [0; 16],
        sequence: 0,
        ..header.clone()
    };
    back.frame(body).ok()
}
