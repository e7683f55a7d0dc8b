//! A ledger that is purged by law: what is gone, what stays, and what nobody can pretend.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step of a test that fails ends the test"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use juki_crypto::{SigningKey, StorageKey, SystemRandomness};
use juki_ledger::{Entry, EntryKind, LEDGER_PURGED, NewEntry};
use juki_runtime::DiskFiles;
use juki_store::{
    Ledger, LedgerIdentity, LedgerSettings, Purge, VerifyFailure, VerifyReport, verify_files,
};
use prost::Message as _;

const AUDIT: EntryKind = EntryKind(80);
const JOURNAL: EntryKind = EntryKind(32);

fn key() -> StorageKey {
    StorageKey::new([1; 32])
}

fn open(folder: &Path, now_ms: u64) -> Ledger<DiskFiles> {
    let identity = LedgerIdentity {
        node: "national".parse().unwrap(),
        storage: key(),
        signing: Arc::new(SigningKey::generate(&SystemRandomness).unwrap()),
        randomness: Arc::new(SystemRandomness),
    };
    let files = DiskFiles::open(folder).unwrap();
    let settings = LedgerSettings {
        segment_bytes_max: 4_000,
        ..LedgerSettings::default()
    };
    Ledger::open(files, identity, settings, now_ms).unwrap().0
}

/// A ledger of many segments: audit and journal entries in turn, one each millisecond.
fn write(folder: &Path) {
    let mut ledger = open(folder, 0);
    for at_ms in 1..=200_u64 {
        let (kind, payload) = if at_ms % 2 == 0 {
            (AUDIT, format!("secret of the audit {at_ms}"))
        } else {
            (JOURNAL, format!("word of the journal {at_ms}"))
        };
        let payload = payload.into_bytes();
        ledger.append(at_ms, NewEntry { kind, payload }).unwrap();
        if at_ms % 5 == 0 {
            ledger.sync().unwrap();
        }
    }
    ledger.close(201).unwrap();
}

fn purge() -> Purge {
    Purge {
        kinds: vec![AUDIT],
        before_ms: 101,
    }
}

/// The whole act as a tool does it, without the last step.
fn announce(folder: &Path, purge: &Purge) -> Option<u64> {
    let mut ledger = open(folder, 300);
    let reader = DiskFiles::open(folder).unwrap();
    let record = purge
        .record(&reader, &key(), "term of five years")
        .unwrap()?;
    let (kind, payload) = (LEDGER_PURGED, record.encode_to_vec());
    let entry = ledger.append(301, NewEntry { kind, payload }).unwrap();
    ledger.close(302).unwrap();
    Some(entry.seq)
}

fn verify(folder: &Path) -> Result<VerifyReport, VerifyFailure> {
    verify_files(&DiskFiles::open(folder).unwrap(), Some(&key()))
}

fn entries(folder: &Path) -> Vec<Entry> {
    let mut all = Vec::new();
    let ledger = open(folder, 400);
    ledger
        .replay(0, &mut |entry| all.push(entry.clone()))
        .unwrap();
    all
}

#[test]
fn a_purge_removes_what_is_old_and_the_chain_stands() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder);
    let by = announce(folder, &purge()).unwrap();
    let before = verify(folder).unwrap();
    let removed = purge()
        .remove(folder, &key(), &SystemRandomness, by)
        .unwrap();
    assert_eq!(removed, 50);
    let after = verify(folder).unwrap();
    assert_eq!((after.purged, after.purged_unfinished), (50, 0));
    assert_eq!(
        (before.head, before.entries, before.checkpoints),
        (after.head, after.entries, after.checkpoints)
    );
    let keyless = verify_files(&DiskFiles::open(folder).unwrap(), None).unwrap();
    assert_eq!(keyless.head, before.head);
    for entry in entries(folder) {
        let old = entry.at_ms <= 100;
        assert!(!(old && entry.kind == AUDIT), "{entry:?}");
        if let Some(remains) = entry.remains() {
            assert_eq!((remains.kind, remains.by, old), (AUDIT, by, true));
            assert_eq!(entry.salt, [0; 16]);
        }
    }
    assert!(
        announce(folder, &purge()).is_none(),
        "nothing is left to purge"
    );
    for file in fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name();
        assert!(name.to_string_lossy().ends_with(".segment"), "{name:?}");
    }
}

#[test]
fn a_purge_that_was_broken_off_is_reported_and_can_be_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder);
    let by = announce(folder, &purge()).unwrap();
    // Announced, nothing done, and a segment that is half written beside the old one.
    fs::write(folder.join("00000001.segment.purging"), b"half").unwrap();
    let report = verify(folder).unwrap();
    assert_eq!((report.purged, report.purged_unfinished), (0, 0));
    // A part of the segments is done: those of entries before.
    let part = Purge {
        before_ms: 31,
        ..purge()
    };
    assert_eq!(
        part.remove(folder, &key(), &SystemRandomness, by).unwrap(),
        15
    );
    let report = verify(folder).unwrap();
    assert_eq!((report.purged, report.purged_unfinished), (15, 15));
    let again = announce(folder, &purge()).unwrap();
    assert_eq!(
        purge()
            .remove(folder, &key(), &SystemRandomness, again)
            .unwrap(),
        35
    );
    let report = verify(folder).unwrap();
    assert_eq!((report.purged, report.purged_unfinished), (50, 15));
}

#[test]
fn nobody_removes_an_entry_under_the_name_of_a_purge() {
    let cases: [(&str, u64, Purge); 3] = [
        ("without a record", 9_999, purge()),
        (
            "younger than the record says",
            0,
            Purge {
                before_ms: 150,
                ..purge()
            },
        ),
        (
            "of another kind",
            0,
            Purge {
                kinds: vec![AUDIT, JOURNAL],
                ..purge()
            },
        ),
    ];
    for (name, by, wrong) in cases {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(folder);
        let announced = announce(folder, &purge()).unwrap();
        let by = if by == 0 { announced } else { by };
        wrong.remove(folder, &key(), &SystemRandomness, by).unwrap();
        let found = verify(folder);
        assert!(
            matches!(&found, Err(VerifyFailure::Bad { entry, .. }) if *entry > 0),
            "{name}: {found:?}"
        );
    }
}
