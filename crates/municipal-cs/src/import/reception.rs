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

    /// Whether file and name are still those that were quiet.
    fn is_unchanged(&self) -> std::io::Result<bool> {
        let held = Fingerprint::of(&self.file.metadata()?);
        let named = Fingerprint::of(&std::fs::symlink_metadata(&self.path)?);
        Ok(held == self.opened && named == self.opened)
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
        reception.take(read)?;
        // The end of the node may be asked for in between.
        tokio::task::yield_now().await;
    }
    if source.is_unchanged().map_err(unread)? {
        Ok(())
    } else {
        Err(ImportFailure::new(ErrorCode::FileChanged))
    }
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
