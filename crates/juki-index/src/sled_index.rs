//! The index in one sled tree.
//!
//! sled's flush is not a durable sync (docs/adr/0001), and its tree takes a multiple of the records'
//! size; ADR 0011 compares it with the tree of `lsm_index.rs`.

use std::ops::Bound;
use std::path::{Path, PathBuf};

use juki_crypto::{Randomness, StorageKey};
use juki_dispatch::{IndexBatch, IndexError, IndexMark, IndexPort, KeyValue, Writes, scan_start};

use crate::sealing::{MARK, Sealing, guarded};

/// Batches up to this many writes are applied as one. Larger ones would ignore sled's cache limit.
const ATOMIC_WRITES_MAX: usize = 500;

/// An index in a folder of its own.
pub struct SledIndex {
    db: sled::Db,
    sealing: Sealing,
}

impl SledIndex {
    /// Opens the index, or makes an empty one where it is missing or cannot be opened: it is only a
    /// copy of what the ledger says.
    ///
    /// # Errors
    /// [`IndexError`] where not even an empty one can be made.
    pub fn open(
        folder: &Path,
        key: StorageKey,
        randomness: &dyn Randomness,
        cache_bytes: u64,
    ) -> Result<Self, IndexError> {
        let open = || {
            let folder: PathBuf = folder.to_owned();
            guarded(move || {
                sled::Config::new()
                    .path(folder)
                    .mode(sled::Mode::HighThroughput)
                    .cache_capacity(cache_bytes)
                    .flush_every_ms(Some(2_000))
                    .open()
            })
        };
        let db = match open() {
            Ok(db) => db,
            Err(first) => {
                std::fs::remove_dir_all(folder).map_err(|error| {
                    IndexError(format!("{first}; and it cannot be removed: {error}"))
                })?;
                open()?
            }
        };
        let index = Self {
            db,
            sealing: Sealing::new(key, randomness),
        };
        // A mark that does not open was written under another key.
        if index.mark().is_err() {
            index.wipe()?;
        }
        Ok(index)
    }

    /// Writes out what sled still holds, for a clean end.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn close(&self) -> Result<(), IndexError> {
        guarded(|| self.db.flush()).map(|_| ())
    }

    fn write_one_by_one(&self, writes: &Writes) -> Result<(), IndexError> {
        guarded(|| {
            // Without a mark a start in the middle folds again.
            self.db.remove(MARK)?;
            for (key, value) in writes {
                match value {
                    Some(value) => self.db.insert(key, self.sealing.seal(key, value))?,
                    None => self.db.remove(key)?,
                };
            }
            Ok::<_, sled::Error>(())
        })
    }
}

impl IndexPort for SledIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        match guarded(|| self.db.get(key))? {
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
        let range = (scan_start(prefix, after), Bound::Unbounded);
        let fits = |row: &Result<(sled::IVec, sled::IVec), sled::Error>| {
            row.as_ref()
                .map_or(true, |(key, _)| key.starts_with(prefix))
        };
        let found = guarded(|| {
            self.db
                .range::<&[u8], _>(range)
                .take_while(fits)
                .take(limit)
                .collect::<Result<Vec<_>, _>>()
        })?;
        let mut rows = Vec::with_capacity(found.len());
        for (key, bytes) in found {
            if key.as_ref() != MARK {
                rows.push((key.to_vec(), self.sealing.unseal(&key, &bytes)?));
            }
        }
        Ok(rows)
    }

    fn write(&self, batch: &IndexBatch) -> Result<(), IndexError> {
        let mark = self.sealing.seal_mark(&batch.mark);
        if batch.writes.len() > ATOMIC_WRITES_MAX {
            self.write_one_by_one(&batch.writes)?;
            return guarded(|| self.db.insert(MARK, mark)).map(|_| ());
        }
        let mut atomic = sled::Batch::default();
        for (key, value) in &batch.writes {
            match value {
                Some(value) => atomic.insert(key.as_ref(), self.sealing.seal(key, value)),
                None => atomic.remove(key.as_ref()),
            }
        }
        atomic.insert(MARK, mark);
        guarded(|| self.db.apply_batch(atomic))
    }

    fn mark(&self) -> Result<IndexMark, IndexError> {
        let bytes = guarded(|| self.db.get(MARK))?;
        self.sealing.unseal_mark(bytes.as_deref())
    }

    fn wipe(&self) -> Result<(), IndexError> {
        guarded(|| self.db.clear())
    }
}

impl Drop for SledIndex {
    fn drop(&mut self) {
        // Whatever is lost here is folded again.
        let _ = self.close();
    }
}
