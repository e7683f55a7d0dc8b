//! The legal-basis table: which body may be given identity records for which affair, since when,
//! by which keys and which items of them (Act art. 30-7 and 30-8, the appended tables).

mod compare;
mod row;
mod scope;

use std::num::NonZeroU32;

use row::{HEADER, parse_row};

pub use compare::TableChanges;
pub use row::{LegalBasisError, is_purpose_id};
pub use scope::{PermittedKeys, RecordItem, RecordItems};

use crate::{CivilDate, ErrorCode};

/// The highest rate that a row may name, in questions a minute: one a microsecond.
pub const RATE_PER_MIN_MAX: u32 = 60_000_000;

/// What an operator says an inquiry is for: ids of the legal-basis table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose<'a> {
    /// Id of the body that asks, such as `mic`.
    pub body: &'a str,
    /// Id of the affair it asks for, such as `radio-station-licence`.
    pub affair: &'a str,
}

/// One row of the legal-basis table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalBasis {
    /// Id of the affair: `a-z 0-9 -`, the same in every network.
    pub affair: String,
    /// Id of the body, or of the group of bodies that share the row.
    pub body: String,
    /// The appended table of the Act that names the affair, such as 別表第一.
    pub table: String,
    /// The body or bodies in the words of the table.
    pub body_ja: String,
    /// The statute that the affair rests on.
    pub statute_ja: String,
    /// The affair in the words of the table.
    pub affair_ja: String,
    /// The first day on which records may be provided; none while no day is set.
    pub starts: Option<CivilDate>,
    /// By what a person may be looked up.
    pub keys: PermittedKeys,
    /// The items that are shown.
    pub items: RecordItems,
    /// Whether a person may be looked up by fewer than the four items.
    pub fuzzy: bool,
    /// Questions a minute that one operator may ask for this affair; none where the node's own
    /// rate alone holds.
    pub operator_per_min: Option<NonZeroU32>,
    /// Questions a minute that the whole body may ask for it.
    pub body_per_min: Option<NonZeroU32>,
}

impl LegalBasis {
    /// Whose row it is, for what.
    #[must_use]
    pub fn purpose(&self) -> Purpose<'_> {
        Purpose {
            body: &self.body,
            affair: &self.affair,
        }
    }
}

/// The rows of the legal-basis table, one per body and affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalBasisTable {
    rows: Vec<LegalBasis>,
    /// Where each row is, in the order of purposes: every request looks one up.
    by_purpose: Vec<usize>,
}

/// Why a purpose gives no right to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedPurpose {
    /// No row names this body with this affair.
    #[error("no legal basis for this body and affair")]
    NoBasis,
    /// The row exists but provision has not begun.
    #[error("provision for this affair has not begun")]
    NotStarted {
        /// The first day of provision; none while no day is set.
        starts: Option<CivilDate>,
    },
}

impl RefusedPurpose {
    /// The code that the asker is refused with.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::NoBasis => ErrorCode::NoLegalBasis,
            Self::NotStarted { .. } => ErrorCode::BasisNotStarted,
        }
    }
}

impl LegalBasisTable {
    /// Longest table in bytes: some 2,500 rows, and room for it in one ledger entry.
    pub const BYTES_MAX: usize = 1 << 19;

    /// The same table with the rows of some appended tables only: what one tier may answer for.
    #[must_use]
    pub fn of_tables(self, tables: &[&str]) -> Self {
        let rows = self
            .rows
            .into_iter()
            .filter(|row| tables.contains(&row.table.as_str()));
        Self::of_rows(rows.collect())
    }

    fn of_rows(rows: Vec<LegalBasis>) -> Self {
        let mut by_purpose: Vec<(Purpose<'_>, usize)> =
            rows.iter().map(LegalBasis::purpose).zip(0..).collect();
        by_purpose.sort_unstable();
        Self {
            by_purpose: by_purpose.into_iter().map(|(_, at)| at).collect(),
            rows,
        }
    }

    /// Reads the table from UTF-8 text of comma-separated columns, LF or CRLF. A month in
    /// `starts` means its first day; blank lines are skipped.
    ///
    /// # Errors
    /// [`LegalBasisError`] with the first line that does not fit.
    pub fn parse(csv: &str) -> Result<Self, LegalBasisError> {
        if csv.len() > Self::BYTES_MAX {
            return Err(LegalBasisError::TooLarge);
        }
        let mut lines = csv.strip_prefix('\u{feff}').unwrap_or(csv).lines();
        if lines.next() != Some(HEADER) {
            return Err(LegalBasisError::Header);
        }
        let mut rows: Vec<(LegalBasis, usize)> = Vec::new();
        for (text, line) in lines.zip(2..).filter(|(text, _)| !text.is_empty()) {
            rows.push((parse_row(text, line)?, line));
        }
        if rows.is_empty() {
            return Err(LegalBasisError::Empty);
        }
        let mut purposes: Vec<(Purpose<'_>, usize)> = rows
            .iter()
            .map(|(row, line)| (row.purpose(), *line))
            .collect();
        purposes.sort_unstable();
        let twice = purposes
            .windows(2)
            .filter_map(|pair| match pair {
                [(first, _), (second, line)] if first == second => Some(*line),
                _ => None,
            })
            .min();
        if let Some(line) = twice {
            return Err(LegalBasisError::Duplicate { line });
        }
        Ok(Self::of_rows(
            rows.into_iter().map(|(row, _)| row).collect(),
        ))
    }

    /// Whether a body may be given records for an affair on a civil date, and by which row.
    ///
    /// # Errors
    /// [`RefusedPurpose`].
    pub fn decide(
        &self,
        purpose: Purpose<'_>,
        on: CivilDate,
    ) -> Result<&LegalBasis, RefusedPurpose> {
        let row = self.row(purpose).ok_or(RefusedPurpose::NoBasis)?;
        match row.starts {
            Some(starts) if starts <= on => Ok(row),
            starts => Err(RefusedPurpose::NotStarted { starts }),
        }
    }

    /// The row of a body and affair, whenever it starts.
    #[must_use]
    pub fn row(&self, purpose: Purpose<'_>) -> Option<&LegalBasis> {
        let row_at = |at: &usize| self.rows.get(*at);
        let place = self
            .by_purpose
            .binary_search_by(|at| row_at(at).map(LegalBasis::purpose).cmp(&Some(purpose)))
            .ok()?;
        self.by_purpose.get(place).and_then(row_at)
    }

    /// Every row, in the order of the text.
    #[must_use]
    pub fn all(&self) -> &[LegalBasis] {
        &self.rows
    }
}

#[cfg(test)]
mod tests;
