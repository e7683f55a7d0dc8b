//! An index that a crash can set back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use juki_dispatch::{IndexBatch, IndexError, IndexMark, IndexPort, KeyValue, MemoryIndex};

/// An index in memory that remembers its batches, so that a crash can leave it as it stood after
/// an earlier one: what a disk without syncs may do.
#[derive(Debug, Default)]
pub struct KeptIndex {
    now: MemoryIndex,
    batches: Mutex<Vec<IndexBatch>>,
    broken: AtomicBool,
}

impl KeptIndex {
    /// How many batches it has taken.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.batches.lock().expect("one thread writes").len()
    }

    /// Every reading fails from now on.
    pub fn break_down(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Whether it has broken down.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    fn sound(&self) -> Result<(), IndexError> {
        if self.is_broken() {
            Err(IndexError("broken".to_owned()))
        } else {
            Ok(())
        }
    }

    /// The index as it stood after its first `count` batches.
    #[must_use]
    pub fn set_back(&self, count: usize) -> Self {
        let before = Self::default();
        for batch in self
            .batches
            .lock()
            .expect("one thread writes")
            .iter()
            .take(count)
        {
            before.write(batch).expect("memory takes every batch");
        }
        before
    }
}

impl IndexPort for KeptIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.sound()?;
        self.now.get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        self.sound()?;
        self.now.scan(prefix, after, limit)
    }

    fn write(&self, batch: &IndexBatch) -> Result<(), IndexError> {
        self.batches
            .lock()
            .expect("one thread writes")
            .push(batch.clone());
        self.now.write(batch)
    }

    fn mark(&self) -> Result<IndexMark, IndexError> {
        self.now.mark()
    }

    fn wipe(&self) -> Result<(), IndexError> {
        self.batches.lock().expect("one thread writes").clear();
        self.now.wipe()
    }
}
