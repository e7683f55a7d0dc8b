//! The header row: which column is where, and in which encoding the file is.

use juki_domain::ErrorCode;

use crate::encoding::FileEncoding;
use crate::{Column, FileKind, Reject};

/// Most unknown columns that are named to the operator.
const UNKNOWN_NAMED_MAX: usize = 32;

/// Most characters of an unknown column's name that are shown.
const UNKNOWN_NAME_CHARS_MAX: usize = 40;

/// Where the columns of one file are.
#[derive(Debug)]
pub(crate) struct Header {
    /// How every field of the file is encoded.
    pub(crate) encoding: FileEncoding,
    /// For each place of a row, the column there, or `None` for an unknown one.
    pub(crate) places: Vec<Option<Column>>,
    /// Names of columns that are kept out.
    pub(crate) unknown: Vec<String>,
}

impl Header {
    /// Reads the header row. The encoding is the one in which the row names columns.
    pub(crate) fn parse<'a>(
        fields: impl Iterator<Item = &'a [u8]> + Clone,
        byte_order_mark: bool,
    ) -> Result<Self, Reject> {
        let encodings: &[FileEncoding] = if byte_order_mark {
            &[FileEncoding::Utf8Bom]
        } else {
            &[FileEncoding::Utf8, FileEncoding::Cp932]
        };
        let mut readable = false;
        for &encoding in encodings {
            let Some(names) = fields
                .clone()
                .map(|field| encoding.decode(field))
                .collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            readable = true;
            let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
            if names.iter().any(|name| Column::from_ja(name).is_some()) {
                return Self::from_names(encoding, &names);
            }
        }
        // A readable first row without one known name may be a resident: none of it is repeated.
        Err(if readable {
            Reject::columns(&Column::INITIAL)
        } else {
            Reject::row(ErrorCode::EncodingBroken)
        })
    }

    /// What the file is, by its columns.
    pub(crate) fn kind(&self) -> FileKind {
        if self.is_daily() {
            FileKind::Daily
        } else {
            FileKind::Initial
        }
    }

    /// Whether each row names its own reason of change.
    pub(crate) fn is_daily(&self) -> bool {
        self.places.contains(&Some(Column::Reason))
    }

    fn from_names(encoding: FileEncoding, names: &[&str]) -> Result<Self, Reject> {
        let places: Vec<Option<Column>> = names.iter().map(|name| Column::from_ja(name)).collect();
        let count = |column| {
            places
                .iter()
                .filter(|place| **place == Some(column))
                .count()
        };
        let double: Vec<Column> = Column::ALL
            .into_iter()
            .filter(|column| count(*column) > 1)
            .collect();
        if !double.is_empty() {
            return Err(Reject::columns(&double));
        }
        let daily = count(Column::Reason) > 0;
        let needed = |column: &Column| {
            Column::INITIAL.contains(column) || (daily && *column == Column::EventDate)
        };
        let missing: Vec<Column> = Column::ALL
            .into_iter()
            .filter(needed)
            .filter(|column| count(*column) == 0)
            .collect();
        if !missing.is_empty() {
            return Err(Reject::columns(&missing));
        }
        let unknown = names
            .iter()
            .zip(&places)
            .filter(|(_, place)| place.is_none());
        let unknown = unknown
            .take(UNKNOWN_NAMED_MAX)
            .map(|(name, _)| shown(name))
            .collect();
        Ok(Self {
            encoding,
            places,
            unknown,
        })
    }
}

fn shown(name: &str) -> String {
    name.chars()
        .filter(|character| !character.is_control())
        .take(UNKNOWN_NAME_CHARS_MAX)
        .collect()
}
