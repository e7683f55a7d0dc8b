//! The index in one log-structured merge tree without a log of its own.
//!
//! The ledger is the log: what the tree holds in memory when a node ends is folded again from the
//! mark on disk. The memory is written out as a whole and between batches only, so that what lies on
//! disk is always whole at a mark.

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use juki_crypto::{Randomness, StorageKey};
use juki_dispatch::{IndexBatch, IndexError, IndexMark, IndexPort, KeyValue, scan_start};
use lsm_tree::compaction::Leveled;
use lsm_tree::config::{CompressionPolicy, PinningPolicy};
use lsm_tree::{
    AbstractTree as _, AnyTree, Cache, CompressionType, Config, DescriptorTable, Guard as _,
    SequenceNumberCounter,
};

use crate::sealing::{MARK, Sealing, guarded};

/// How much memory and how large files an index may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LsmSize {
    /// Memory for blocks read from files, in bytes.
    pub cache_bytes: u64,
    /// Writes are held in memory up to this many bytes. A node that is killed folds as much again.
    pub held_bytes: u64,
    /// Aimed length of a file, in bytes. A ledger's sync waits for a file that is being stored, so files
    /// are not as long as would be good for reading alone.
    pub file_bytes: u64,
}

impl LsmSize {
    /// For one municipality.
    pub const SMALL: Self = Self {
        cache_bytes: 2 << 20,
        held_bytes: 2 << 20,
        file_bytes: 4 << 20,
    };

    /// For a prefecture or the nation.
    pub const LARGE: Self = Self {
        cache_bytes: 32 << 20,
        held_bytes: 24 << 20,
        file_bytes: 16 << 20,
    };
}

/// A batch of this many writes becomes a file of its own.
const FILE_WRITES_MIN: usize = 8_192;

/// Files beside each other before they are merged: each costs a look at its filter when a key is
/// not there.
const UNMERGED_FILES_MAX: u8 = 8;

/// Files beside each other at which a batch waits for the merging.
const UNMERGED_FILES_CEILING: usize = 32;

/// Merging follows behind everything else of the node.
const MERGE_NICENESS: i32 = 5;

/// Files that may be open at once.
const OPEN_FILES_MAX: usize = 64;

/// Newest state, whatever its number.
const NEWEST: u64 = u64::MAX;

/// An index in a folder of its own.
pub struct LsmIndex {
    tree: AnyTree,
    sealing: Sealing,
    size: LsmSize,
    strategy: Arc<Leveled>,
    /// Numbers writes. One thread writes.
    numbers: SequenceNumberCounter,
    /// The thread that merges files, where one runs.
    merging: Mutex<Option<JoinHandle<Result<(), IndexError>>>>,
}

impl LsmIndex {
    /// Opens the index, or makes an empty one where it is missing or cannot be opened: it is only a
    /// copy of what the ledger says.
    ///
    /// # Errors
    /// [`IndexError`] where not even an empty one can be made.
    pub fn open(
        folder: &Path,
        key: StorageKey,
        randomness: &dyn Randomness,
        size: LsmSize,
    ) -> Result<Self, IndexError> {
        let numbers = SequenceNumberCounter::default();
        let tree = match open_tree(folder, size, &numbers) {
            Ok(tree) => tree,
            Err(first) => {
                std::fs::remove_dir_all(folder).map_err(|error| {
                    IndexError(format!("{first}; and it cannot be removed: {error}"))
                })?;
                open_tree(folder, size, &numbers)?
            }
        };
        let highest = guarded(|| Ok::<_, lsm_tree::Error>(tree.get_highest_seqno()))?;
        numbers.set(highest.map_or(0, |highest| highest + 1));
        let index = Self {
            tree,
            sealing: Sealing::new(key, randomness),
            size,
            strategy: Arc::new(
                Leveled::default()
                    .with_l0_threshold(UNMERGED_FILES_MAX)
                    .with_table_target_size(size.file_bytes),
            ),
            numbers,
            merging: Mutex::new(None),
        };
        // A mark that does not open was written under another key.
        if index.mark().is_err() {
            index.wipe()?;
        }
        Ok(index)
    }

    /// Writes out what is held in memory, for a clean end.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn close(&self) -> Result<(), IndexError> {
        self.write_out()
    }

    fn write_out(&self) -> Result<(), IndexError> {
        guarded(|| {
            let lock = self.tree.get_flush_lock();
            self.tree.rotate_memtable();
            self.tree.flush(&lock, self.numbers.get()).map(|_| ())
        })
    }

    /// Takes a batch into memory and says how many bytes lie there now.
    fn hold(&self, writes: &[&Write], mark: &IndexMark) -> Result<u64, IndexError> {
        let number = self.numbers.next();
        guarded(|| {
            for (key, value) in writes {
                match value {
                    Some(value) => {
                        let sealed = self.sealing.seal(key, value);
                        self.tree.insert(key.as_ref(), sealed, number);
                    }
                    None => {
                        self.tree.remove(key.as_ref(), number);
                    }
                }
            }
            let mark = self.sealing.seal_mark(mark);
            Ok::<_, lsm_tree::Error>(self.tree.insert(MARK, mark, number).1)
        })
    }

    /// Writes a large batch to a file of its own, which costs less than the way through memory.
    /// What memory holds is written out before it.
    fn write_file(&self, writes: &[&Write], mark: &IndexMark) -> Result<(), IndexError> {
        guarded(|| {
            let mut file = self.tree.ingestion()?;
            // The mark's key is before all others.
            file.write(MARK, self.sealing.seal_mark(mark))?;
            for (key, value) in writes {
                match value {
                    Some(value) => file.write(key.as_ref(), self.sealing.seal(key, value))?,
                    None => file.write_tombstone(key.as_ref())?,
                }
            }
            file.finish().map(|_| ())
        })
    }

    /// Merges files on a thread of its own, so that the next batch need not wait: merging rewrites a
    /// good part of the tree. Where far too many lie beside each other, the merging is waited for.
    fn merge_files(&self) -> Result<(), IndexError> {
        let unmerged = guarded(|| Ok::<_, lsm_tree::Error>(self.tree.l0_run_count()))?;
        if unmerged < usize::from(UNMERGED_FILES_MAX) {
            return Ok(());
        }
        let mut merging = self.merging();
        if let Some(running) = merging.take() {
            if !running.is_finished() && unmerged < UNMERGED_FILES_CEILING {
                *merging = Some(running);
                return Ok(());
            }
            ended(running)?;
        }
        let (tree, strategy) = (self.tree.clone(), Arc::clone(&self.strategy));
        let number = self.numbers.get();
        let merge = move || {
            juki_runtime::give_way(MERGE_NICENESS);
            guarded(|| tree.compact(strategy, number))
        };
        let thread = std::thread::Builder::new().name("index-merge".to_owned());
        *merging = Some(
            thread
                .spawn(merge)
                .map_err(|error| IndexError(error.to_string()))?,
        );
        Ok(())
    }

    fn merging(&self) -> MutexGuard<'_, Option<JoinHandle<Result<(), IndexError>>>> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended(merging: JoinHandle<Result<(), IndexError>>) -> Result<(), IndexError> {
    let panicked = |_| IndexError("merging panicked".to_owned());
    merging.join().map_err(panicked)?
}

type Write = (Bytes, Option<Bytes>);

/// The last write of each key, in the order of keys.
fn in_order(writes: &[Write]) -> Vec<&Write> {
    let mut ordered: Vec<&Write> = writes.iter().rev().collect();
    // Stable, so that of each key the last write comes first.
    ordered.sort_by(|(a, _), (b, _)| a.cmp(b));
    ordered.dedup_by(|(later, _), (first, _)| later == first);
    ordered
}

fn open_tree(
    folder: &Path,
    size: LsmSize,
    numbers: &SequenceNumberCounter,
) -> Result<AnyTree, IndexError> {
    guarded(|| {
        Config::new(folder, numbers.clone(), numbers.clone())
            .use_cache(Arc::new(Cache::with_capacity_bytes(size.cache_bytes)))
            .use_descriptor_table(Some(Arc::new(DescriptorTable::new(OPEN_FILES_MAX))))
            // They are a hundredth of the records, and asked at every look.
            .filter_block_pinning_policy(PinningPolicy::all(true))
            .index_block_pinning_policy(PinningPolicy::all(true))
            // Ciphertext does not shrink.
            .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
            .open()
    })
}

impl IndexPort for LsmIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        match guarded(|| self.tree.get(key, NEWEST))? {
            Some(bytes) => self.sealing.unseal(key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        let range = (scan_start(prefix, after), Bound::<&[u8]>::Unbounded);
        let mut rows = Vec::new();
        let mut found =
            guarded(|| Ok::<_, lsm_tree::Error>(self.tree.range::<&[u8], _>(range, NEWEST, None)))?;
        while rows.len() < limit {
            let Some(row) = guarded(|| found.next().map(|row| row.into_inner()).transpose())?
            else {
                break;
            };
            let (key, bytes) = row;
            if !key.starts_with(prefix) {
                break;
            }
            if key.as_ref() != MARK {
                let value = self.sealing.unseal(&key, &bytes)?;
                rows.push((key.to_vec(), value));
            }
        }
        Ok(rows)
    }

    fn write(&self, batch: &IndexBatch) -> Result<(), IndexError> {
        let writes = in_order(&batch.writes);
        if writes.len() >= FILE_WRITES_MIN {
            self.write_file(&writes, &batch.mark)?;
            return self.merge_files();
        }
        if self.hold(&writes, &batch.mark)? < self.size.held_bytes {
            return Ok(());
        }
        self.write_out()?;
        self.merge_files()
    }

    fn mark(&self) -> Result<IndexMark, IndexError> {
        let bytes = guarded(|| self.tree.get(MARK, NEWEST))?;
        self.sealing.unseal_mark(bytes.as_deref())
    }

    fn wipe(&self) -> Result<(), IndexError> {
        if let Some(running) = self.merging().take() {
            ended(running)?;
        }
        guarded(|| self.tree.clear())
    }
}

impl Drop for LsmIndex {
    fn drop(&mut self) {
        // Whatever is lost here is folded again.
        let _ = self.close();
    }
}
