//! Ledgers on disk: where they lie, and their keys.

use std::fs;
use std::path::{Path, PathBuf};

use juki_crypto::StorageKey;
use juki_domain::ErrorCode;

use crate::deployment::{Deployment, secrets_in};
use crate::failure::Failure;

/// The ledger folders that these paths name: a deployment's folder stands for all its ledgers.
///
/// # Errors
/// [`ErrorCode::ConfigUnreadable`] for a path that is no folder.
pub(super) fn ledgers(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        // Opening the store's folder would make one that is not there.
        if !path.is_dir() {
            let detail = path.display().to_string();
            return Err(Failure::new(ErrorCode::ConfigUnreadable, detail));
        }
        if path.join("network.toml").is_file() {
            let deployment = Deployment::open(path)?;
            let places = deployment.places().into_iter();
            let ledgers = places.map(|place| place.data().join("ledger"));
            found.extend(ledgers.filter(|ledger| ledger.is_dir()));
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

/// The storage key in this file, or else that of the node whose ledger this is, where it lies in its
/// usual place.
///
/// # Errors
/// A file that is no storage key.
pub(super) fn key_of(ledger: &Path, file: Option<&Path>) -> Result<Option<StorageKey>, Failure> {
    match file.map(Path::to_owned).or_else(|| key_beside(ledger)) {
        Some(file) => read_key(&file).map(Some),
        None => Ok(None),
    }
}

pub(super) fn key_beside(ledger: &Path) -> Option<PathBuf> {
    let ledger = ledger.canonicalize().ok()?;
    let key = secrets_in(ledger.parent()?.parent()?)?.join("storage.key");
    key.is_file().then_some(key)
}

pub(super) fn read_key(file: &Path) -> Result<StorageKey, Failure> {
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
