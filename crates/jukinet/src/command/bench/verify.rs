//! Verifying a ledger offline: every leaf from its opened entry, the chain, the checkpoints.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use juki_crypto::{SigningKey, StorageKey, SystemRandomness, random_array};
use juki_domain::{ErrorCode, NodeId};
use juki_ledger::{EntryKind, NewEntry};
use juki_runtime::DiskFiles;
use juki_store::{Ledger, LedgerIdentity, LedgerSettings, verify_files};

use super::figures::Figures;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::text;

/// Entries of the measured ledger.
const ENTRIES: u32 = 1_000_000;
/// Entries of one sync.
const GROUP: u32 = 500;
/// Bytes of an entry's payload, about those of an audit record.
const PAYLOAD: usize = 250;

/// Writes one ledger and verifies it again and again.
pub(super) fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    screen.line(text::bench_preparing(screen.lang));
    let storage = random_array(&SystemRandomness);
    write(folder, StorageKey::new(storage))?;
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let files = DiskFiles::open(folder).map_err(|error| Failure::file(folder, &error))?;
        let began = Instant::now();
        let report = verify_files(&files, Some(&StorageKey::new(storage))).map_err(broken)?;
        let took = began.elapsed().as_secs_f64();
        if report.opened < u64::from(ENTRIES) {
            return Err(broken("not every entry was opened"));
        }
        let entries = u32::try_from(report.entries).unwrap_or(u32::MAX);
        figures.add("audit_verify_per_s", "1/s", f64::from(entries) / took);
    }
    std::fs::remove_dir_all(folder).map_err(|error| Failure::file(folder, &error))
}

fn write(folder: &Path, storage: StorageKey) -> Result<(), Failure> {
    let node: NodeId = "national".parse().map_err(broken)?;
    let identity = LedgerIdentity {
        node,
        signing: Arc::new(SigningKey::generate(&SystemRandomness).map_err(broken)?),
        storage,
        randomness: Arc::new(SystemRandomness),
    };
    let files = DiskFiles::open(folder).map_err(|error| Failure::file(folder, &error))?;
    let (mut ledger, _) =
        Ledger::open(files, identity, LedgerSettings::default(), 0).map_err(broken)?;
    for number in 0..ENTRIES {
        let entry = NewEntry {
            kind: AUDIT,
            payload: vec![7; PAYLOAD],
        };
        ledger.append(u64::from(number), entry).map_err(broken)?;
        if number % GROUP == 0 {
            ledger.sync().map_err(broken)?;
        }
    }
    ledger.close(u64::from(ENTRIES)).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::CheckFailed, error.to_string())
}

/// The kind of an audit record.
const AUDIT: EntryKind = EntryKind(80);
