//! What all nodes do alike with their links, and a ledger thread for those without services.

use std::sync::Arc;

use juki_dispatch::{LedgerPort as _, LedgerRead as _};
use juki_ledger::{Checkpoint, NewEntry};
use juki_runtime::{Clock, Running, Threads};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::{AnyFiles, LedgerAdapter};

/// Entries that may wait for a ledger thread; beyond them they are counted as lost records, which
/// the next entry reports.
const QUEUE_MAX: usize = 4096;

/// Words of the thread that may wait; beyond them they are dropped.
const TOLD_MAX: usize = 256;

/// What a [`LedgerThread`] says when something is durable.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// Entries that were handed over with a tag: the tag and the entry's number.
    pub tagged: Vec<(u64, u64)>,
    /// A checkpoint that covers them, or that was asked for.
    pub checkpoint: Option<Checkpoint>,
}

/// What a thread takes.
enum Item {
    Entry(NewEntry),
    Tagged(NewEntry, u64),
    Checkpoint,
}

/// What became of an entry that was handed to a [`LedgerThread`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// It waits for the disk, or is stored.
    Taken,
    /// Too many wait before it; a later one may be taken.
    QueueFull,
    /// The thread has ended, as it does where the disk fails: it takes nothing any more.
    ThreadEnded,
}

/// A ledger with a thread of its own: its entries gate nothing (a firewall's records).
pub struct LedgerThread {
    items: Option<mpsc::Sender<Item>>,
    thread: Option<Running>,
    ended: oneshot::Receiver<Result<(), String>>,
}

impl LedgerThread {
    /// Starts the thread, which says what is durable of what was tagged or asked for.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn start(
        ledger: LedgerAdapter<AnyFiles>,
        clock: Arc<dyn Clock>,
        threads: &Threads,
    ) -> std::io::Result<(Self, mpsc::Receiver<Stored>)> {
        let (items, taken) = mpsc::channel::<Item>(QUEUE_MAX);
        let (told, stored) = mpsc::channel(TOLD_MAX);
        let (end, ended) = oneshot::channel();
        let work = async move {
            // Whoever let go of the thread is not interested.
            let _ = end.send(keep(ledger, clock.as_ref(), taken, told).await);
        };
        let thread = threads.run("ledger", Box::pin(work))?;
        let started = Self {
            items: Some(items),
            thread: Some(thread),
            ended,
        };
        Ok((started, stored))
    }

    /// Hands an entry over without waiting, and says what became of it.
    #[must_use]
    pub fn append(&self, entry: NewEntry) -> Handover {
        self.hand_over(Item::Entry(entry))
    }

    /// As [`Self::append`]; when the entry is durable, its tag and number are told with a checkpoint
    /// that covers it.
    #[must_use]
    pub fn append_tagged(&self, entry: NewEntry, tag: u64) -> Handover {
        self.hand_over(Item::Tagged(entry, tag))
    }

    /// Has the chain signed as it stands then, and told.
    #[must_use]
    pub fn checkpoint(&self) -> Handover {
        self.hand_over(Item::Checkpoint)
    }

    fn hand_over(&self, item: Item) -> Handover {
        match self.items.as_ref().map(|items| items.try_send(item)) {
            Some(Ok(())) => Handover::Taken,
            Some(Err(TrySendError::Full(_))) => Handover::QueueFull,
            Some(Err(TrySendError::Closed(_))) | None => Handover::ThreadEnded,
        }
    }

    /// Stores what waits, ends the ledger's run and the thread.
    ///
    /// # Errors
    /// The sentence with which the thread ended.
    pub async fn close(mut self) -> Result<(), String> {
        self.items = None;
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        if !thread.ended().await {
            return Err("the ledger's thread panicked".to_owned());
        }
        self.ended.try_recv().unwrap_or(Ok(()))
    }
}

impl Drop for LedgerThread {
    fn drop(&mut self) {
        self.items = None;
        // The process may be about to end: a thread that still draws salts then would be aborted.
        if let Some(mut thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// The thread's work until whoever hands items over is gone.
async fn keep(
    mut ledger: LedgerAdapter<AnyFiles>,
    clock: &dyn Clock,
    mut taken: mpsc::Receiver<Item>,
    told: mpsc::Sender<Stored>,
) -> Result<(), String> {
    let mut items = Vec::new();
    while taken.recv_many(&mut items, QUEUE_MAX).await > 0 {
        let now_ms = clock.now_ms();
        let mut tagged = Vec::new();
        let mut signs = false;
        for item in items.drain(..) {
            match item {
                Item::Entry(entry) => {
                    ledger.append(now_ms, entry)?;
                }
                Item::Tagged(entry, tag) => {
                    tagged.push((tag, ledger.append(now_ms, entry)?.seq));
                    signs = true;
                }
                Item::Checkpoint => signs = true,
            }
        }
        if signs {
            ledger.append_checkpoint(now_ms)?;
        }
        ledger.sync()?;
        if signs {
            let checkpoint = ledger.checkpoint();
            // Whoever does not listen has the entry in the ledger all the same.
            let _ = told.try_send(Stored { tagged, checkpoint });
        }
    }
    ledger
        .close(clock.now_ms())
        .map_err(|error| error.to_string())
}
