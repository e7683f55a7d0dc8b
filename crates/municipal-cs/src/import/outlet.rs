//! Where an import says what becomes of the rows.

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use juki_domain::RegisterNumber;
use juki_intake::{Inspected, Reject};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::report::RejectJson;
use super::{FileOutlet, ImportFailure, ImportReport, disk};

/// Bytes of lines that are sent together.
const LINES_BYTES: usize = 16 * 1024;
/// Pieces that wait for a slow listener.
const PIECES_MAX: usize = 16;
/// A listener that takes nothing for this long is gone: the import goes on without it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Where an import says what becomes of the rows.
pub(crate) enum Outlet {
    /// Nowhere: the report is all.
    Report,
    /// Line by line to whoever waits.
    Lines(LineOutlet),
    /// Into the register's files.
    Files(Box<FileOutlet>),
}

/// How far an import is.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Progress {
    pub(crate) bytes: u64,
    pub(crate) bytes_total: u64,
    pub(crate) rows: u64,
}

impl Outlet {
    /// The file was found whole and is of this kind.
    pub(super) fn begin(&mut self, inspected: &Inspected) -> io::Result<()> {
        match self {
            Self::Report | Self::Lines(_) => Ok(()),
            Self::Files(files) => files.begin(inspected.encoding),
        }
    }

    /// Whether the codes of the rows are wanted.
    pub(super) fn wants_codes(&self) -> bool {
        match self {
            Self::Report => false,
            Self::Files(_) => true,
            Self::Lines(lines) => lines.codes,
        }
    }

    pub(super) async fn progress(&mut self, progress: Progress) {
        match self {
            Self::Report | Self::Files(_) => {}
            Self::Lines(lines) => lines.progress(progress).await,
        }
    }

    pub(super) async fn reject(&mut self, line: u64, reject: &Reject) {
        match self {
            Self::Report => {}
            Self::Lines(lines) => {
                let reject = RejectJson::new(line, reject);
                lines.say(&RejectLine { reject }).await;
            }
            Self::Files(files) => files.reject(line, reject),
        }
    }

    pub(super) async fn code(&mut self, resident: &RegisterNumber, code: &str) {
        match self {
            Self::Report => {}
            Self::Lines(lines) => {
                let resident = resident.reveal();
                let code = CodeOf { resident, code };
                lines.say(&CodeLine { code }).await;
            }
            Self::Files(files) => files.code(resident, code),
        }
    }

    /// The last word. An import whose files could not be written has failed: what was taken stays,
    /// and the next import of the same file writes them.
    pub(super) async fn end(
        &mut self,
        ended: Result<ImportReport, ImportFailure>,
    ) -> Result<ImportReport, ImportFailure> {
        match self {
            Self::Report => ended,
            Self::Lines(lines) => {
                match &ended {
                    Ok(report) => lines.end(&json!({ "report": report })).await,
                    Err(failure) => lines.end_badly(failure).await,
                }
                ended
            }
            Self::Files(files) => {
                let report = ended?;
                files.finish().map_err(|error| disk(&error))?;
                Ok(report)
            }
        }
    }
}

#[derive(Serialize)]
struct RejectLine {
    reject: RejectJson,
}

#[derive(Serialize)]
struct CodeLine<'a> {
    code: CodeOf<'a>,
}

#[derive(Serialize)]
struct CodeOf<'a> {
    resident: &'a str,
    code: &'a str,
}

/// Lines of JSON on their way to a listener.
pub(crate) struct LineOutlet {
    sender: Option<mpsc::Sender<io::Result<Bytes>>>,
    buffer: Vec<u8>,
    lang: juki_domain::Lang,
    codes: bool,
    told: Instant,
}

/// Lines for a listener, and the end at which they come out.
pub(crate) fn lines(
    lang: juki_domain::Lang,
    codes: bool,
) -> (LineOutlet, mpsc::Receiver<io::Result<Bytes>>) {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let outlet = LineOutlet {
        sender: Some(sender),
        buffer: Vec::with_capacity(LINES_BYTES),
        lang,
        codes,
        told: Instant::now(),
    };
    (outlet, receiver)
}

impl LineOutlet {
    /// Says one object; it may wait for others.
    pub(crate) async fn say<T: Serialize>(&mut self, line: &T) {
        if self.sender.is_none() || serde_json::to_writer(&mut self.buffer, line).is_err() {
            return;
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= LINES_BYTES {
            self.flush().await;
        }
    }

    /// Says how far the work is, a few times a second, and lets go what waits.
    pub(crate) async fn progress(&mut self, progress: Progress) {
        if self.told.elapsed() >= PROGRESS_EVERY {
            self.told = Instant::now();
            self.say(&json!({ "progress": progress })).await;
            self.flush().await;
        }
    }

    /// Says the last object.
    pub(crate) async fn end<T: Serialize>(&mut self, line: &T) {
        self.say(line).await;
        self.flush().await;
    }

    /// Says why there is no result.
    pub(crate) async fn end_badly(&mut self, failure: &ImportFailure) {
        let problem = failure.problem(self.lang);
        self.end(&json!({ "problem": problem })).await;
    }

    /// Lets go what waits.
    async fn flush(&mut self) {
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        let Some(sender) = self.sender.as_ref().filter(|_| !bytes.is_empty()) else {
            return;
        };
        if sender.send_timeout(Ok(bytes), PATIENCE).await.is_err() {
            self.sender = None;
        }
    }
}
