//! The first words on every connection.
//!
//! TLS 1.3 lets a client believe in a connection before the server has judged its certificate, so a
//! link counts as up only after HelloAck.

use prost::Message;

/// Version of the hop protocol.
pub const VERSION: u32 = 1;

/// Longest control message in bytes: a notice of the greatest length, and its frame.
pub const CONTROL_BYTES_MAX: usize = 4 * 1024 * 1024 + 1024;

/// What the dialling node says first.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Hello {
    /// Version of the hop protocol.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// The node's name; the certificate must say the same.
    #[prost(string, tag = "2")]
    pub node: String,
    /// The network's id.
    #[prost(string, tag = "3")]
    pub network: String,
    /// Version of the network calendar.
    #[prost(uint32, tag = "4")]
    pub calendar_version: u32,
    /// Today's civil date on the network calendar, yyyymmdd.
    #[prost(uint32, tag = "5")]
    pub civil_date: u32,
    /// Number of the newest revocation list known.
    #[prost(uint64, tag = "6")]
    pub revocation_number: u64,
    /// The machine's clock in milliseconds since 1970; 0 where the node does not say it.
    #[prost(uint64, tag = "7")]
    pub clock_ms: u64,
    /// Version of the node's program; empty where the node does not say it. Decides nothing.
    #[prost(string, tag = "8")]
    pub program: String,
    /// Number of the newest notice known, for each kind of which there is one.
    #[prost(message, repeated, tag = "9")]
    pub notices: Vec<NoticeNumber>,
    /// Whether this connection takes over from the one that is up, which then ends by itself.
    #[prost(bool, tag = "10")]
    pub takes_over: bool,
}

/// The newest notice of a kind that a node knows.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct NoticeNumber {
    /// The kind's number.
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    /// The notice's number.
    #[prost(uint64, tag = "2")]
    pub number: u64,
}

/// What the accepting node answers: the same, said of itself.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HelloAck {
    /// The answering node's hello.
    #[prost(message, optional, tag = "1")]
    pub hello: Option<Hello>,
}

/// A newer revocation list, passed on to whoever has an older one.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RevocationUpdate {
    /// The X.509 revocation list in DER, signed by the registrar.
    #[prost(bytes = "vec", tag = "1")]
    pub list: Vec<u8>,
}

/// A newer notice, passed on to whoever has an older one of its kind.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct NoticeUpdate {
    /// The notice as the registrar signed it.
    #[prost(bytes = "vec", tag = "1")]
    pub notice: Vec<u8>,
}

/// Asks the dialling node for a new connection: the accepting one has a new certificate.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DialAnew {}

/// A message on the control stream, prefixed by its length as u32 in network order.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Control {
    /// The message.
    #[prost(oneof = "control::Kind", tags = "1, 2, 3, 4, 5")]
    pub kind: Option<control::Kind>,
}

/// The kinds of control messages.
pub mod control {
    use super::{DialAnew, Hello, HelloAck, NoticeUpdate, RevocationUpdate};

    /// One control message.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// First word of the dialler.
        #[prost(message, tag = "1")]
        Hello(Hello),
        /// Its answer.
        #[prost(message, tag = "2")]
        HelloAck(HelloAck),
        /// A newer revocation list.
        #[prost(message, tag = "3")]
        Revocation(RevocationUpdate),
        /// A newer notice.
        #[prost(message, tag = "4")]
        Notice(NoticeUpdate),
        /// A new connection is wanted.
        #[prost(message, tag = "5")]
        DialAnew(DialAnew),
    }
}
