//! What all nodes do alike with their links, and a ledger thread for those without services.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use juki_dispatch::LedgerPort as _;
use juki_ledger::NewEntry;
use juki_runtime::{Clock, DiskFiles};

use crate::LedgerAdapter;

/// Entries that may wait for a ledger thread; beyond them they are counted as lost records, which
/// the next entry reports.
const QUEUE_MAX: usize = 4096;

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
    entries: Option<SyncSender<NewEntry>>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl LedgerThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn start(
        mut ledger: LedgerAdapter<DiskFiles>,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let (entries, taken) = sync_channel::<NewEntry>(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                while let Ok(first) = taken.recv() {
                    let now_ms = clock.now_ms();
                    ledger.append(now_ms, first)?;
                    while let Ok(entry) = taken.try_recv() {
                        ledger.append(now_ms, entry)?;
                    }
                    ledger.sync()?;
                }
                ledger
                    .close(clock.now_ms())
                    .map_err(|error| error.to_string())
            })?;
        Ok(Self {
            entries: Some(entries),
            thread: Some(thread),
        })
    }

    /// Hands an entry over without waiting, and says what became of it.
    #[must_use]
    pub fn append(&self, entry: NewEntry) -> Handover {
        match self.entries.as_ref().map(|entries| entries.try_send(entry)) {
            Some(Ok(())) => Handover::Taken,
            Some(Err(TrySendError::Full(_))) => Handover::QueueFull,
            Some(Err(TrySendError::Disconnected(_))) | None => Handover::ThreadEnded,
        }
    }

    /// Stores what waits, ends the ledger's run and the thread.
    ///
    /// # Errors
    /// The sentence with which the thread ended.
    pub fn close(mut self) -> Result<(), String> {
        self.entries = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err("the ledger's thread panicked".to_owned()),
            None => Ok(()),
        }
    }
}

impl Drop for LedgerThread {
    fn drop(&mut self) {
        self.entries = None;
        // The process may be about to end: a thread that still draws salts then would be aborted.
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}
