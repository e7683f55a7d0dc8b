//! The messages of the journal service.

use prost::Message;

use crate::{Cursor, Receipt, SignedBlock};

/// A block was refused. The cursor says where to go on.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Refused {
    /// The municipality, as five digits.
    #[prost(uint32, tag = "1")]
    pub municipality: u32,
    /// The stable error code.
    #[prost(string, tag = "2")]
    pub code: String,
    /// Where the refusing tier stands.
    #[prost(message, optional, tag = "3")]
    pub cursor: Option<Cursor>,
}

/// One message.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct JournalMessage {
    /// Which one.
    #[prost(oneof = "kind::Kind", tags = "1, 2, 3, 4, 5")]
    pub kind: Option<kind::Kind>,
}

/// The kinds of messages.
pub mod kind {
    use super::{Cursor, Receipt, Refused, SignedBlock};

    /// One message.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// Upward: where do you stand with this municipality's journal?
        #[prost(uint32, tag = "1")]
        Ask(u32),
        /// Downward: here.
        #[prost(message, tag = "2")]
        Cursor(Cursor),
        /// Upward: a block.
        #[prost(message, tag = "3")]
        Block(SignedBlock),
        /// Downward: it is durable here.
        #[prost(message, tag = "4")]
        Receipt(Receipt),
        /// Downward: it is refused.
        #[prost(message, tag = "5")]
        Refused(Refused),
    }
}

impl JournalMessage {
    /// The bytes of a message.
    #[must_use]
    pub fn bytes(kind: kind::Kind) -> Vec<u8> {
        Self { kind: Some(kind) }.encode_to_vec()
    }
}
