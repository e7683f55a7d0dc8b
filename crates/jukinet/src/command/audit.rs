//! `jukinet audit`: evidence.

pub(crate) mod analyse;
mod export;
mod html;
mod ledgers;
mod requests;
mod search;
mod supply;
mod traffic;

use std::fs;
use std::path::{Path, PathBuf};

use juki_crypto::StorageKey;
use juki_domain::ErrorCode;
use juki_runtime::DiskFiles;
use juki_store::{VerifyFailure, VerifyReport, verify_files};
use serde_json::{Value, json};

use crate::cli::{AuditCommand, VerifyArgs};
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

pub(crate) fn run(action: AuditCommand, screen: Screen) -> Ending {
    match action {
        AuditCommand::Verify(args) => verify(&args, screen),
        AuditCommand::Search(args) => search::run(&args, screen),
        AuditCommand::Export(args) => export::run(&args, screen),
        AuditCommand::Supply(args) => supply::run(&args, screen),
        AuditCommand::Traffic(args) => traffic::run(&args, screen),
        AuditCommand::Analyse(args) => analyse::run(&args, screen),
    }
}

/// Verifies ledgers that nobody runs; shows the first bad entry of each.
fn verify(args: &VerifyArgs, screen: Screen) -> Ending {
    let mut reports = Vec::new();
    let mut outcome = Outcome::Held;
    for path in &args.path {
        let shown = path.display().to_string();
        match verify_one(path, args.key.as_deref())? {
            Ok(report) => {
                screen.line(text::ledger_intact(
                    screen.lang,
                    &shown,
                    report.entries,
                    report.checkpoints,
                ));
                reports.push(intact(&shown, &report));
            }
            Err(failure) => {
                screen.line(text::ledger_damaged(
                    screen.lang,
                    &shown,
                    &failure.to_string(),
                ));
                reports.push(damaged(&shown, &failure));
                outcome = Outcome::NotHeld;
            }
        }
    }
    screen.document(&reports)?;
    Ok(outcome)
}

fn verify_one(
    path: &Path,
    key: Option<&Path>,
) -> Result<Result<VerifyReport, VerifyFailure>, Failure> {
    // Opening the store's folder would make one that is not there.
    if !path.is_dir() {
        return Err(Failure::new(
            ErrorCode::ConfigUnreadable,
            path.display().to_string(),
        ));
    }
    let key = match key.map(Path::to_owned).or_else(|| key_beside(path)) {
        Some(file) => Some(read_key(&file)?),
        None => None,
    };
    let files = DiskFiles::open(path).map_err(|error| Failure::file(path, &error))?;
    Ok(verify_files(&files, key.as_ref()))
}

/// The storage key of the node whose ledger this is, where it lies in its usual place.
fn key_beside(ledger: &Path) -> Option<PathBuf> {
    let ledger = ledger.canonicalize().ok()?;
    let key = ledger.parent()?.parent()?.join("keys").join("storage.key");
    key.is_file().then_some(key)
}

fn read_key(file: &Path) -> Result<StorageKey, Failure> {
    let bytes = fs::read(file).map_err(|error| {
        Failure::new(
            ErrorCode::ConfigUnreadable,
            format!("{}: {error}", file.display()),
        )
    })?;
    let bytes = bytes
        .try_into()
        .map_err(|_| Failure::new(ErrorCode::ConfigBadValue, file.display().to_string()))?;
    Ok(StorageKey::new(bytes))
}

fn intact(path: &str, report: &VerifyReport) -> Value {
    json!({
        "path": path,
        "intact": true,
        "node": report.node.as_ref().map(ToString::to_string),
        "segments": report.segments,
        "entries": report.entries,
        "opened": report.opened,
        "checkpoints": report.checkpoints,
        "head": report.head.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
    })
}

fn damaged(path: &str, failure: &VerifyFailure) -> Value {
    let mut value = json!({"path": path, "intact": false, "what": failure.to_string()});
    if let (
        VerifyFailure::Bad {
            file,
            offset,
            entry,
            ..
        }
        | VerifyFailure::Torn {
            file,
            offset,
            entry,
            ..
        },
        Some(members),
    ) = (failure, value.as_object_mut())
    {
        members.insert("file".to_owned(), json!(file));
        members.insert("offset".to_owned(), json!(offset));
        members.insert("entry".to_owned(), json!(entry));
    }
    value
}
