//! Places in the index that nearly always have one holder.
//!
//! A person has one record and four items belong to one person, but for whoever has moved and for
//! whoever shares them. So the first holder lies under the place's own key, where one look finds
//! it, and the others under keys behind that one, which are only gone through where the first says
//! that there are any.

use bytes::Bytes;
use juki_dispatch::View;

/// Others were put behind the first holder. They may be gone again.
const MORE: u8 = 1;

/// The first holder is gone while others may be there.
const VACANT: u8 = 2;

/// One holder's part of a place: what is there, and where a new value goes.
pub(crate) struct Slot {
    place: Vec<u8>,
    holder: Vec<u8>,
    first: Option<First>,
    held: Option<Bytes>,
}

/// What lies under the place's own key.
struct First {
    flags: u8,
    bytes: Bytes,
    holder_len: usize,
}

impl First {
    fn decode(bytes: Bytes) -> Option<Self> {
        let (&flags, rest) = bytes.split_first()?;
        let (&length, rest) = rest.split_first()?;
        let holder_len = usize::from(length);
        (rest.len() >= holder_len).then_some(Self {
            flags,
            bytes,
            holder_len,
        })
    }

    fn read(view: &View, place: &[u8]) -> Option<Self> {
        view.get(place).and_then(Self::decode)
    }

    fn encode(flags: u8, holder: &[u8], value: &[u8]) -> Vec<u8> {
        // Holders are municipalities or pseudonyms with one: 4 or 20 bytes.
        let length = u8::try_from(holder.len()).unwrap_or(u8::MAX);
        [&[flags, length], holder, value].concat()
    }

    fn is_vacant(&self) -> bool {
        self.flags & VACANT != 0
    }

    fn holder(&self) -> &[u8] {
        self.bytes.get(2..2 + self.holder_len).unwrap_or(&[])
    }

    fn value(&self) -> Bytes {
        self.bytes.slice(2 + self.holder_len..)
    }

    fn is_of(&self, holder: &[u8]) -> bool {
        !self.is_vacant() && self.holder() == holder
    }
}

impl Slot {
    /// What a holder has at a place.
    pub(crate) fn open(view: &View, place: Vec<u8>, holder: &[u8]) -> Self {
        let first = First::read(view, &place);
        let held = match &first {
            Some(first) if first.is_of(holder) => Some(first.value()),
            Some(first) if first.flags & MORE != 0 => view.get(&behind(&place, holder)),
            Some(_) | None => None,
        };
        Self {
            place,
            holder: holder.to_vec(),
            first,
            held,
        }
    }

    /// The holder's value.
    pub(crate) fn held(&self) -> Option<&Bytes> {
        self.held.as_ref()
    }

    /// Sets the holder's value. Nothing else may have been written to the place since it was opened.
    pub(crate) fn put(self, view: &mut View, value: &[u8]) {
        match self.first {
            None => view.put(self.place, First::encode(0, &self.holder, value)),
            Some(first) if first.is_of(&self.holder) => view.put(
                self.place,
                First::encode(first.flags & MORE, &self.holder, value),
            ),
            // Whoever stands behind stays there, else it would be at two places.
            Some(first) if first.is_vacant() && self.held.is_none() => {
                view.put(self.place, First::encode(MORE, &self.holder, value));
            }
            Some(first) => {
                view.put(behind(&self.place, &self.holder), value.to_vec());
                if first.flags & MORE == 0 {
                    let marked = First::encode(first.flags | MORE, first.holder(), &first.value());
                    view.put(self.place, marked);
                }
            }
        }
    }

    /// Removes the holder's value.
    pub(crate) fn delete(self, view: &mut View) {
        match self.first {
            Some(first) if first.is_of(&self.holder) => {
                if first.flags & MORE == 0 {
                    view.delete(self.place);
                } else {
                    view.put(self.place, First::encode(MORE | VACANT, &[], &[]));
                }
            }
            Some(_) if self.held.is_some() => view.delete(behind(&self.place, &self.holder)),
            Some(_) | None => {}
        }
    }

    /// The values of all holders of a place, at most `limit`.
    pub(crate) fn all(view: &View, place: &[u8], limit: usize) -> Vec<Bytes> {
        let Some(first) = First::read(view, place) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        if !first.is_vacant() {
            values.push(first.value());
        }
        if first.flags & MORE != 0 {
            let others = view.scan_after(place, Some(place), limit);
            values.extend(others.into_iter().map(|(_, value)| Bytes::from(value)));
        }
        values.truncate(limit);
        values
    }

    /// The values of all holders of all places of this length whose keys begin alike; `None` where
    /// more than `limit` keys do.
    pub(crate) fn all_of_places(
        view: &View,
        prefix: &[u8],
        place_len: usize,
        limit: usize,
    ) -> Option<Vec<Bytes>> {
        let found = view.scan(prefix, limit + 1);
        if found.len() > limit {
            return None;
        }
        let value = |(key, value): (Vec<u8>, Vec<u8>)| {
            let value = Bytes::from(value);
            if key.len() > place_len {
                return Some(value);
            }
            First::decode(value)
                .filter(|first| !first.is_vacant())
                .map(|first| first.value())
        };
        Some(found.into_iter().filter_map(value).collect())
    }
}

fn behind(place: &[u8], holder: &[u8]) -> Vec<u8> {
    [place, holder].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use juki_dispatch::MemoryIndex;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whoever comes and goes in whatever order: a place agrees with a plain map of its holders.
        #[test]
        fn a_place_agrees_with_a_plain_map(acts in proptest::collection::vec((0u8..4, any::<Option<u8>>()), 1..40)) {
            let mut view = View::new(Arc::new(MemoryIndex::default()));
            let place = b"s0123456789abcdef".to_vec();
            let neighbour = b"s0123456789abcdeg".to_vec();
            Slot::open(&view, neighbour, b"near").put(&mut view, b"other");
            let mut model = BTreeMap::new();
            for (holder, value) in acts {
                let holder = [holder; 4];
                let slot = Slot::open(&view, place.clone(), &holder);
                prop_assert_eq!(slot.held().map(|held| held.to_vec()), model.get(&holder).cloned());
                match value {
                    Some(value) => {
                        slot.put(&mut view, &[value, holder[0]]);
                        model.insert(holder, vec![value, holder[0]]);
                    }
                    None => {
                        slot.delete(&mut view);
                        model.remove(&holder);
                    }
                }
                let mut all: Vec<Vec<u8>> = Slot::all(&view, &place, 9).iter().map(|value| value.to_vec()).collect();
                all.sort();
                let mut known: Vec<Vec<u8>> = model.values().cloned().collect();
                known.sort();
                prop_assert_eq!(all, known);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(first) = First::decode(bytes.into()) {
                let _ = (first.holder().len(), first.value());
            }
        }
    }
}
