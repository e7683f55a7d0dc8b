//! The report of the analysis as one page that needs nothing else: no script, no font, no picture.

use std::collections::BTreeMap;

use juki_audit::{Finding, Rule};
use juki_domain::Lang;

use super::analyse::{Told, evidence, notes, span, subject};
use crate::text;

/// The page.
pub(super) fn page(told: &Told, lang: Lang) -> String {
    let (from, to) = told
        .report
        .span
        .map_or_else(Default::default, |(from, to)| {
            (from.date.to_string(), to.date.to_string())
        });
    let title = text::audit::report_title(lang, &from, &to);
    let code = match lang {
        Lang::Ja => "ja",
        Lang::En => "en",
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
    );
    if told.is_training {
        page.push_str(&element(
            "p class=\"mark\"",
            &text::audit::report_training(lang),
        ));
    }
    page.push_str(&element("h1", &title));
    for note in notes(told, lang) {
        page.push_str(&element("p", &note));
    }
    page.push_str(&rules(&told.report.findings, lang));
    page.push_str(&days(&told.report.findings));
    page.push_str(&findings(&told.report.findings, lang));
    page.push_str(&ledgers(told, lang));
    page.push_str("</body>\n</html>\n");
    page
}

/// How many findings each rule has, with bars.
fn rules(findings: &[Finding], lang: Lang) -> String {
    let count = |rule: Rule| {
        findings
            .iter()
            .filter(|finding| finding.rule == rule)
            .count()
    };
    let rows: Vec<(String, usize)> = Rule::ALL
        .into_iter()
        .map(|rule| (rule.title(lang).to_owned(), count(rule)))
        .collect();
    bars(
        &[text::audit::head_rule(lang), text::audit::head_count(lang)],
        &rows,
    )
}

/// How many findings end on each day, with bars.
fn days(findings: &[Finding]) -> String {
    let mut days: BTreeMap<String, usize> = BTreeMap::new();
    for finding in findings {
        *days.entry(finding.to.date.to_string()).or_insert(0) += 1;
    }
    if days.is_empty() {
        return String::new();
    }
    bars(&[], &days.into_iter().collect::<Vec<_>>())
}

fn bars(header: &[String], rows: &[(String, usize)]) -> String {
    let most = rows
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let mut table = "<table class=\"bars\">\n".to_owned();
    if !header.is_empty() {
        table.push_str(&head(header.iter().map(String::as_str)));
    }
    for (name, count) in rows {
        table.push_str(&format!(
            "<tr><td>{}</td><td><span style=\"width:{}%\"></span>{count}</td></tr>\n",
            escaped(name),
            count * 80 / most,
        ));
    }
    table.push_str("</table>\n");
    table
}

fn findings(findings: &[Finding], lang: Lang) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut table = "<table>\n".to_owned();
    table.push_str(&head(text::audit::finding_header(lang).split('|')));
    for finding in findings {
        let cells = [
            span(finding),
            finding.rule.title(lang).to_owned(),
            subject(finding, lang),
            finding.text(lang),
            evidence(finding, Finding::EVIDENCE_MAX, lang),
        ];
        table.push_str("<tr>");
        for cell in cells {
            table.push_str(&format!("<td>{}</td>", escaped(&cell)));
        }
        table.push_str("</tr>\n");
    }
    table.push_str("</table>\n");
    table
}

fn ledgers(told: &Told, lang: Lang) -> String {
    let mut table = element("h2", &text::audit::ledgers(lang));
    table.push_str("<table>\n");
    table.push_str(&head(text::audit::ledger_header(lang).split('|')));
    for (node, entries, chain) in &told.ledgers {
        table.push_str(&format!(
            "<tr><td>{}</td><td>{entries}</td><td class=\"chain\">{}</td></tr>\n",
            escaped(node),
            escaped(chain)
        ));
    }
    table.push_str("</table>\n");
    table
}

fn head<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: String = cells
        .map(|cell| format!("<th>{}</th>", escaped(cell)))
        .collect();
    format!("<tr>{cells}</tr>\n")
}

fn element(tag: &str, content: &str) -> String {
    let name = tag.split(' ').next().unwrap_or(tag);
    format!("<{tag}>{}</{name}>\n", escaped(content))
}

/// A text without anything that means something to a browser: names of operators come from cards.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

const STYLE: &str = "body{font-family:sans-serif;margin:2em;color:#222;max-width:70em}\
table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #bbb;padding:.3em .6em;\
text-align:left;vertical-align:top}th{background:#eee}.bars td:last-child{width:24em}\
.bars span{display:inline-block;height:.8em;background:#36c;margin-right:.5em}\
.mark{color:#a00;font-weight:bold}.chain{font-family:monospace;font-size:.8em;\
overflow-wrap:anywhere}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_card_says_cannot_become_markup() {
        assert_eq!(
            escaped("<img src=\"x\" onerror='&'>"),
            "&lt;img src=&quot;x&quot; onerror=&#39;&amp;&#39;&gt;"
        );
    }
}
