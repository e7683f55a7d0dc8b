//! `jukinet audit analyse`: the periodic analysis and its report.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use juki_audit::{
    Analysis, DEFAULT_HOLIDAYS, DEFAULT_SETTINGS, Event, Finding, Holidays, Moment, Report,
    Settings,
};
use juki_domain::{CivilDate, ErrorCode, Lang, ResidentRecordCode};
use serde_json::{Value, json};

use super::export::private_file;
use super::html;
use super::ledgers::{Ledgers, OpenLedger};
use super::requests::{hex, pseudonym};
use crate::cli::{AnalyseArgs, Days};
use crate::deployment::{Deployment, NETWORK_FILE};
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::{Screen, table_text};
use crate::text;

/// What was found in which ledgers.
pub(super) struct Told {
    pub(super) report: Report,
    /// Node, entries read and the chain's head after them.
    pub(super) ledgers: Vec<(String, u64, String)>,
    pub(super) is_training: bool,
}

pub(super) fn run(args: &AnalyseArgs, screen: Screen) -> Ending {
    let deployment = args
        .sources
        .path
        .iter()
        .find(|path| path.join(NETWORK_FILE).is_file());
    let settings = match (&args.settings, deployment) {
        (Some(file), _) => read_settings(file)?,
        (None, Some(folder)) => settings_of(folder)?,
        (None, None) => built_in()?,
    };
    let ledgers = Ledgers::open(&args.sources)?;
    let listed = match &args.listed {
        Some(file) => read_listed(file, ledgers.all(), screen.lang)?,
        None => BTreeSet::new(),
    };
    let told = analyse(ledgers, settings, listed, args.days)?;
    if let Some(out) = &args.out {
        write(out, &told, screen.lang)?;
    }
    screen.line(in_text(&told, screen.lang));
    if let Some(out) = &args.out {
        screen.line(text::audit::report_written(
            screen.lang,
            &out.display().to_string(),
        ));
    }
    screen.document(&document(&told, screen.lang))?;
    Ok(if told.report.findings.is_empty() {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}

/// Analyses a deployment's ledgers and writes the report of one civil day into `reports`, as text,
/// JSON and HTML. Says how many findings it has.
///
/// # Errors
/// Where a ledger or the thresholds cannot be read, or the report not be written.
pub(crate) fn report_of_day(
    deployment: &Deployment,
    day: CivilDate,
    lang: Lang,
) -> Result<usize, Failure> {
    let folder = reports(deployment);
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    let days = Days {
        from: Some(day),
        to: Some(day),
    };
    let settings = settings_of(deployment.folder())?;
    let ledgers = Ledgers::of_deployment(deployment)?;
    let listed = match listed_file(deployment) {
        Some(file) => read_listed(&file, ledgers.all(), lang)?,
        None => BTreeSet::new(),
    };
    let told = analyse(ledgers, settings, listed, days)?;
    // The JSON file comes last: where it is, the report is whole.
    for end in ["txt", "html", "json"] {
        write(&report_file(deployment, day, end), &told, lang)?;
    }
    Ok(told.report.findings.len())
}

/// Whether the report of a civil day is there.
pub(crate) fn has_report(deployment: &Deployment, day: CivilDate) -> bool {
    report_file(deployment, day, "json").is_file()
}

fn reports(deployment: &Deployment) -> PathBuf {
    deployment.folder().join("reports")
}

fn report_file(deployment: &Deployment, day: CivilDate, end: &str) -> PathBuf {
    reports(deployment).join(format!("analysis-{day}.{end}"))
}

/// `DIR/listed.txt`: colleagues and listed persons whom the nightly analysis watches.
fn listed_file(deployment: &Deployment) -> Option<PathBuf> {
    let file = deployment.folder().join("listed.txt");
    file.is_file().then_some(file)
}

fn analyse(
    mut ledgers: Ledgers,
    settings: Settings,
    listed: BTreeSet<[u8; 16]>,
    days: Days,
) -> Result<Told, Failure> {
    let holidays = Holidays::parse(DEFAULT_HOLIDAYS)
        .map_err(|error| Failure::new(ErrorCode::ConfigBadValue, error.to_string()))?;
    let mut analysis = Analysis::new(settings, holidays, listed);
    // Days before are read for what is usual; what comes after the last day is not.
    ledgers.for_each(|ledger, entry| {
        if let Some(event) = Event::of(&ledger.source, entry)
            && days.to.is_none_or(|to| event.at.date <= to)
        {
            analysis.take(&event);
        }
        Ok(())
    })?;
    let mut report = analysis.finish();
    report.findings.retain(|finding| {
        days.from.is_none_or(|from| finding.to.date >= from)
            && days.to.is_none_or(|to| finding.from.date <= to)
    });
    let ledgers = ledgers.all().iter().map(|ledger| {
        let chain = ledger.reader.chain();
        (ledger.source.node.to_string(), chain.seq, hex(&chain.hash))
    });
    Ok(Told {
        report,
        ledgers: ledgers.collect(),
        is_training: true,
    })
}

fn built_in() -> Result<Settings, Failure> {
    Settings::parse(DEFAULT_SETTINGS, "analysis.toml").map_err(Failure::from)
}

fn settings_of(folder: &Path) -> Result<Settings, Failure> {
    let file = folder.join("analysis.toml");
    if file.is_file() {
        read_settings(&file)
    } else {
        built_in()
    }
}

fn read_settings(file: &Path) -> Result<Settings, Failure> {
    Settings::parse(&read_text(file)?, &file.display().to_string()).map_err(Failure::from)
}

fn read_text(file: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            ErrorCode::ConfigUnreadable,
            format!("{}: {error}", file.display()),
        )
    };
    let mut text = String::new();
    fs::File::open(file)
        .map_err(unreadable)?
        .take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

/// The pseudonyms of those whom a file names, on each node whose ledger is read.
fn read_listed(
    file: &Path,
    ledgers: &[OpenLedger],
    lang: Lang,
) -> Result<BTreeSet<[u8; 16]>, Failure> {
    let mut listed = BTreeSet::new();
    for (at, line) in read_text(file)?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(pseudonym) = pseudonym(line) {
            listed.insert(pseudonym);
        } else if let Ok(code) = line.parse::<ResidentRecordCode>() {
            let of_nodes = ledgers.iter().map(|ledger| &ledger.pseudonyms);
            listed.extend(of_nodes.map(|key| key.pseudonym(code.as_bytes())));
        } else {
            // The line itself may be a code with a slip in it.
            let detail = text::audit::listed_line(lang, &file.display().to_string(), at + 1);
            return Err(Failure::new(ErrorCode::ConfigBadValue, detail));
        }
    }
    Ok(listed)
}

/// Writes a report in the form that the file's name asks for; whoever reads it while it is made sees
/// the one before.
fn write(out: &Path, told: &Told, lang: Lang) -> Result<(), Failure> {
    let content = match out.extension().and_then(|end| end.to_str()) {
        Some("html") => html::page(told, lang),
        Some("json") => document(told, lang).to_string(),
        Some(_) | None => in_text(told, lang),
    };
    let mut fresh = out.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    private_file(&fresh)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .and_then(|()| fs::rename(&fresh, out))
        .map_err(|error| Failure::file(out, &error))
}

fn in_text(told: &Told, lang: Lang) -> String {
    let report = &told.report;
    let Some((from, to)) = report.span else {
        return text::audit::nothing_analysed(lang);
    };
    let mut lines = vec![text::audit::report_title(
        lang,
        &from.date.to_string(),
        &to.date.to_string(),
    )];
    if !report.findings.is_empty() {
        let rows = report.findings.iter().map(|finding| {
            vec![
                span(finding),
                finding.rule.title(lang).to_owned(),
                subject(finding, lang),
                finding.text(lang),
                evidence(finding, EVIDENCE_SHOWN, lang),
            ]
        });
        let header = text::audit::finding_header(lang);
        lines.push(table_text(
            &header.split('|').collect::<Vec<_>>(),
            rows.collect(),
        ));
    }
    lines.extend(notes(told, lang));
    lines.join("\n")
}

/// What a reader has to know of the report as a whole.
pub(super) fn notes(told: &Told, lang: Lang) -> Vec<String> {
    let report = &told.report;
    let mut notes = vec![text::audit::analysed(
        lang,
        report.events,
        report.operator_days,
        report.findings.len(),
    )];
    if report.findings_left > 0 {
        notes.push(text::audit::findings_left(lang, report.findings_left));
    }
    if report.left_out > 0 {
        notes.push(text::audit::memory_full(lang, report.left_out));
    }
    notes.push(text::audit::report_note(lang));
    notes
}

fn document(told: &Told, lang: Lang) -> Value {
    let report = &told.report;
    let findings = report.findings.iter().map(|finding| {
        let evidence = finding
            .evidence
            .iter()
            .map(|evidence| json!({"node": evidence.node.as_str(), "entry": evidence.seq}));
        json!({
            "rule": finding.rule.name(),
            "kind": finding.kind.name(),
            "subject": finding.subject,
            "body": finding.body,
            "from": clock(&finding.from),
            "to": clock(&finding.to),
            "count": finding.count,
            "limit": finding.limit,
            "text": finding.text(lang),
            "evidence": evidence.collect::<Vec<_>>(),
            "evidence_left": finding.evidence_left,
        })
    });
    let ledgers = told
        .ledgers
        .iter()
        .map(|(node, entries, chain)| json!({"node": node, "entries": entries, "chain": chain}));
    json!({
        "from": report.span.map(|(from, _)| from.date.to_string()),
        "to": report.span.map(|(_, to)| to.date.to_string()),
        "training": told.is_training,
        "events": report.events,
        "operator_days": report.operator_days,
        "findings": findings.collect::<Vec<_>>(),
        "findings_left": report.findings_left,
        "left_out": report.left_out,
        "ledgers": ledgers.collect::<Vec<_>>(),
    })
}

/// A moment as `YYYY-MM-DD hh:mm` of the civil day.
pub(super) fn clock(at: &Moment) -> String {
    format!("{} {:02}:{:02}", at.date, at.minute / 60, at.minute % 60)
}

/// From when to when, shortly.
pub(super) fn span(finding: &Finding) -> String {
    let (from, to) = (clock(&finding.from), clock(&finding.to));
    if from == to {
        from
    } else if finding.from.date == finding.to.date {
        let minute = finding.to.minute;
        format!("{from} - {:02}:{:02}", minute / 60, minute % 60)
    } else {
        format!("{from} - {to}")
    }
}

/// Whom it is about.
pub(super) fn subject(finding: &Finding, lang: Lang) -> String {
    let kind = finding.kind.text(lang);
    if finding.body.is_empty() || finding.body == finding.subject {
        format!("{kind} {}", finding.subject)
    } else {
        format!("{kind} {} ({})", finding.subject, finding.body)
    }
}

/// The entries that show it, at most so many.
pub(super) fn evidence(finding: &Finding, shown: usize, lang: Lang) -> String {
    let mut entries: Vec<String> = finding
        .evidence
        .iter()
        .take(shown)
        .map(|evidence| format!("{} {}", evidence.node, evidence.seq))
        .collect();
    let left = finding.evidence.len().saturating_sub(shown) as u64 + finding.evidence_left;
    if left > 0 {
        entries.push(text::audit::evidence_left(lang, left));
    }
    entries.join(", ")
}

/// Entries named in a line of a table.
const EVIDENCE_SHOWN: usize = 3;
const FILE_BYTES_MAX: u64 = 1 << 20;
