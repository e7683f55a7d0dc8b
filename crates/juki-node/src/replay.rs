//! Opening a ledger and bringing the index up to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use juki_dispatch::{
    IndexBatch, IndexError, IndexMark, IndexPort, LedgerPort, LedgerRead, Service, View,
};
use juki_ledger::{Chain, Checkpoint, Entry, NewEntry};
use juki_runtime::Files;
use juki_store::{Ledger, LedgerError, LedgerIdentity, LedgerSettings, OpenReport};

use crate::{AnyFiles, Prepared};

/// Entries between two signed checkpoints.
const CHECKPOINT_EVERY: u64 = 1_000;
/// Keys gathered before they are written to the index during a replay.
const REPLAY_WRITES: usize = 20_000;

/// Opens a node's ledger in its data folder.
///
/// # Errors
/// [`LedgerError`].
pub fn open_ledger(
    prepared: &Prepared,
    now_ms: u64,
) -> Result<(LedgerAdapter<AnyFiles>, OpenReport), LedgerError> {
    let files = (prepared.machine.folders)(&prepared.data().join("ledger"))?;
    let identity = LedgerIdentity {
        node: prepared.config.node.name.clone(),
        storage: prepared.keys.storage_key(),
        signing: Arc::clone(&prepared.keys.signing),
        randomness: Arc::clone(&prepared.machine.randomness),
    };
    let (ledger, report) = Ledger::open(files, identity, LedgerSettings::default(), now_ms)?;
    Ok((LedgerAdapter::new(ledger), report))
}

/// A ledger as the sequencer sees it: with checkpoints in between, and errors as sentences.
pub struct LedgerAdapter<F: Files> {
    ledger: Ledger<F>,
    checkpoint_seq: u64,
    /// A checkpoint that waits for its sync.
    staged_checkpoint: Option<Checkpoint>,
    /// The newest checkpoint that is durable.
    durable_checkpoint: Option<Checkpoint>,
    last_ms: u64,
    /// An entry could not be read back: what was decided since then may rest on less than was written.
    unreadable: AtomicBool,
}

impl<F: Files> LedgerAdapter<F> {
    pub(crate) fn new(ledger: Ledger<F>) -> Self {
        let checkpoint_seq = ledger.chain().seq;
        Self {
            ledger,
            checkpoint_seq,
            staged_checkpoint: None,
            durable_checkpoint: None,
            last_ms: 0,
            unreadable: AtomicBool::new(false),
        }
    }

    /// The ledger itself.
    #[must_use]
    pub fn ledger(&self) -> &Ledger<F> {
        &self.ledger
    }

    /// Whether an entry could not be read back: the node must end.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.unreadable.load(Ordering::Relaxed)
    }

    /// Ends the run with a last checkpoint.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn close(self, now_ms: u64) -> Result<(), LedgerError> {
        self.ledger.close(now_ms)
    }
}

impl<F: Files> LedgerRead for LedgerAdapter<F> {
    fn entries(&self, from_seq: u64, bytes_max: usize) -> Vec<Arc<Entry>> {
        self.ledger
            .entries(from_seq, bytes_max)
            .unwrap_or_else(|error| {
                self.unreadable.store(true, Ordering::Relaxed);
                tracing::error!(event = "ledger.unreadable", code = error.code().code(), %error);
                Vec::new()
            })
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        self.durable_checkpoint.clone()
    }

    fn checkpoint_waits(&self) -> bool {
        self.staged_checkpoint.is_some()
    }
}

impl<F: Files> LedgerPort for LedgerAdapter<F> {
    fn append(&mut self, at_ms: u64, entry: NewEntry) -> Result<Arc<Entry>, String> {
        self.last_ms = at_ms;
        self.ledger
            .append(at_ms, entry)
            .map_err(|error| error.to_string())
    }

    fn append_checkpoint(&mut self, at_ms: u64) -> Result<(), String> {
        let checkpoint = self
            .ledger
            .append_checkpoint(at_ms)
            .map_err(|error| error.to_string())?;
        self.staged_checkpoint = Some(checkpoint);
        self.checkpoint_seq = self.ledger.chain().seq;
        Ok(())
    }

    fn sync(&mut self) -> Result<u64, String> {
        if self.unreadable.load(Ordering::Relaxed) {
            return Err("an entry could not be read back".to_owned());
        }
        if self.ledger.chain().seq >= self.checkpoint_seq + CHECKPOINT_EVERY {
            LedgerPort::append_checkpoint(self, self.last_ms)?;
        }
        let durable = self.ledger.sync().map_err(|error| error.to_string())?;
        if let Some(checkpoint) = self.staged_checkpoint.take() {
            self.durable_checkpoint = Some(checkpoint);
        }
        Ok(durable)
    }

    fn chain(&self) -> Chain {
        self.ledger.chain()
    }
}

/// Why the index could not be brought up to the ledger.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// What a replay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Replayed {
    pub(crate) wiped: bool,
    pub(crate) entries: u64,
}

/// Folds into the index what it has not got. A mark that the chain does not confirm wipes it, and so
/// does a mark that is missing: a large batch takes it away first, so what lies there may be half of one.
pub(crate) fn bring_up<F: Files>(
    ledger: &Ledger<F>,
    index: &Arc<dyn IndexPort>,
    services: &mut [Box<dyn Service>],
) -> Result<(View, Replayed), ReplayError> {
    let mark = index.mark().unwrap_or_default();
    let confirmed = mark.seq > 0
        && mark.seq <= ledger.chain().seq
        && ledger.chain_at(mark.seq)?
            == Some(Chain {
                seq: mark.seq,
                hash: mark.hash,
            });
    if !confirmed {
        index.wipe()?;
    }
    let from = if confirmed { mark.seq } else { 0 };
    let mut view = View::new(Arc::clone(index));
    let mut failure = None;
    let mut chain = ledger.chain_at(from)?.unwrap_or_default();
    ledger.replay(from + 1, &mut |entry| {
        chain.advance(&entry.leaf());
        view.begin_entry(entry.seq);
        for service in services.iter_mut() {
            service.apply(entry, &mut view);
        }
        if view.waiting() >= REPLAY_WRITES && failure.is_none() {
            failure = write_through(&mut view, index, &chain).err();
        }
    })?;
    write_through(&mut view, index, &chain)?;
    match failure.or(view.take_failure()) {
        Some(error) => Err(ReplayError::Index(error)),
        None => Ok((
            view,
            Replayed {
                wiped: !confirmed,
                entries: chain.seq - from,
            },
        )),
    }
}

fn write_through(
    view: &mut View,
    index: &Arc<dyn IndexPort>,
    chain: &Chain,
) -> Result<(), IndexError> {
    let writes = view.take_writes(chain.seq);
    let batch = IndexBatch {
        mark: IndexMark {
            seq: chain.seq,
            hash: chain.hash,
        },
        writes,
    };
    index.write(&batch)?;
    let keys: Vec<Bytes> = batch.writes.into_iter().map(|(key, _)| key).collect();
    view.forget_written(&keys, chain.seq);
    Ok(())
}

#[cfg(test)]
mod tests {
    use juki_crypto::{SigningKey, StorageKey, SystemRandomness};
    use juki_dispatch::{Context, MemoryIndex, Origin, Step};
    use juki_ledger::EntryKind;
    use juki_runtime::DiskFiles;

    use super::*;

    const COUNT: &[u8] = b"count";

    /// Counts entries, so that one that is folded twice shows.
    struct Counter;

    impl Service for Counter {
        fn name(&self) -> &'static str {
            "counter"
        }

        fn on_message(&mut self, _: &Context<'_>, _: &Origin, _: &[u8], _: &mut View) -> Step {
            Step::none()
        }

        fn apply(&mut self, _: &Entry, view: &mut View) {
            view.put(COUNT.to_vec(), vec![counted(view) + 1]);
        }
    }

    fn counted(view: &View) -> u8 {
        view.get(COUNT).map_or(0, |count| count[0])
    }

    #[test]
    fn an_index_without_a_mark_is_half_of_a_batch_and_is_wiped() {
        let folder = tempfile::tempdir().unwrap();
        let identity = LedgerIdentity {
            node: "national".parse().unwrap(),
            storage: StorageKey::new([1; 32]),
            signing: Arc::new(SigningKey::generate(&SystemRandomness).unwrap()),
            randomness: Arc::new(SystemRandomness),
        };
        let files = DiskFiles::open(folder.path()).unwrap();
        let (mut ledger, _) = Ledger::open(files, identity, LedgerSettings::default(), 1).unwrap();
        for _ in 0..5 {
            let (kind, payload) = (EntryKind(200), vec![1]);
            ledger.append(2, NewEntry { kind, payload }).unwrap();
        }
        ledger.sync().unwrap();
        let entries = ledger.chain().seq;
        let half = IndexBatch {
            mark: IndexMark::default(),
            writes: vec![(Bytes::from_static(COUNT), Some(vec![3].into()))],
        };
        let index: Arc<dyn IndexPort> = Arc::new(MemoryIndex::default());
        index.write(&half).unwrap();
        let mut services: Vec<Box<dyn Service>> = vec![Box::new(Counter)];
        let (view, replayed) = bring_up(&ledger, &index, &mut services).unwrap();
        assert_eq!(u64::from(counted(&view)), entries);
        let wiped = true;
        assert_eq!(replayed, Replayed { wiped, entries });
        let (view, replayed) = bring_up(&ledger, &index, &mut services).unwrap();
        assert_eq!((u64::from(counted(&view)), replayed.entries), (entries, 0));
        assert!(
            !replayed.wiped,
            "a mark that the chain confirms is believed"
        );
    }
}
