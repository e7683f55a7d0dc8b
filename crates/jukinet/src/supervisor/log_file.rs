//! A node's log file: appended to, limited in size.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A log file that moves aside to `NAME.log.1` when it is full.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    length_max: u64,
}

impl LogFile {
    /// Opens the file to append to it.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(path: &Path, length_max: u64) -> io::Result<Self> {
        let file = opened(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            length_max,
        })
    }

    /// Appends bytes; a full file is moved aside first, replacing the one moved before.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let added = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.length > 0 && self.length.saturating_add(added) > self.length_max {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            std::fs::rename(&self.path, aside)?;
            self.file = opened(&self.path)?;
            self.length = 0;
        }
        self.file.write_all(bytes)?;
        self.length = self.length.saturating_add(added);
        Ok(())
    }
}

/// Size at which a log moves aside.
pub(crate) const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The last line of a log that is not empty, at most 400 characters of it; empty where there is none.
pub(crate) fn last_line(path: &Path) -> String {
    let tail = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = tail().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    line.trim().chars().take(LINE_CHARS_MAX).collect()
}

fn opened(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

const TAIL_BYTES: u64 = 8 * 1024;
const LINE_CHARS_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_moves_aside_and_the_last_line_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.log");
        assert_eq!(last_line(&path), "");
        let mut log = LogFile::open(&path, 20).unwrap();
        log.write(b"first line\n").unwrap();
        log.write(b"second\n\n").unwrap();
        assert_eq!(last_line(&path), "second");
        log.write(b"third\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "third\n");
        assert_eq!(
            std::fs::read_to_string(folder.path().join("n.log.1")).unwrap(),
            "first line\nsecond\n\n"
        );
        drop(log);
        LogFile::open(&path, 20)
            .unwrap()
            .write(b"fourth\n")
            .unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "third\nfourth\n");
    }

    #[test]
    fn a_line_longer_than_the_tail_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.log");
        std::fs::write(&path, "あ".repeat(10_000)).unwrap();
        assert_eq!(last_line(&path).chars().count(), LINE_CHARS_MAX);
    }
}
