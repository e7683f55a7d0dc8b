//! Writes that are tried out.

use bytes::Bytes;
use foldhash::HashMap;

use crate::view::Writes;

/// What a rehearsal has written: each key once, with its last value, in the order of the first.
///
/// A block of entries is rehearsed before it is taken, so that this is as busy as the view itself.
#[derive(Debug, Default)]
pub(crate) struct Rehearsal {
    places: HashMap<Bytes, usize>,
    writes: Writes,
}

impl Rehearsal {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        let place = self.places.get(key)?;
        self.writes.get(*place).map(|(_, value)| value)
    }

    pub(crate) fn put(&mut self, key: Bytes, value: Option<Bytes>) {
        if let Some(write) = self
            .places
            .get(&key)
            .and_then(|place| self.writes.get_mut(*place))
        {
            write.1 = value;
            return;
        }
        self.places.insert(key.clone(), self.writes.len());
        self.writes.push((key, value));
    }

    /// What was written, for a scan: rare in a rehearsal, so that nothing is kept in order for it.
    pub(crate) fn writes(&self) -> &Writes {
        &self.writes
    }

    pub(crate) fn into_writes(self) -> Writes {
        self.writes
    }
}
