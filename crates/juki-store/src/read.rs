//! Reading a ledger's entries in order, frame by frame, also while its node writes on.

use std::io;

use juki_crypto::{StorageKey, VerifyingKey};
use juki_domain::{ErrorCode, NodeId};
use juki_ledger::{
    Chain, Checkpoint, Entry, EntryKind, FRAME_HEADER_LEN, Frame, SEGMENT_HEADER_LEN, SegmentError,
    SegmentHeader,
};
use juki_runtime::Files;
use prost::Message as _;

use crate::recover::{SegmentEnd, continues, end_of, read_frame, read_header, segment_numbers};

/// A ledger cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// The folder or a file cannot be read, or there is no ledger.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The ledger does not open under this key.
    #[error("segment {0} does not open under this key")]
    WrongKey(u32),
    /// Something differs from what was written.
    #[error("segment {segment} at byte {offset}: entry {entry} cannot be trusted: {what}")]
    Damaged {
        /// The segment.
        segment: u32,
        /// Where in it.
        offset: u64,
        /// The first entry that cannot be trusted.
        entry: u64,
        /// What is wrong.
        what: String,
    },
}

impl ReadFailure {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unreadable(_) => ErrorCode::DiskFailed,
            Self::WrongKey(_) => ErrorCode::LedgerKeyWrong,
            Self::Damaged { .. } => ErrorCode::LedgerDamaged,
        }
    }
}

/// Reads entries in order. It holds one frame at a time and writes nothing.
pub struct LedgerReader<F> {
    files: F,
    storage: StorageKey,
    node: NodeId,
    /// Segments that are not begun, the next one last.
    waiting: Vec<u32>,
    place: Option<Place>,
    chain: Chain,
    checkpoint: Option<Chain>,
}

/// Where reading is.
struct Place {
    segment: u32,
    key: StorageKey,
    signer: Option<VerifyingKey>,
    offset: u64,
    index: u32,
}

impl<F: Files> LedgerReader<F> {
    /// Takes up a ledger at its first entry.
    ///
    /// # Errors
    /// [`ReadFailure`]; a folder without a segment is no ledger.
    pub fn open(files: F, storage: StorageKey) -> Result<Self, ReadFailure> {
        let mut waiting = segment_numbers(&files)?;
        let Some(first) = waiting.first() else {
            return Err(nothing());
        };
        let node = SegmentHeader::decode(&read_header(&files, *first)?)
            .map_err(|error| damaged(*first, 0, 1, &error))?
            .node;
        waiting.reverse();
        Ok(Self {
            files,
            storage,
            node,
            waiting,
            place: None,
            chain: Chain::default(),
            checkpoint: None,
        })
    }

    /// Whose ledger it is.
    #[must_use]
    pub fn node(&self) -> &NodeId {
        &self.node
    }

    /// The chain up to the last entry that was given.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// The chain at the last signed checkpoint that was read and fits.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Chain> {
        self.checkpoint
    }

    /// The entries of the next frame; `None` at the end of what is written so far.
    ///
    /// # Errors
    /// [`ReadFailure`]. Every entry is compared with its leaf, every segment with the chain and every
    /// checkpoint with both before it is given.
    pub fn next_frame(&mut self) -> Result<Option<Vec<Entry>>, ReadFailure> {
        loop {
            let Some(place) = &self.place else {
                match self.waiting.pop() {
                    None => return Ok(None),
                    Some(segment) => self.place = self.begin(segment)?,
                }
                continue;
            };
            let found = read_frame(&self.files, place.segment, place.offset)?;
            match found {
                Ok(frame) => return self.take(frame).map(Some),
                Err(error) => {
                    let next_seq = self.chain.seq + 1;
                    let (segment, offset) = (place.segment, place.offset);
                    let end = end_of(&self.files, segment, offset, next_seq, error)?;
                    if let SegmentEnd::Damaged { what, .. } = end {
                        // A node that writes on has finished the frame meanwhile.
                        match read_frame(&self.files, segment, offset)? {
                            Ok(frame) => return self.take(frame).map(Some),
                            Err(_) => return Err(damaged(segment, offset, next_seq, &what)),
                        }
                    }
                    if self.waiting.is_empty() {
                        return Ok(None);
                    }
                    self.place = None;
                }
            }
        }
    }

    /// Begins a segment; `None` where it is a name only, as the last one of a run that lost power is.
    fn begin(&mut self, segment: u32) -> Result<Option<Place>, ReadFailure> {
        let bytes = read_header(&self.files, segment)?;
        let next_seq = self.chain.seq + 1;
        let header = match SegmentHeader::decode(&bytes) {
            Ok(header) => header,
            Err(_) if self.waiting.is_empty() && next_seq > 1 => return Ok(None),
            Err(error) => return Err(damaged(segment, 0, next_seq, &error)),
        };
        if !continues(&header, segment, &self.chain) {
            let what = "the segment does not continue the one before it";
            return Err(damaged(segment, 0, next_seq, &what));
        }
        let key = SegmentHeader::frame_key(&bytes, &self.storage).map_err(|error| match error {
            SegmentError::WrongKey => ReadFailure::WrongKey(segment),
            SegmentError::Damaged => damaged(segment, 0, next_seq, &error),
        })?;
        Ok(Some(Place {
            segment,
            key,
            signer: VerifyingKey::from_bytes(&header.signer).ok(),
            offset: SEGMENT_HEADER_LEN as u64,
            index: 0,
        }))
    }

    fn take(&mut self, frame: Frame) -> Result<Vec<Entry>, ReadFailure> {
        let Some(place) = &mut self.place else {
            return Ok(Vec::new());
        };
        let (segment, offset) = (place.segment, place.offset);
        let next_seq = self.chain.seq + 1;
        if frame.header.first_seq != next_seq || frame.header.index != place.index {
            let what = format!(
                "the frame says it begins with entry {}, entry {next_seq} is next",
                frame.header.first_seq
            );
            return Err(damaged(segment, offset, next_seq, &what));
        }
        place.offset += FRAME_HEADER_LEN as u64 + frame.header.body_len() as u64;
        place.index += 1;
        let entries = frame
            .open(&place.key)
            .map_err(|error| damaged(segment, offset, next_seq, &error))?;
        for entry in &entries {
            if entry.kind == EntryKind::CHECKPOINT {
                let fits = Checkpoint::decode(entry.payload.as_slice()).is_ok_and(|checkpoint| {
                    checkpoint.covers(&self.chain)
                        && place
                            .signer
                            .as_ref()
                            .is_some_and(|signer| checkpoint.verify(signer).is_ok())
                });
                if !fits {
                    let what = "the checkpoint does not fit";
                    return Err(damaged(segment, offset, entry.seq, &what));
                }
                self.checkpoint = Some(self.chain);
            }
            self.chain.advance(&entry.leaf());
        }
        Ok(entries)
    }
}

fn damaged(segment: u32, offset: u64, entry: u64, what: &dyn std::fmt::Display) -> ReadFailure {
    ReadFailure::Damaged {
        segment,
        offset,
        entry,
        what: what.to_string(),
    }
}

fn nothing() -> ReadFailure {
    ReadFailure::Unreadable(io::Error::new(
        io::ErrorKind::NotFound,
        "no segment is here",
    ))
}
