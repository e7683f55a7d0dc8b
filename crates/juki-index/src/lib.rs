//! The rebuildable index on disk: one sled tree, values encrypted.
//!
//! sled's flush is not a durable sync (docs/adr/0001), so nothing rests on it: the index is written
//! after the ledger's sync, carries the ledger's mark, and is wiped and folded again whenever the
//! mark or sled itself is in doubt.

use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use juki_crypto::{Randomness, StorageKey, random_array};
use juki_dispatch::{IndexBatch, IndexError, IndexMark, IndexPort, KeyValue, Writes, scan_start};

/// The key of the mark; records' keys begin with a letter.
const MARK: &[u8] = &[0];
/// Batches up to this many writes are applied as one. Larger ones would ignore sled's cache limit.
const ATOMIC_WRITES_MAX: usize = 500;
const NONCE_LEN: usize = 12;

/// An index in a folder of its own.
pub struct SledIndex {
    db: sled::Db,
    key: StorageKey,
    randomness: Arc<dyn Randomness>,
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
        randomness: Arc<dyn Randomness>,
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
            key,
            randomness,
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

    fn seal(&self, key: &[u8], value: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random_array(self.randomness.as_ref());
        let mut sealed = value.to_vec();
        self.key.seal(nonce, key, &mut sealed);
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&sealed);
        bytes
    }

    fn unseal(&self, key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, IndexError> {
        let opened = bytes
            .split_first_chunk::<NONCE_LEN>()
            .and_then(|(nonce, sealed)| {
                let mut value = sealed.to_vec();
                self.key.open(*nonce, key, &mut value).ok().map(|()| value)
            });
        opened.ok_or_else(|| IndexError("a value does not open".to_owned()))
    }

    fn write_one_by_one(&self, writes: &Writes) -> Result<(), IndexError> {
        guarded(|| {
            // Without a mark a start in the middle folds again.
            self.db.remove(MARK)?;
            for (key, value) in writes {
                match value {
                    Some(value) => self.db.insert(key, self.seal(key, value))?,
                    None => self.db.remove(key)?,
                };
            }
            Ok(())
        })
    }
}

impl IndexPort for SledIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        match guarded(|| self.db.get(key))? {
            Some(bytes) => self.unseal(key, &bytes).map(Some),
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
                rows.push((key.to_vec(), self.unseal(&key, &bytes)?));
            }
        }
        Ok(rows)
    }

    fn write(&self, batch: &IndexBatch) -> Result<(), IndexError> {
        let mark = self.seal(MARK, &encode_mark(&batch.mark));
        if batch.writes.len() > ATOMIC_WRITES_MAX {
            self.write_one_by_one(&batch.writes)?;
            return guarded(|| self.db.insert(MARK, mark)).map(|_| ());
        }
        let mut atomic = sled::Batch::default();
        for (key, value) in &batch.writes {
            match value {
                Some(value) => atomic.insert(key.as_slice(), self.seal(key, value)),
                None => atomic.remove(key.as_slice()),
            }
        }
        atomic.insert(MARK, mark);
        guarded(|| self.db.apply_batch(atomic))
    }

    fn mark(&self) -> Result<IndexMark, IndexError> {
        let Some(bytes) = guarded(|| self.db.get(MARK))? else {
            return Ok(IndexMark::default());
        };
        let plain = self.unseal(MARK, &bytes)?;
        let mark = plain.split_first_chunk::<8>().and_then(|(seq, hash)| {
            Some(IndexMark {
                seq: u64::from_be_bytes(*seq),
                hash: hash.try_into().ok()?,
            })
        });
        mark.ok_or_else(|| IndexError("the mark cannot be read".to_owned()))
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

fn encode_mark(mark: &IndexMark) -> Vec<u8> {
    [&mark.seq.to_be_bytes()[..], &mark.hash].concat()
}

/// sled reports some damages by a panic: that too means wipe and fold again, not the node's end.
fn guarded<R>(act: impl FnOnce() -> Result<R, sled::Error>) -> Result<R, IndexError> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(IndexError(error.to_string())),
        Err(_) => Err(IndexError("sled panicked".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use juki_crypto::SystemRandomness;

    use super::*;

    fn open(folder: &Path, key: u8) -> SledIndex {
        SledIndex::open(
            folder,
            StorageKey::new([key; 32]),
            Arc::new(SystemRandomness),
            1 << 20,
        )
        .unwrap()
    }

    fn batch(seq: u64, writes: Writes) -> IndexBatch {
        IndexBatch {
            mark: IndexMark { seq, hash: [7; 32] },
            writes,
        }
    }

    #[test]
    fn what_is_written_reads_back_after_a_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let index = open(&path, 1);
        index
            .write(&batch(
                3,
                vec![
                    (b"ra".to_vec(), Some(b"1".to_vec())),
                    (b"rb".to_vec(), Some(b"2".to_vec())),
                ],
            ))
            .unwrap();
        index
            .write(&batch(4, vec![(b"ra".to_vec(), None)]))
            .unwrap();
        drop(index);
        let index = open(&path, 1);
        assert_eq!(index.get(b"ra").unwrap(), None);
        assert_eq!(
            index.scan(b"r", None, 10).unwrap(),
            [(b"rb".to_vec(), b"2".to_vec())]
        );
        assert_eq!(
            index.mark().unwrap(),
            IndexMark {
                seq: 4,
                hash: [7; 32]
            }
        );
        index.wipe().unwrap();
        assert_eq!(
            (index.mark().unwrap(), index.get(b"rb").unwrap()),
            (IndexMark::default(), None)
        );
    }

    #[test]
    fn large_batches_arrive_whole() {
        let folder = tempfile::tempdir().unwrap();
        let index = open(&folder.path().join("index"), 1);
        let writes: Writes = (0..2_000u32)
            .map(|n| ([&b"r"[..], &n.to_be_bytes()].concat(), Some(vec![1; 50])))
            .collect();
        index.write(&batch(9, writes)).unwrap();
        assert_eq!(index.scan(b"r", None, 9_999).unwrap().len(), 2_000);
        assert_eq!(index.mark().unwrap().seq, 9);
    }

    #[test]
    fn nothing_lies_in_clear_and_another_key_starts_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let index = open(&path, 1);
        index
            .write(&batch(
                1,
                vec![(b"ra".to_vec(), Some("渡邊太郎渡邊太郎".as_bytes().to_vec()))],
            ))
            .unwrap();
        index.close().unwrap();
        drop(index);
        let db = std::fs::read(path.join("db")).unwrap();
        assert!(!db.windows(6).any(|window| window == "渡邊".as_bytes()));
        assert_eq!(open(&path, 2).mark().unwrap(), IndexMark::default());
    }

    #[test]
    fn a_ruined_file_is_replaced_by_an_empty_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        drop(open(&path, 1));
        std::fs::write(path.join("conf"), b"ruined").unwrap();
        assert_eq!(open(&path, 1).mark().unwrap(), IndexMark::default());
    }
}
