//! Segment headers: who wrote it, where the chain stood, and the wrapped key of its frames.

use juki_crypto::{Digest, StorageKey};
use juki_domain::NodeId;

use crate::Chain;

/// Length of a segment's header in bytes.
pub const SEGMENT_HEADER_LEN: usize = 256;

const MAGIC: [u8; 8] = *b"JKLEDG01";
const NODE_FIELD_LEN: usize = 33;
const CLEAR_LEN: usize = 8 + NODE_FIELD_LEN + 4 + 8 + 32 + 8 + 32 + 12;
const WRAPPED_LEN: usize = 48;

/// A segment's header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The bytes are no segment header, or their checksum does not fit.
    #[error("the segment's header is damaged")]
    Damaged,
    /// The segment's key does not open under the node's storage key.
    #[error("the segment's key does not open under this storage key")]
    WrongKey,
}

/// What stands at the head of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The node whose ledger this is.
    pub node: NodeId,
    /// The segment's number, rising by one from 1.
    pub number: u32,
    /// Where the chain stood before the first frame.
    pub before: Chain,
    /// When it was begun, in milliseconds since 1970.
    pub begun_ms: u64,
    /// The node's public signing key, which signed the checkpoints within.
    pub signer: [u8; 32],
}

impl SegmentHeader {
    /// The header's bytes, with `frame_key` wrapped under the node's storage key.
    #[must_use]
    pub fn encode(&self, storage: &StorageKey, frame_key: &StorageKey, nonce: [u8; 12]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_LEN);
        bytes.extend_from_slice(&MAGIC);
        let name = self.node.as_str().as_bytes();
        bytes.push(u8::try_from(name.len()).unwrap_or(0));
        bytes.extend_from_slice(name);
        bytes.resize(8 + NODE_FIELD_LEN, 0);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.before.seq.to_be_bytes());
        bytes.extend_from_slice(&self.before.hash);
        bytes.extend_from_slice(&self.begun_ms.to_be_bytes());
        bytes.extend_from_slice(&self.signer);
        bytes.extend_from_slice(&nonce);
        let mut wrapped = frame_key.reveal().to_vec();
        storage
            .derive("ledger segment")
            .seal(nonce, &bytes, &mut wrapped);
        bytes.extend_from_slice(&wrapped);
        bytes.resize(SEGMENT_HEADER_LEN - 4, 0);
        let checksum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// Reads a header without its key.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SegmentError> {
        let damaged = SegmentError::Damaged;
        let bytes: &[u8; SEGMENT_HEADER_LEN] = bytes.try_into().map_err(|_| damaged)?;
        let (covered, checksum) = bytes.split_last_chunk::<4>().ok_or(damaged)?;
        let rest = covered.strip_prefix(&MAGIC).ok_or(damaged)?;
        if crc32c::crc32c(covered) != u32::from_be_bytes(*checksum) {
            return Err(damaged);
        }
        let (name, rest) = rest.split_first_chunk::<NODE_FIELD_LEN>().ok_or(damaged)?;
        let [name_len, name @ ..] = name;
        let name = name.get(..usize::from(*name_len)).ok_or(damaged)?;
        let node = std::str::from_utf8(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(damaged)?;
        let (number, rest) = rest.split_first_chunk::<4>().ok_or(damaged)?;
        let (seq, rest) = rest.split_first_chunk::<8>().ok_or(damaged)?;
        let (hash, rest) = rest.split_first_chunk::<32>().ok_or(damaged)?;
        let (begun, rest) = rest.split_first_chunk::<8>().ok_or(damaged)?;
        let (signer, _) = rest.split_first_chunk::<32>().ok_or(damaged)?;
        let hash: Digest = *hash;
        Ok(Self {
            node,
            number: u32::from_be_bytes(*number),
            before: Chain {
                seq: u64::from_be_bytes(*seq),
                hash,
            },
            begun_ms: u64::from_be_bytes(*begun),
            signer: *signer,
        })
    }

    /// The key of the segment's frames.
    ///
    /// # Errors
    /// [`SegmentError::WrongKey`] where `storage` is not the key it was wrapped under.
    pub fn frame_key(bytes: &[u8], storage: &StorageKey) -> Result<StorageKey, SegmentError> {
        let (clear, rest) = bytes
            .split_at_checked(CLEAR_LEN)
            .ok_or(SegmentError::Damaged)?;
        let nonce = clear.last_chunk::<12>().ok_or(SegmentError::Damaged)?;
        let mut wrapped = rest
            .get(..WRAPPED_LEN)
            .ok_or(SegmentError::Damaged)?
            .to_vec();
        storage
            .derive("ledger segment")
            .open(*nonce, clear, &mut wrapped)
            .map_err(|_| SegmentError::WrongKey)?;
        wrapped
            .try_into()
            .map(StorageKey::new)
            .map_err(|_| SegmentError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            node: "national".parse().unwrap(),
            number: 3,
            before: Chain {
                seq: 9,
                hash: [4; 32],
            },
            begun_ms: 77,
            signer: [8; 32],
        }
    }

    #[test]
    fn a_header_reads_back_and_its_key_opens_under_its_own_storage_key_only() {
        let (storage, frame_key) = (StorageKey::new([1; 32]), StorageKey::new([2; 32]));
        let bytes = header().encode(&storage, &frame_key, [5; 12]);
        assert_eq!(bytes.len(), SEGMENT_HEADER_LEN);
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header()));
        assert_eq!(
            SegmentHeader::frame_key(&bytes, &storage).unwrap().reveal(),
            frame_key.reveal()
        );
        assert!(matches!(
            SegmentHeader::frame_key(&bytes, &StorageKey::new([9; 32])),
            Err(SegmentError::WrongKey)
        ));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(
                SegmentHeader::decode(&changed),
                Err(SegmentError::Damaged),
                "byte {at}"
            );
        }
    }
}
