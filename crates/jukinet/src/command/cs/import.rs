//! `jukinet cs .. import`: a file of the register into its communication server.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use juki_admin::{AdminClient, ClientError, Problem};
use juki_domain::{CivilDate, ErrorCode, RegisterNumber, ResidentRecordCode};
use juki_intake::{CodeWriter, FileEncoding, Reject, RejectWriter};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::output::{OutputFile, Sink};
use crate::cli::ImportArgs;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

/// What became of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportReport {
    rows: u64,
    accepted: u64,
    pub(crate) rejected: u64,
    /// Rows that are right and change no record.
    #[serde(default)]
    skipped: u64,
    #[serde(default)]
    rejects: Vec<RejectedRow>,
    #[serde(flatten)]
    more: serde_json::Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RejectedRow {
    line: u64,
    code: String,
    #[serde(default)]
    column: Option<String>,
}

#[derive(Deserialize)]
struct CodeOf {
    resident: String,
    code: String,
}

/// How far the work on a file is.
#[derive(Deserialize)]
pub(crate) struct Progress {
    bytes: u64,
    bytes_total: u64,
    rows: u64,
}

/// Shows progress: a moving bar on a terminal, a line now and then elsewhere.
pub(crate) struct ProgressView {
    screen: Screen,
    bar: Option<ProgressBar>,
    told_percent: u64,
}

impl ProgressView {
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            bar: screen.shows_progress().then(bar),
            told_percent: 0,
        }
    }

    pub(crate) fn show(&mut self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            bar.set_length(progress.bytes_total);
            bar.set_position(progress.bytes);
            return;
        }
        let percent = progress.bytes.saturating_mul(100) / progress.bytes_total.max(1);
        if percent >= self.told_percent + PERCENT_STEP && percent < 100 {
            self.told_percent = percent - percent % PERCENT_STEP;
            let line = text::import_progress(self.screen.lang, percent, progress.rows);
            self.screen.line(line);
        }
    }

    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// One line of the answer to `POST /v1/import`.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Progress(Progress),
    Reject(RejectedRow),
    Code(CodeOf),
    Report(ImportReport),
    Problem(Box<Problem>),
}

/// Where an import's rejects and codes are written.
#[derive(Default)]
pub(crate) struct Outputs<'a> {
    pub(crate) rejects: Option<&'a Path>,
    pub(crate) codes: Option<&'a Path>,
}

pub(super) async fn run(client: AdminClient, args: &ImportArgs, screen: Screen) -> Ending {
    let outputs = Outputs {
        rejects: args.rejects.as_deref(),
        codes: args.codes.as_deref(),
    };
    let report = take_in(client, &args.file, args.initial_date, outputs, screen).await?;
    screen.document(&report)?;
    tell(&report, screen);
    Ok(if report.rejected == 0 {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}

/// Imports a file, showing its progress.
pub(crate) async fn take_in(
    client: AdminClient,
    file: &Path,
    initial_date: Option<CivilDate>,
    outputs: Outputs<'_>,
    screen: Screen,
) -> Result<ImportReport, Failure> {
    let mut path = format!("/v1/import?codes={}", outputs.codes.is_some());
    if let Some(date) = initial_date {
        path = format!("{path}&initial_date={date}");
    }
    let mut listener = Listener::new(&outputs, screen)?;
    let client = client.with_timeout(SILENCE_MAX);
    client
        .post_file_lines(&path, file, |line| listener.hear(line))
        .await?;
    listener.end()
}

struct Listener {
    screen: Screen,
    progress: ProgressView,
    rejects: Option<(RejectWriter<Sink>, OutputFile)>,
    codes: Option<(CodeWriter<Sink>, OutputFile)>,
    report: Option<ImportReport>,
}

impl Listener {
    fn new(outputs: &Outputs<'_>, screen: Screen) -> Result<Self, Failure> {
        let encoding = FileEncoding::Utf8;
        let rejects = outputs.rejects.map(OutputFile::new).transpose()?;
        let codes = outputs.codes.map(OutputFile::new).transpose()?;
        Ok(Self {
            screen,
            progress: ProgressView::new(screen),
            rejects: rejects
                .map(|file| (RejectWriter::new(encoding, screen.lang, file.sink()), file)),
            codes: codes.map(|file| (CodeWriter::new(encoding, file.sink()), file)),
            report: None,
        })
    }

    fn hear(&mut self, line: &[u8]) -> Result<(), ClientError> {
        let line: Line = serde_json::from_slice(line).map_err(malformed)?;
        match line {
            Line::Progress(progress) => self.progress.show(&progress),
            Line::Reject(reject) => self.keep_reject(&reject),
            Line::Code(told) => self.keep_code(&told)?,
            Line::Report(report) => self.report = Some(report),
            Line::Problem(problem) => return Err(ClientError::Refused(problem)),
        }
        Ok(())
    }

    fn keep_reject(&mut self, reject: &RejectedRow) {
        if let (Some((writer, _)), Some(code)) =
            (&mut self.rejects, ErrorCode::from_code(&reject.code))
        {
            let column = reject.column.clone();
            // UTF-8 holds every text.
            let _ = writer.row(reject.line, &Reject { code, column });
        }
    }

    fn keep_code(&mut self, told: &CodeOf) -> Result<(), ClientError> {
        let Some((writer, _)) = &mut self.codes else {
            return Ok(());
        };
        let wrong = |what: &str| malformed(serde::de::Error::custom(what));
        let number = RegisterNumber::parse(&told.resident).map_err(|_| wrong("a number"))?;
        let code: ResidentRecordCode = told.code.parse().map_err(|_| wrong("a code"))?;
        // UTF-8 holds every text.
        let _ = writer.row(&number, &code);
        Ok(())
    }

    fn end(self) -> Result<ImportReport, Failure> {
        self.progress.end();
        let report = self.report.ok_or_else(|| {
            Failure::new(ErrorCode::LineDown, text::import_cut_off(self.screen.lang))
        })?;
        if let Some((_, file)) = self.rejects {
            file.finish()?;
        }
        if let Some((_, file)) = self.codes {
            file.finish()?;
        }
        Ok(report)
    }
}

/// Says what became of a file.
pub(crate) fn tell(report: &ImportReport, screen: Screen) {
    let lang = screen.lang;
    screen.line(text::import_counts(
        lang,
        report.rows,
        report.accepted,
        report.rejected,
        report.skipped,
    ));
    if report.rejected == 0 {
        return;
    }
    let header = [
        text::head_row(lang),
        text::head_code(lang),
        text::head_column(lang),
        text::head_what(lang),
    ];
    let row = |reject: &RejectedRow| {
        let what = ErrorCode::from_code(&reject.code)
            .map(|code| code.explain(lang).what.to_owned())
            .unwrap_or_default();
        vec![
            reject.line.to_string(),
            reject.code.clone(),
            reject.column.clone().unwrap_or_default(),
            what,
        ]
    };
    let shown: Vec<_> = report.rejects.iter().take(REJECTS_SHOWN).map(row).collect();
    let beyond = report.rejected.saturating_sub(shown.len() as u64);
    screen.table(&header.each_ref().map(String::as_str), shown);
    if beyond > 0 {
        screen.line(text::rejects_beyond(lang, beyond));
    }
}

/// A bar of bytes.
fn bar() -> ProgressBar {
    // The template is ours and right; a wrong one would only look plain.
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// A line that is none of the answer's.
pub(crate) fn malformed(source: serde_json::Error) -> ClientError {
    ClientError::Malformed {
        request: "a line of the answer".to_owned(),
        source,
    }
}

/// A server that says nothing for so long is stuck: it tells its progress several times a second.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(300);

/// Where no bar moves, progress is told this often.
const PERCENT_STEP: u64 = 10;

const REJECTS_SHOWN: usize = 50;
