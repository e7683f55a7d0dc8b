//! The ledger: append, sync, read.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use juki_crypto::{Digest, Randomness, SigningKey, StorageKey, random_array};
use juki_domain::{ErrorCode, NodeId};
use juki_ledger::{
    Chain, Checkpoint, Entry, EntryKind, FRAME_SEALED_MAX, FrameError, NewEntry, PAYLOAD_BYTES_MAX,
    SEGMENT_HEADER_LEN, SegmentHeader, encode_frame,
};
use juki_runtime::Files;
use prost::Message as _;

use crate::open::read_segments;
use crate::recover::{FramePlace, read_frame, read_header, segment_name};

/// Whose ledger it is and under which keys it lies.
pub struct LedgerIdentity {
    /// The node.
    pub node: NodeId,
    /// The key that wraps every segment's own key; it lies outside the data folder.
    pub storage: StorageKey,
    /// The key that signs checkpoints.
    pub signing: Arc<SigningKey>,
    /// Where salts and segment keys come from.
    pub randomness: Arc<dyn Randomness>,
}

/// Most bytes of payloads and envelopes in one frame: half of what a frame can hold.
const FRAME_BYTES_MAX: usize = FRAME_SEALED_MAX / 2;
/// What an entry costs in a frame beside its payload, in bytes, its leaf included.
const ENTRY_BYTES: usize = 66;

/// Sizes of a ledger.
#[derive(Debug, Clone, Copy)]
pub struct LedgerSettings {
    /// Files grow by this many bytes (1 MiB fits a firewall).
    pub grow_bytes: u64,
    /// A segment that is longer is closed and another begun.
    pub segment_bytes_max: u64,
    /// Bytes of recent payloads kept in memory.
    pub recent_bytes_max: usize,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            grow_bytes: 1 << 20,
            segment_bytes_max: 256 << 20,
            recent_bytes_max: 4 << 20,
        }
    }
}

/// A ledger cannot be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The medium failed.
    #[error("the ledger's disk failed: {0}")]
    Disk(#[from] io::Error),
    /// Something between whole entries is broken.
    #[error("segment {segment} is damaged at byte {offset}, entry {entry}: {what}")]
    Damaged {
        /// Number of the segment.
        segment: u32,
        /// Where in its file.
        offset: u64,
        /// The first entry that cannot be trusted.
        entry: u64,
        /// What is wrong.
        what: String,
    },
    /// The storage key is not the one the ledger lies under.
    #[error("segment {0} does not open under this storage key")]
    WrongKey(u32),
    /// A payload is longer than an entry may be.
    #[error("an entry of {0} bytes is too long")]
    TooLong(usize),
}

impl LedgerError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Disk(_) | Self::TooLong(_) => ErrorCode::DiskFailed,
            Self::Damaged { .. } => ErrorCode::LedgerDamaged,
            Self::WrongKey(_) => ErrorCode::LedgerKeyWrong,
        }
    }
}

/// A tail that a loss of power left behind and opening cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornTail {
    /// Number of the segment.
    pub segment: u32,
    /// How many bytes were cut. None of them had been acknowledged.
    pub bytes: u64,
}

/// What opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenReport {
    /// Where the chain stands before this run's first entry.
    pub found: Chain,
    /// The tail that was cut, if there was one.
    pub torn: Option<TornTail>,
}

/// One node's ledger, open for appending in a segment of its own.
pub struct Ledger<F: Files> {
    files: F,
    identity: LedgerIdentity,
    settings: LedgerSettings,
    chain: Chain,
    durable: u64,
    frames: Vec<FramePlace>,
    segment: u32,
    frame_key: StorageKey,
    offset: u64,
    file_len: u64,
    index: u32,
    staged: Vec<(Arc<Entry>, Digest)>,
    recent: VecDeque<Arc<Entry>>,
    recent_bytes: usize,
    /// Segments begun since the folder was synced last.
    folder_dirty: bool,
    failed: bool,
}

impl<F: Files> Ledger<F> {
    /// Opens the ledger: verifies every frame and the chain, cuts a torn tail, begins a segment.
    ///
    /// # Errors
    /// [`LedgerError`]; a damaged ledger is not opened.
    pub fn open(
        mut files: F,
        identity: LedgerIdentity,
        settings: LedgerSettings,
        now_ms: u64,
    ) -> Result<(Self, OpenReport), LedgerError> {
        let found = read_segments(&mut files, &identity.storage)?;
        let (chain, torn) = (found.chain, found.torn);
        let report = OpenReport { found: chain, torn };
        let segment = found.last.unwrap_or(0) + 1;
        let mut ledger = Self {
            files,
            frame_key: StorageKey::new([0; 32]),
            identity,
            settings,
            chain,
            durable: chain.seq,
            frames: found.frames,
            segment,
            offset: 0,
            file_len: 0,
            index: 0,
            staged: Vec::new(),
            recent: VecDeque::new(),
            recent_bytes: 0,
            folder_dirty: true,
            failed: false,
        };
        ledger.begin_segment(segment, now_ms)?;
        ledger.append(
            now_ms,
            NewEntry {
                kind: EntryKind::OPENED,
                payload: Vec::new(),
            },
        )?;
        if let Some(torn) = torn {
            ledger.append(
                now_ms,
                NewEntry {
                    kind: EntryKind::TORN_TAIL,
                    payload: torn.bytes.to_be_bytes().to_vec(),
                },
            )?;
        }
        ledger.sync()?;
        Ok((ledger, report))
    }

    /// Appends an entry in memory and gives it its number. It is not stored before [`Self::sync`].
    ///
    /// # Errors
    /// [`LedgerError::TooLong`].
    pub fn append(&mut self, at_ms: u64, new: NewEntry) -> Result<Arc<Entry>, LedgerError> {
        if new.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(LedgerError::TooLong(new.payload.len()));
        }
        let salt = random_array(self.identity.randomness.as_ref());
        let entry = Arc::new(Entry {
            seq: self.chain.seq + 1,
            at_ms,
            kind: new.kind,
            salt,
            payload: new.payload,
        });
        let leaf = entry.leaf();
        self.chain.advance(&leaf);
        self.staged.push((Arc::clone(&entry), leaf));
        Ok(entry)
    }

    /// Appends a checkpoint of the chain as it stands.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_checkpoint(&mut self, at_ms: u64) -> Result<Checkpoint, LedgerError> {
        let checkpoint = Checkpoint::sign(
            &self.identity.node,
            &self.chain,
            at_ms,
            &self.identity.signing,
        );
        self.append(
            at_ms,
            NewEntry {
                kind: EntryKind::CHECKPOINT,
                payload: checkpoint.encode_to_vec(),
            },
        )?;
        Ok(checkpoint)
    }

    /// Stores all appended entries with one sync, or one for each 32 MiB, and says up to which number entries are durable.
    ///
    /// # Errors
    /// [`LedgerError::Disk`]; the ledger then takes no more syncs, since nobody can tell what the
    /// medium holds: the node must stop and open it anew.
    pub fn sync(&mut self) -> Result<u64, LedgerError> {
        if self.failed {
            return Err(LedgerError::Disk(io::Error::other(
                "an earlier sync failed",
            )));
        }
        if self.staged.is_empty() {
            return Ok(self.durable);
        }
        let stored = self.store_staged();
        self.failed = stored.is_err();
        stored.map(|()| self.durable)
    }

    /// Where the chain stands, appended entries included.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// Number of the last durable entry.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Durable entries from a number on, in order: at least one where there is one, then as many
    /// as fit in `bytes_max` of payload.
    ///
    /// # Errors
    /// [`LedgerError`] where the disk or a frame fails.
    pub fn entries(&self, from_seq: u64, bytes_max: usize) -> Result<Vec<Arc<Entry>>, LedgerError> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        let mut take = |entry: Arc<Entry>| {
            let fits = entries.is_empty() || bytes + entry.payload.len() <= bytes_max;
            bytes += entry.payload.len();
            if fits {
                entries.push(entry);
            }
            fits
        };
        if let Some(first) = self
            .recent
            .front()
            .map(|entry| entry.seq)
            .filter(|first| *first <= from_seq)
        {
            let skip = usize::try_from(from_seq - first).unwrap_or(usize::MAX);
            for entry in self.recent.iter().skip(skip) {
                if entry.seq > self.durable || !take(Arc::clone(entry)) {
                    break;
                }
            }
            return Ok(entries);
        }
        let start = self
            .frames
            .partition_point(|place| place.first_seq + u64::from(place.count) <= from_seq);
        for place in self.frames.iter().skip(start) {
            for entry in self.open_frame(place)? {
                if entry.seq >= from_seq && !take(Arc::new(entry)) {
                    return Ok(entries);
                }
            }
        }
        Ok(entries)
    }

    /// Tells `visit` every durable entry from a number on, in order.
    ///
    /// # Errors
    /// [`LedgerError`] where the disk or a frame fails.
    pub fn replay(&self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), LedgerError> {
        let start = self
            .frames
            .partition_point(|place| place.first_seq + u64::from(place.count) <= from_seq);
        for place in self.frames.iter().skip(start) {
            for entry in self
                .open_frame(place)?
                .iter()
                .filter(|entry| entry.seq >= from_seq)
            {
                visit(entry);
            }
        }
        Ok(())
    }

    /// The chain's digest after an entry, for comparison with a mark or a checkpoint.
    ///
    /// # Errors
    /// [`LedgerError`] where the disk or a frame fails.
    pub fn chain_at(&self, seq: u64) -> Result<Option<Chain>, LedgerError> {
        if seq == self.chain.seq {
            return Ok(Some(self.chain));
        }
        let mut segments: Vec<u32> = self
            .frames
            .iter()
            .filter(|place| place.first_seq <= seq.max(1))
            .map(|place| place.segment)
            .collect();
        segments.dedup();
        let Some(segment) = segments.last().copied() else {
            return Ok((seq == 0).then(Chain::default));
        };
        let header =
            SegmentHeader::decode(&read_header(&self.files, segment)?).map_err(|error| {
                LedgerError::Damaged {
                    segment,
                    offset: 0,
                    entry: seq,
                    what: error.to_string(),
                }
            })?;
        let mut chain = header.before;
        for place in self.frames.iter().filter(|place| place.segment == segment) {
            let frame = read_frame(&self.files, place.segment, place.offset)?
                .map_err(|error| damaged(place, error))?;
            for leaf in &frame.leaves {
                if chain.seq == seq {
                    return Ok(Some(chain));
                }
                chain.advance(leaf);
            }
        }
        Ok((chain.seq == seq).then_some(chain))
    }

    /// Ends the run: a last checkpoint, a sync, and the segment cut to its used length.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub fn close(mut self, now_ms: u64) -> Result<(), LedgerError> {
        self.append_checkpoint(now_ms)?;
        self.sync()?;
        self.cut_segment()
    }

    fn open_frame(&self, place: &FramePlace) -> Result<Vec<Entry>, LedgerError> {
        let frame = read_frame(&self.files, place.segment, place.offset)?
            .map_err(|error| damaged(place, error))?;
        if place.segment == self.segment {
            return frame
                .open(&self.frame_key)
                .map_err(|error| damaged(place, error));
        }
        let header = read_header(&self.files, place.segment)?;
        let key = SegmentHeader::frame_key(&header, &self.identity.storage)
            .map_err(|_| LedgerError::WrongKey(place.segment))?;
        frame.open(&key).map_err(|error| damaged(place, error))
    }

    fn store_staged(&mut self) -> Result<(), LedgerError> {
        while !self.staged.is_empty() {
            let mut bytes = 0;
            let fits = self.staged.iter().take_while(|(entry, _)| {
                bytes += entry.payload.len() + ENTRY_BYTES;
                bytes <= FRAME_BYTES_MAX
            });
            let count = fits.count().max(1);
            let later = self.staged.split_off(count);
            let frame = std::mem::replace(&mut self.staged, later);
            self.store_frame(frame)?;
        }
        if self.offset > self.settings.segment_bytes_max {
            self.cut_segment()?;
            let now_ms = self.recent.back().map_or(0, |entry| entry.at_ms);
            self.begin_segment(self.segment + 1, now_ms)?;
        }
        Ok(())
    }

    fn store_frame(&mut self, entries: Vec<(Arc<Entry>, Digest)>) -> Result<(), LedgerError> {
        let name = segment_name(self.segment);
        let bytes = encode_frame(&self.frame_key, self.index, &entries);
        let end = self.offset + bytes.len() as u64;
        if end > self.file_len {
            self.file_len = end.next_multiple_of(self.settings.grow_bytes);
            self.files.set_len(&name, self.file_len)?;
        }
        self.files.write_at(&name, self.offset, &bytes)?;
        self.files.sync(&name)?;
        if self.folder_dirty {
            self.files.sync_folder()?;
            self.folder_dirty = false;
        }
        let first_seq = entries.first().map_or(0, |(entry, _)| entry.seq);
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        self.frames.push(FramePlace {
            first_seq,
            count,
            segment: self.segment,
            offset: self.offset,
        });
        self.offset = end;
        self.index += 1;
        for (entry, _) in entries {
            self.durable = entry.seq;
            self.recent_bytes += entry.payload.len() + 64;
            self.recent.push_back(entry);
        }
        while self.recent_bytes > self.settings.recent_bytes_max {
            let Some(oldest) = self.recent.pop_front() else {
                break;
            };
            self.recent_bytes -= oldest.payload.len() + 64;
        }
        Ok(())
    }

    fn begin_segment(&mut self, number: u32, now_ms: u64) -> Result<(), LedgerError> {
        let randomness = self.identity.randomness.as_ref();
        self.frame_key = StorageKey::new(random_array(randomness));
        let nonce = random_array(randomness);
        let header = SegmentHeader {
            node: self.identity.node.clone(),
            number,
            before: self.chain,
            begun_ms: now_ms,
            signer: *self.identity.signing.public().as_bytes(),
        };
        let name = segment_name(number);
        match self.files.create(&name) {
            // A segment that an earlier run could not begin was emptied; its number is taken again.
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && self.files.len(&name)? == 0 => {}
            made => made?,
        }
        self.files.write_at(
            &name,
            0,
            &header.encode(&self.identity.storage, &self.frame_key, nonce),
        )?;
        // The header is durable before any frame: a whole frame behind a broken header is damage.
        self.files.sync(&name)?;
        self.segment = number;
        self.offset = SEGMENT_HEADER_LEN as u64;
        self.file_len = self.offset;
        self.index = 0;
        self.folder_dirty = true;
        Ok(())
    }

    fn cut_segment(&mut self) -> Result<(), LedgerError> {
        let name = segment_name(self.segment);
        self.files.set_len(&name, self.offset)?;
        self.file_len = self.offset;
        self.files.sync(&name)?;
        Ok(())
    }
}

fn damaged(place: &FramePlace, error: FrameError) -> LedgerError {
    LedgerError::Damaged {
        segment: place.segment,
        offset: place.offset,
        entry: place.first_seq,
        what: error.to_string(),
    }
}
