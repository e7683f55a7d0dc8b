//! Verifying a ledger that nobody runs: every checksum, the chain, and with the key every leaf and
//! checkpoint.

use std::io;

use juki_crypto::{StorageKey, VerifyingKey};
use juki_domain::NodeId;
use juki_ledger::{Chain, Checkpoint, Entry, EntryKind, Frame, SegmentHeader};
use juki_runtime::Files;
use prost::Message as _;

use crate::purge::Purges;
use crate::recover::{
    FramePlace, SegmentEnd, continues, read_header, segment_name, segment_numbers, walk_segment,
};

/// What verification found in a sound ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Whose ledger it is; `None` where it has no segment.
    pub node: Option<NodeId>,
    /// How many segments.
    pub segments: u32,
    /// How many entries.
    pub entries: u64,
    /// How many entries were opened and compared with their leaves: all with the key, none without.
    pub opened: u64,
    /// How many signed checkpoints fit.
    pub checkpoints: u64,
    /// How many entries are purged: leaf and number are left of them.
    pub purged: u64,
    /// How many of these a purge removed that was broken off.
    pub purged_unfinished: u64,
    /// The chain's digest after the last entry.
    pub head: [u8; 32],
}

/// The first thing that is wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFailure {
    /// The folder cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Something differs from what was written.
    #[error("{file} at byte {offset}: entry {entry} is the first that cannot be trusted: {what}")]
    Bad {
        /// The segment's file.
        file: String,
        /// Where in it.
        offset: u64,
        /// The first entry that cannot be trusted.
        entry: u64,
        /// What is wrong.
        what: String,
    },
    /// The last frame is unfinished. A node that starts cuts it; until then nobody can tell a loss
    /// of power from a cut by hand without a neighbour's checkpoint.
    #[error("{file} at byte {offset}: {bytes} bytes after entry {entry} are an unfinished frame")]
    Torn {
        /// The segment's file.
        file: String,
        /// Where in it.
        offset: u64,
        /// The last whole entry.
        entry: u64,
        /// How many bytes.
        bytes: u64,
    },
}

/// Verifies a ledger's files from the first entry on.
///
/// # Errors
/// [`VerifyFailure`] with the first bad place.
pub fn verify_files(
    files: &dyn Files,
    key: Option<&StorageKey>,
) -> Result<VerifyReport, VerifyFailure> {
    verify_each(files, key, &mut |_| {})
}

/// As [`verify_files`], and tells `see` every entry that was opened and fits, in order, also those
/// before a failure.
///
/// # Errors
/// [`VerifyFailure`] with the first bad place.
pub fn verify_each(
    files: &dyn Files,
    key: Option<&StorageKey>,
    see: &mut dyn FnMut(&Entry),
) -> Result<VerifyReport, VerifyFailure> {
    let mut chain = Chain::default();
    let mut report = VerifyReport {
        node: None,
        segments: 0,
        entries: 0,
        opened: 0,
        checkpoints: 0,
        purged: 0,
        purged_unfinished: 0,
        head: [0; 32],
    };
    let numbers = segment_numbers(files)?;
    if numbers.is_empty() {
        return Err(VerifyFailure::Unreadable(io::Error::new(
            io::ErrorKind::NotFound,
            "no segment is here",
        )));
    }
    let mut purges = Purges::default();
    for number in numbers.clone() {
        verify_segment(
            (files, key),
            number,
            &mut chain,
            &mut report,
            &mut |entry| {
                purges.take(entry);
                see(entry);
            },
        )?;
    }
    let unexplained = |entry| VerifyFailure::Bad {
        file: PURGED_ENTRIES.to_owned(),
        offset: 0,
        entry,
        what: "it was removed, and no entry says so and why".to_owned(),
    };
    let mut judged = purges.judge().map_err(unexplained)?;
    (report.purged, report.purged_unfinished) = (judged.count, judged.left_open);
    if !judged.unfinished.is_empty() {
        let (mut again, mut told) = (Chain::default(), report.clone());
        for number in numbers {
            verify_segment((files, key), number, &mut again, &mut told, &mut |entry| {
                for unfinished in &mut judged.unfinished {
                    unfinished.take(entry);
                }
            })?;
        }
        for unfinished in judged.unfinished {
            unfinished.judge().map_err(unexplained)?;
        }
    }
    report.entries = chain.seq;
    report.head = chain.hash;
    Ok(report)
}

/// What a failure names in the place of a file where entries of several are concerned.
const PURGED_ENTRIES: &str = "purged entries";

fn verify_segment(
    (files, key): (&dyn Files, Option<&StorageKey>),
    number: u32,
    chain: &mut Chain,
    report: &mut VerifyReport,
    see: &mut dyn FnMut(&Entry),
) -> Result<(), VerifyFailure> {
    let file = segment_name(number);
    let bytes = read_header(files, number)?;
    let next_seq = chain.seq + 1;
    let bad = |offset, entry, what: String| VerifyFailure::Bad {
        file: file.clone(),
        offset,
        entry,
        what,
    };
    let header =
        SegmentHeader::decode(&bytes).map_err(|error| bad(0, next_seq, error.to_string()))?;
    if !continues(&header, number, chain) {
        let what = "the segment does not continue the one before it";
        return Err(bad(0, next_seq, what.to_owned()));
    }
    let frame_key = key
        .map(|key| SegmentHeader::frame_key(&bytes, key))
        .transpose()
        .map_err(|error| bad(0, next_seq, error.to_string()))?;
    let mut contents = Contents {
        header: &header,
        key: frame_key.as_ref(),
        chain: *chain,
        opened: 0,
        checkpoints: 0,
        wrong: None,
    };
    let end = walk_segment(files, number, chain, &mut |place, frame| {
        contents.check(place, frame, see)
    })?;
    report.opened += contents.opened;
    report.checkpoints += contents.checkpoints;
    if let Some((place, what)) = contents.wrong {
        return Err(bad(place.offset, place.first_seq, what));
    }
    match end {
        SegmentEnd::Clean { .. } => {}
        SegmentEnd::Torn { used, len } => {
            return Err(VerifyFailure::Torn {
                file,
                offset: used,
                entry: chain.seq,
                bytes: len,
            });
        }
        SegmentEnd::Damaged {
            offset,
            next_seq,
            what,
        } => return Err(bad(offset, next_seq, what)),
    }
    report.node = Some(header.node);
    report.segments += 1;
    Ok(())
}

/// Opens the frames of one segment and compares what is within.
struct Contents<'a> {
    header: &'a SegmentHeader,
    key: Option<&'a StorageKey>,
    chain: Chain,
    opened: u64,
    checkpoints: u64,
    wrong: Option<(FramePlace, String)>,
}

impl Contents<'_> {
    fn check(&mut self, place: FramePlace, frame: &Frame, see: &mut dyn FnMut(&Entry)) {
        let Some(key) = self.key.filter(|_| self.wrong.is_none()) else {
            return;
        };
        match frame.clone().open(key) {
            Err(error) => self.wrong = Some((place, error.to_string())),
            Ok(entries) => {
                for entry in &entries {
                    if entry.kind == EntryKind::CHECKPOINT && !self.checkpoint_fits(&entry.payload)
                    {
                        self.wrong = Some((
                            place,
                            format!("the checkpoint in entry {} does not fit", entry.seq),
                        ));
                        return;
                    }
                    self.checkpoints += u64::from(entry.kind == EntryKind::CHECKPOINT);
                    self.chain.advance(&entry.leaf());
                    self.opened += 1;
                    see(entry);
                }
            }
        }
    }

    fn checkpoint_fits(&self, payload: &[u8]) -> bool {
        let Ok(checkpoint) = Checkpoint::decode(payload) else {
            return false;
        };
        let signed = VerifyingKey::from_bytes(&self.header.signer)
            .is_ok_and(|key| checkpoint.verify(&key).is_ok());
        signed && checkpoint.covers(&self.chain)
    }
}
