//! Frames: the entries of one sync, sealed, with their leaves in clear.
//!
//! The leaves stand in clear so that anybody who holds a signed checkpoint can verify the chain
//! without being able to read a single payload.

use juki_crypto::{Digest, StorageKey};

use crate::entry::{PAYLOAD_BYTES_MAX, SALT_LEN};
use crate::{Entry, EntryKind};

/// Length of a frame's fixed header in bytes.
pub const FRAME_HEADER_LEN: usize = 28;

/// Longest sealed part of a frame in bytes.
pub const FRAME_SEALED_MAX: usize = 64 * 1024 * 1024;

const MAGIC: [u8; 4] = *b"JKF1";
const COUNT_MAX: u32 = 1 << 20;
const ENTRY_FIXED_LEN: usize = 8 + 2 + SALT_LEN + 4;
const TAG_LEN: usize = 16;

/// A frame cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Zeros: nothing was written here.
    #[error("nothing is written here")]
    Empty,
    /// The bytes begin no frame.
    #[error("no frame begins here")]
    NoFrame,
    /// The checksum does not fit.
    #[error("the frame's checksum does not fit")]
    Checksum,
    /// The sealed part does not open under the segment's key.
    #[error("the frame does not open under its key")]
    NotOpened,
    /// A leaf differs from its entry.
    #[error("entry {0} differs from its leaf")]
    Leaf(u64),
}

/// A frame's fixed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Number of the first entry.
    pub first_seq: u64,
    /// How many entries.
    pub count: u32,
    /// The frame's place in its segment, which is its nonce.
    pub index: u32,
    sealed_len: u32,
    checksum: u32,
}

/// A frame with a fitting checksum.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The fixed header.
    pub header: FrameHeader,
    /// The leaves of the entries, in order.
    pub leaves: Vec<Digest>,
    associated: Vec<u8>,
    sealed: Vec<u8>,
}

impl FrameHeader {
    /// Reads a fixed header.
    ///
    /// # Errors
    /// [`FrameError::Empty`] for zeros, else [`FrameError::NoFrame`].
    pub fn decode(bytes: &[u8; FRAME_HEADER_LEN]) -> Result<Self, FrameError> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(FrameError::Empty);
        }
        let u32_at = |at: usize| {
            bytes
                .get(at..at + 4)
                .and_then(|b| b.try_into().ok())
                .map_or(0, u32::from_be_bytes)
        };
        let first_seq = bytes
            .get(8..16)
            .and_then(|b| b.try_into().ok())
            .map_or(0, u64::from_be_bytes);
        let header = Self {
            first_seq,
            count: u32_at(16),
            index: u32_at(20),
            sealed_len: u32_at(24),
            checksum: u32_at(4),
        };
        let plausible = bytes.starts_with(&MAGIC)
            && (1..=COUNT_MAX).contains(&header.count)
            && first_seq > 0
            && first_seq.checked_add(u64::from(header.count) + 1).is_some()
            && (TAG_LEN..=FRAME_SEALED_MAX).contains(&header.sealed_len());
        if plausible {
            Ok(header)
        } else {
            Err(FrameError::NoFrame)
        }
    }

    /// Bytes that follow the fixed header.
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.leaves_len() + self.sealed_len()
    }

    fn leaves_len(&self) -> usize {
        usize::try_from(self.count).map_or(usize::MAX, |count| count * 32)
    }

    fn sealed_len(&self) -> usize {
        usize::try_from(self.sealed_len).unwrap_or(usize::MAX)
    }

    fn encode(&self) -> [u8; FRAME_HEADER_LEN] {
        let mut bytes = [0; FRAME_HEADER_LEN];
        let parts = MAGIC
            .into_iter()
            .chain(self.checksum.to_be_bytes())
            .chain(self.first_seq.to_be_bytes())
            .chain(self.count.to_be_bytes())
            .chain(self.index.to_be_bytes())
            .chain(self.sealed_len.to_be_bytes());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = from;
        }
        bytes
    }

    fn associated(&self, leaves: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20 + leaves.len());
        bytes.extend_from_slice(&self.first_seq.to_be_bytes());
        bytes.extend_from_slice(&self.count.to_be_bytes());
        bytes.extend_from_slice(&self.index.to_be_bytes());
        bytes.extend_from_slice(leaves);
        bytes
    }

    fn checksum_of(&self, leaves: &[u8], sealed: &[u8]) -> u32 {
        let clear = Self {
            checksum: 0,
            ..*self
        }
        .encode();
        crc32c::crc32c_append(
            crc32c::crc32c_append(crc32c::crc32c(&clear), leaves),
            sealed,
        )
    }
}

impl Frame {
    /// Takes the bytes that follow a fixed header and checks them against its checksum.
    ///
    /// # Errors
    /// [`FrameError::Checksum`] where they differ.
    pub fn decode(header: FrameHeader, body: &[u8]) -> Result<Self, FrameError> {
        let (leaves, sealed) = body
            .split_at_checked(header.leaves_len())
            .ok_or(FrameError::Checksum)?;
        if body.len() != header.body_len() || header.checksum_of(leaves, sealed) != header.checksum
        {
            return Err(FrameError::Checksum);
        }
        let associated = header.associated(leaves);
        Ok(Self {
            header,
            leaves: leaves.as_chunks::<32>().0.to_vec(),
            associated,
            sealed: sealed.to_vec(),
        })
    }

    /// Opens the frame and checks each entry against its leaf.
    ///
    /// # Errors
    /// [`FrameError::NotOpened`] or [`FrameError::Leaf`].
    pub fn open(self, key: &StorageKey) -> Result<Vec<Entry>, FrameError> {
        let mut plain = self.sealed;
        key.open(nonce(self.header.index), &self.associated, &mut plain)
            .map_err(|_| FrameError::NotOpened)?;
        let mut rest = plain.as_slice();
        let mut entries = Vec::with_capacity(self.leaves.len());
        for (seq, leaf) in (self.header.first_seq..).zip(&self.leaves) {
            let entry = take_entry(seq, &mut rest).ok_or(FrameError::Leaf(seq))?;
            if entry.leaf() != *leaf {
                return Err(FrameError::Leaf(seq));
            }
            entries.push(entry);
        }
        if rest.is_empty() {
            Ok(entries)
        } else {
            Err(FrameError::Leaf(self.header.first_seq))
        }
    }
}

/// The bytes of a frame with these entries, whose leaves the caller has computed already.
///
/// The caller keeps the bounds: at least one entry, at most [`FRAME_SEALED_MAX`] bytes in all.
#[must_use]
pub fn encode_frame(
    key: &StorageKey,
    index: u32,
    entries: &[(impl AsRef<Entry>, Digest)],
) -> Vec<u8> {
    let first_seq = entries.first().map_or(0, |(entry, _)| entry.as_ref().seq);
    let mut leaves = Vec::with_capacity(entries.len() * 32);
    let mut sealed = Vec::with_capacity(
        entries
            .iter()
            .map(|(entry, _)| entry.as_ref().payload.len() + ENTRY_FIXED_LEN)
            .sum::<usize>()
            + TAG_LEN,
    );
    for (entry, leaf) in entries {
        let entry = entry.as_ref();
        leaves.extend_from_slice(leaf);
        sealed.extend_from_slice(&entry.at_ms.to_be_bytes());
        sealed.extend_from_slice(&entry.kind.0.to_be_bytes());
        sealed.extend_from_slice(&entry.salt);
        sealed.extend_from_slice(
            &u32::try_from(entry.payload.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        sealed.extend_from_slice(&entry.payload);
    }
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let sealed_len = u32::try_from(sealed.len() + TAG_LEN).unwrap_or(u32::MAX);
    let mut header = FrameHeader {
        first_seq,
        count,
        index,
        sealed_len,
        checksum: 0,
    };
    key.seal(nonce(index), &header.associated(&leaves), &mut sealed);
    header.checksum = header.checksum_of(&leaves, &sealed);
    let mut bytes = Vec::with_capacity(FRAME_HEADER_LEN + leaves.len() + sealed.len());
    bytes.extend_from_slice(&header.encode());
    bytes.extend_from_slice(&leaves);
    bytes.extend_from_slice(&sealed);
    bytes
}

fn take_entry(seq: u64, rest: &mut &[u8]) -> Option<Entry> {
    let (fixed, after) = rest.split_first_chunk::<ENTRY_FIXED_LEN>()?;
    let (at_ms, fixed) = fixed.split_first_chunk::<8>()?;
    let (kind, fixed) = fixed.split_first_chunk::<2>()?;
    let (salt, len) = fixed.split_first_chunk::<SALT_LEN>()?;
    let len = usize::try_from(u32::from_be_bytes(len.try_into().ok()?)).ok()?;
    if len > PAYLOAD_BYTES_MAX {
        return None;
    }
    let (payload, after) = after.split_at_checked(len)?;
    *rest = after;
    Some(Entry {
        seq,
        at_ms: u64::from_be_bytes(*at_ms),
        kind: EntryKind(u16::from_be_bytes(*kind)),
        salt: *salt,
        payload: payload.to_vec(),
    })
}

fn nonce(index: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().skip(8).zip(index.to_be_bytes()) {
        *to = from;
    }
    nonce
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use proptest::prelude::*;

    fn frame(payloads: &[Vec<u8>], index: u32) -> (Vec<u8>, Vec<Arc<Entry>>) {
        let entries: Vec<Arc<Entry>> = payloads
            .iter()
            .zip(7u64..)
            .map(|(payload, seq)| {
                Arc::new(Entry {
                    seq,
                    at_ms: seq * 3,
                    kind: EntryKind(40),
                    salt: [u8::try_from(index % 256).unwrap(); SALT_LEN],
                    payload: payload.clone(),
                })
            })
            .collect();
        let with_leaves: Vec<_> = entries
            .iter()
            .map(|entry| (Arc::clone(entry), entry.leaf()))
            .collect();
        (
            encode_frame(&StorageKey::new([3; 32]), index, &with_leaves),
            entries,
        )
    }

    fn read(bytes: &[u8]) -> Result<Frame, FrameError> {
        let (head, body) = bytes
            .split_first_chunk::<FRAME_HEADER_LEN>()
            .ok_or(FrameError::NoFrame)?;
        let header = FrameHeader::decode(head)?;
        Frame::decode(
            header,
            body.get(..header.body_len()).ok_or(FrameError::Checksum)?,
        )
    }

    proptest! {
        #[test]
        fn a_frame_reads_back(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 1..9), index in 0u32..9) {
            let (bytes, entries) = frame(&payloads, index);
            let opened = read(&bytes).unwrap().open(&StorageKey::new([3; 32])).unwrap();
            prop_assert_eq!(opened, entries.iter().map(|e| e.as_ref().clone()).collect::<Vec<_>>());
            prop_assert_eq!(read(&bytes).unwrap().open(&StorageKey::new([4; 32])), Err(FrameError::NotOpened));
        }

        #[test]
        fn every_flipped_byte_is_noticed(at in 0usize..300, flip in 1u8..) {
            let (mut bytes, _) = frame(&[vec![5; 90], vec![6; 50]], 2);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            prop_assert!(read(&bytes).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn a_cut_frame_is_not_taken() {
        let (bytes, _) = frame(&[vec![5; 90]], 0);
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err());
        }
    }
}
