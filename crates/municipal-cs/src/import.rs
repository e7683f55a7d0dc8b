//! Importing a file of the register: streaming, in order, resuming by itself.
//!
//! Each row's idempotency key is a digest of what it says, so the same file twice changes nothing,
//! and a file whose import was cut off is simply imported again.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use juki_crypto::sha256;
use juki_domain::{ChangeRequest, CivilDate, ErrorCode};
use juki_intake::{Reader, ReaderSettings, Reject};
use juki_services::registration::{RegistrationOutcome, RequestMessage};
use prost::Message as _;
use serde::Serialize;

use crate::register::{Register, Submitted, refusal};

/// The day on which codes were entered for everybody (domain.md section 0).
pub(crate) const FIRST_PHASE_DAY: &str = "2002-08-05";
/// Rows that are on their way at once.
const IN_FLIGHT_MAX: usize = 512;
/// Rejects that are listed; all are counted.
const REJECTS_LISTED_MAX: usize = 1_000;
const LINE_BYTES_MAX: usize = 64 * 1024;
/// How often a row that found no code in stock is tried again, and how long in all.
const STOCK_RETRY: Duration = Duration::from_millis(20);
const STOCK_WAIT: Duration = Duration::from_secs(60);

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
    /// Columns that were not read.
    pub(crate) unknown_columns: Vec<String>,
    /// The first rejects.
    pub(crate) rejects: Vec<RejectJson>,
}

/// One reject. It never holds the value that was wrong.
#[derive(Debug, Serialize)]
pub(crate) struct RejectJson {
    pub(crate) line: u64,
    pub(crate) code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
}

/// The file as a whole was refused, or reading it failed.
pub(crate) struct ImportFailure {
    pub(crate) code: ErrorCode,
    pub(crate) detail: Option<String>,
}

struct Flying {
    line: u64,
    request: ChangeRequest,
    submitted: Submitted,
}

/// Imports a file that comes in as a stream.
pub(crate) async fn import(
    register: &Register,
    mut body: Body,
    initial_date: CivilDate,
) -> Result<ImportReport, ImportFailure> {
    let mut reader = Reader::new(ReaderSettings {
        initial_date,
        line_bytes_max: LINE_BYTES_MAX,
    });
    let mut run = Run {
        register,
        report: ImportReport::default(),
        flying: VecDeque::new(),
        recheck: 0,
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ImportFailure {
            code: ErrorCode::FrameTruncated,
            detail: Some(error.to_string()),
        })?;
        if let Ok(chunk) = frame.into_data() {
            // Small pieces keep the rows waiting in the reader few, whatever the client sends.
            for piece in chunk.chunks(LINE_BYTES_MAX) {
                reader.feed(piece);
                run.take_rows(&mut reader).await?;
            }
        }
    }
    reader.finish();
    run.take_rows(&mut reader).await?;
    while !run.flying.is_empty() {
        run.settle_first().await?;
    }
    let summary = reader.summary();
    if summary.refused {
        let detail = run
            .report
            .rejects
            .first()
            .and_then(|reject| reject.column.clone());
        return Err(ImportFailure {
            code: run
                .report
                .rejects
                .first()
                .and_then(|r| ErrorCode::from_code(r.code))
                .unwrap_or(ErrorCode::ColumnsWrong),
            detail,
        });
    }
    run.report.skipped = summary.unchanging;
    run.report
        .unknown_columns
        .clone_from(&summary.unknown_columns);
    run.report.rows += summary.unchanging;
    Ok(run.report)
}

struct Run<'a> {
    register: &'a Register,
    report: ImportReport,
    flying: VecDeque<Flying>,
    /// Rows behind one that found no code: what was refused for its absence is tried again.
    recheck: usize,
}

impl Run<'_> {
    async fn take_rows(&mut self, reader: &mut Reader) -> Result<(), ImportFailure> {
        while let Some(row) = reader.next_row() {
            self.report.rows += 1;
            match row.result {
                Err(reject) => self.reject(row.line, &reject),
                Ok(request) => {
                    let submitted = self.submit(&request).await?;
                    self.flying.push_back(Flying {
                        line: row.line,
                        request,
                        submitted,
                    });
                    if self.flying.len() >= IN_FLIGHT_MAX {
                        self.settle_first().await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn submit(&self, request: &ChangeRequest) -> Result<Submitted, ImportFailure> {
        self.register
            .submit(&row_key(request), request)
            .await
            .map_err(failed)
    }

    async fn settle_first(&mut self) -> Result<(), ImportFailure> {
        let Some(Flying {
            line,
            request,
            submitted,
        }) = self.flying.pop_front()
        else {
            return Ok(());
        };
        let mut registered = self.register.settled(submitted).await.map_err(failed)?;
        let began = tokio::time::Instant::now();
        let mut again = self.recheck > 0;
        self.recheck = self.recheck.saturating_sub(1);
        loop {
            let code = refusal(&registered);
            let stock_empty = code == Some(ErrorCode::CodeStockEmpty);
            if stock_empty {
                self.recheck = self.flying.len();
                if !again {
                    tokio::time::sleep(STOCK_RETRY).await;
                }
            }
            if !(stock_empty && began.elapsed() < STOCK_WAIT || code.is_some() && again) {
                break;
            }
            again = false;
            let submitted = self.submit(&request).await?;
            registered = self.register.settled(submitted).await.map_err(failed)?;
        }
        match refusal(&registered) {
            Some(code) => self.reject(line, &Reject { code, column: None }),
            None if registered.outcome == RegistrationOutcome::Duplicate as u32 => {
                self.report.duplicates += 1
            }
            None => self.report.accepted += 1,
        }
        Ok(())
    }

    fn reject(&mut self, line: u64, reject: &Reject) {
        self.report.rejected += 1;
        if self.report.rejects.len() < REJECTS_LISTED_MAX {
            self.report.rejects.push(RejectJson {
                line,
                code: reject.code.code(),
                column: reject.column.clone(),
            });
        }
    }
}

fn failed(code: ErrorCode) -> ImportFailure {
    ImportFailure { code, detail: None }
}

/// The idempotency key of a row: what it says. It is kept as a keyed digest only.
fn row_key(request: &ChangeRequest) -> String {
    let digest = sha256(&RequestMessage::of(request).encode_to_vec());
    let hex: String = digest
        .iter()
        .take(24)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("row-{hex}")
}
