//! One process per data folder.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use juki_domain::ErrorCode;

use crate::StartError;

/// Held for as long as the process runs: a second one on the same folder would tear the ledger.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the folder, making it with mode 0700 where it is missing.
    ///
    /// # Errors
    /// [`ErrorCode::AlreadyRunning`] where another process holds it.
    pub(crate) fn take(data: &Path) -> Result<Self, StartError> {
        let failed = |error: std::io::Error| {
            StartError::failed(
                ErrorCode::DiskFailed,
                format!("{}: {error}", data.display()),
            )
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(failed)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(data.join("node.lock"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StartError::failed(
                ErrorCode::AlreadyRunning,
                format!("another process runs on {}", data.display()),
            )),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_free_again_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let held = DataLock::take(&data).unwrap();
        let second = DataLock::take(&data).unwrap_err();
        assert_eq!(second.code, ErrorCode::AlreadyRunning);
        drop(held);
        assert!(DataLock::take(&data).is_ok());
    }
}
