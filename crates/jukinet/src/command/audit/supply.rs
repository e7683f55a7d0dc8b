//! `jukinet audit supply`: the ledger of supplies that the law asks for.

use std::collections::BTreeMap;
use std::path::Path;

use juki_audit::{AUDIT, AuditRecord, SupplyLedger, SupplyLine, SupplyMethod};
use juki_domain::CivilDate;
use serde_json::json;

use super::export::{csv_line, private_file};
use super::ledgers::Ledgers;
use crate::cli::SupplyArgs;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

/// One line as it is shown: a day's or a month's.
struct Shown {
    recipient: String,
    affair: String,
    when: String,
    records: u64,
    method: SupplyMethod,
}

pub(super) fn run(args: &SupplyArgs, screen: Screen) -> Ending {
    let mut sums = SupplyLedger::default();
    Ledgers::open(&args.sources)?.for_each(|_, entry| {
        if entry.kind == AUDIT
            && let Some(record) = AuditRecord::of(entry)
            && CivilDate::from_number(record.civil_date).is_ok_and(|date| args.days.contain(date))
        {
            sums.take(&record);
        }
        Ok(())
    })?;
    let lines = shown(sums.lines(), args.monthly);
    if let Some(out) = &args.out {
        write(out, &lines)?;
    }
    let rows = lines.iter().map(|line| {
        vec![
            line.recipient.clone(),
            line.affair.clone(),
            line.when.clone(),
            line.records.to_string(),
            line.method.text(screen.lang).to_owned(),
        ]
    });
    let header = text::audit::supply_header(screen.lang);
    screen.table(&header.split('|').collect::<Vec<_>>(), rows.collect());
    let total = lines.iter().map(|line| line.records).sum();
    screen.line(text::audit::supply_total(screen.lang, total));
    let lines: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "recipient": line.recipient,
                "affair": line.affair,
                "date": line.when,
                "records": line.records,
                "method": line.method.name(),
            })
        })
        .collect();
    screen.document(&json!({"lines": lines, "records": total}))?;
    Ok(Outcome::Held)
}

fn shown(lines: Vec<SupplyLine>, monthly: bool) -> Vec<Shown> {
    let mut sums: BTreeMap<(String, String, String, SupplyMethod), u64> = BTreeMap::new();
    for line in lines {
        let mut when = line.date.to_string();
        if monthly {
            when.truncate("YYYY-MM".len());
        }
        let key = (line.recipient, line.affair, when, line.method);
        *sums.entry(key).or_insert(0) += line.records;
    }
    sums.into_iter()
        .map(|((recipient, affair, when, method), records)| Shown {
            recipient,
            affair,
            when,
            records,
            method,
        })
        .collect()
}

fn write(path: &Path, lines: &[Shown]) -> Result<(), Failure> {
    let mut text = csv_line(["recipient", "affair", "date", "records", "method"]);
    for line in lines {
        text.push_str(&csv_line([
            line.recipient.as_str(),
            &line.affair,
            &line.when,
            &line.records.to_string(),
            line.method.name(),
        ]));
    }
    let failed = |error| Failure::file(path, &error);
    let mut file = private_file(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)
}
