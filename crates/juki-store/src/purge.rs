//! Removing payloads and salts of entries older than the law keeps them.
//!
//! The ledger is closed, and the entry that says what goes and why is durable before anything goes.
//! Each segment is written anew beside the old one, under a fresh key, synced, and takes its place
//! by renaming: a crash leaves either the old segment or the new one.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use juki_crypto::{Randomness, StorageKey, random_array};
use juki_ledger::{
    Chain, Entry, EntryKind, LEDGER_PURGED, LedgerPurged, PurgeDigest, SegmentHeader, encode_frame,
};
use juki_runtime::{DiskFiles, Files as _};
use prost::Message as _;

use crate::recover::{SegmentEnd, read_header, segment_name, segment_numbers, walk_segment};

/// What of a ledger is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// Kinds of entries. Kinds on which a node's state stands must not be among them.
    pub kinds: Vec<EntryKind>,
    /// Entries older than this, in ms since 1970.
    pub before_ms: u64,
}

impl Purge {
    fn means(&self, entry: &Entry) -> bool {
        entry.at_ms < self.before_ms && self.kinds.contains(&entry.kind)
    }

    /// The entry that says what this purge will remove of a ledger; none where nothing is to go.
    ///
    /// # Errors
    /// Whatever the disk says; a ledger that is damaged is not purged.
    pub fn record(
        &self,
        files: &DiskFiles,
        storage: &StorageKey,
        reason: &str,
    ) -> io::Result<Option<LedgerPurged>> {
        let (mut first, mut last) = (0, 0);
        let mut digest = PurgeDigest::default();
        for number in segment_numbers(files)? {
            each_frame(files, number, storage, &mut |entries| {
                for entry in entries.iter().filter(|entry| self.means(entry)) {
                    if first == 0 {
                        first = entry.seq;
                    }
                    last = entry.seq;
                    digest.take(entry.seq, &entry.leaf());
                }
                Ok(())
            })?;
        }
        let count = digest.count();
        Ok((count > 0).then(|| LedgerPurged {
            kinds: self.kinds.iter().map(|kind| u32::from(kind.0)).collect(),
            before_ms: self.before_ms,
            first,
            last,
            count,
            digest: digest.finish().to_vec(),
            reason: reason.to_owned(),
        }))
    }

    /// Removes payloads and salts from the segments of the closed ledger in this folder. `by` is the number of the
    /// durable entry that says so. Gives how many entries were purged.
    ///
    /// # Errors
    /// Whatever the disk says; what is done by then stays, and the rest can be done again.
    pub fn remove(
        &self,
        folder: &Path,
        storage: &StorageKey,
        randomness: &dyn Randomness,
        by: u64,
    ) -> io::Result<u64> {
        let (old, mut new) = (DiskFiles::open(folder)?, DiskFiles::open(folder)?);
        let mut removed = 0;
        for number in segment_numbers(&old)? {
            let mut count = 0;
            each_frame(&old, number, storage, &mut |entries| {
                count += entries.iter().filter(|entry| self.means(entry)).count() as u64;
                Ok(())
            })?;
            if count > 0 {
                self.rewrite((&old, &mut new), number, (storage, randomness), by)?;
                removed += count;
            }
        }
        Ok(removed)
    }

    fn rewrite(
        &self,
        (old, new): (&DiskFiles, &mut DiskFiles),
        number: u32,
        (storage, randomness): (&StorageKey, &dyn Randomness),
        by: u64,
    ) -> io::Result<()> {
        let header = SegmentHeader::decode(&read_header(old, number)?).map_err(broken)?;
        // Another key: the old frames, of which copies may exist, had the same places as nonces.
        let key = StorageKey::new(random_array(randomness));
        let name = segment_name(number);
        let beside = format!("{name}{BESIDE}");
        match new.create(&beside) {
            // A purge that was broken off has left it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                new.set_len(&beside, 0)?;
            }
            made => made?,
        }
        let bytes = header.encode(storage, &key, random_array(randomness));
        new.write_at(&beside, 0, &bytes)?;
        let mut offset = bytes.len() as u64;
        let mut index = 0;
        each_frame(old, number, storage, &mut |entries| {
            let kept: Vec<_> = entries
                .into_iter()
                .map(|entry| {
                    let leaf = entry.leaf();
                    let kept = if self.means(&entry) {
                        entry.purged(by)
                    } else {
                        entry
                    };
                    (Arc::new(kept), leaf)
                })
                .collect();
            let frame = encode_frame(&key, index, &kept);
            new.write_at(&beside, offset, &frame)?;
            offset += frame.len() as u64;
            index += 1;
            Ok(())
        })?;
        new.sync(&beside)?;
        new.replace(&beside, &name)
    }
}

/// What verification gathers of purges.
#[derive(Default)]
pub(crate) struct Purges {
    removed: BTreeMap<u64, Removed>,
    records: BTreeMap<u64, LedgerPurged>,
    count: u64,
}

#[derive(Default)]
struct Removed {
    first: u64,
    last: u64,
    digest: PurgeDigest,
    wrong: Option<u64>,
    kinds: Vec<(EntryKind, u64)>,
}

impl Purges {
    /// Takes an entry that fits its leaf.
    pub(crate) fn take(&mut self, entry: &Entry) {
        if entry.kind == LEDGER_PURGED {
            let record = LedgerPurged::decode(entry.payload.as_slice()).unwrap_or_default();
            self.records.insert(entry.seq, record);
            return;
        }
        if entry.kind != EntryKind::PURGED {
            return;
        }
        self.count += 1;
        let Some(remains) = entry.remains() else {
            self.removed
                .entry(0)
                .or_default()
                .wrong
                .get_or_insert(entry.seq);
            return;
        };
        if self.removed.len() >= PURGES_MAX && !self.removed.contains_key(&remains.by) {
            self.removed
                .entry(0)
                .or_default()
                .wrong
                .get_or_insert(entry.seq);
            return;
        }
        let removed = self.removed.entry(remains.by).or_default();
        if removed.first == 0 {
            removed.first = entry.seq;
        }
        removed.last = entry.seq;
        removed.digest.take(entry.seq, &remains.leaf);
        match removed
            .kinds
            .iter_mut()
            .find(|(kind, _)| *kind == remains.kind)
        {
            Some((_, newest_ms)) => *newest_ms = entry.at_ms.max(*newest_ms),
            None => removed.kinds.push((remains.kind, entry.at_ms)),
        }
    }

    /// What was purged; or the first entry that was removed without a record that covers it.
    pub(crate) fn judge(self) -> Result<Judged, u64> {
        let mut unfinished = Vec::new();
        let mut left_open = 0;
        for (by, removed) in self.removed {
            if let Some(wrong) = removed.wrong {
                return Err(wrong);
            }
            let Some(record) = self.records.get(&by) else {
                return Err(removed.first);
            };
            let covered = removed.kinds.iter().all(|(kind, newest_ms)| {
                record.kinds.contains(&u32::from(kind.0)) && *newest_ms < record.before_ms
            });
            let count = removed.digest.count();
            let within = record.first <= removed.first && removed.last <= record.last.min(by);
            if !covered || !within || count > record.count {
                return Err(removed.first);
            }
            if count < record.count {
                left_open += count;
                unfinished.push(Unfinished {
                    by,
                    record: record.clone(),
                    first: removed.first,
                    digest: PurgeDigest::default(),
                });
            } else if removed.digest.finish().as_slice() != record.digest {
                return Err(removed.first);
            }
        }
        Ok(Judged {
            count: self.count,
            left_open,
            unfinished,
        })
    }
}

/// What verification finds of purges.
pub(crate) struct Judged {
    /// Entries that are purged.
    pub(crate) count: u64,
    /// Those of them that no whole purge accounts for, since it was broken off.
    pub(crate) left_open: u64,
    /// Purges that were broken off, to be shown all entries once more.
    pub(crate) unfinished: Vec<Unfinished>,
}

/// A purge that was broken off. Its digest is that of what it removed together with what it would have
/// removed: nothing else may have gone under its name.
pub(crate) struct Unfinished {
    by: u64,
    record: LedgerPurged,
    first: u64,
    digest: PurgeDigest,
}

impl Unfinished {
    /// Takes an entry, whole or purged, in order.
    pub(crate) fn take(&mut self, entry: &Entry) {
        let remains = entry.remains();
        // What an earlier purge had removed was not there to be counted.
        if entry.seq >= self.by || remains.is_some_and(|remains| remains.by < self.by) {
            return;
        }
        let kind = remains.map_or(entry.kind, |remains| remains.kind);
        if entry.at_ms < self.record.before_ms && self.record.kinds.contains(&u32::from(kind.0)) {
            self.digest.take(entry.seq, &entry.leaf());
        }
    }

    /// The first entry that was removed, where something went that the record does not cover.
    pub(crate) fn judge(self) -> Result<(), u64> {
        let whole = self.digest.count() == self.record.count
            && self.digest.finish().as_slice() == self.record.digest;
        if whole { Ok(()) } else { Err(self.first) }
    }
}

/// Tells the entries of a closed segment, frame by frame.
fn each_frame(
    files: &DiskFiles,
    number: u32,
    storage: &StorageKey,
    tell: &mut dyn FnMut(Vec<Entry>) -> io::Result<()>,
) -> io::Result<()> {
    let bytes = read_header(files, number)?;
    let header = SegmentHeader::decode(&bytes).map_err(broken)?;
    let key = SegmentHeader::frame_key(&bytes, storage).map_err(broken)?;
    let mut chain: Chain = header.before;
    let mut told = Ok(());
    let end = walk_segment(files, number, &mut chain, &mut |_, frame| {
        if told.is_ok() {
            told = frame
                .clone()
                .open(&key)
                .map_err(broken)
                .and_then(&mut *tell);
        }
    })?;
    told?;
    match end {
        SegmentEnd::Clean { .. } => Ok(()),
        SegmentEnd::Torn { .. } | SegmentEnd::Damaged { .. } => {
            Err(broken(format!("segment {number} is not whole")))
        }
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// What a segment that is being written anew is called until it is whole.
const BESIDE: &str = ".purging";

/// Purges of one ledger whose remains are told apart.
const PURGES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, kind: u16) -> Entry {
        Entry {
            seq,
            at_ms: seq,
            kind: EntryKind(kind),
            salt: [9; 16],
            payload: vec![3],
        }
    }

    fn judge(entries: &[Entry]) -> Result<u64, u64> {
        let mut purges = Purges::default();
        for entry in entries {
            purges.take(entry);
        }
        let judged = purges.judge()?;
        for mut unfinished in judged.unfinished {
            for entry in entries {
                unfinished.take(entry);
            }
            unfinished.judge()?;
        }
        Ok(judged.left_open)
    }

    /// Under the name of a purge that was broken off, an entry of another kind is given out as one of
    /// those that were to go: number, time and kind fit, but it was not among them.
    #[test]
    fn a_purge_that_was_broken_off_covers_nothing_else() {
        let whole = [entry(1, 17), entry(2, 133), entry(3, 17), entry(4, 17)];
        let mut digest = PurgeDigest::default();
        for entry in whole.iter().filter(|entry| entry.kind == EntryKind(17)) {
            digest.take(entry.seq, &entry.leaf());
        }
        let record = LedgerPurged {
            kinds: vec![17],
            before_ms: 100,
            first: 1,
            last: 4,
            count: digest.count(),
            digest: digest.finish().to_vec(),
            reason: String::new(),
        };
        let record = Entry {
            payload: record.encode_to_vec(),
            ..entry(5, LEDGER_PURGED.0)
        };
        let [one, alert, three, four] = whole;
        let begun = [
            one.purged(5),
            alert.clone(),
            three.clone(),
            four.clone(),
            record.clone(),
        ];
        assert_eq!(judge(&begun), Ok(1));
        let hidden = Entry {
            payload: [
                &alert.leaf()[..],
                &17_u16.to_be_bytes(),
                &5_u64.to_be_bytes(),
            ]
            .concat(),
            ..alert.purged(5)
        };
        assert_eq!(hidden.leaf(), alert.leaf(), "the chain stands");
        let forged = [one.purged(5), hidden, three, four, record];
        assert_eq!(judge(&forged), Err(1));
    }
}
