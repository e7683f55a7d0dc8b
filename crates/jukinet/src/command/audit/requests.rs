//! Requests for identity records as commands show and write them.

use std::io::{self, BufRead as _, Read as _};

use juki_audit::{AUDIT, AuditRecord, Outcome};
use juki_domain::{CivilDate, ErrorCode, ResidentRecordCode};
use juki_ledger::Entry;
use serde::Serialize;

use super::ledgers::OpenLedger;
use crate::cli::{Wanted, WantedOutcome};
use crate::failure::Failure;
pub(super) use crate::hexadecimal::hex;

/// One request.
#[derive(Debug, Serialize)]
pub(super) struct Request {
    pub(super) node: String,
    pub(super) entry: u64,
    pub(super) date: String,
    pub(super) time: String,
    pub(super) at_ms: u64,
    pub(super) operator: String,
    pub(super) card: String,
    pub(super) terminal: String,
    pub(super) body: String,
    pub(super) affair: String,
    pub(super) statute: String,
    pub(super) keys: &'static str,
    pub(super) outcome: &'static str,
    pub(super) refusal: String,
    pub(super) items: Vec<u32>,
    pub(super) asked: String,
    pub(super) person: String,
    pub(super) grant: String,
    pub(super) message: String,
    /// Number of the legal-basis table it was decided by.
    pub(super) table: u64,
    /// How many requests the record stands for.
    pub(super) requests: u64,
}

impl Request {
    /// The members' names, in order, for a file's first line.
    pub(super) const COLUMNS: [&'static str; 21] = [
        "node", "entry", "date", "time", "at_ms", "operator", "card", "terminal", "body", "affair",
        "statute", "keys", "outcome", "refusal", "items", "asked", "person", "grant", "message",
        "table", "requests",
    ];

    /// The members as texts, in the order of [`Request::COLUMNS`].
    pub(super) fn fields(&self) -> [String; 21] {
        let items: Vec<String> = self.items.iter().map(u32::to_string).collect();
        [
            self.node.clone(),
            self.entry.to_string(),
            self.date.clone(),
            self.time.clone(),
            self.at_ms.to_string(),
            self.operator.clone(),
            self.card.clone(),
            self.terminal.clone(),
            self.body.clone(),
            self.affair.clone(),
            self.statute.clone(),
            self.keys.to_owned(),
            self.outcome.to_owned(),
            self.refusal.clone(),
            items.join(" "),
            self.asked.clone(),
            self.person.clone(),
            self.grant.clone(),
            self.message.clone(),
            self.table.to_string(),
            self.requests.to_string(),
        ]
    }
}

/// Tells which requests are wanted.
pub(super) struct Filter<'a> {
    wanted: &'a Wanted,
    person: Option<Person>,
}

enum Person {
    Pseudonym(Vec<u8>),
    Code(ResidentRecordCode),
}

impl<'a> Filter<'a> {
    /// Reads what is wanted; a code comes over standard input, since command lines are visible.
    ///
    /// # Errors
    /// A pseudonym or code that is none.
    pub(super) fn new(wanted: &'a Wanted) -> Result<Self, Failure> {
        let person = match wanted.person.as_deref() {
            None => None,
            Some("-") => Some(Person::Code(code_from_input()?)),
            Some(text) => {
                let pseudonym = pseudonym(text)
                    .ok_or_else(|| Failure::new(ErrorCode::ConfigBadValue, "--person"))?;
                Some(Person::Pseudonym(pseudonym.to_vec()))
            }
        };
        Ok(Self { wanted, person })
    }

    /// The request that an entry holds, where it is one and wanted.
    pub(super) fn request(&self, ledger: &OpenLedger, entry: &Entry) -> Option<Request> {
        if entry.kind != AUDIT {
            return None;
        }
        let record = AuditRecord::of(entry)?;
        let date = CivilDate::from_number(record.civil_date).ok()?;
        let outcome = Outcome::from_number(record.outcome)?;
        let Wanted {
            days,
            operator,
            card,
            terminal,
            body,
            affair,
            person: _,
            outcome: wanted,
        } = self.wanted;
        let fits = |wanted: &Option<String>, own: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == own)
        };
        let is_wanted = days.contain(date)
            && fits(operator, &record.operator)
            && fits(card, &record.card)
            && fits(terminal, &record.terminal)
            && fits(body, &record.body)
            && fits(affair, &record.affair)
            && wanted.is_none_or(|wanted| outcome_of(wanted) == outcome)
            && self.is_about(ledger, &record);
        is_wanted.then(|| request(ledger, entry, record, date, outcome))
    }

    fn is_about(&self, ledger: &OpenLedger, record: &AuditRecord) -> bool {
        let wanted = match &self.person {
            None => return true,
            Some(Person::Pseudonym(pseudonym)) => pseudonym.clone(),
            Some(Person::Code(code)) => ledger.pseudonyms.pseudonym(code.as_bytes()).to_vec(),
        };
        record.person == wanted || record.asked == wanted
    }
}

fn request(
    ledger: &OpenLedger,
    entry: &Entry,
    record: AuditRecord,
    date: CivilDate,
    outcome: Outcome,
) -> Request {
    let minute = ledger.source.moment(record.at_ms).minute;
    let keys = match record.keys {
        1 => "code",
        2 => "items",
        3 => "fewer",
        _ => "",
    };
    Request {
        node: ledger.source.node.to_string(),
        entry: entry.seq,
        date: date.to_string(),
        time: format!("{:02}:{:02}", minute / 60, minute % 60),
        at_ms: record.at_ms,
        operator: record.operator,
        card: record.card,
        terminal: record.terminal,
        body: record.body,
        affair: record.affair,
        statute: record.statute,
        keys,
        outcome: outcome.name(),
        refusal: record.refusal,
        items: record.items,
        asked: hex(&record.asked),
        person: hex(&record.person),
        grant: hex(&record.grant),
        message: record.message_id,
        table: record.basis_version,
        requests: record.summed.max(1),
    }
}

fn outcome_of(wanted: WantedOutcome) -> Outcome {
    match wanted {
        WantedOutcome::Match => Outcome::Match,
        WantedOutcome::NoMatch => Outcome::NoMatch,
        WantedOutcome::Several => Outcome::Several,
        WantedOutcome::Refused => Outcome::Refused,
    }
}

fn code_from_input() -> Result<ResidentRecordCode, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(LINE_BYTES_MAX)
        .read_line(&mut line)
        .map_err(|error| Failure::new(ErrorCode::CodeForm, error.to_string()))?;
    // The text stays out of the message.
    line.trim()
        .parse()
        .map_err(|error: juki_domain::CodeError| Failure::new(error.code(), "--person"))
}

/// A pseudonym of 32 hexadecimal digits.
pub(super) fn pseudonym(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 16];
    for (to, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *to = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

const LINE_BYTES_MAX: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_reads_back_and_nothing_else_is_one() {
        assert_eq!(pseudonym(&hex(&[0xa7; 16])), Some([0xa7; 16]));
        for text in ["", "12345678901", &"g".repeat(32), &"あ".repeat(11)] {
            assert_eq!(pseudonym(text), None, "{text}");
        }
    }
}
