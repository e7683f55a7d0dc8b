//! The thread that gives the index what is durable, behind the sequencer's back.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use juki_dispatch::{IndexBatch, IndexError, IndexMark, IndexPort, View};
use juki_ledger::Chain;
use juki_runtime::Threads;
use tokio::time::Instant;

/// A batch is handed over when this many keys wait, or some time after the last one: keys that
/// change with every entry (digests, counts, cursors) are then written once for many. Where much is
/// going on the time is longer, since large batches cost the index less.
const BATCH_KEYS: usize = 32_768;
const BUSY_KEYS: usize = 2_048;
const BATCH_EVERY: Duration = Duration::from_millis(200);
const BATCH_EVERY_BUSY: Duration = Duration::from_millis(1_000);

/// How soon the index's thread is asked again whether it has written a batch.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The index follows behind; whoever asks or reports goes first.
const INDEX_NICENESS: i32 = 4;

/// Keys above which the sequencer waits for the index instead of running further ahead.
const WAITING_MAX: usize = 200_000;

/// Hands batches to the index, one at a time.
pub(crate) struct IndexWriter {
    way: Way,
    in_flight: Option<(Vec<Bytes>, u64)>,
    handed_over: Instant,
}

/// How a batch reaches the index.
enum Way {
    /// Behind the sequencer's back.
    Thread {
        batches: SyncSender<IndexBatch>,
        written: Receiver<Result<(), IndexError>>,
        thread: JoinHandle<()>,
    },
    /// At once, where everything runs on one thread.
    Inline(Arc<dyn IndexPort>),
}

impl IndexWriter {
    pub(crate) fn start(index: Arc<dyn IndexPort>, threads: &Threads) -> std::io::Result<Self> {
        let way = if threads.are_tasks() {
            Way::Inline(index)
        } else {
            let (batches, taken) = sync_channel::<IndexBatch>(1);
            let (done, written) = sync_channel(1);
            let thread = std::thread::Builder::new()
                .name("index".to_owned())
                .spawn(move || {
                    juki_runtime::give_way(INDEX_NICENESS);
                    while let Ok(batch) = taken.recv() {
                        if done.send(index.write(&batch)).is_err() {
                            break;
                        }
                    }
                })?;
            Way::Thread {
                batches,
                written,
                thread,
            }
        };
        Ok(Self {
            way,
            in_flight: None,
            handed_over: Instant::now(),
        })
    }

    /// When it next has something to do of its own accord, if it has.
    pub(crate) fn due(&self, view: &View) -> Option<Duration> {
        let waits = view.waiting() > 0 || self.in_flight.is_some();
        waits.then(|| {
            BATCH_EVERY
                .saturating_sub(self.handed_over.elapsed())
                .max(LOOK_AGAIN)
        })
    }

    /// Gives the index all that is durable, if it is idle. `durable` must be the chain's head.
    pub(crate) fn advance(
        &mut self,
        view: &mut View,
        chain: &Chain,
        durable: u64,
    ) -> Result<(), IndexError> {
        self.collect(view, view.waiting() > WAITING_MAX)?;
        let waiting = view.waiting();
        let every = if waiting < BUSY_KEYS {
            BATCH_EVERY
        } else {
            BATCH_EVERY_BUSY
        };
        let due = waiting >= BATCH_KEYS || self.handed_over.elapsed() >= every;
        if !due || self.in_flight.is_some() || chain.seq != durable {
            return Ok(());
        }
        self.hand_over(view, chain, durable)
    }

    fn hand_over(
        &mut self,
        view: &mut View,
        chain: &Chain,
        durable: u64,
    ) -> Result<(), IndexError> {
        self.handed_over = Instant::now();
        let writes = view.take_writes(durable);
        if writes.is_empty() {
            return Ok(());
        }
        let keys: Vec<Bytes> = writes.iter().map(|(key, _)| key.clone()).collect();
        let batch = IndexBatch {
            mark: IndexMark {
                seq: durable,
                hash: chain.hash,
            },
            writes,
        };
        match &self.way {
            Way::Thread { batches, .. } => {
                self.in_flight = Some((keys, durable));
                batches
                    .send(batch)
                    .map_err(|_| IndexError("the index's thread ended".to_owned()))
            }
            Way::Inline(index) => {
                index.write(&batch)?;
                view.forget_written(&keys, durable);
                Ok(())
            }
        }
    }

    fn collect(&mut self, view: &mut View, wait: bool) -> Result<(), IndexError> {
        let Way::Thread { written, .. } = &self.way else {
            return Ok(());
        };
        if self.in_flight.is_none() {
            return Ok(());
        }
        let ended = |_| IndexError("the index's thread ended".to_owned());
        let result = if wait {
            Some(written.recv().map_err(ended)?)
        } else {
            written.try_recv().ok()
        };
        if let Some(result) = result {
            result?;
            if let Some((keys, through)) = self.in_flight.take() {
                view.forget_written(&keys, through);
            }
        }
        Ok(())
    }

    /// Waits for the last batch and ends the thread.
    pub(crate) fn close(mut self, view: &mut View, chain: &Chain) -> Result<(), IndexError> {
        self.collect(view, true)?;
        self.hand_over(view, chain, chain.seq)?;
        self.collect(view, true)?;
        match self.way {
            Way::Inline(_) => Ok(()),
            Way::Thread {
                batches, thread, ..
            } => {
                drop(batches);
                thread
                    .join()
                    .map_err(|_| IndexError("the index's thread panicked".to_owned()))
            }
        }
    }
}
