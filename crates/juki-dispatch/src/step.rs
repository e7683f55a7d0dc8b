//! What a decision is: entries to append and words to say.

use juki_domain::{NodeId, ServiceId};
use juki_ledger::{EntryKind, NewEntry};
use juki_wire::{MessageId, Priority};

use crate::Origin;

/// Who on this node waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A message that asks or passes on. It acknowledges nothing and may leave before its step's
/// entries are durable.
#[derive(Clone)]
pub struct Forward {
    pub(crate) to: NodeId,
    pub(crate) service: ServiceId,
    pub(crate) priority: Priority,
    pub(crate) message_id: Option<MessageId>,
    pub(crate) body: Vec<u8>,
}

impl Forward {
    /// A message to a node's service.
    #[must_use]
    pub fn new(to: NodeId, service: ServiceId, priority: Priority, body: Vec<u8>) -> Self {
        Self {
            to,
            service,
            priority,
            message_id: None,
            body,
        }
    }

    /// The same message under an id drawn before, which the asker keeps to know the answer by.
    #[must_use]
    pub fn with_id(self, message_id: MessageId) -> Self {
        Self {
            message_id: Some(message_id),
            ..self
        }
    }
}

/// A message that answers another. There is no way to let it leave before its step's entries are
/// durable: what was acknowledged or provided is in the ledger.
#[derive(Clone)]
pub struct Answer {
    pub(crate) to: NodeId,
    pub(crate) service: ServiceId,
    pub(crate) priority: Priority,
    pub(crate) message_id: MessageId,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Answers a message.
    #[must_use]
    pub fn to(origin: &Origin, service: ServiceId, body: Vec<u8>) -> Self {
        Self {
            to: origin.node.clone(),
            service,
            priority: origin.priority,
            message_id: origin.message_id,
            body,
        }
    }
}

/// A word that leaves when its step's entries are durable.
#[derive(Clone)]
pub enum Emit {
    /// An answer to another node.
    Answer(Answer),
    /// A message to another node that must not run ahead of the ledger (a receipt passed down).
    Message(Forward),
    /// An answer to somebody on this node.
    Local {
        /// Who waits.
        ticket: Ticket,
        /// What is said.
        body: Vec<u8>,
    },
}

/// What a decision is.
#[derive(Default)]
pub struct Step {
    pub(crate) entries: Vec<NewEntry>,
    pub(crate) forwards: Vec<Forward>,
    pub(crate) emits: Vec<Emit>,
    pub(crate) lazy: bool,
    pub(crate) checkpoint: bool,
}

impl Step {
    /// Nothing to append and nothing to say.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Appends an entry.
    pub fn append(&mut self, kind: EntryKind, payload: Vec<u8>) {
        self.entries.push(NewEntry { kind, payload });
    }

    /// Has the chain signed after the step's entries. The checkpoint waits for a sync as they do.
    pub fn checkpoint(&mut self) {
        self.checkpoint = true;
    }

    /// Says that nobody waits for the entries: they may share the sync of a later turn. What the
    /// step says is then said without waiting for them.
    #[must_use]
    pub fn lazy(self) -> Self {
        Self { lazy: true, ..self }
    }

    /// Sends a message at once.
    pub fn forward(&mut self, forward: Forward) {
        self.forwards.push(forward);
    }

    /// Answers another node when the entries are durable.
    pub fn answer(&mut self, answer: Answer) {
        self.emits.push(Emit::Answer(answer));
    }

    /// Sends a message when the entries are durable.
    pub fn send_when_durable(&mut self, forward: Forward) {
        self.emits.push(Emit::Message(forward));
    }

    /// Answers somebody on this node when the entries are durable.
    pub fn answer_local(&mut self, ticket: Ticket, body: Vec<u8>) {
        self.emits.push(Emit::Local { ticket, body });
    }

    /// Takes in all of another step, after this one's.
    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.forwards.extend(other.forwards);
        self.emits.extend(other.emits);
        self.checkpoint |= other.checkpoint;
    }
}
