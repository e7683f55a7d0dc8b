//! The step: a node's sessions, its services, and the order decide, commit, emit (design.md 4).
//!
//! One [`Sequencer`] per node takes inputs in order. A service decides what an input means and
//! returns a [`Step`]: entries to append and words to say. What the entries change is visible to
//! the next decision at once; answers leave only when their entries are durable.

mod communication;
mod looked;
mod overlay;
mod ports;
mod rehearsal;
mod sequencer;
mod service;
mod sessions;
mod step;
mod view;

pub use communication::{COMMUNICATION, Communication, CommunicationRecord, Direction};
pub use ports::{Input, LedgerPort, NodeIdentity, Output, SECURITY, SecurityRecord, TurnError};
pub use sequencer::{BatchAnswer, Sequencer};
pub use service::{Context, LedgerRead, Origin, Service};
pub use sessions::{OpenedFrame, Sessions};
pub use step::{Answer, Emit, Forward, Step, Ticket};
pub use view::{
    IndexBatch, IndexError, IndexMark, IndexPort, KeyValue, MemoryIndex, View, Writes, scan_start,
};
