//! The second way through a file: row by row, in order, many on their way at once.

use std::collections::VecDeque;
use std::time::Duration;

use juki_domain::{ChangeRequest, ErrorCode, Fault};
use juki_intake::{FileKind, Reader, ReaderSettings, Reject};
use juki_services::registration::{Registered, RegistrationOutcome};

use super::outlet::{Outlet, Progress};
use super::reception::Received;
use super::{ImportFailure, ImportReport, LINE_BYTES_MAX, Plan, disk};
use crate::register::{BatchSubmitted, Register, refusal};

/// Rows that are handed over together.
const BATCH_ROWS: usize = 128;
/// Batches that are on their way at once.
const FLYING_MAX: usize = 12;
/// How often the stock is looked at when a row found no code there, and how long without any success.
const STOCK_LOOK: Duration = Duration::from_millis(5);
const STOCK_WAIT: Duration = Duration::from_secs(60);

/// Registers all rows of a file.
pub(super) async fn take_all(
    register: &Register,
    received: Received,
    plan: &Plan,
    outlet: &mut Outlet,
) -> Result<ImportReport, ImportFailure> {
    let mut file = received.file;
    let mut reader = Reader::new(ReaderSettings {
        initial_date: plan.initial_date,
        line_bytes_max: LINE_BYTES_MAX,
    })
    .within(register.scope());
    let mut rows = Rows {
        register,
        outlet,
        report: ImportReport::default(),
        initial: received.inspected.kind == FileKind::Initial,
        patient: plan.patient,
        batch: Vec::with_capacity(BATCH_ROWS),
        flying: VecDeque::new(),
        recheck: 0,
    };
    let mut piece = Vec::new();
    loop {
        file.next_piece(&mut piece).map_err(|error| disk(&error))?;
        if piece.is_empty() {
            break;
        }
        reader.feed(&piece);
        rows.take(&mut reader).await?;
        let progress = Progress {
            bytes: file.read_bytes(),
            bytes_total: file.len(),
            rows: rows.report.rows,
        };
        rows.outlet.progress(progress).await;
    }
    reader.finish();
    rows.take(&mut reader).await?;
    rows.send().await?;
    while rows.settle_first().await? {}
    let summary = reader.summary();
    rows.report.skipped = summary.unchanging;
    rows.report
        .unknown_columns
        .clone_from(&summary.unknown_columns);
    rows.report.rows += summary.unchanging;
    Ok(rows.report)
}

struct AskedRow {
    line: u64,
    request: ChangeRequest,
}

struct Flying {
    rows: Vec<AskedRow>,
    submitted: BatchSubmitted,
}

struct Rows<'a> {
    register: &'a Register,
    outlet: &'a mut Outlet,
    report: ImportReport,
    initial: bool,
    patient: bool,
    batch: Vec<AskedRow>,
    flying: VecDeque<Flying>,
    /// Batches behind a row that found no code: what they were refused for its absence is tried
    /// again.
    recheck: usize,
}

impl Rows<'_> {
    async fn take(&mut self, reader: &mut Reader) -> Result<(), ImportFailure> {
        while let Some(row) = reader.next_row() {
            self.report.rows += 1;
            match row.result {
                Err(reject) => self.reject(row.line, &reject).await,
                Ok(request) => {
                    self.batch.push(AskedRow {
                        line: row.line,
                        request,
                    });
                    if self.batch.len() == BATCH_ROWS {
                        self.send().await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Hands over the rows that are gathered.
    async fn send(&mut self) -> Result<(), ImportFailure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let rows = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_ROWS));
        let submitted = self.submit(rows.iter()).await?;
        self.flying.push_back(Flying { rows, submitted });
        if self.flying.len() >= FLYING_MAX {
            self.settle_first().await?;
        }
        Ok(())
    }

    async fn submit(
        &self,
        rows: impl Iterator<Item = &AskedRow>,
    ) -> Result<BatchSubmitted, ImportFailure> {
        let requests = rows.map(|row| &row.request);
        self.register
            .submit_rows(requests, self.initial)
            .await
            .map_err(ImportFailure::new)
    }

    async fn settled(&self, submitted: BatchSubmitted) -> Result<Vec<Registered>, ImportFailure> {
        self.register
            .settled_rows(submitted)
            .await
            .map_err(ImportFailure::new)
    }

    /// Waits for the oldest batch; false where none is on its way.
    async fn settle_first(&mut self) -> Result<bool, ImportFailure> {
        let Some(Flying { rows, submitted }) = self.flying.pop_front() else {
            return Ok(false);
        };
        let mut told = self.settled(submitted).await?;
        let from = if self.recheck > 0 {
            self.recheck -= 1;
            Some(0)
        } else {
            told.iter().position(found_no_code)
        };
        if let Some(from) = from {
            self.ask_again(&rows, &mut told, from).await?;
        }
        for (row, registered) in rows.iter().zip(&told) {
            self.account(row, registered).await?;
        }
        Ok(true)
    }

    /// Asks again for all rows from one on that were refused, until each has found a code or was
    /// refused for something else. A row behind one without code may have been refused because
    /// that one's resident was not entered.
    async fn ask_again(
        &mut self,
        rows: &[AskedRow],
        told: &mut [Registered],
        from: usize,
    ) -> Result<(), ImportFailure> {
        let mut began = tokio::time::Instant::now();
        let mut left = usize::MAX;
        loop {
            let doubtful = told.iter().enumerate().skip(from);
            let doubtful: Vec<usize> = doubtful
                .filter(|(_, registered)| refusal(registered).is_some())
                .map(|(at, _)| at)
                .collect();
            let without_code = told.iter().filter(|told| found_no_code(told)).count();
            if without_code > 0 {
                self.recheck = self.flying.len();
                self.wait_for_codes(began).await;
            }
            if without_code < left {
                began = tokio::time::Instant::now();
            }
            let settled = without_code == 0 && left != usize::MAX;
            if doubtful.is_empty() || settled || began.elapsed() > STOCK_WAIT {
                return Ok(());
            }
            left = without_code;
            let again = doubtful.iter().filter_map(|at| rows.get(*at));
            let submitted = self.submit(again).await?;
            let answers = self.settled(submitted).await?;
            for (at, answer) in doubtful.into_iter().zip(answers) {
                if let Some(told) = told.get_mut(at) {
                    *told = answer;
                }
            }
        }
    }

    /// Waits until the stock holds codes again, or the patience with it is over.
    async fn wait_for_codes(&self, began: tokio::time::Instant) {
        loop {
            tokio::time::sleep(STOCK_LOOK).await;
            if self.register.codes_left() > 0 || began.elapsed() > STOCK_WAIT {
                return;
            }
        }
    }

    async fn account(
        &mut self,
        row: &AskedRow,
        registered: &Registered,
    ) -> Result<(), ImportFailure> {
        if let Some(code) = refusal(registered) {
            if self.patient && code.fault() == Fault::Us && code.retry() {
                return Err(ImportFailure::new(code));
            }
            self.reject(row.line, &Reject { code, column: None }).await;
            return Ok(());
        }
        if registered.outcome == RegistrationOutcome::Duplicate as u32 {
            self.report.duplicates += 1;
        } else {
            self.report.accepted += 1;
        }
        if self.outlet.wants_codes() && !registered.code.is_empty() {
            self.outlet
                .code(&row.request.resident, &registered.code)
                .await;
        }
        Ok(())
    }

    async fn reject(&mut self, line: u64, reject: &Reject) {
        self.report.reject(line, reject);
        self.outlet.reject(line, reject).await;
    }
}

fn found_no_code(registered: &Registered) -> bool {
    refusal(registered) == Some(ErrorCode::CodeStockEmpty)
}
