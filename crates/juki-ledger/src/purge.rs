//! Purging: payload and salt go, the leaf stays, and the chain with it.

use juki_crypto::{Digest, DigestStream};
use prost::Message;

use crate::{Entry, EntryKind, SALT_LEN};

/// A purge by law: [`LedgerPurged`].
pub const LEDGER_PURGED: EntryKind = EntryKind(114);

/// What was purged and why. It stands in the ledger before anything is removed.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LedgerPurged {
    /// The kinds of entries.
    #[prost(uint32, repeated, tag = "1")]
    pub kinds: Vec<u32>,
    /// Entries older than this are meant, in ms since 1970.
    #[prost(uint64, tag = "2")]
    pub before_ms: u64,
    /// The number of the first of them.
    #[prost(uint64, tag = "3")]
    pub first: u64,
    /// The number of the last of them.
    #[prost(uint64, tag = "4")]
    pub last: u64,
    /// How many they are.
    #[prost(uint64, tag = "5")]
    pub count: u64,
    /// The digest over their leaves, in order.
    #[prost(bytes = "vec", tag = "6")]
    pub digest: Vec<u8>,
    /// The reason that was given.
    #[prost(string, tag = "7")]
    pub reason: String,
}

/// What is left of a purged entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remains {
    /// Its leaf.
    pub leaf: Digest,
    /// What it was.
    pub kind: EntryKind,
    /// The number of the entry that says why it was purged.
    pub by: u64,
}

impl Entry {
    /// The entry without payload and salt: number, time, kind and leaf stay. `by` is the number of the
    /// entry that says why.
    #[must_use]
    pub fn purged(&self, by: u64) -> Self {
        let leaf = self.leaf();
        let mut payload = leaf.to_vec();
        payload.extend_from_slice(&self.kind.0.to_be_bytes());
        payload.extend_from_slice(&by.to_be_bytes());
        Self {
            seq: self.seq,
            at_ms: self.at_ms,
            kind: EntryKind::PURGED,
            salt: [0; SALT_LEN],
            payload,
        }
    }

    /// What is left of the entry, where it was purged.
    #[must_use]
    pub fn remains(&self) -> Option<Remains> {
        if self.kind != EntryKind::PURGED {
            return None;
        }
        let (leaf, rest) = self.payload.split_first_chunk::<32>()?;
        let (kind, by) = rest.split_first_chunk::<2>()?;
        Some(Remains {
            leaf: *leaf,
            kind: EntryKind(u16::from_be_bytes(*kind)),
            by: u64::from_be_bytes(by.try_into().ok()?),
        })
    }
}

/// The digest over the leaves of what one purge removes.
pub struct PurgeDigest {
    stream: DigestStream,
    count: u64,
}

impl Default for PurgeDigest {
    fn default() -> Self {
        Self {
            stream: DigestStream::new("juki purge 1"),
            count: 0,
        }
    }
}

impl PurgeDigest {
    /// Takes the next leaf.
    pub fn take(&mut self, seq: u64, leaf: &Digest) {
        self.stream.update(&seq.to_be_bytes());
        self.stream.update(leaf);
        self.count += 1;
    }

    /// How many were taken.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.stream.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purged_entry_keeps_its_leaf_and_says_what_it_was() {
        let entry = Entry {
            seq: 7,
            at_ms: 5,
            kind: EntryKind(80),
            salt: [3; SALT_LEN],
            payload: b"who asked for whom".to_vec(),
        };
        let purged = entry.purged(99);
        assert_eq!(purged.leaf(), entry.leaf());
        let remains = Remains {
            leaf: entry.leaf(),
            kind: EntryKind(80),
            by: 99,
        };
        assert_eq!(purged.remains(), Some(remains));
        assert_eq!(entry.remains(), None);
        assert!(!purged.payload.windows(3).any(|bytes| bytes == b"who"));
        let cut = Entry {
            payload: vec![1; 20],
            ..purged
        };
        assert_eq!(cut.remains(), None);
    }
}
