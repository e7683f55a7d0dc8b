//! `jukinet audit purge`: removes what is older than the law keeps it from a stopped node's ledger.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use juki_crypto::{SigningKey, SystemRandomness};
use juki_domain::ErrorCode;
use juki_ledger::{EntryKind, LEDGER_PURGED, LedgerPurged, NewEntry};
use juki_runtime::DiskFiles;
use juki_store::{Ledger, LedgerIdentity, LedgerSettings, Purge};
use prost::Message as _;
use serde_json::json;

use super::places::key_of;
use crate::cli::{PurgeArgs, PurgeGroup};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::unix_now;
use crate::screen::Screen;
use crate::text::evidence as say;

// No kind is among them on which more than lists of the same things stands: wrong PINs and beginnings of
// sessions stay, since a terminal's locks are their fold.

/// What a firewall or a node writes of frames: runs, refusals, lost records, refused links.
const COMMUNICATION: [u16; 5] = [17, 128, 129, 130, 131];
/// Audit records of provisions, and the ends of operators' sessions at terminals.
const OPERATIONS: [u16; 2] = [80, 99];
/// Alerts, own and reported, and what a node raises them from.
const ALERTS: [u16; 4] = [16, 36, 112, 133];

pub(crate) fn purge(args: &PurgeArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let place = deployment.place(&args.node, screen.lang)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(place.data().join("node.lock"))
        .map_err(|error| Failure::file(&place.data(), &error))?;
    if lock.try_lock().is_err() {
        let sentence = say::still_running(screen.lang, &args.node);
        return Err(Failure::new(ErrorCode::AlreadyRunning, sentence));
    }
    let kinds = args.what.iter().flat_map(|group| match group {
        PurgeGroup::Communication => &COMMUNICATION[..],
        PurgeGroup::Operations => &OPERATIONS,
        PurgeGroup::Alerts => &ALERTS,
    });
    let before_s = unix_now().saturating_sub(u64::from(args.days) * 86_400);
    let purge = Purge {
        kinds: kinds.map(|kind| EntryKind(*kind)).collect(),
        before_ms: before_s * 1_000,
    };
    let done = run(&place, &purge, &args.reason)?;
    let Some((entry, record)) = done else {
        screen.line(say::nothing_to_purge(screen.lang, &args.node));
        screen.document(&json!({"node": args.node, "purged": 0}))?;
        return Ok(Outcome::Held);
    };
    let (count, first, last) = (record.count, record.first, record.last);
    screen.line(say::purged(
        screen.lang,
        &args.node,
        count,
        first,
        last,
        entry,
    ));
    screen.document(&json!({
        "node": args.node,
        "purged": count,
        "first": first,
        "last": last,
        "entry": entry,
        "before_unix_ms": record.before_ms,
    }))?;
    Ok(Outcome::Held)
}

/// Records what goes, then removes it; the number of the entry and what it says.
fn run(
    place: &NodePlace,
    purge: &Purge,
    reason: &str,
) -> Result<Option<(u64, LedgerPurged)>, Failure> {
    let folder = place.data().join("ledger");
    if !folder.is_dir() {
        return Ok(None);
    }
    let secrets = place.secrets().ok_or_else(|| {
        Failure::new(
            ErrorCode::ConfigUnreadable,
            "$CREDENTIALS_DIRECTORY".to_owned(),
        )
    })?;
    let key_file = secrets.join("storage.key");
    let key = || -> Result<_, Failure> {
        let missing = || Failure::new(ErrorCode::ConfigUnreadable, key_file.display().to_string());
        key_of(&folder, Some(&key_file))?.ok_or_else(missing)
    };
    let wrong = |error: String| Failure::new(ErrorCode::ConfigBadValue, error);
    let node_key = juki_pki::read_key(&secrets.join("node.key"))
        .map_err(|error| Failure::new(error.code(), error.to_string()))?;
    let signing = SigningKey::from_pkcs8(&node_key).map_err(|error| wrong(error.to_string()))?;
    let identity = LedgerIdentity {
        node: place.name.clone(),
        storage: key()?,
        signing: Arc::new(signing),
        randomness: Arc::new(SystemRandomness),
    };
    let storage = key()?;
    let reader = open(&folder)?;
    if purge
        .record(&reader, &storage, reason)
        .map_err(|error| Failure::file(&folder, &error))?
        .is_none()
    {
        // Nothing begins a run where there is nothing to do.
        return Ok(None);
    }
    let failed = |error: juki_store::LedgerError| Failure::new(error.code(), error.to_string());
    let now_ms = unix_now() * 1_000;
    let settings = LedgerSettings::default();
    let (mut ledger, _) =
        Ledger::open(open(&folder)?, identity, settings, now_ms).map_err(failed)?;
    let record = purge
        .record(&reader, &storage, reason)
        .map_err(|error| Failure::file(&folder, &error))?
        .unwrap_or_default();
    let entry = NewEntry {
        kind: LEDGER_PURGED,
        payload: record.encode_to_vec(),
    };
    let by = ledger.append(now_ms, entry).map_err(failed)?.seq;
    ledger.close(now_ms).map_err(failed)?;
    purge
        .remove(&folder, &storage, &SystemRandomness, by)
        .map_err(|error| Failure::file(&folder, &error))?;
    // It was folded from what is gone.
    match std::fs::remove_dir_all(place.data().join("index")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::file(&place.data(), &error))
        }
        Ok(()) | Err(_) => Ok(Some((by, record))),
    }
}

fn open(folder: &Path) -> Result<DiskFiles, Failure> {
    DiskFiles::open(folder).map_err(|error| Failure::file(folder, &error))
}
