//! The first way through a file: into the spool, and is it whole?

use axum::body::Bytes;
use juki_crypto::DigestStream;
use juki_domain::ErrorCode;
use juki_intake::{FileKind, Inspection};
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
}

/// A file that was received whole.
pub(super) struct Received {
    pub(super) file: SpooledFile,
    pub(super) kind: FileKind,
    pub(super) digest: [u8; 32],
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
    }
    reception.finish()
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
            kind: inspected.kind,
            digest: self.digest.finish(),
        })
    }
}
