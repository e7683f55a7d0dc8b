//! The first way through a file: into the spool, and is it whole?

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use axum::body::Bytes;
use juki_crypto::DigestStream;
use juki_domain::ErrorCode;
use juki_intake::{Inspected, Inspection};
use tokio::sync::mpsc;

use super::{ImportFailure, LINE_BYTES_MAX, disk};
use crate::spool::{Spool, SpoolFolder, SpooledFile};

/// A part of a file that comes over a connection.
pub(crate) enum Piece {
    /// Its next bytes.
    Bytes(Bytes),
    /// Its end. Without it the file is cut.
    End,
}

/// Where a file comes from.
pub(crate) enum Source {
    /// A connection.
    Pieces(mpsc::Receiver<Piece>),
    /// A file that somebody else may still be writing.
    File(SourceFile),
}

/// A file of the drop folder that was opened.
pub(crate) struct SourceFile {
    file: File,
    path: PathBuf,
    opened: Fingerprint,
}

/// By what a file that is being written is told from one that is quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    length: u64,
    modified: (i64, i64),
    inode: (u64, u64),
}

impl Fingerprint {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}

impl SourceFile {
    /// Opens a file that was quiet with this fingerprint.
    pub(crate) fn open(path: PathBuf, quiet: Fingerprint) -> std::io::Result<Self> {
        Ok(Self {
            file: File::open(&path)?,
            path,
            opened: quiet,
        })
    }

    /// What was found in the file, or that file or name are not those any more that were quiet.
    fn unless_changed(
        &self,
        found: Result<(), ImportFailure>,
    ) -> std::io::Result<Result<(), ImportFailure>> {
        let held = Fingerprint::of(&self.file.metadata()?);
        let named = Fingerprint::of(&std::fs::symlink_metadata(&self.path)?);
        Ok(if held == self.opened && named == self.opened {
            found
        } else {
            Err(ImportFailure::new(ErrorCode::FileChanged))
        })
    }
}

/// A file that was received whole.
pub(crate) struct Received {
    pub(crate) file: SpooledFile,
    pub(crate) inspected: Inspected,
    pub(crate) digest: [u8; 32],
}

/// Takes a file in.
pub(super) async fn receive(
    source: Source,
    spools: &SpoolFolder,
    bytes_max: u64,
) -> Result<Received, ImportFailure> {
    let mut reception = Reception {
        spool: spools.spool().map_err(|error| disk(&error))?,
        inspection: Inspection::new(LINE_BYTES_MAX),
        digest: DigestStream::plain(),
        bytes_max,
    };
    match source {
        Source::Pieces(mut pieces) => loop {
            match pieces.recv().await {
                Some(Piece::Bytes(bytes)) => reception.take(&bytes)?,
                Some(Piece::End) => break,
                None => return Err(ImportFailure::new(ErrorCode::FileCut)),
            }
        },
        Source::File(source) => read_file(source, &mut reception).await?,
    }
    reception.finish()
}

async fn read_file(mut source: SourceFile, reception: &mut Reception) -> Result<(), ImportFailure> {
    let unread = |error: std::io::Error| {
        tracing::warn!(event = "file.unreadable", code = ErrorCode::FileChanged.code(), kind = %error.kind());
        ImportFailure::new(ErrorCode::FileChanged)
    };
    let mut buffer = vec![0; LINE_BYTES_MAX];
    loop {
        let count = source.file.read(&mut buffer).map_err(unread)?;
        let read = buffer.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        if let Err(failure) = reception.take(read) {
            return source.unless_changed(Err(failure)).map_err(unread)?;
        }
        // The end of the node may be asked for in between.
        tokio::task::yield_now().await;
    }
    source.unless_changed(Ok(())).map_err(unread)?
}

struct Reception {
    spool: Spool,
    inspection: Inspection,
    digest: DigestStream,
    bytes_max: u64,
}

impl Reception {
    fn take(&mut self, bytes: &[u8]) -> Result<(), ImportFailure> {
        // Small pieces keep what waits in the inspection small, whatever the client sends.
        for piece in bytes.chunks(LINE_BYTES_MAX) {
            if self.spool.len() + piece.len() as u64 > self.bytes_max {
                return Err(ImportFailure::new(ErrorCode::RequestTooLarge));
            }
            self.inspection.feed(piece)?;
            self.digest.update(piece);
            self.spool.write(piece).map_err(|error| disk(&error))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Received, ImportFailure> {
        let inspected = self.inspection.finish()?;
        Ok(Received {
            file: self.spool.finish().map_err(|error| disk(&error))?,
            inspected,
            digest: self.digest.finish(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "宛名番号,氏名,生年月日,性別,住所\n1,検査　一郎,1970-01-02,男,山口県萩市\n";

    async fn received(source: Source, bytes_max: u64) -> Result<u64, ErrorCode> {
        let folder = tempfile::tempdir().unwrap();
        let spools = SpoolFolder::open(folder.path()).unwrap();
        receive(source, &spools, bytes_max)
            .await
            .map(|received| received.file.len())
            .map_err(|failure| failure.code)
    }

    fn quiet(path: &std::path::Path) -> Fingerprint {
        Fingerprint::of(&std::fs::symlink_metadata(path).unwrap())
    }

    #[tokio::test]
    async fn a_file_that_is_not_the_one_that_was_quiet_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.csv");
        std::fs::write(&path, FILE).unwrap();
        let before = quiet(&path);
        let open = || Source::File(SourceFile::open(path.clone(), before).unwrap());
        assert_eq!(received(open(), 1 << 20).await, Ok(FILE.len() as u64));
        // Replaced while it is read: the old one is still open.
        let source = open();
        std::fs::write(folder.path().join("other"), FILE).unwrap();
        std::fs::rename(folder.path().join("other"), &path).unwrap();
        assert_eq!(received(source, 1 << 20).await, Err(ErrorCode::FileChanged));
        // Written on since.
        assert_eq!(received(open(), 1 << 20).await, Err(ErrorCode::FileChanged));
    }

    #[tokio::test]
    async fn a_file_beyond_the_limit_and_one_without_an_end_are_refused() {
        let whole = |end: bool| {
            let (pieces, source) = mpsc::channel(2);
            pieces
                .try_send(Piece::Bytes(Bytes::from_static(FILE.as_bytes())))
                .ok();
            if end {
                pieces.try_send(Piece::End).ok();
            }
            Source::Pieces(source)
        };
        let length = FILE.len() as u64;
        assert_eq!(received(whole(true), length).await, Ok(length));
        let too_large = Err(ErrorCode::RequestTooLarge);
        assert_eq!(received(whole(true), length - 1).await, too_large);
        assert_eq!(
            received(whole(false), length).await,
            Err(ErrorCode::FileCut)
        );
    }
}
