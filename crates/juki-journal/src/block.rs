//! Blocks: runs of journal entries under one signature.

use juki_crypto::{Digest, SigningKey, VerifyingKey, merkle_root, sha256};
use juki_domain::{Change, ErrorCode, MunicipalityCode};
use juki_ledger::Entry;
use juki_registry::{Position, decode_change, encode_change};
use prost::Message;

use crate::JOURNAL_ENTRY;

/// Longest block on the wire, in bytes (design.md 1).
pub const BLOCK_BYTES_MAX: usize = 256 * 1024;

/// Longest body of a block when decompressed, in bytes: a bound against hostile compression.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bodies below this length are not compressed: nothing is gained.
const COMPRESS_FROM: usize = 512;
const CONTEXT: &str = "juki block 1";

/// A block cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It cannot be read, or its entries are not those its root names.
    #[error("the block cannot be read")]
    Malformed,
    /// The municipality's server did not sign it.
    #[error("the municipality's server did not sign the block")]
    Signature,
    /// Another node than the municipality's server or its prefecture sent it.
    #[error("this node may not write the municipality's journal")]
    WrongWriter,
    /// Entries are missing before it.
    #[error("entries are missing before the block")]
    Gap,
    /// It does not continue the block before it.
    #[error("the block does not continue the one before")]
    Previous,
    /// It is of another epoch.
    #[error("the block is of another epoch")]
    Epoch,
    /// Folding it does not give the digest it names.
    #[error("folding the block does not give its digest")]
    Digest,
}

impl BlockError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Malformed => ErrorCode::BlockMalformed,
            Self::Signature => ErrorCode::BlockSignature,
            Self::WrongWriter => ErrorCode::BlockWrongWriter,
            Self::Gap => ErrorCode::BlockGap,
            Self::Previous => ErrorCode::BlockPrevious,
            Self::Epoch => ErrorCode::BlockEpoch,
            Self::Digest => ErrorCode::BlockDigest,
        }
    }
}

/// The payload of a [`JOURNAL_ENTRY`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct JournalEntry {
    /// The journal's epoch.
    #[prost(uint32, tag = "1")]
    pub epoch: u32,
    /// The number within the epoch.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
    /// The change's bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub change: Vec<u8>,
}

impl JournalEntry {
    /// The entry of a change at a position.
    #[must_use]
    pub fn new(position: Position, change: &Change) -> Self {
        Self {
            epoch: position.epoch,
            seq: position.seq,
            change: encode_change(change),
        }
    }

    /// Its place in the journal.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
        }
    }
}

/// What a block says of itself.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BlockHeader {
    /// The municipality, as five digits.
    #[prost(uint32, tag = "1")]
    pub municipality: u32,
    /// The journal's epoch.
    #[prost(uint32, tag = "2")]
    pub epoch: u32,
    /// Number of the first entry.
    #[prost(uint64, tag = "3")]
    pub first_seq: u64,
    /// How many entries.
    #[prost(uint32, tag = "4")]
    pub count: u32,
    /// Digest of the header before, empty for the first block of an epoch.
    #[prost(bytes = "vec", tag = "5")]
    pub previous: Vec<u8>,
    /// Merkle root over the entries' leaves.
    #[prost(bytes = "vec", tag = "6")]
    pub root: Vec<u8>,
    /// Digest of the municipality's fold after the block.
    #[prost(bytes = "vec", tag = "7")]
    pub digest: Vec<u8>,
}

impl BlockHeader {
    /// Number of the last entry.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.first_seq
            .saturating_add(u64::from(self.count))
            .saturating_sub(1)
    }
}

/// A block as it travels and lies in ledgers: nobody re-signs it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SignedBlock {
    /// The header's bytes, which the signature covers.
    #[prost(bytes = "vec", tag = "1")]
    pub header: Vec<u8>,
    /// The signature of the municipality's server.
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
    /// The entries.
    #[prost(bytes = "vec", tag = "3")]
    pub body: Vec<u8>,
    /// Whether the body is compressed (zstd).
    #[prost(bool, tag = "4")]
    pub compressed: bool,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Body {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<BodyEntry>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct BodyEntry {
    #[prost(bytes = "vec", tag = "1")]
    salt: Vec<u8>,
    #[prost(uint64, tag = "2")]
    at_ms: u64,
    #[prost(bytes = "vec", tag = "3")]
    payload: Vec<u8>,
}

/// A block whose form, signature and root are right.
#[derive(Clone)]
pub struct Block {
    /// The header.
    pub header: BlockHeader,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The changes in order.
    pub changes: Vec<(Position, Change)>,
}

impl SignedBlock {
    /// Makes and signs the block of some ledger entries, all of kind [`JOURNAL_ENTRY`] and in order.
    ///
    /// # Errors
    /// [`BlockError::Malformed`] for no entries, or entries that are none of a journal.
    pub fn sign(
        municipality: MunicipalityCode,
        entries: &[impl AsRef<Entry>],
        previous: &[u8],
        digest: Digest,
        key: &SigningKey,
    ) -> Result<Self, BlockError> {
        let first = entries
            .first()
            .map(AsRef::as_ref)
            .ok_or(BlockError::Malformed)?;
        let first =
            JournalEntry::decode(first.payload.as_slice()).map_err(|_| BlockError::Malformed)?;
        let leaves: Vec<Digest> = entries.iter().map(|entry| entry.as_ref().leaf()).collect();
        let header = BlockHeader {
            municipality: municipality.number(),
            epoch: first.epoch,
            first_seq: first.seq,
            count: u32::try_from(entries.len()).map_err(|_| BlockError::Malformed)?,
            previous: previous.to_vec(),
            root: merkle_root(&leaves).to_vec(),
            digest: digest.to_vec(),
        }
        .encode_to_vec();
        let body_entry = |entry: &Entry| BodyEntry {
            salt: entry.salt.to_vec(),
            at_ms: entry.at_ms,
            payload: entry.payload.clone(),
        };
        let plain = Body {
            entries: entries
                .iter()
                .map(|entry| body_entry(entry.as_ref()))
                .collect(),
        }
        .encode_to_vec();
        let packed = if plain.len() < COMPRESS_FROM {
            None
        } else {
            zstd::bulk::compress(&plain, 1)
                .ok()
                .filter(|packed| packed.len() < plain.len())
        };
        let signature = key.sign(CONTEXT, &header).to_vec();
        Ok(Self {
            header,
            signature,
            compressed: packed.is_some(),
            body: packed.unwrap_or(plain),
        })
    }

    /// The digest by which the next block names this one.
    #[must_use]
    pub fn hash(&self) -> Digest {
        sha256(&self.header)
    }

    /// Reads the header alone.
    ///
    /// # Errors
    /// [`BlockError::Malformed`].
    pub fn read_header(&self) -> Result<BlockHeader, BlockError> {
        BlockHeader::decode(self.header.as_slice()).map_err(|_| BlockError::Malformed)
    }

    /// Checks the signature over the header.
    ///
    /// # Errors
    /// [`BlockError::Signature`].
    pub fn verify_signature(&self, writer: &VerifyingKey) -> Result<(), BlockError> {
        writer
            .verify(CONTEXT, &self.header, &self.signature)
            .map_err(|_| BlockError::Signature)
    }

    /// Checks signature, form and root, and reads the changes.
    ///
    /// # Errors
    /// [`BlockError::Signature`] or [`BlockError::Malformed`].
    pub fn verify(&self, writer: &VerifyingKey) -> Result<Block, BlockError> {
        self.verify_signature(writer)?;
        self.read()
    }

    /// Reads the changes without checking the signature: for blocks from the node's own ledger.
    ///
    /// # Errors
    /// [`BlockError::Malformed`].
    pub fn read(&self) -> Result<Block, BlockError> {
        let malformed = BlockError::Malformed;
        let header = self.read_header()?;
        let municipality =
            MunicipalityCode::from_number(header.municipality).map_err(|_| malformed)?;
        // Beyond its last number no journal goes on.
        header
            .first_seq
            .checked_add(u64::from(header.count) + 1)
            .ok_or(malformed)?;
        let unpacked = if self.compressed {
            Some(zstd::bulk::decompress(&self.body, BODY_BYTES_MAX).map_err(|_| malformed)?)
        } else {
            None
        };
        let body =
            Body::decode(unpacked.as_deref().unwrap_or(&self.body)).map_err(|_| malformed)?;
        if body.entries.is_empty() || usize::try_from(header.count).ok() != Some(body.entries.len())
        {
            return Err(malformed);
        }
        let mut leaves = Vec::with_capacity(body.entries.len());
        let mut changes = Vec::with_capacity(body.entries.len());
        for (seq, entry) in (header.first_seq..).zip(&body.entries) {
            let salt = entry.salt.as_slice().try_into().map_err(|_| malformed)?;
            leaves.push(Entry::leaf_of(
                JOURNAL_ENTRY,
                entry.at_ms,
                salt,
                &entry.payload,
            ));
            let journal = JournalEntry::decode(entry.payload.as_slice()).map_err(|_| malformed)?;
            if journal.epoch != header.epoch || journal.seq != seq {
                return Err(malformed);
            }
            changes.push((
                journal.position(),
                decode_change(&journal.change).map_err(|_| malformed)?,
            ));
        }
        if merkle_root(&leaves).as_slice() != header.root {
            return Err(malformed);
        }
        Ok(Block {
            header,
            municipality,
            changes,
        })
    }
}
