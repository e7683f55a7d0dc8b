//! Who on this node waits for which answer.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use juki_dispatch::Ticket;
use tokio::sync::oneshot;

/// A local question got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// The table of open tickets.
#[derive(Default)]
pub(crate) struct Tickets {
    next: AtomicU64,
    waiting: Mutex<HashMap<Ticket, oneshot::Sender<Vec<u8>>>>,
}

impl Tickets {
    pub(crate) fn draw(&self) -> (Ticket, oneshot::Receiver<Vec<u8>>) {
        let ticket = Ticket(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = oneshot::channel();
        if let Ok(mut waiting) = self.waiting.lock() {
            waiting.insert(ticket, sender);
        }
        (ticket, receiver)
    }

    pub(crate) fn answer(&self, ticket: Ticket, body: Vec<u8>) {
        let sender = self
            .waiting
            .lock()
            .ok()
            .and_then(|mut waiting| waiting.remove(&ticket));
        if let Some(sender) = sender {
            // Whoever asked may have gone away; the ledger keeps what was decided.
            let _ = sender.send(body);
        }
    }
}
