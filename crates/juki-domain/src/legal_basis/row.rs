//! Reading the lines of a legal-basis table.

use crate::{CivilDate, LegalBasis};

/// Why a text is not a legal-basis table. Lines count from 1, the header included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LegalBasisError {
    /// Longer than [`crate::LegalBasisTable::BYTES_MAX`].
    #[error("the table is longer than 1 MiB")]
    TooLarge,
    /// The first line is not the header.
    #[error("line 1: the header must be {HEADER}")]
    Header,
    /// A line has not as many columns as the header, or holds a quotation mark.
    #[error("line {line}: a row has 8 columns without quotation marks")]
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
    let columns: Vec<&str> = text.splitn(COLUMNS + 1, ',').collect();
    let [
        affair,
        body,
        table,
        body_ja,
        statute_ja,
        affair_ja,
        starts,
        mark,
    ] = columns.as_slice()
    else {
        return Err(LegalBasisError::Columns { line });
    };
    if text.contains('"') {
        return Err(LegalBasisError::Columns { line });
    }
    let words = |text: &str, column| {
        if text.trim().is_empty() {
            Err(LegalBasisError::Value { line, column })
        } else {
            Ok(text.to_owned())
        }
    };
    if !matches!(*mark, "src" | "reading" | "open") {
        return Err(LegalBasisError::Value {
            line,
            column: "starts_mark",
        });
    }
    Ok(LegalBasis {
        affair: parse_id(affair).ok_or(LegalBasisError::Value {
            line,
            column: "affair",
        })?,
        body: parse_id(body).ok_or(LegalBasisError::Value {
            line,
            column: "body",
        })?,
        table: words(table, "table")?,
        body_ja: words(body_ja, "body_ja")?,
        statute_ja: words(statute_ja, "statute_ja")?,
        affair_ja: words(affair_ja, "affair_ja")?,
        starts: parse_starts(starts).ok_or(LegalBasisError::Starts { line })?,
    })
}

fn parse_id(text: &str) -> Option<String> {
    let fits = (1..=ID_LEN_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    fits.then(|| text.to_owned())
}

/// The inner option is the column's meaning, the outer one whether it has any.
fn parse_starts(text: &str) -> Option<Option<CivilDate>> {
    match text.len() {
        0 => Some(None),
        7 => format!("{text}-01").parse().ok().map(Some),
        _ => text.parse().ok().map(Some),
    }
}

/// The first line of every table.
pub(super) const HEADER: &str = "affair,body,table,body_ja,statute_ja,affair_ja,starts,starts_mark";
const COLUMNS: usize = 8;
/// Longest id in bytes; what is longer reads badly in reports.
const ID_LEN_MAX: usize = 48;
