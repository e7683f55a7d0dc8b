//! Reading the lines of a legal-basis table.

use std::num::NonZeroU32;

use super::scope::{PermittedKeys, RecordItems};
use crate::{CivilDate, LegalBasis};

/// Why a text is not a legal-basis table. Lines count from 1, the header included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LegalBasisError {
    /// Longer than [`crate::LegalBasisTable::BYTES_MAX`].
    #[error("the table is longer than 512 KiB")]
    TooLarge,
    /// The first line is not the header.
    #[error("line 1: the header must be {HEADER}")]
    Header,
    /// No line after the header: with such a table in force nobody could be answered.
    #[error("the table has no rows")]
    Empty,
    /// A line has not as many columns as the header, or holds a quotation mark.
    #[error("line {line}: a row has 14 columns without quotation marks")]
    Columns {
        /// The line.
        line: usize,
    },
    /// A column is blank or has a value that it cannot have.
    #[error("line {line}: the column {column} is blank or has an impossible value")]
    Value {
        /// The line.
        line: usize,
        /// The column's name in the header.
        column: &'static str,
    },
    /// The column `starts` is neither blank nor a month (2002-09) nor a day (2002-09-12).
    #[error("line {line}: starts must be blank, YYYY-MM or YYYY-MM-DD")]
    Starts {
        /// The line.
        line: usize,
    },
    /// An earlier line has the same body and affair.
    #[error("line {line}: the same body and affair stand in an earlier line")]
    Duplicate {
        /// The later line.
        line: usize,
    },
}

/// Reads one line after the header.
///
/// # Errors
/// [`LegalBasisError`] with the line.
pub(super) fn parse_row(text: &str, line: usize) -> Result<LegalBasis, LegalBasisError> {
    if text.contains('"') {
        return Err(LegalBasisError::Columns { line });
    }
    let columns: Vec<&str> = text.splitn(COLUMNS + 1, ',').collect();
    let [
        affair,
        body,
        table,
        body_ja,
        statute_ja,
        affair_ja,
        starts,
        starts_mark,
        keys,
        items,
        fuzzy,
        operator_per_min,
        body_per_min,
        scope_mark,
    ] = *columns.as_slice()
    else {
        return Err(LegalBasisError::Columns { line });
    };
    let value = |column| LegalBasisError::Value { line, column };
    let words = |text: &str, column| {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            Err(value(column))
        } else {
            Ok(text.to_owned())
        }
    };
    let id = |text, column| parse_id(text).ok_or(value(column));
    if !STARTS_MARKS.contains(&starts_mark) {
        return Err(value("starts_mark"));
    }
    if !SCOPE_MARKS.contains(&scope_mark) {
        return Err(value("scope_mark"));
    }
    let row = LegalBasis {
        affair: id(affair, "affair")?,
        body: id(body, "body")?,
        table: words(table, "table")?,
        body_ja: words(body_ja, "body_ja")?,
        statute_ja: words(statute_ja, "statute_ja")?,
        affair_ja: words(affair_ja, "affair_ja")?,
        starts: parse_starts(starts).ok_or(LegalBasisError::Starts { line })?,
        keys: PermittedKeys::parse(keys).ok_or(value("keys"))?,
        items: RecordItems::parse(items).ok_or(value("items"))?,
        fuzzy: match fuzzy {
            "yes" => true,
            "no" => false,
            _ => return Err(value("fuzzy")),
        },
        operator_per_min: parse_rate(operator_per_min).ok_or(value("operator_per_min"))?,
        body_per_min: parse_rate(body_per_min).ok_or(value("body_per_min"))?,
    };
    // Whoever may not ask by the four items may not ask by fewer of them.
    if row.fuzzy && !row.keys.items() {
        return Err(value("fuzzy"));
    }
    Ok(row)
}

fn parse_id(text: &str) -> Option<String> {
    is_purpose_id(text).then(|| text.to_owned())
}

/// Whether a text has the form of a body's or an affair's id: a small letter, then small letters,
/// digits and hyphens, at most 48 bytes in all.
#[must_use]
pub fn is_purpose_id(text: &str) -> bool {
    (1..=ID_LEN_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The inner option is the column's meaning, the outer one whether it has any.
fn parse_starts(text: &str) -> Option<Option<CivilDate>> {
    match text.len() {
        0 => Some(None),
        7 => format!("{text}-01").parse().ok().map(Some),
        _ => text.parse().ok().map(Some),
    }
}

/// As [`parse_starts`]: blank means that the node's own rate alone holds.
fn parse_rate(text: &str) -> Option<Option<NonZeroU32>> {
    if text.is_empty() {
        return Some(None);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let rate: NonZeroU32 = text.parse().ok().filter(|_| plain)?;
    (rate.get() <= super::RATE_PER_MIN_MAX).then_some(Some(rate))
}

/// The first line of every table.
pub(super) const HEADER: &str = "affair,body,table,body_ja,statute_ja,affair_ja,starts,starts_mark,\
     keys,items,fuzzy,operator_per_min,body_per_min,scope_mark";
const COLUMNS: usize = 14;
/// What the first day rests on: a source, a reading of one, or it is still open.
const STARTS_MARKS: [&str; 3] = ["src", "reading", "open"];
/// What keys, items, fuzzy search and rates rest on; `design` is this network's own choice.
const SCOPE_MARKS: [&str; 3] = ["src", "reading", "design"];
/// Longest id in bytes; what is longer reads badly in reports.
const ID_LEN_MAX: usize = 48;
