//! Reads a register's file: bytes in, change requests and rejects out.

use juki_domain::{ChangeRequest, CivilDate, ErrorCode};

use crate::encoding::BYTE_ORDER_MARK;
use crate::framer::{Framed, Framer};
use crate::header::Header;
use crate::row::{Cells, request};
use crate::{FileEncoding, Reject, Scope};

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderSettings {
    /// The day on which the rows of an initial file (one without 異動事由) are entered.
    pub initial_date: CivilDate,
    /// Longest record in bytes without its line break; 65,536 is plenty for a register's row.
    /// Values above 16 MiB count as 16 MiB.
    pub line_bytes_max: usize,
}

/// The highest limit that a caller can set: the reader reserves as much.
const LINE_BYTES_CEILING: usize = 16 << 20;

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// What the row asks, or why it was refused.
    pub result: Result<ChangeRequest, Reject>,
}

/// What a file is, by its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// All residents at the start; no column 異動事由.
    Initial,
    /// Changes, each with its reason and day.
    Daily,
}

/// What was found in a file so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What the file is, once its header is read.
    pub kind: Option<FileKind>,
    /// How the file is encoded, once its header is read.
    pub encoding: Option<FileEncoding>,
    /// Names of columns that are kept out, at most 32.
    pub unknown_columns: Vec<String>,
    /// Rows that became change requests.
    pub accepted: u64,
    /// Rows refused, a refused file counting as one.
    pub rejected: u64,
    /// Rows whose reason changes no item of the record (世帯変更, 改製 ..): read and left out.
    pub unchanging: u64,
    /// Whether the file as a whole was refused: no row after the refusal is read.
    pub refused: bool,
}

/// Reads one file of the existing register.
///
/// Feed a chunk, take rows until there is none, feed the next; at the end [`Reader::finish`] and
/// take the last rows. It holds what was fed and not yet taken, and at most one record more.
pub struct Reader {
    settings: ReaderSettings,
    scope: Option<Scope>,
    framer: Framer,
    stage: Stage,
    summary: Summary,
}

enum Stage {
    Beginning,
    HeaderRow { byte_order_mark: bool },
    Rows(Header),
    Refused,
}

impl Reader {
    /// A reader at the beginning of a file.
    #[must_use]
    pub fn new(settings: ReaderSettings) -> Self {
        Self {
            settings,
            scope: None,
            framer: Framer::new(settings.line_bytes_max.min(LINE_BYTES_CEILING)),
            stage: Stage::Beginning,
            summary: Summary::default(),
        }
    }

    /// The same reader, which refuses rows of another municipality and days that cannot be.
    #[must_use]
    pub fn within(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Takes the next bytes of the file. Where they are cut changes nothing.
    pub fn feed(&mut self, chunk: &[u8]) {
        if !matches!(self.stage, Stage::Refused) {
            self.framer.feed(chunk);
        }
    }

    /// Says that the file is at its end.
    pub fn finish(&mut self) {
        self.framer.finish();
    }

    /// The next row, or `None` until more is fed; after [`Reader::finish`], `None` is the end.
    pub fn next_row(&mut self) -> Option<Row> {
        loop {
            match self.stage {
                Stage::Beginning => self.begin()?,
                Stage::HeaderRow { byte_order_mark } => {
                    if let Some(row) = self.header_row(byte_order_mark)? {
                        return Some(row);
                    }
                }
                Stage::Rows(_) => {
                    if let Some(row) = self.row()? {
                        return Some(row);
                    }
                }
                Stage::Refused => return None,
            }
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Bytes of input held at this moment, room reserved for them included.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.framer.buffered()
    }

    /// Looks for a byte order mark; `None` while too little of the file is here to tell.
    fn begin(&mut self) -> Option<()> {
        let (bytes, more) = self.framer.peek();
        let byte_order_mark = bytes.starts_with(BYTE_ORDER_MARK);
        if more && !byte_order_mark && BYTE_ORDER_MARK.starts_with(bytes) {
            return None;
        }
        if byte_order_mark {
            self.framer.pass(BYTE_ORDER_MARK.len());
        }
        self.stage = Stage::HeaderRow { byte_order_mark };
        Some(())
    }

    /// Reads the header row: `None` while it is incomplete, `Some(Some(_))` where it is refused.
    fn header_row(&mut self, byte_order_mark: bool) -> Option<Option<Row>> {
        let (line, header) = match self.framer.next() {
            Some(Framed::Record { line }) => {
                let fields: Vec<&[u8]> = self.framer.fields().collect();
                (line, Header::parse(fields.iter().copied(), byte_order_mark))
            }
            Some(Framed::Refused { line, code }) => (line, Err(Reject::row(code))),
            None if self.framer.peek().1 => return None,
            None => (1, Err(Reject::columns(&crate::Column::INITIAL))),
        };
        match header {
            Ok(header) => {
                self.summary.kind = Some(header.kind());
                self.summary.encoding = Some(header.encoding);
                self.summary.unknown_columns.clone_from(&header.unknown);
                self.stage = Stage::Rows(header);
                Some(None)
            }
            Err(reject) => {
                self.stage = Stage::Refused;
                self.framer.close();
                self.summary.refused = true;
                self.summary.rejected += 1;
                Some(Some(Row {
                    line,
                    result: Err(reject),
                }))
            }
        }
    }

    /// Reads one row: `None` while it is incomplete, `Some(None)` where it changes no item.
    fn row(&mut self) -> Option<Option<Row>> {
        let (line, result) = match self.framer.next()? {
            Framed::Record { line } => (line, self.judge()),
            Framed::Refused { line, code } => (line, Err(Reject::row(code))),
        };
        let result = match result {
            Ok(None) => {
                self.summary.unchanging += 1;
                return Some(None);
            }
            Ok(Some(request)) => {
                self.summary.accepted += 1;
                Ok(request)
            }
            Err(reject) => {
                self.summary.rejected += 1;
                Err(reject)
            }
        };
        Some(Some(Row { line, result }))
    }

    fn judge(&self) -> Result<Option<ChangeRequest>, Reject> {
        let Stage::Rows(header) = &self.stage else {
            return Err(Reject::row(ErrorCode::ColumnsWrong));
        };
        let initial = (!header.is_daily()).then_some(self.settings.initial_date);
        let cells = Cells::decode(header, self.framer.fields())?;
        request(&cells, initial, self.scope.as_ref())
    }
}
