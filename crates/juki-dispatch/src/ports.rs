//! What goes into a sequencer, what comes out, and what it stands on.

use std::sync::Arc;

use bytes::Bytes;
use juki_crypto::{Directory, Notice, Randomness, SealingKey, SigningKey};
use juki_domain::{ErrorCode, NodeId};
use juki_ledger::{Chain, Entry, EntryKind, NewEntry};
use juki_wire::{MessageId, Priority};
use prost::Message;

use crate::{IndexError, LedgerRead, Ticket};

/// A ledger entry about something that concerns security: a frame refused by its destination. Services
/// fold it as any other entry.
pub const SECURITY: EntryKind = EntryKind(16);

/// The payload of a [`SECURITY`] entry.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SecurityRecord {
    /// The node that the frame named as its source.
    #[prost(string, tag = "1")]
    pub source: String,
    /// The stable error code.
    #[prost(string, tag = "2")]
    pub code: String,
    /// The message.
    #[prost(string, tag = "3")]
    pub message_id: String,
    /// How many refusals of one turn the entry stands for; more than one for those beyond the entries
    /// that a turn may have, of which it names the first.
    #[prost(uint32, tag = "4")]
    pub count: u32,
}

/// The ledger as the sequencer needs it.
pub trait LedgerPort: LedgerRead {
    /// Appends in memory.
    ///
    /// # Errors
    /// A sentence for the log; the node stops.
    fn append(&mut self, at_ms: u64, entry: NewEntry) -> Result<Arc<Entry>, String>;

    /// Appends a signed checkpoint of the chain as it stands.
    ///
    /// # Errors
    /// A sentence for the log; the node stops.
    fn append_checkpoint(&mut self, at_ms: u64) -> Result<(), String> {
        let _ = at_ms;
        Ok(())
    }

    /// Makes all appended entries durable with one sync and gives the last durable number.
    ///
    /// # Errors
    /// A sentence for the log; the node stops.
    fn sync(&mut self) -> Result<u64, String>;

    /// Where the chain stands.
    fn chain(&self) -> Chain;
}

/// Why a turn could not be ended. The node stops: what it acknowledged is safe, what it would say
/// next would not be.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The ledger failed.
    #[error("the ledger failed: {0}")]
    Ledger(String),
    /// The index failed: wipe it and fold the ledger again.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Something for the node to deal with.
pub enum Input {
    /// A frame from a neighbour.
    Frame(Bytes),
    /// Somebody on this node asks a service.
    Local {
        /// The service's name.
        service: &'static str,
        /// Who waits.
        ticket: Ticket,
        /// What is asked.
        request: Vec<u8>,
    },
    /// Somebody on this node asks a service many things at once: each is decided by itself and in
    /// order, and one [`crate::BatchAnswer`] answers all when all are durable.
    Batch {
        /// The service's name.
        service: &'static str,
        /// Who waits.
        ticket: Ticket,
        /// What is asked.
        requests: Vec<Vec<u8>>,
    },
    /// A document that the registrar signed is in force from now on. Also given after each start, for
    /// each that is in force then.
    Notice(Arc<Notice>),
    /// Something that concerns security happened on a link, and belongs on record.
    Security {
        /// Whom the link's other end claimed to be, or where it came from.
        source: String,
        /// What it was.
        code: ErrorCode,
    },
}

/// Something the node says.
pub enum Output {
    /// A frame for another node.
    Frame {
        /// Its destination.
        destination: NodeId,
        /// Its urgency.
        priority: Priority,
        /// The bytes.
        frame: Bytes,
    },
    /// An answer for somebody on this node.
    Local {
        /// Who waits.
        ticket: Ticket,
        /// What is said.
        body: Vec<u8>,
    },
    /// A frame was refused here.
    Refused {
        /// The source it named.
        source: NodeId,
        /// Why.
        code: ErrorCode,
        /// The message.
        message_id: MessageId,
    },
}

/// Who the node is.
#[derive(Clone)]
pub struct NodeIdentity {
    /// The node's name.
    pub node: NodeId,
    /// Its signing key.
    pub signing: Arc<SigningKey>,
    /// Its sealing key.
    pub sealing: Arc<SealingKey>,
    /// Who is who.
    pub directory: Arc<Directory>,
    /// Where random bytes come from.
    pub randomness: Arc<dyn Randomness>,
    /// The version of the network calendar.
    pub calendar_version: u32,
}
