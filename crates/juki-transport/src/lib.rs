//! QUIC links between neighbouring nodes.
//!
//! One hop is one connection with both sides authenticated. A node dials and accepts only the peers
//! that its configuration names; whatever else comes is closed with an error code and reported. A
//! link is up only after HelloAck, since TLS 1.3 lets a client believe in a connection before the
//! server has judged its certificate. Frames are opaque here except for their length.

mod address_file;
mod admission;
mod close_code;
mod control;
mod datagrams;
mod dial;
mod endpoint;
mod event;
mod frame_splitter;
mod greeting;
mod hub;
pub mod initials;
mod link;
mod listen;
mod notices;
mod outflow;
mod pace;
mod peer_slot;
mod settings;
mod streams;
mod tls;
mod token_bucket;
mod transport;
mod trust;
mod trust_exchange;

pub use datagrams::{Datagram, DatagramNetwork, Port};
pub use endpoint::Sockets;
pub use event::{Class, LinkEvent, PeerSaid, PeerState, SendError};
pub use notices::{KeepNotice, NoticeRefused, NoticeStore};
pub use settings::{
    Identity, KeepRevocationList, LinkLimits, Listener, PeerSettings, Timing, TransportSettings,
};
pub use transport::{Transport, TransportError};
pub use trust::InstallError;
