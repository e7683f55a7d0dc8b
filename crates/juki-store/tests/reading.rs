//! Reading a ledger while it is written, and refusing to read on over damage.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use juki_crypto::{SigningKey, StorageKey, SystemRandomness};
use juki_ledger::{EntryKind, NewEntry};
use juki_runtime::DiskFiles;
use juki_store::{Ledger, LedgerIdentity, LedgerReader, LedgerSettings, ReadFailure};

fn write(folder: &Path, frames: u8) -> Ledger<DiskFiles> {
    let identity = LedgerIdentity {
        node: "national".parse().unwrap(),
        storage: StorageKey::new([7; 32]),
        signing: Arc::new(SigningKey::from_seed(&[1; 32]).unwrap()),
        randomness: Arc::new(SystemRandomness),
    };
    let settings = LedgerSettings {
        grow_bytes: 4096,
        segment_bytes_max: 4096,
        recent_bytes_max: 2048,
    };
    let files = DiskFiles::open(folder).unwrap();
    let (mut ledger, _) = Ledger::open(files, identity, settings, 1).unwrap();
    for number in 0..frames {
        append(&mut ledger, number);
    }
    ledger
}

fn append(ledger: &mut Ledger<DiskFiles>, number: u8) {
    let entry = NewEntry {
        kind: EntryKind(40),
        payload: vec![number; 300],
    };
    ledger.append(2, entry).unwrap();
    ledger.sync().unwrap();
}

fn reader(folder: &Path, key: u8) -> LedgerReader<DiskFiles> {
    LedgerReader::open(DiskFiles::reading(folder), StorageKey::new([key; 32])).unwrap()
}

fn read(reader: &mut LedgerReader<DiskFiles>) -> Result<Vec<u8>, ReadFailure> {
    let mut found = Vec::new();
    while let Some(entries) = reader.next_frame()? {
        let payloads = entries.iter().filter(|entry| entry.kind == EntryKind(40));
        found.extend(payloads.filter_map(|entry| entry.payload.first()));
    }
    Ok(found)
}

#[test]
fn a_running_ledger_is_read_to_its_end_and_on_from_there() {
    let place = tempfile::tempdir().unwrap();
    let mut ledger = write(place.path(), 40);
    ledger.append_checkpoint(3).unwrap();
    ledger.sync().unwrap();
    let mut reader = reader(place.path(), 7);
    assert_eq!(read(&mut reader).unwrap(), (0..40).collect::<Vec<u8>>());
    assert_eq!(reader.checkpoint().unwrap().seq + 1, reader.chain().seq);
    append(&mut ledger, 77);
    assert_eq!(read(&mut reader).unwrap(), [77]);
    assert_eq!(reader.chain(), ledger.chain());
    assert_eq!(reader.node().as_str(), "national");
}

#[test]
fn damage_and_a_wrong_key_are_named() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), 5).close(9).unwrap();
    assert!(matches!(
        read(&mut reader(place.path(), 8)),
        Err(ReadFailure::WrongKey(1))
    ));
    let file = place.path().join("00000001.segment");
    let mut bytes = fs::read(&file).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[used / 2] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(matches!(
        read(&mut reader(place.path(), 7)),
        Err(ReadFailure::Damaged { segment: 1, .. })
    ));
    let empty = tempfile::tempdir().unwrap();
    let files = DiskFiles::reading(empty.path());
    assert!(LedgerReader::open(files, StorageKey::new([7; 32])).is_err());
}
