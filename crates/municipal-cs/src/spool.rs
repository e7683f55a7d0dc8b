//! A file of the register on its way: taken whole before a row of it is read, sealed on disk.
//!
//! The key is drawn for each file and lives in memory only, and the file has no name any more as
//! soon as it is made: no resident lies in clear, and nothing stays behind.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use juki_crypto::{Randomness as _, StorageKey, SystemRandomness, random_array};

/// Plain bytes of a sealed piece.
const PIECE_BYTES: usize = 64 * 1024;
/// What sealing adds to a piece.
const TAG_BYTES: usize = 16;
const PURPOSE: &[u8] = b"juki spool 1";

/// The folder in which spools are made.
#[derive(Debug, Clone)]
pub(crate) struct SpoolFolder(PathBuf);

impl SpoolFolder {
    /// Makes the folder, and removes what a crash may have left between the making of a file and
    /// the removal of its name.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("spool");
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        for entry in std::fs::read_dir(&folder)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(Self(folder))
    }

    /// An empty spool.
    pub(crate) fn spool(&self) -> io::Result<Spool> {
        let mut drawn = [0; 8];
        SystemRandomness.fill(&mut drawn);
        let path = self.0.join(format!("{:016x}", u64::from_be_bytes(drawn)));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Spool {
            file,
            key: StorageKey::new(random_array(&SystemRandomness)),
            open: Vec::with_capacity(PIECE_BYTES + TAG_BYTES),
            pieces: 0,
            len: 0,
        })
    }
}

/// A file that is being taken in.
pub(crate) struct Spool {
    file: File,
    key: StorageKey,
    open: Vec<u8>,
    pieces: u64,
    len: u64,
}

impl Spool {
    /// Bytes taken so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.open.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.open.extend_from_slice(now);
            self.len += now.len() as u64;
            if self.open.len() == PIECE_BYTES {
                self.seal()?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Ends the taking in; the file can be read from its beginning.
    pub(crate) fn finish(mut self) -> io::Result<SpooledFile> {
        if !self.open.is_empty() {
            self.seal()?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        Ok(SpooledFile {
            file: self.file,
            key: self.key,
            piece: 0,
            len: self.len,
            left: self.len,
        })
    }

    fn seal(&mut self) -> io::Result<()> {
        self.key.seal(nonce(self.pieces), PURPOSE, &mut self.open);
        self.pieces += 1;
        self.file.write_all(&self.open)?;
        self.open.clear();
        Ok(())
    }
}

/// A file that was taken whole.
pub(crate) struct SpooledFile {
    file: File,
    key: StorageKey,
    piece: u64,
    len: u64,
    left: u64,
}

impl SpooledFile {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many of its bytes were read.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.len - self.left
    }

    /// Puts the next piece into `buffer`; an empty one is the end.
    pub(crate) fn next_piece(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        let plain = usize::try_from(self.left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        buffer.clear();
        if plain == 0 {
            return Ok(());
        }
        buffer.resize(plain + TAG_BYTES, 0);
        self.file.read_exact(buffer)?;
        self.key
            .open(nonce(self.piece), PURPOSE, buffer)
            .map_err(io::Error::other)?;
        self.piece += 1;
        self.left -= plain as u64;
        Ok(())
    }
}

/// Each piece has its own number, and each file its own key.
fn nonce(piece: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(piece.to_be_bytes()) {
        *to = from;
    }
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &mut SpooledFile) -> Vec<u8> {
        let (mut all, mut piece) = (Vec::new(), Vec::new());
        loop {
            file.next_piece(&mut piece).unwrap();
            if piece.is_empty() {
                return all;
            }
            all.extend_from_slice(&piece);
        }
    }

    #[test]
    fn a_file_reads_back_whatever_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let spools = SpoolFolder::open(folder.path()).unwrap();
        for len in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES + 5] {
            let bytes: Vec<u8> = (0u8..=250).cycle().take(len).collect();
            let mut spool = spools.spool().unwrap();
            for chunk in bytes.chunks(1_000) {
                spool.write(chunk).unwrap();
            }
            assert_eq!(spool.len(), len as u64);
            let mut file = spool.finish().unwrap();
            assert_eq!(read(&mut file), bytes);
            assert_eq!((file.len(), file.read_bytes()), (len as u64, len as u64));
        }
    }

    #[test]
    fn nothing_of_a_spool_has_a_name_or_lies_in_clear() {
        let folder = tempfile::tempdir().unwrap();
        let spools = SpoolFolder::open(folder.path()).unwrap();
        let mut spool = spools.spool().unwrap();
        let text = "検査　一郎".repeat(10_000);
        spool.write(text.as_bytes()).unwrap();
        let mut file = spool.finish().unwrap();
        assert_eq!(std::fs::read_dir(&spools.0).unwrap().count(), 0);
        let mut raw = Vec::new();
        file.file.read_to_end(&mut raw).unwrap();
        let part = "検査　一郎".as_bytes();
        assert!(raw.len() >= text.len() && !raw.windows(part.len()).any(|at| at == part));
    }

    #[test]
    fn what_a_crash_left_is_removed_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("spool/0123456789abcdef");
        std::fs::create_dir(folder.path().join("spool")).unwrap();
        std::fs::write(&left, "sealed").unwrap();
        let _spools = SpoolFolder::open(folder.path()).unwrap();
        assert!(!left.exists());
    }
}
