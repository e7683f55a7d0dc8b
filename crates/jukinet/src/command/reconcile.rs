//! `jukinet reconcile`: where two that should agree do not.

mod corrections;
mod difference;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use juki_admin::{AdminClient, ClientError, Problem};
use juki_domain::{CivilDate, ErrorCode, NodeRole};
use juki_intake::{FileEncoding, WorkListWriter};
use serde::Deserialize;
use serde_json::json;

use self::corrections::Corrections;
use self::difference::{Difference, KINDS, kind_label};
use crate::cli::ReconcileRegisterArgs;
use crate::command::cs::import::{
    self, ImportReport, Outputs, Progress, ProgressView, SILENCE_MAX, malformed,
};
use crate::command::cs::output::OutputFile;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::unix_now;
use crate::screen::Screen;
use crate::text;

type Counts = BTreeMap<String, u64>;

/// One line of the answer to `POST /v1/reconcile`.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Progress(Progress),
    Difference(Box<Difference>),
    Counts(Counts),
    Problem(Box<Problem>),
}

pub(super) async fn register(args: &ReconcileRegisterArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let place = deployment.only(NodeRole::MunicipalCs, Some(&args.node), screen.lang)?;
    let date = deployment.network().calendar().date_at(unix_now());
    let date = date.map_err(|error| Failure::new(error.code(), text::date_beyond(screen.lang)))?;
    let client = || {
        AdminClient::new(place.admin_socket())
            .with_lang(screen.lang)
            .with_timeout(SILENCE_MAX)
    };
    let scratch = Scratch::new(&deployment, &args.node, args);
    let outputs = Files {
        work_list: args.worklist.as_deref(),
        corrections: scratch.path.as_deref(),
    };
    let found = compare(&client(), &args.file, outputs, date, screen).await?;
    show(&found, screen);
    let (mut applied, mut left) = (None, None);
    if args.apply
        && found.corrections > 0
        && let Some(file) = &scratch.path
    {
        let report = apply(client(), file, screen).await?;
        let none = Files::default();
        let again = compare(&client(), &args.file, none, date, screen).await?;
        screen.line(text::compared_again(screen.lang));
        show(&again, screen);
        applied = Some(report);
        left = Some(again);
    }
    screen.document(&json!({
        "counts": found.counts,
        "corrections": found.corrections,
        "applied": applied,
        "left": left.as_ref().map(|left| &left.counts),
    }))?;
    let last = left.as_ref().unwrap_or(&found);
    Ok(if last.differences() == 0 {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}

async fn apply(client: AdminClient, file: &Path, screen: Screen) -> Result<ImportReport, Failure> {
    let report = import::take_in(client, file, None, Outputs::default(), screen).await?;
    import::tell(&report, screen);
    Ok(report)
}

/// What is written beside the screen.
#[derive(Default)]
struct Files<'a> {
    work_list: Option<&'a Path>,
    corrections: Option<&'a Path>,
}

/// What a comparison found.
struct Found {
    counts: Counts,
    corrections: u64,
    first: Vec<Difference>,
}

impl Found {
    fn differences(&self) -> u64 {
        let counted = KINDS.iter().filter(|kind| **kind != "late");
        counted.filter_map(|kind| self.counts.get(*kind)).sum()
    }
}

async fn compare(
    client: &AdminClient,
    file: &Path,
    files: Files<'_>,
    date: CivilDate,
    screen: Screen,
) -> Result<Found, Failure> {
    let work_list = files.work_list.map(OutputFile::new).transpose()?;
    let fixes = files.corrections.map(OutputFile::new).transpose()?;
    let mut rows = work_list
        .as_ref()
        .map(|file| WorkListWriter::new(FileEncoding::Utf8, file.sink()));
    let mut corrections = fixes
        .as_ref()
        .map(|file| Corrections::new(date, file.sink()));
    let mut progress = ProgressView::new(screen);
    let (mut counts, mut first) = (None, Vec::new());
    let heard = client
        .post_file_lines("/v1/reconcile", file, |line| {
            match serde_json::from_slice(line).map_err(malformed)? {
                Line::Progress(now) => progress.show(&now),
                Line::Counts(found) => counts = Some(found),
                Line::Problem(problem) => return Err(ClientError::Refused(problem)),
                Line::Difference(difference) => {
                    if let Some(rows) = &mut rows {
                        difference.write(rows, screen.lang);
                    }
                    if let Some(corrections) = &mut corrections {
                        corrections.take(&difference);
                    }
                    if first.len() < SHOWN {
                        first.push(*difference);
                    }
                }
            }
            Ok(())
        })
        .await;
    progress.end();
    heard?;
    let cut_off = || Failure::new(ErrorCode::LineDown, text::import_cut_off(screen.lang));
    let corrected = corrections.map_or(0, Corrections::count);
    drop(rows);
    for file in [work_list, fixes].into_iter().flatten() {
        file.finish()?;
    }
    Ok(Found {
        counts: counts.ok_or_else(cut_off)?,
        corrections: corrected,
        first,
    })
}

fn show(found: &Found, screen: Screen) {
    let lang = screen.lang;
    let count = |name: &str| found.counts.get(name).copied().unwrap_or(0);
    screen.line(text::compared(lang, count("rows"), count("residents")));
    let kinds = KINDS.iter().map(|kind| {
        let label = kind_label(lang, kind);
        vec![(*kind).to_owned(), label, count(kind).to_string()]
    });
    let header = [
        text::head_kind(lang),
        text::head_what(lang),
        text::head_count(lang),
    ];
    screen.table(&header.each_ref().map(String::as_str), kinds.collect());
    if found.first.is_empty() {
        return;
    }
    let header = [
        text::head_row(lang),
        text::head_resident(lang),
        text::head_kind(lang),
        text::head_items(lang),
    ];
    let rows = found.first.iter().map(Difference::shown).collect();
    screen.table(&header.each_ref().map(String::as_str), rows);
    let all: u64 = KINDS.iter().map(|kind| count(kind)).sum();
    let beyond = all.saturating_sub(found.first.len() as u64);
    if beyond > 0 {
        screen.line(text::differences_beyond(lang, beyond));
    }
}

/// Where the corrections are written; where nobody asked for the file, it is gone at the end.
struct Scratch {
    path: Option<PathBuf>,
    kept: bool,
}

impl Scratch {
    fn new(deployment: &Deployment, node: &str, args: &ReconcileRegisterArgs) -> Self {
        let name = format!("reconcile-{node}-{}.csv", std::process::id());
        let own = args.apply.then(|| deployment.run().join(name));
        Self {
            kept: args.corrections.is_some(),
            path: args.corrections.clone().or(own),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let (Some(path), false) = (&self.path, self.kept) {
            // It was written only where there was something to correct.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// How many differences the screen shows.
const SHOWN: usize = 20;
