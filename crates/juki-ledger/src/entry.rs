//! Entries and the chain over their leaves.

use std::fmt;

use juki_crypto::{Digest, DigestStream};

/// Length of an entry's salt in bytes.
pub const SALT_LEN: usize = 16;

/// Longest payload of one entry in bytes: a block with room to spare.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

/// What a payload is. The numbers belong to the crates that write them; the ledger reads none but
/// its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKind(pub u16);

impl EntryKind {
    /// A run of the node began: payload is empty.
    pub const OPENED: Self = Self(1);
    /// A torn tail of this many bytes (u64 in network order) was cut from the segment before.
    pub const TORN_TAIL: Self = Self(2);
    /// A signed checkpoint of the chain.
    pub const CHECKPOINT: Self = Self(3);
    /// What is left of an entry that was purged by law: its leaf, its kind, and why.
    pub const PURGED: Self = Self(4);
}

/// An entry that has no number yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// What the payload is.
    pub kind: EntryKind,
    /// The payload, opaque to the ledger.
    pub payload: Vec<u8>,
}

/// One entry of a ledger. `Debug` shows nothing of the payload.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number, rising by one from 1.
    pub seq: u64,
    /// When it was appended, in milliseconds since 1970 on the machine's clock.
    pub at_ms: u64,
    /// What the payload is.
    pub kind: EntryKind,
    /// Random bytes, so that a purged payload cannot be guessed back from its leaf.
    pub salt: [u8; SALT_LEN],
    /// The payload.
    pub payload: Vec<u8>,
}

impl Entry {
    /// The leaf: what the chain and a block's Merkle tree stand on.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        if let Some(remains) = self.remains() {
            return remains.leaf;
        }
        Self::leaf_of(self.kind, self.at_ms, &self.salt, &self.payload)
    }

    /// The leaf of an entry given in parts.
    #[must_use]
    pub fn leaf_of(kind: EntryKind, at_ms: u64, salt: &[u8; SALT_LEN], payload: &[u8]) -> Digest {
        DigestStream::new("juki leaf 1")
            .with(salt)
            .with(&kind.0.to_be_bytes())
            .with(&at_ms.to_be_bytes())
            .with(payload)
            .finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Entry({}, kind {}, {} bytes)",
            self.seq,
            self.kind.0,
            self.payload.len()
        )
    }
}

impl fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NewEntry(kind {}, {} bytes)",
            self.kind.0,
            self.payload.len()
        )
    }
}

/// The chain's head: the number of entries and a digest over all their leaves in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chain {
    /// The number of the last entry, 0 before the first.
    pub seq: u64,
    /// The digest over all leaves so far.
    pub hash: Digest,
}

impl Chain {
    /// Takes in the next entry's leaf.
    pub fn advance(&mut self, leaf: &Digest) {
        self.seq += 1;
        self.hash = DigestStream::new("juki chain 1")
            .with(&self.seq.to_be_bytes())
            .with(&self.hash)
            .with(leaf)
            .finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(payload: &[u8]) -> Entry {
        Entry {
            seq: 1,
            at_ms: 5,
            kind: EntryKind(9),
            salt: [1; SALT_LEN],
            payload: payload.to_vec(),
        }
    }

    #[test]
    fn the_leaf_covers_salt_kind_time_and_payload() {
        let base = entry(b"x").leaf();
        assert_ne!(entry(b"y").leaf(), base);
        assert_ne!(
            Entry {
                at_ms: 6,
                ..entry(b"x")
            }
            .leaf(),
            base
        );
        assert_ne!(
            Entry {
                kind: EntryKind(8),
                ..entry(b"x")
            }
            .leaf(),
            base
        );
        assert_ne!(
            Entry {
                salt: [2; SALT_LEN],
                ..entry(b"x")
            }
            .leaf(),
            base
        );
    }

    #[test]
    fn the_chain_depends_on_order() {
        let (a, b) = (entry(b"a").leaf(), entry(b"b").leaf());
        let run = |leaves: &[Digest]| {
            let mut chain = Chain::default();
            for leaf in leaves {
                chain.advance(leaf);
            }
            chain
        };
        assert_ne!(run(&[a, b]), run(&[b, a]));
        assert_eq!(run(&[a, b]).seq, 2);
    }

    #[test]
    fn debug_shows_no_payload() {
        assert_eq!(
            format!("{:?}", entry("氏名".as_bytes())),
            "Entry(1, kind 9, 6 bytes)"
        );
    }
}
