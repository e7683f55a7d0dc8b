//! What became of a file.

use juki_domain::{ErrorCode, Fault};
use juki_intake::Reject;
use serde::Serialize;

/// Rejects that a report lists; all are counted.
const REJECTS_LISTED_MAX: usize = 1_000;

/// What became of a file.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ImportReport {
    /// Rows read, the header not counted.
    pub(crate) rows: u64,
    /// Rows that are journal entries now.
    pub(crate) accepted: u64,
    /// Rows that were journal entries already.
    pub(crate) duplicates: u64,
    /// Rows refused.
    pub(crate) rejected: u64,
    /// Rows whose reason changes no item of the record.
    pub(crate) skipped: u64,
    /// The file's length.
    pub(crate) bytes: u64,
    /// The file's digest.
    pub(crate) sha256: String,
    /// Columns that were not read.
    pub(crate) unknown_columns: Vec<String>,
    /// The first rejects.
    pub(crate) rejects: Vec<RejectJson>,
}

impl ImportReport {
    pub(super) fn reject(&mut self, line: u64, reject: &Reject) {
        self.rejected += 1;
        if self.rejects.len() < REJECTS_LISTED_MAX {
            self.rejects.push(RejectJson::new(line, reject));
        }
    }
}

/// One reject. It never holds the value that was wrong.
#[derive(Debug, Serialize)]
pub(crate) struct RejectJson {
    line: u64,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
}

impl RejectJson {
    pub(super) fn new(line: u64, reject: &Reject) -> Self {
        Self {
            line,
            code: reject.code.code(),
            column: reject.column.clone(),
        }
    }
}

/// The file as a whole was refused, or reading it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportFailure {
    pub(crate) code: ErrorCode,
    pub(crate) detail: Option<String>,
}

impl ImportFailure {
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self { code, detail: None }
    }

    /// Whether the same file may be taken later.
    pub(crate) fn is_passing(&self) -> bool {
        self.code.retry() || self.code.fault() != Fault::Peer
    }
}

impl From<Reject> for ImportFailure {
    fn from(reject: Reject) -> Self {
        Self {
            code: reject.code,
            detail: reject.column,
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
