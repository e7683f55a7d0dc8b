//! The legal-basis table: which body may be given identity records for which affair, since when
//! (Act art. 30-7 and 30-8, the appended tables).

mod row;

use std::collections::BTreeSet;

use row::{HEADER, parse_row};

pub use row::LegalBasisError;

use crate::{CivilDate, ErrorCode};

/// What an operator says an inquiry is for: ids of the legal-basis table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose {
    /// Id of the body that asks, such as `mic`.
    pub body: String,
    /// Id of the affair it asks for, such as `radio-station-licence`.
    pub affair: String,
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
}

/// The rows of the legal-basis table, one per body and affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalBasisTable {
    rows: Vec<LegalBasis>,
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
    /// The same table with the rows of some appended tables only: what one tier may answer for.
    #[must_use]
    pub fn of_tables(self, tables: &[&str]) -> Self {
        let rows = self
            .rows
            .into_iter()
            .filter(|row| tables.contains(&row.table.as_str()));
        Self {
            rows: rows.collect(),
        }
    }

    /// Longest table in bytes.
    pub const BYTES_MAX: usize = 1 << 20;

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
        let mut rows = Vec::new();
        let mut seen = BTreeSet::new();
        for (text, line) in lines.zip(2..).filter(|(text, _)| !text.is_empty()) {
            let row = parse_row(text, line)?;
            if !seen.insert((row.body.clone(), row.affair.clone())) {
                return Err(LegalBasisError::Duplicate { line });
            }
            rows.push(row);
        }
        Ok(Self { rows })
    }

    /// Whether a body may be given records for an affair on a civil date, and by which row.
    ///
    /// # Errors
    /// [`RefusedPurpose`].
    pub fn decide(&self, purpose: &Purpose, on: CivilDate) -> Result<&LegalBasis, RefusedPurpose> {
        let names = |row: &&LegalBasis| row.body == purpose.body && row.affair == purpose.affair;
        let row = self
            .rows
            .iter()
            .find(names)
            .ok_or(RefusedPurpose::NoBasis)?;
        match row.starts {
            Some(starts) if starts <= on => Ok(row),
            starts => Err(RefusedPurpose::NotStarted { starts }),
        }
    }

    /// Every row, in the order of the text.
    #[must_use]
    pub fn all(&self) -> &[LegalBasis] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONFIGURED: &str = include_str!("../../../configs/legal-basis.csv");
    const ROW: &str =
        "radio-station-licence,mic,別表第一,総務省,電波法,無線局の免許に関する事務,2002-12,reading";

    fn purpose(body: &str, affair: &str) -> Purpose {
        Purpose {
            body: body.to_owned(),
            affair: affair.to_owned(),
        }
    }

    fn date(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    fn parse(rows: &str) -> Result<LegalBasisTable, LegalBasisError> {
        LegalBasisTable::parse(&format!("{HEADER}\n{rows}"))
    }

    #[test]
    fn a_tier_keeps_only_the_rows_of_its_own_tables() {
        let all = LegalBasisTable::parse(CONFIGURED).unwrap();
        let day = date("2003-12-01");
        let (pension, passport) = (
            purpose("mhlw", "war-bereaved-pension"),
            purpose("yamaguchi", "passport"),
        );
        assert!(all.decide(&pension, day).is_ok() && all.decide(&passport, day).is_ok());
        let national = all.clone().of_tables(&["別表第一"]);
        assert!(national.decide(&pension, day).is_ok());
        assert_eq!(
            national.decide(&passport, day),
            Err(RefusedPurpose::NoBasis)
        );
        let prefecture = all.of_tables(&["別表第五"]);
        assert_eq!(
            prefecture.decide(&pension, day),
            Err(RefusedPurpose::NoBasis)
        );
        assert!(prefecture.decide(&passport, day).is_ok());
    }

    #[test]
    fn the_configured_table_is_read_whole() {
        let table = LegalBasisTable::parse(CONFIGURED).unwrap();
        assert_eq!(table.all().len(), 20);
        assert_eq!(
            table
                .all()
                .iter()
                .filter(|row| row.starts.is_none())
                .count(),
            6
        );
        assert_eq!(
            table
                .all()
                .iter()
                .filter(|row| row.body == "yamaguchi" && row.table == "別表第五")
                .count(),
            11
        );
        assert_eq!(table.all()[0].starts, Some(date("2002-09-01")));
    }

    #[test]
    fn an_affair_is_open_from_its_first_day() {
        let table = LegalBasisTable::parse(CONFIGURED).unwrap();
        let pension = purpose("local-mutual-aid", "local-mutual-aid-pension");
        let starts = Some(date("2002-09-01"));
        assert_eq!(
            table.decide(&pension, date("2002-08-31")),
            Err(RefusedPurpose::NotStarted { starts })
        );
        assert_eq!(
            table
                .decide(&pension, date("2002-09-01"))
                .unwrap()
                .statute_ja,
            "地方公務員等共済組合法"
        );
    }

    #[test]
    fn an_affair_without_a_day_is_refused_on_every_day() {
        let table = LegalBasisTable::parse(CONFIGURED).unwrap();
        let refused = table
            .decide(
                &purpose("yamaguchi", "architect-registration"),
                date("2150-12-31"),
            )
            .unwrap_err();
        assert_eq!(refused, RefusedPurpose::NotStarted { starts: None });
        assert_eq!(refused.code(), ErrorCode::BasisNotStarted);
    }

    #[test]
    fn another_bodys_affair_is_no_basis() {
        let table = LegalBasisTable::parse(CONFIGURED).unwrap();
        for (body, affair) in [
            ("mhlw", "radio-station-licence"),
            ("mic", "passport"),
            ("", ""),
            ("mic", ""),
        ] {
            let refused = table
                .decide(&purpose(body, affair), date("2010-01-01"))
                .unwrap_err();
            assert_eq!(
                (refused, refused.code()),
                (RefusedPurpose::NoBasis, ErrorCode::NoLegalBasis)
            );
        }
    }

    #[test]
    fn faults_of_the_table_are_named_with_their_line() {
        assert_eq!(LegalBasisTable::parse(""), Err(LegalBasisError::Header));
        assert_eq!(LegalBasisTable::parse(ROW), Err(LegalBasisError::Header));
        for (rows, error) in [
            (format!("{ROW},more"), LegalBasisError::Columns { line: 2 }),
            (
                format!("{ROW}\na,b,c"),
                LegalBasisError::Columns { line: 3 },
            ),
            (
                ROW.replace("電波法", "\"電波法\""),
                LegalBasisError::Columns { line: 2 },
            ),
            (
                format!("{ROW}\n\n{ROW}"),
                LegalBasisError::Duplicate { line: 4 },
            ),
            (
                ROW.replace("2002-12", "2002-13"),
                LegalBasisError::Starts { line: 2 },
            ),
            (
                ROW.replace("2002-12", "2002/12"),
                LegalBasisError::Starts { line: 2 },
            ),
            (
                ROW.replace("2002-12", " "),
                LegalBasisError::Starts { line: 2 },
            ),
            (
                ROW.replace("総務省", " "),
                LegalBasisError::Value {
                    line: 2,
                    column: "body_ja",
                },
            ),
            (
                ROW.replace("mic", "MIC"),
                LegalBasisError::Value {
                    line: 2,
                    column: "body",
                },
            ),
            (
                ROW.replace("radio-station-licence", ""),
                LegalBasisError::Value {
                    line: 2,
                    column: "affair",
                },
            ),
            (
                ROW.replace("reading", "guess"),
                LegalBasisError::Value {
                    line: 2,
                    column: "starts_mark",
                },
            ),
        ] {
            assert_eq!(parse(&rows), Err(error), "{rows}");
        }
        assert_eq!(
            LegalBasisTable::parse(&"x".repeat(LegalBasisTable::BYTES_MAX + 1)),
            Err(LegalBasisError::TooLarge)
        );
    }

    #[test]
    fn a_byte_order_mark_carriage_returns_and_full_days_are_read() {
        let text = format!(
            "\u{feff}{HEADER}\r\n{}\r\n",
            ROW.replace("2002-12", "2002-12-24")
        );
        assert_eq!(
            LegalBasisTable::parse(&text).unwrap().all()[0].starts,
            Some(date("2002-12-24"))
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(rows in "([a-c,\"\n0-9-]|\\PC){0,60}") {
            let _ = parse(&rows);
        }
    }
}
