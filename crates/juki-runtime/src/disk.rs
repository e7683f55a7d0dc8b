//! The operating system's files.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Files;

/// How many files stay open at once.
const OPEN_MAX: usize = 8;

/// Files of a folder that only its owner can read.
#[derive(Debug)]
pub struct DiskFiles {
    folder: PathBuf,
    writes: bool,
    open: std::sync::Mutex<BTreeMap<String, Arc<File>>>,
}

impl DiskFiles {
    /// Takes a folder, making it with mode 0700 where it is missing.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            writes: true,
            open: std::sync::Mutex::new(BTreeMap::new()),
        })
    }

    /// Puts a synced file in the place of another, safe against loss of power.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))?;
        if let Ok(mut open) = self.open.lock() {
            // A file that is open is the one it was before.
            open.remove(from);
            open.remove(to);
        }
        self.sync_folder()
    }

    /// Takes a folder of somebody else's to read: nothing is made, and files are opened for reading
    /// alone, so that writing fails.
    #[must_use]
    pub fn reading(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            writes: false,
            open: std::sync::Mutex::new(BTreeMap::new()),
        }
    }

    fn file(&self, name: &str) -> io::Result<Arc<File>> {
        let mut open = self
            .open
            .lock()
            .map_err(|_| io::Error::other("the table of open files is poisoned"))?;
        if let Some(file) = open.get(name) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(
            OpenOptions::new()
                .read(true)
                .write(self.writes)
                .open(self.folder.join(name))?,
        );
        if open.len() >= OPEN_MAX {
            open.pop_first();
        }
        open.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }
}

impl Files for DiskFiles {
    fn list(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.folder.join(name))
            .map(|_| ())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.metadata()?.len())
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = self.file(name)?;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset + done as u64)? {
                0 => break,
                read => done += read,
            }
        }
        Ok(done)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.write_all_at(bytes, offset)
    }

    fn set_len(&mut self, name: &str, len: u64) -> io::Result<()> {
        self.file(name)?.set_len(len)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_written_read_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let mut files = DiskFiles::open(&path).unwrap();
        files.create("a").unwrap();
        assert!(files.create("a").is_err());
        files.write_at("a", 3, b"xyz").unwrap();
        files.sync("a").unwrap();
        files.sync_folder().unwrap();
        let mut buffer = [9; 10];
        assert_eq!(files.read_at("a", 1, &mut buffer).unwrap(), 5);
        assert_eq!(&buffer[..5], b"\0\0xyz");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(
            fs::metadata(path.join("a")).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(files.list().unwrap(), ["a"]);
        let mut reader = DiskFiles::reading(&path);
        assert_eq!(reader.read_at("a", 3, &mut buffer).unwrap(), 3);
        assert!(reader.write_at("a", 0, b"x").is_err());
    }
}
