//! A bare relay pipeline to compare the network with: the same hops, bytes and syncs, and nothing else.
//!
//! Each process takes the place of a node of the demo's network: the same links with the same
//! certificates, the same access point between them, the same interface for the client, records of
//! the same size that are durable before the answer. No body is sealed, no policy judged, no record
//! looked up, chained or encrypted.

mod durable_log;
mod network;
mod node;
mod office;
mod register;
mod terminal;
mod tier;

pub(super) use network::{BareNetwork, Sizes};
pub(crate) use node::run;
pub(super) use office::{Office, new_message};
