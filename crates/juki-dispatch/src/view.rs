//! What a node knows: an index on disk and, above it, what the index has not been given yet.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use juki_crypto::Digest;

use crate::looked::Looked;
use crate::overlay::{Overlay, Pending};
use crate::rehearsal::Rehearsal;

/// Writes to the index: a key and its new value, or `None` for no value.
pub type Writes = Vec<(Bytes, Option<Bytes>)>;

/// The index failed. It is disposable: the node wipes it and folds the ledger again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the index failed: {0}")]
pub struct IndexError(pub String);

/// How far the index has followed the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexMark {
    /// Number of the last ledger entry whose writes are in the index.
    pub seq: u64,
    /// The ledger chain's digest after it.
    pub hash: Digest,
}

/// Writes that enter the index together with their mark.
#[derive(Debug, Clone, Default)]
pub struct IndexBatch {
    /// The mark after the batch.
    pub mark: IndexMark,
    /// The writes.
    pub writes: Writes,
}

/// A key with its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// Where records can be looked up. Writing is the node's business, not a service's.
pub trait IndexPort: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`IndexError`].
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// All keys with a prefix, in order, at most `limit`; with `after`, only those behind that key.
    ///
    /// # Errors
    /// [`IndexError`].
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError>;

    /// Takes a batch, the last write of a key being the one that counts. A batch is in the index as
    /// a whole or not at all.
    ///
    /// # Errors
    /// [`IndexError`].
    fn write(&self, batch: &IndexBatch) -> Result<(), IndexError>;

    /// The mark of the last batch.
    ///
    /// # Errors
    /// [`IndexError`].
    fn mark(&self) -> Result<IndexMark, IndexError>;

    /// Forgets everything.
    ///
    /// # Errors
    /// [`IndexError`].
    fn wipe(&self) -> Result<(), IndexError>;
}

/// An index in memory, lost with the process: for tests, simulation and nodes without records.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    content: Mutex<MemoryContent>,
}

type MemoryContent = (BTreeMap<Vec<u8>, Vec<u8>>, IndexMark);

impl MemoryIndex {
    fn with<R>(&self, act: impl FnOnce(&mut MemoryContent) -> R) -> Result<R, IndexError> {
        self.content
            .lock()
            .map(|mut content| act(&mut content))
            .map_err(|_| IndexError("poisoned".to_owned()))
    }
}

impl IndexPort for MemoryIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.with(|(map, _)| map.get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        self.with(|(map, _)| {
            map.range::<[u8], _>((scan_start(prefix, after), Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .take(limit)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        })
    }

    fn write(&self, batch: &IndexBatch) -> Result<(), IndexError> {
        self.with(|(map, mark)| {
            for (key, value) in &batch.writes {
                match value {
                    Some(value) => map.insert(key.to_vec(), value.to_vec()),
                    None => map.remove(key.as_ref()),
                };
            }
            *mark = batch.mark;
        })
    }

    fn mark(&self) -> Result<IndexMark, IndexError> {
        self.with(|(_, mark)| *mark)
    }

    fn wipe(&self) -> Result<(), IndexError> {
        self.with(|content| *content = (BTreeMap::new(), IndexMark::default()))
    }
}

/// Where going through a prefix begins: behind a key, or at the prefix itself.
#[must_use]
pub fn scan_start<'a>(prefix: &'a [u8], after: Option<&'a [u8]>) -> Bound<&'a [u8]> {
    match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        Some(_) | None => Bound::Included(prefix),
    }
}

/// The writes of the entries between two places where the index may stop. A key that was written
/// several times has its last value here: nobody ever asks for the others.
#[derive(Debug)]
struct Stretch {
    /// Number of the first entry.
    first: u64,
    /// Number of the last one.
    last: u64,
    writes: Writes,
}

/// The node's state as services see it: every appended entry is visible, durable or not.
pub struct View {
    base: Arc<dyn IndexPort>,
    pending: Overlay,
    /// What the index was not given yet. It must be whole wherever it stops, so the value of a key
    /// at each of these places is kept, though a later stretch wrote it again.
    stretches: VecDeque<Stretch>,
    /// How many writes these are.
    waiting: usize,
    /// How many stretches were begun.
    begun: u64,
    /// Whether the next write begins a stretch.
    cut: bool,
    scratch: Option<Rehearsal>,
    /// What the index was asked last.
    looked: RefCell<Looked>,
    seq: u64,
    failure: Mutex<Option<IndexError>>,
}

impl View {
    /// The view above an index.
    #[must_use]
    pub fn new(base: Arc<dyn IndexPort>) -> Self {
        Self {
            base,
            pending: Overlay::default(),
            stretches: VecDeque::new(),
            waiting: 0,
            begun: 0,
            cut: true,
            scratch: None,
            looked: RefCell::default(),
            seq: 0,
            failure: Mutex::new(None),
        }
    }

    /// The value of a key. Where the index fails, the failure is kept and ends the turn.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Bytes> {
        if let Some(value) = self.scratch.as_ref().and_then(|scratch| scratch.get(key)) {
            return value.clone();
        }
        if let Some(pending) = self.pending.get(key) {
            return pending.value.clone();
        }
        // An entry is decided and then folded, and both look at the same few keys.
        if let Some(known) = self.looked.borrow().get(key) {
            return known;
        }
        let value = self
            .base
            .get(key)
            .unwrap_or_else(|error| self.note_failure(error))
            .map(Bytes::from);
        self.looked.borrow_mut().note(key, value.as_ref());
        value
    }

    /// All keys with a prefix, in order, at most `limit`.
    #[must_use]
    pub fn scan(&self, prefix: &[u8], limit: usize) -> Vec<KeyValue> {
        self.scan_after(prefix, None, limit)
    }

    /// As [`Self::scan`], with `after` only the keys behind that one: for going through many keys
    /// page by page.
    #[must_use]
    pub fn scan_after(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<KeyValue> {
        let covered = self.pending.scan(prefix, after);
        let scratch = self.scratch.iter().flat_map(Rehearsal::writes);
        let fits = |key: &[u8]| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let scratch: Vec<(&Bytes, &Option<Bytes>)> = scratch
            .filter(|(key, _)| fits(key))
            .map(|(key, value)| (key, value))
            .collect();
        let room = limit + covered.len() + scratch.len();
        let base = self.base.scan(prefix, after, room).unwrap_or_else(|error| {
            self.note_failure(error)
                .map_or_else(Vec::new, |_| Vec::new())
        });
        let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> = base
            .into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
        let covered = covered
            .into_iter()
            .map(|(key, pending)| (key, &pending.value));
        for (key, value) in covered.chain(scratch) {
            merged.insert(key.to_vec(), value.as_ref().map(|value| value.to_vec()));
        }
        merged
            .into_iter()
            .filter_map(|(key, value)| value.map(|value| (key, value)))
            .take(limit)
            .collect()
    }

    /// Sets a key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.write(key.into(), Some(value.into()));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.write(key.into(), None);
    }

    /// Takes prepared writes.
    pub fn put_all(&mut self, writes: Writes) {
        for (key, value) in writes {
            self.write(key, value);
        }
    }

    /// Tries writes out: what `act` writes is visible to it, is returned, and is not kept.
    pub fn rehearse<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> (R, Writes) {
        let before = self.scratch.replace(Rehearsal::default());
        let result = act(self);
        let scratch = std::mem::replace(&mut self.scratch, before).unwrap_or_default();
        (result, scratch.into_writes())
    }

    /// Says which ledger entry the following writes belong to.
    pub fn begin_entry(&mut self, seq: u64) {
        self.seq = seq;
    }

    /// Says that the index may stop here: all entries so far are durable.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// The writes of all entries up to a number that the index was not given yet, in their order.
    ///
    /// # Panics
    /// Where the number lies inside of a stretch: the index would hold a state that never was.
    #[must_use]
    pub fn take_writes(&mut self, through: u64) -> Writes {
        let mut writes = Writes::new();
        while let Some(stretch) = self.stretches.pop_front() {
            if stretch.last > through {
                assert!(
                    stretch.first > through,
                    "the index stops where the ledger was synced"
                );
                self.stretches.push_front(stretch);
                break;
            }
            self.waiting -= stretch.writes.len();
            if writes.is_empty() {
                writes = stretch.writes;
            } else {
                writes.extend(stretch.writes);
            }
        }
        writes
    }

    /// The index has taken all writes up to a number: they need not be held above it any more.
    pub fn forget_written(&mut self, writes: &[Bytes], through: u64) {
        // Until now pending values went before whatever the index answered.
        self.looked.get_mut().forget();
        for key in writes {
            self.pending.forget(key, through);
        }
    }

    /// How many writes the index was not given yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// The first failure of the index since the last call.
    pub fn take_failure(&mut self) -> Option<IndexError> {
        self.failure.get_mut().ok().and_then(Option::take)
    }

    fn write(&mut self, key: Bytes, value: Option<Bytes>) {
        if let Some(scratch) = &mut self.scratch {
            scratch.put(key, value);
            return;
        }
        let seq = self.seq;
        if std::mem::take(&mut self.cut) || self.stretches.is_empty() {
            self.begun += 1;
            self.stretches.push_back(Stretch {
                first: seq,
                last: seq,
                writes: Writes::new(),
            });
        }
        let Some(stretch) = self.stretches.back_mut() else {
            return;
        };
        stretch.last = seq;
        let pending = Pending {
            seq,
            value: value.clone(),
            place: (self.begun, stretch.writes.len()),
        };
        match self.pending.put(&key, pending) {
            // Written again in the same stretch: the earlier value is never asked for.
            Some(place) if place.0 == self.begun => {
                self.pending.keep_place(&key, place);
                if let Some(write) = stretch.writes.get_mut(place.1) {
                    write.1 = value;
                }
            }
            Some(_) | None => {
                stretch.writes.push((key, value));
                self.waiting += 1;
            }
        }
    }

    fn note_failure(&self, error: IndexError) -> Option<Vec<u8>> {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert(error);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is written, handed to the index early or late, the view agrees with a plain map.
        #[test]
        fn the_view_agrees_with_a_plain_map(acts in proptest::collection::vec((0u8..5, 0u8..6, any::<Option<u8>>()), 1..80)) {
            let index = Arc::new(MemoryIndex::default());
            let mut view = View::new(index.clone());
            let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
            let mut handed: Option<(Vec<Bytes>, u64)> = None;
            let mut last_cut = 0;
            for (seq, (act, key, value)) in (1u64..).zip(acts) {
                let key = vec![b'k', key];
                match act {
                    0..=2 => {
                        view.begin_entry(seq);
                        match value {
                            Some(value) => { view.put(key.clone(), vec![value]); model.insert(key, vec![value]); }
                            None => { view.delete(key.clone()); model.remove(&key); }
                        }
                    }
                    3 => if handed.is_none() {
                        if value.is_some() { last_cut = seq; view.cut(); }
                        let through = last_cut;
                        let writes = view.take_writes(through);
                        index.write(&IndexBatch { mark: IndexMark::default(), writes: writes.clone() }).unwrap();
                        handed = Some((writes.into_iter().map(|(key, _)| key).collect(), through));
                    },
                    _ => if let Some((keys, through)) = handed.take() { view.forget_written(&keys, through); },
                }
                for key in 0u8..6 { prop_assert_eq!(view.get(&[b'k', key]).map(|value| value.to_vec()), model.get(&vec![b'k', key]).cloned()); }
                prop_assert_eq!(view.scan(b"k", 3), model.clone().into_iter().take(3).collect::<Vec<_>>());
                let behind = |(key, _): &(Vec<u8>, Vec<u8>)| key.as_slice() > b"k\x02".as_slice();
                prop_assert_eq!(view.scan_after(b"k", Some(b"k\x02"), 2), model.clone().into_iter().filter(behind).take(2).collect::<Vec<_>>());
            }
        }
    }

    proptest! {
        /// What a crash leaves of the index is the state at its mark, whatever was written since.
        #[test]
        fn the_index_is_whole_at_every_entry_it_stops_at(writes in proptest::collection::vec((0u8..4, any::<Option<u8>>()), 1..40), cuts in proptest::collection::vec(any::<bool>(), 40), stops in proptest::collection::vec(0u64..40, 0..8)) {
            let index = Arc::new(MemoryIndex::default());
            let mut view = View::new(index.clone());
            let mut states = vec![BTreeMap::new()];
            for (seq, (key, value)) in (1u64..).zip(&writes) {
                view.begin_entry(seq);
                view.write(vec![*key].into(), value.map(|value| vec![value].into()));
                let mut state: BTreeMap<Vec<u8>, Vec<u8>> = states.last().unwrap().clone();
                match value {
                    Some(value) => state.insert(vec![*key], vec![*value]),
                    None => state.remove(&vec![*key]),
                };
                states.push(state);
                if cuts[usize::try_from(seq - 1).unwrap()] { view.cut(); }
            }
            let last = writes.len() as u64;
            let mut stops: Vec<u64> = stops.into_iter().map(|stop| stop % (last + 1)).collect();
            stops.retain(|stop| [0, last].contains(stop) || cuts[usize::try_from(*stop - 1).unwrap()]);
            stops.sort_unstable();
            for through in stops {
                let batch = IndexBatch { mark: IndexMark::default(), writes: view.take_writes(through) };
                index.write(&batch).unwrap();
                let state: Vec<_> = states[usize::try_from(through).unwrap()].clone().into_iter().collect();
                prop_assert_eq!(index.scan(b"", None, 99).unwrap(), state);
            }
        }
    }

    #[test]
    fn a_rehearsal_sees_its_own_writes_and_leaves_nothing() {
        let mut view = View::new(Arc::new(MemoryIndex::default()));
        view.put(b"a".to_vec(), b"1".to_vec());
        let (seen, writes) = view.rehearse(|view| {
            view.put(b"a".to_vec(), b"2".to_vec());
            view.delete(b"b".to_vec());
            (view.get(b"a"), view.scan(b"", 9).len())
        });
        assert_eq!(seen, (Some(Bytes::from_static(b"2")), 1));
        assert_eq!(view.get(b"a"), Some(Bytes::from_static(b"1")));
        view.put_all(writes);
        assert_eq!(view.get(b"a"), Some(Bytes::from_static(b"2")));
    }
}
