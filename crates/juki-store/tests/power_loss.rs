//! A ledger on a disk that loses power: nothing acknowledged is lost, and a skipped sync is caught.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::sync::Arc;

use juki_crypto::{SigningKey, StorageKey, SystemRandomness};
use juki_ledger::{EntryKind, NewEntry};
use juki_runtime::{Files, PowerLossFiles, SkipSync};
use juki_store::{
    Ledger, LedgerError, LedgerIdentity, LedgerSettings, VerifyFailure, verify_files,
};
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

fn identity() -> LedgerIdentity {
    LedgerIdentity {
        node: "cs-352047".parse().unwrap(),
        storage: StorageKey::new([7; 32]),
        signing: Arc::new(SigningKey::from_seed(&[1; 32]).unwrap()),
        randomness: Arc::new(SystemRandomness),
    }
}

fn open<F: Files>(files: F) -> Result<Ledger<F>, LedgerError> {
    // Small files and segments, so that growth, change of segment and the recent window all happen.
    let settings = LedgerSettings {
        grow_bytes: 4096,
        segment_bytes_max: 8192,
        recent_bytes_max: 2048,
    };
    Ledger::open(files, identity(), settings, 1000).map(|(ledger, _)| ledger)
}

/// One life of a node: runs of appends and syncs, each ended by a loss of power. Says what was
/// acknowledged and is missing or different afterwards.
fn live<F: Files>(
    seed: u64,
    disk: &PowerLossFiles,
    files: impl Fn() -> F,
) -> Result<Vec<String>, LedgerError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut acknowledged: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut violations = Vec::new();
    for _run in 0..3 {
        let mut ledger = open(files())?;
        let mut found = std::collections::BTreeMap::new();
        ledger.replay(1, &mut |entry| {
            found.insert(entry.seq, entry.payload.clone());
        })?;
        for (seq, payload) in &acknowledged {
            if found.get(seq) != Some(payload) {
                violations.push(format!("entry {seq} was acknowledged and is gone"));
            }
        }
        for _ in 0..rng.random_range(0..12) {
            let mut batch = Vec::new();
            for _ in 0..rng.random_range(1..5) {
                let payload = vec![rng.random::<u8>(); rng.random_range(0..900)];
                let entry = ledger.append(
                    2000,
                    NewEntry {
                        kind: EntryKind(50),
                        payload: payload.clone(),
                    },
                )?;
                batch.push((entry.seq, payload));
            }
            if rng.random_bool(0.8) {
                let durable = ledger.sync()?;
                assert!(batch.iter().all(|(seq, _)| *seq <= durable));
                acknowledged.extend(batch);
            } else {
                break;
            }
        }
        if rng.random_bool(0.3) {
            ledger.close(3000)?;
        }
        disk.lose_power(rng.random());
    }
    let ledger = open(files())?;
    let mut last = 0;
    ledger.replay(1, &mut |entry| {
        assert_eq!(entry.seq, last + 1);
        last = entry.seq;
    })?;
    for (seq, payload) in &acknowledged {
        if ledger.entries(*seq, 1)?.first().map(|entry| &entry.payload) != Some(payload) {
            violations.push(format!("entry {seq} was acknowledged and is gone"));
        }
    }
    ledger.close(4000)?;
    if let Err(failure) = verify_files(&files(), Some(&StorageKey::new([7; 32]))) {
        violations.push(failure.to_string());
    }
    Ok(violations)
}

/// How many seeds to try: 150 in every test run, more by `JUKI_SEEDS`.
fn seeds() -> u64 {
    std::env::var("JUKI_SEEDS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(150)
}

#[test]
fn nothing_acknowledged_is_lost_whatever_the_power_does() {
    for seed in 0..seeds() {
        let disk = PowerLossFiles::new();
        let violations = live(seed, &disk, || disk.clone())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(violations.is_empty(), "seed {seed}: {violations:?}");
    }
}

#[test]
fn a_ledger_that_skips_the_sync_is_caught() {
    let caught = (0..40).filter(|seed| {
        let disk = PowerLossFiles::new();
        !matches!(live(*seed, &disk, || SkipSync(disk.clone())), Ok(violations) if violations.is_empty())
    });
    let caught = caught.count();
    assert!(
        caught >= 30,
        "only {caught} of 40 seeds notice that nothing is ever synced"
    );
}

#[test]
fn grouped_appends_share_one_sync() {
    let disk = PowerLossFiles::new();
    let mut ledger = open(disk.clone()).unwrap();
    let before = disk.syncs();
    for _ in 0..100 {
        ledger
            .append(
                1,
                NewEntry {
                    kind: EntryKind(50),
                    payload: vec![1],
                },
            )
            .unwrap();
    }
    ledger.sync().unwrap();
    assert_eq!(disk.syncs() - before, 1);
}

#[test]
fn more_than_a_frame_holds_becomes_several_frames() {
    let disk = PowerLossFiles::new();
    let mut ledger = open(disk.clone()).unwrap();
    let before = disk.syncs();
    for n in 0..40 {
        ledger
            .append(
                1,
                NewEntry {
                    kind: EntryKind(50),
                    payload: vec![n; 1 << 20],
                },
            )
            .unwrap();
    }
    let durable = ledger.sync().unwrap();
    assert_eq!(durable, ledger.chain().seq);
    // Two frames, then the segment is closed and another begun.
    assert_eq!(disk.syncs() - before, 4);
    drop(ledger);
    let ledger = open(disk).unwrap();
    assert_eq!(
        ledger.entries(durable, 1).unwrap()[0].payload,
        vec![39; 1 << 20]
    );
}

#[test]
fn a_killed_run_whose_last_sync_never_came_is_not_built_upon_before_it_is_synced() {
    let disk = PowerLossFiles::new();
    for seed in 0..12 {
        // The power stays on while the run is killed, and fails when the next one has begun.
        let mut killed = open(SkipSync(disk.clone())).unwrap();
        killed
            .append(
                1,
                NewEntry {
                    kind: EntryKind(50),
                    payload: vec![5; 900],
                },
            )
            .unwrap();
        killed.sync().unwrap();
        drop(killed);
        open(disk.clone()).unwrap();
        disk.lose_power(seed);
        assert!(open(disk.clone()).is_ok(), "seed {seed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_byte_anywhere_is_found(at in 0usize..6000, with_key in any::<bool>()) {
        let disk = PowerLossFiles::new();
        for run in 0..2u8 {
            let mut ledger = open(disk.clone()).unwrap();
            for n in 0..5u8 {
                ledger.append(1, NewEntry { kind: EntryKind(50), payload: vec![n + run; 200] }).unwrap();
                ledger.sync().unwrap();
            }
            ledger.close(2).unwrap();
        }
        let key = StorageKey::new([7; 32]);
        prop_assert!(verify_files(&disk, Some(&key)).is_ok());
        let name = "00000001.segment";
        let at = at % usize::try_from(disk.len(name).unwrap()).unwrap();
        disk.damage(name, at);
        prop_assert!(verify_files(&disk, with_key.then_some(&key)).is_err(), "byte {at}");
        // A damage in a segment that is not the last one can never pass as a torn tail.
        prop_assert!(open(disk.clone()).is_err(), "byte {at}");
    }
}

#[test]
fn a_cut_or_missing_segment_is_found() {
    let disk = PowerLossFiles::new();
    for _ in 0..2 {
        let mut ledger = open(disk.clone()).unwrap();
        ledger
            .append(
                1,
                NewEntry {
                    kind: EntryKind(50),
                    payload: vec![5; 300],
                },
            )
            .unwrap();
        ledger.close(2).unwrap();
    }
    let len = disk.len("00000001.segment").unwrap();
    disk.clone().set_len("00000001.segment", len - 30).unwrap();
    assert!(verify_files(&disk, None).is_err());
    assert!(matches!(
        open(disk.clone()),
        Err(LedgerError::Damaged { segment: 1, .. })
    ));
}

#[test]
fn a_torn_tail_is_cut_reported_and_recorded() {
    let disk = PowerLossFiles::new();
    let mut ledger = open(disk.clone()).unwrap();
    ledger
        .append(
            1,
            NewEntry {
                kind: EntryKind(50),
                payload: vec![5; 300],
            },
        )
        .unwrap();
    ledger.sync().unwrap();
    let used = {
        let len = disk.len("00000001.segment").unwrap();
        let mut bytes = vec![0; usize::try_from(len).unwrap()];
        disk.read_at("00000001.segment", 0, &mut bytes).unwrap();
        bytes
            .iter()
            .rposition(|b| *b != 0)
            .map_or(0, |at| at as u64 + 1)
    };
    drop(ledger);
    disk.clone()
        .write_at("00000001.segment", used, b"JKF1 half a frame")
        .unwrap();
    assert!(matches!(
        verify_files(&disk, None),
        Err(VerifyFailure::Torn { bytes: 17, .. })
    ));
    let (ledger, report) =
        Ledger::open(disk.clone(), identity(), LedgerSettings::default(), 9).unwrap();
    assert_eq!(report.torn.map(|torn| torn.bytes), Some(17));
    let kinds: Vec<EntryKind> = ledger
        .entries(1, 10_000)
        .unwrap()
        .iter()
        .map(|entry| entry.kind)
        .collect();
    assert!(kinds.contains(&EntryKind::TORN_TAIL));
    ledger.close(10).unwrap();
    assert!(verify_files(&disk, Some(&StorageKey::new([7; 32]))).is_ok());
}

#[test]
fn another_storage_key_opens_nothing() {
    let disk = PowerLossFiles::new();
    open(disk.clone()).unwrap().close(2).unwrap();
    let other = LedgerIdentity {
        storage: StorageKey::new([8; 32]),
        ..identity()
    };
    assert!(matches!(
        Ledger::open(disk.clone(), other, LedgerSettings::default(), 1),
        Err(LedgerError::WrongKey(1))
    ));
    assert!(verify_files(&disk, Some(&StorageKey::new([8; 32]))).is_err());
    assert!(verify_files(&disk, None).is_ok());
}

#[test]
fn chain_positions_and_ranges_read_back() {
    let disk = PowerLossFiles::new();
    let mut ledger = open(disk.clone()).unwrap();
    let mut chains = vec![ledger.chain()];
    for n in 0..60u8 {
        ledger
            .append(
                1,
                NewEntry {
                    kind: EntryKind(50),
                    payload: vec![n; 300],
                },
            )
            .unwrap();
        ledger.sync().unwrap();
        chains.push(ledger.chain());
    }
    for chain in chains {
        assert_eq!(ledger.chain_at(chain.seq).unwrap(), Some(chain));
    }
    assert_eq!(ledger.chain_at(999).unwrap(), None);
    for from in [1, 2, 30, 55, 61] {
        let entries = ledger.entries(from, 1000).unwrap();
        assert_eq!(entries.first().map(|e| e.seq), Some(from));
        assert!(entries.len() <= 4, "{} entries", entries.len());
    }
    assert!(ledger.entries(62, 1000).unwrap().is_empty());
}
