//! Taking in a file of the register: whole first, then row by row and in order.
//!
//! A file is received into a spool and looked at; one that is cut or is none of the register's is
//! refused whole and nothing of it is taken. Then its rows are registered. Each row's idempotency
//! key is what it says, so the same file twice changes nothing, and a file whose import was cut
//! off is simply imported again.

mod files;
mod outlet;
mod reception;
mod report;
mod rows;

use std::io;
use std::sync::Arc;

use juki_domain::{CivilDate, ErrorCode};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) use files::{FileOutlet, Part};
pub(crate) use outlet::{LineOutlet, Outlet, Progress, lines};
pub(crate) use reception::{Fingerprint, Piece, Received, Source, SourceFile};
pub(crate) use report::{ImportFailure, ImportReport};

use crate::register::Register;
use crate::spool::SpoolFolder;

/// The day on which codes were entered for everybody (domain.md section 0).
pub(crate) const FIRST_PHASE_DAY: &str = "2002-08-05";
/// Longest row in bytes.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024;

/// What all imports of a server share.
#[derive(Clone)]
pub(crate) struct Imports {
    spools: SpoolFolder,
    file_bytes_max: u64,
    running: Arc<Mutex<()>>,
    closing: watch::Sender<bool>,
}

/// The right to take in a file: one at a time, so that rows are decided in the order of the files.
pub(crate) struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl Imports {
    pub(crate) fn new(spools: SpoolFolder, file_bytes_max: u64) -> Self {
        Self {
            spools,
            file_bytes_max,
            running: Arc::default(),
            closing: watch::Sender::new(false),
        }
    }

    /// The right to take in a file now.
    pub(crate) fn try_turn(&self) -> Result<Turn, ErrorCode> {
        Arc::clone(&self.running)
            .try_lock_owned()
            .map(Turn)
            .map_err(|_| ErrorCode::ImportRunning)
    }

    /// The right to take in a file as soon as no other is taken in.
    pub(crate) async fn turn(&self) -> Turn {
        Turn(Arc::clone(&self.running).lock_owned().await)
    }

    /// Ends what is running, since the node stops.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Takes a file in whole.
    pub(crate) async fn receive(&self, source: Source) -> Result<Received, ImportFailure> {
        reception::receive(source, &self.spools, self.file_bytes_max).await
    }

    /// Waits until the node stops.
    pub(crate) async fn closed(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives as long as self.
        let _ = closing.wait_for(|closing| *closing).await;
    }
}

/// How a file is read.
pub(crate) struct Plan {
    /// The day of the entries of a file of all residents.
    pub(crate) initial_date: CivilDate,
    /// Whether the file is tried again as a whole where this server cannot take a row now: nobody
    /// waits for the answer.
    pub(crate) patient: bool,
}

/// Begins an import on a thread of its own, where it may wait for the disk. It goes on to its end
/// whoever stops listening. `passed` hears when the file was found whole.
pub(crate) fn start(
    register: Register,
    turn: Turn,
    source: Source,
    plan: Plan,
    outlet: Outlet,
    passed: oneshot::Sender<()>,
) -> JoinHandle<Result<ImportReport, ImportFailure>> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = register.imports().closed() => Err(ImportFailure::new(ErrorCode::LineDown)),
                ended = whole(&register, turn, source, &plan, outlet, passed) => ended,
            }
        })
    })
}

async fn whole(
    register: &Register,
    turn: Turn,
    source: Source,
    plan: &Plan,
    mut outlet: Outlet,
    passed: oneshot::Sender<()>,
) -> Result<ImportReport, ImportFailure> {
    let received = match register.imports().receive(source).await {
        Ok(received) => received,
        Err(failure) => {
            tracing::warn!(event = "file.refused", code = failure.code.code());
            return Err(failure);
        }
    };
    // Whoever waits may have gone away; the import goes on.
    let _ = passed.send(());
    let (kind, bytes) = (received.inspected.kind, received.file.len());
    let sha256 = report::hex(&received.digest);
    let ended = match outlet.begin(&received.inspected) {
        Ok(()) => rows::take_all(register, received, plan, &mut outlet).await,
        Err(error) => Err(disk(&error)),
    };
    let ended = ended.map(|report| ImportReport {
        bytes,
        sha256: sha256.clone(),
        ..report
    });
    match &ended {
        Ok(report) => tracing::info!(
            event = "file.imported",
            sha256,
            kind = ?kind,
            rows = report.rows,
            accepted = report.accepted,
            duplicates = report.duplicates,
            rejected = report.rejected
        ),
        Err(failure) => {
            tracing::warn!(
                event = "file.not_imported",
                sha256,
                code = failure.code.code()
            );
        }
    }
    // Whoever hears that this file is done may send the next at once.
    drop(turn);
    outlet.end(ended).await
}

/// The code of a failed write or read of the spool.
pub(crate) fn disk(error: &io::Error) -> ImportFailure {
    tracing::error!(event = "spool.failed", code = ErrorCode::DiskFailed.code(), %error);
    ImportFailure::new(ErrorCode::DiskFailed)
}
