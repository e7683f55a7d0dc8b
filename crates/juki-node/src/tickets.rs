//! Who on this node waits for which answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use juki_dispatch::Ticket;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A local question got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// Turns whose answers may be on their way.
const TURNS_MAX: usize = 64;

/// An answer and who waits for it.
type Answer = (oneshot::Sender<Vec<u8>>, Vec<u8>);

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

    fn take(&self, ticket: Ticket) -> Option<oneshot::Sender<Vec<u8>>> {
        self.waiting.lock().ok()?.remove(&ticket)
    }
}

/// The answers of a turn on their way to the thread of the interfaces, where whoever waits is woken.
///
/// They cross together. One by one, each would cost both threads a system call, and interfaces and
/// their clients would do one at a time what they can do for all.
pub(crate) struct Answers {
    tickets: Arc<Tickets>,
    turn: Vec<Answer>,
    across: mpsc::Sender<Vec<Answer>>,
}

impl Answers {
    /// The way of answers, and the task that hands them out until the way is dropped.
    pub(crate) fn begin(tickets: Arc<Tickets>) -> (Self, JoinHandle<()>) {
        let (across, mut arrived) = mpsc::channel(TURNS_MAX);
        let task = juki_runtime::spawn(async move {
            while let Some(answers) = arrived.recv().await {
                hand_out(answers);
            }
        });
        let way = Self {
            tickets,
            turn: Vec::new(),
            across,
        };
        (way, task)
    }

    /// Takes an answer of this turn.
    pub(crate) fn answer(&mut self, ticket: Ticket, body: Vec<u8>) {
        let waiting = self.tickets.take(ticket);
        self.turn.extend(waiting.map(|waiting| (waiting, body)));
    }

    /// Sends what the turn has answered.
    pub(crate) fn send(&mut self) {
        if self.turn.is_empty() {
            return;
        }
        if let Err(error) = self.across.try_send(std::mem::take(&mut self.turn)) {
            // The interfaces are behind by many turns; waking them one by one loses nothing.
            hand_out(error.into_inner());
        }
    }
}

fn hand_out(answers: Vec<Answer>) {
    for (waiting, body) in answers {
        // Whoever asked may have gone away; the ledger keeps what was decided.
        let _ = waiting.send(body);
    }
}
