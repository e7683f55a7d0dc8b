//! What was written and may not be in the index yet, by key.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use foldhash::HashMap;

use crate::view::scan_start;

/// Bytes by which long keys are gathered: a letter and a pseudonym of 16 bytes. Scans for one person
/// name that much, so each looks at one gathering.
const GATHERED_BY: usize = 17;

/// Keys up to this length stay when the index has them. They are few (totals, cursors, levels,
/// pieces of stock) and read with nearly every entry; those of residents are longer.
const KEPT_KEY_LEN_MAX: usize = 12;

/// A value that was written.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Number of the entry that wrote it.
    pub(crate) seq: u64,
    /// `None` for a key that was removed.
    pub(crate) value: Option<Bytes>,
    /// Which stretch of writes it stands in, and where in it.
    pub(crate) place: (u64, usize),
}

/// The last value of every key that was written. Keys of persons are found by their hash: there are
/// tens of thousands of them while a register is loaded, and each entry asks for several.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    short: BTreeMap<Bytes, Pending>,
    long: HashMap<[u8; GATHERED_BY], Gathering>,
    /// How many gatherings begin with a letter: a scan for few keys then passes over the many.
    letters: BTreeMap<u8, usize>,
}

/// The keys with the same beginning: nearly always one.
#[derive(Debug)]
enum Gathering {
    One(Bytes, Pending),
    Many(BTreeMap<Bytes, Pending>),
}

impl Overlay {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Pending> {
        let Some(beginning) = key.first_chunk() else {
            return self.short.get(key);
        };
        match self.long.get(beginning)? {
            Gathering::One(held, pending) => (held == key).then_some(pending),
            Gathering::Many(held) => held.get(key),
        }
    }

    /// Puts a value and gives the place that the key's earlier value had.
    pub(crate) fn put(&mut self, key: &Bytes, pending: Pending) -> Option<(u64, usize)> {
        let earlier = match key.first_chunk() {
            None => self.short.insert(key.clone(), pending),
            Some(beginning) => match self.long.get_mut(beginning) {
                None => {
                    let one = Gathering::One(key.clone(), pending);
                    self.long.insert(*beginning, one);
                    *self.letters.entry(beginning[0]).or_default() += 1;
                    None
                }
                Some(gathering) => gathering.put(key, pending),
            },
        };
        earlier.map(|earlier| earlier.place)
    }

    /// Says that a value just put stands where the earlier one of its key stood.
    pub(crate) fn keep_place(&mut self, key: &[u8], place: (u64, usize)) {
        let held = match key.first_chunk() {
            None => self.short.get_mut(key),
            Some(beginning) => match self.long.get_mut(beginning) {
                Some(Gathering::One(_, pending)) => Some(pending),
                Some(Gathering::Many(held)) => held.get_mut(key),
                None => None,
            },
        };
        if let Some(pending) = held {
            pending.place = place;
        }
    }

    /// Lets go of a key that the index has as of an entry, unless it was written again since.
    pub(crate) fn forget(&mut self, key: &[u8], through: u64) {
        let Some(beginning) = key.first_chunk() else {
            let kept = |pending: &Pending| {
                pending.seq > through || (pending.value.is_some() && key.len() <= KEPT_KEY_LEN_MAX)
            };
            if !self.short.get(key).is_none_or(kept) {
                self.short.remove(key);
            }
            return;
        };
        match self.long.get_mut(beginning) {
            Some(Gathering::One(held, pending)) if held == key && pending.seq <= through => {
                self.let_go(beginning);
            }
            Some(Gathering::Many(held)) => {
                if held.get(key).is_some_and(|pending| pending.seq <= through) {
                    held.remove(key);
                }
                if held.is_empty() {
                    self.let_go(beginning);
                }
            }
            Some(Gathering::One(..)) | None => {}
        }
    }

    fn let_go(&mut self, beginning: &[u8; GATHERED_BY]) {
        self.long.remove(beginning);
        if let Some(count) = self.letters.get_mut(&beginning[0]) {
            *count -= 1;
        }
    }

    /// All keys with a prefix, with `after` only those behind that one. In no order.
    pub(crate) fn scan<'a>(
        &'a self,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
    ) -> Vec<(&'a Bytes, &'a Pending)> {
        let fits =
            move |key: &[u8]| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        if let Some(beginning) = prefix.first_chunk() {
            let gathering = self.long.get(beginning);
            let found = gathering.into_iter().flat_map(Gathering::all);
            return found.filter(|(key, _)| fits(key)).collect();
        }
        let range = (scan_start(prefix, after), Bound::<&[u8]>::Unbounded);
        let short = self.short.range::<[u8], _>(range);
        let short = short.take_while(|(key, _)| key.starts_with(prefix));
        let none = prefix
            .first()
            .is_some_and(|letter| self.letters.get(letter).is_none_or(|count| *count == 0));
        if none {
            return short.collect();
        }
        let long = self.long.values().flat_map(Gathering::all);
        short.chain(long.filter(|(key, _)| fits(key))).collect()
    }
}

impl Gathering {
    fn put(&mut self, key: &Bytes, pending: Pending) -> Option<Pending> {
        match self {
            Self::One(held, earlier) if held == key => {
                return Some(std::mem::replace(earlier, pending));
            }
            Self::Many(held) => return held.insert(key.clone(), pending),
            Self::One(..) => {}
        }
        if let Self::One(held, earlier) = std::mem::replace(self, Self::Many(BTreeMap::new()))
            && let Self::Many(both) = self
        {
            both.insert(held, earlier);
            both.insert(key.clone(), pending);
        }
        None
    }

    fn all(&self) -> Box<dyn Iterator<Item = (&Bytes, &Pending)> + '_> {
        match self {
            Self::One(key, pending) => Box::new(std::iter::once((key, pending))),
            Self::Many(held) => Box::new(held.iter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(kind: u8, tail: u8, long: bool) -> Bytes {
        let mut key = vec![b'r', kind];
        if long {
            key.resize(19, kind);
        }
        key.push(tail);
        key.into()
    }

    proptest! {
        /// Short keys and long ones, alone and gathered: the overlay agrees with a plain map.
        #[test]
        fn it_agrees_with_a_plain_map(acts in proptest::collection::vec((0u8..3, 0u8..3, 0u8..3, any::<bool>(), any::<Option<u8>>()), 1..60)) {
            let mut overlay = Overlay::default();
            let mut model: BTreeMap<Bytes, (u64, Option<Bytes>)> = BTreeMap::new();
            for (seq, (act, kind, tail, long, value)) in (1u64..).zip(acts) {
                let key = key(kind, tail, long);
                if act < 2 {
                    let value = value.map(|value| Bytes::from(vec![value]));
                    let earlier = overlay.put(&key, Pending { seq, value: value.clone(), place: (seq, 0) });
                    let known = model.insert(key.clone(), (seq, value));
                    prop_assert_eq!(earlier, known.map(|(seq, _)| (seq, 0)));
                } else {
                    let through = seq.saturating_sub(u64::from(tail));
                    overlay.forget(&key, through);
                    let gone = |(written, value): &(u64, Option<Bytes>)| *written <= through && (key.len() > KEPT_KEY_LEN_MAX || value.is_none());
                    if model.get(&key).is_some_and(gone) {
                        model.remove(&key);
                    }
                }
                for (key, (seq, value)) in &model {
                    let held = overlay.get(key).map(|pending| (pending.seq, pending.value.clone()));
                    prop_assert_eq!(held, Some((*seq, value.clone())));
                }
                let after = key;
                for prefix in [&b"r"[..], b"r\x01", &[b'r', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]] {
                    for after in [None, Some(after.as_ref())] {
                        let mut found: Vec<Bytes> = overlay.scan(prefix, after).into_iter().map(|(key, _)| key.clone()).collect();
                        found.sort();
                        let fits = |key: &&Bytes| key.starts_with(prefix) && after.is_none_or(|after| key.as_ref() > after);
                        let known: Vec<Bytes> = model.keys().filter(fits).cloned().collect();
                        prop_assert_eq!(found, known);
                    }
                }
            }
        }
    }
}
