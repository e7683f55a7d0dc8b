//! Why a row, or a file, was not taken.

use juki_domain::{ChangeError, ErrorCode, Lang};

use crate::Column;

/// Why a row was refused. It never holds what the row said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reason, with its explanation in both languages.
    pub code: ErrorCode,
    /// The column at fault in the words of the header; for a file with wrong columns, all columns
    /// that are missing or double. `None` where the row as a whole is at fault.
    pub column: Option<String>,
}

impl Reject {
    /// One sentence for a person: what is wrong, and in which column.
    #[must_use]
    pub fn sentence(&self, lang: Lang) -> String {
        let what = self.code.explain(lang).what;
        match (&self.column, lang) {
            (None, _) => what.to_owned(),
            (Some(column), Lang::Ja) => format!("{what}（欄: {column}）"),
            (Some(column), Lang::En) => format!("{what} (column: {column})"),
        }
    }

    pub(crate) fn row(code: ErrorCode) -> Self {
        Self { code, column: None }
    }

    pub(crate) fn at(code: ErrorCode, column: Column) -> Self {
        Self {
            code,
            column: Some(column.ja().to_owned()),
        }
    }

    pub(crate) fn columns(columns: &[Column]) -> Self {
        let names: Vec<&str> = columns.iter().map(|column| column.ja()).collect();
        Self {
            code: ErrorCode::ColumnsWrong,
            column: Some(names.join("、")),
        }
    }

    pub(crate) fn unfit(error: ChangeError) -> Self {
        let (code, item) = match error {
            ChangeError::UnknownReason => {
                return Self::at(ErrorCode::ReasonUnknown, Column::Reason);
            }
            ChangeError::Missing { item, .. } => (ErrorCode::ItemMissing, item),
            ChangeError::Surplus { item, .. } => (ErrorCode::ItemSurplus, item),
        };
        Self {
            code,
            column: Column::of_item(item).map(|column| column.ja().to_owned()),
        }
    }
}
