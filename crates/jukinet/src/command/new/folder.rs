//! Making folders and files that only their owner can read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use juki_domain::{ErrorCode, Lang};

use crate::deployment::{Deployment, NodePlace};
use crate::failure::Failure;
use crate::text;

/// The folder that a new deployment goes into: it was absent or empty.
pub(super) struct Folder {
    path: PathBuf,
    was_there: bool,
}

impl Folder {
    /// Takes an absent or empty folder, mode 0700 from now on.
    ///
    /// # Errors
    /// [`ErrorCode::FolderExists`] where something is in it, [`ErrorCode::DiskFailed`] where it cannot be made.
    pub(super) fn claim(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let taken = || {
            Failure::new(
                ErrorCode::FolderExists,
                text::folder_not_empty(lang, &path.display().to_string()),
            )
        };
        let was_there = match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(taken());
                }
                true
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(taken()),
            Err(error) => return Err(Failure::file(path, &error)),
        };
        let failed = |error: io::Error| Failure::file(path, &error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        Ok(Self {
            path: path.canonicalize().map_err(failed)?,
            was_there,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder as it was found.
    pub(super) fn give_up(self) {
        // What cannot be removed stays; the failure that led here is the one to report.
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let _stays = if entry.path().is_dir() {
                fs::remove_dir_all(entry.path())
            } else {
                fs::remove_file(entry.path())
            };
        }
        if !self.was_there {
            let _stays = fs::remove_dir(&self.path);
        }
    }
}

/// Makes a folder of mode 0700.
pub(super) fn private(path: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Failure::file(path, &error))
}

/// Writes a new file of mode 0600.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|error| Failure::file(path, &error))
}

/// Refuses a folder in which some node's admin socket would have too long a name.
pub(super) fn check_socket_paths(
    deployment: &Deployment,
    places: &[NodePlace],
    lang: Lang,
) -> Result<(), Failure> {
    let sockets = places
        .iter()
        .map(NodePlace::admin_socket)
        .chain([deployment.supervisor_socket()]);
    let longest = sockets
        .map(|path| path.as_os_str().len())
        .max()
        .unwrap_or(0);
    if longest < SOCKET_PATH_BYTES_MAX {
        return Ok(());
    }
    let folder = deployment.folder().display().to_string();
    let failure = Failure::new(
        ErrorCode::ConfigBadValue,
        text::path_too_long(lang, &folder, longest + 1 - SOCKET_PATH_BYTES_MAX),
    );
    Err(failure.with_todo(text::use_shorter_path(lang)))
}

/// The kernel takes 107 bytes; some are for temporary names beside the socket.
const SOCKET_PATH_BYTES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_or_a_file_is_not_taken() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [place.path(), file.as_path()] {
            let failure = Folder::claim(path, Lang::En).map(|_| ()).unwrap_err();
            assert!(
                failure
                    .explained(Lang::En)
                    .starts_with(ErrorCode::FolderExists.code())
            );
        }
    }

    #[test]
    fn giving_up_leaves_the_folder_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        let (there, absent) = (place.path().join("there"), place.path().join("absent/deep"));
        fs::create_dir(&there).unwrap();
        for path in [&there, &absent] {
            let folder = Folder::claim(path, Lang::En).unwrap();
            assert_eq!(
                fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777,
                0o700
            );
            private(&folder.path().join("a/b")).unwrap();
            write(&folder.path().join("a/b/c"), b"x").unwrap();
            write(&folder.path().join("d"), b"x").unwrap();
            folder.give_up();
        }
        assert_eq!(fs::read_dir(&there).unwrap().count(), 0);
        assert!(!absent.exists());
    }
}
