//! Writes the register's files, the code return file and the list of rejects.

use csv_core::{Terminator, WriterBuilder};
use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, Lang, PersonName, RegisterNumber,
    ResidentRecordCode, Sex,
};

use crate::encoding::BYTE_ORDER_MARK;
use crate::{Column, FileEncoding, FileKind, Reject};

/// A row was not written; nothing of it reached the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The file's encoding cannot hold the text of this column exactly.
    #[error("the encoding of the file cannot hold the text in column {0}")]
    NotInEncoding(&'static str),
    /// An initial file holds entries ex officio only.
    #[error("an initial file holds entries ex officio only")]
    NotInitial,
    /// An item that the file's kind needs is absent.
    #[error("the row lacks {0}")]
    Missing(&'static str),
}

/// Writes an initial or a daily file, one whole row at a time, into a sink of bytes.
pub struct Writer<S: FnMut(&[u8])> {
    rows: RowWriter<S>,
    kind: FileKind,
}

impl<S: FnMut(&[u8])> Writer<S> {
    /// Begins a file: its header row goes to the sink at once.
    pub fn new(kind: FileKind, encoding: FileEncoding, sink: S) -> Self {
        let columns: &[Column] = match kind {
            FileKind::Initial => &Column::INITIAL,
            FileKind::Daily => &Column::DAILY,
        };
        let header: Vec<&'static str> = columns.iter().map(|column| column.ja()).collect();
        Self {
            rows: RowWriter::new(encoding, &header, sink),
            kind,
        }
    }

    /// Writes one row.
    ///
    /// # Errors
    /// [`WriteError`]; the row is left out and the file goes on.
    pub fn row(&mut self, request: &ChangeRequest) -> Result<(), WriteError> {
        match self.kind {
            FileKind::Initial => self.initial(request),
            FileKind::Daily => self.daily(request),
        }
    }

    /// Writes one resident of an initial file.
    ///
    /// # Errors
    /// [`WriteError::NotInEncoding`], or [`WriteError::NotInitial`] in a daily file.
    pub fn resident(
        &mut self,
        number: &RegisterNumber,
        name: &PersonName,
        birth: BirthDate,
        sex: Sex,
        address: &Address,
    ) -> Result<(), WriteError> {
        if self.kind != FileKind::Initial {
            return Err(WriteError::NotInitial);
        }
        self.rows.row([
            (Column::Resident.ja(), number.reveal()),
            (Column::Name.ja(), name.reveal()),
            (Column::Birth.ja(), &birth.reveal()),
            (Column::Sex.ja(), sex.ja()),
            (Column::Address.ja(), address.reveal()),
        ])
    }

    fn initial(&mut self, request: &ChangeRequest) -> Result<(), WriteError> {
        if request.reason != ChangeReason::ExOfficioEntry {
            return Err(WriteError::NotInitial);
        }
        let name = request
            .name
            .as_ref()
            .ok_or(WriteError::Missing(Column::Name.ja()))?;
        let birth = request
            .birth
            .ok_or(WriteError::Missing(Column::Birth.ja()))?;
        let sex = request.sex.ok_or(WriteError::Missing(Column::Sex.ja()))?;
        let address = request
            .address
            .as_ref()
            .ok_or(WriteError::Missing(Column::Address.ja()))?;
        self.resident(&request.resident, name, birth, sex, address)
    }

    fn daily(&mut self, request: &ChangeRequest) -> Result<(), WriteError> {
        let birth = request.birth.map(BirthDate::reveal).unwrap_or_default();
        let counterpart = request
            .counterpart
            .map(|code| code.to_string())
            .unwrap_or_default();
        self.rows.row([
            (Column::Resident.ja(), request.resident.reveal()),
            (Column::Reason.ja(), request.reason.ja()),
            (Column::EventDate.ja(), &request.event_date.to_string()),
            (
                Column::Name.ja(),
                request.name.as_ref().map_or("", PersonName::reveal),
            ),
            (Column::Birth.ja(), &birth),
            (Column::Sex.ja(), request.sex.map_or("", Sex::ja)),
            (
                Column::Address.ja(),
                request.address.as_ref().map_or("", Address::reveal),
            ),
            (
                Column::Certificate.ja(),
                request.certificate.as_deref().unwrap_or(""),
            ),
            (Column::Counterpart.ja(), &counterpart),
        ])
    }
}

/// Writes the file that tells the register which code each resident was given
/// (宛名番号, 住民票コード). It is as confidential as the register itself.
pub struct CodeWriter<S: FnMut(&[u8])> {
    rows: RowWriter<S>,
}

impl<S: FnMut(&[u8])> CodeWriter<S> {
    /// Begins a file: its header row goes to the sink at once.
    pub fn new(encoding: FileEncoding, sink: S) -> Self {
        Self {
            rows: RowWriter::new(encoding, &["宛名番号", "住民票コード"], sink),
        }
    }

    /// Writes the code of one resident.
    ///
    /// # Errors
    /// [`WriteError::NotInEncoding`]; the row is left out and the file goes on.
    pub fn row(
        &mut self,
        resident: &RegisterNumber,
        code: &ResidentRecordCode,
    ) -> Result<(), WriteError> {
        self.rows.row([
            ("宛名番号", resident.reveal()),
            ("住民票コード", code.reveal()),
        ])
    }
}

/// Writes the list of refused rows (行番号, コード, 欄, 理由), which repeats nothing of their content.
pub struct RejectWriter<S: FnMut(&[u8])> {
    rows: RowWriter<S>,
    lang: Lang,
}

impl<S: FnMut(&[u8])> RejectWriter<S> {
    /// Begins a file whose reasons are in `lang`: its header row goes to the sink at once.
    pub fn new(encoding: FileEncoding, lang: Lang, sink: S) -> Self {
        Self {
            rows: RowWriter::new(encoding, &["行番号", "コード", "欄", "理由"], sink),
            lang,
        }
    }

    /// Writes one refused row.
    ///
    /// # Errors
    /// [`WriteError::NotInEncoding`]; the row is left out and the file goes on.
    pub fn row(&mut self, line: u64, reject: &Reject) -> Result<(), WriteError> {
        self.rows.row([
            ("行番号", line.to_string().as_str()),
            ("コード", reject.code.code()),
            ("欄", reject.column.as_deref().unwrap_or("")),
            ("理由", reject.code.explain(self.lang).what),
        ])
    }
}

/// One difference between the register and its communication server, for whoever works it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkListRow<'a> {
    /// 行番号 of the register's file, where it has the resident.
    pub line: &'a str,
    /// 宛名番号
    pub resident: &'a str,
    /// 種別
    pub kind: &'a str,
    /// 項目
    pub item: &'a str,
    /// 住基の値
    pub register: &'a str,
    /// CSの値
    pub cs: &'a str,
    /// 訂正案
    pub proposal: &'a str,
}

/// Writes a list of differences. It is as confidential as the register itself.
pub struct WorkListWriter<S: FnMut(&[u8])> {
    rows: RowWriter<S>,
}

impl<S: FnMut(&[u8])> WorkListWriter<S> {
    /// Begins a file: its header row goes to the sink at once.
    pub fn new(encoding: FileEncoding, sink: S) -> Self {
        Self {
            rows: RowWriter::new(encoding, &WORK_LIST, sink),
        }
    }

    /// Writes one row.
    ///
    /// # Errors
    /// [`WriteError::NotInEncoding`]; the row is left out and the file goes on.
    pub fn row(&mut self, row: WorkListRow<'_>) -> Result<(), WriteError> {
        let [line, resident, kind, item, register, cs, proposal] = WORK_LIST;
        self.rows.row([
            (line, row.line),
            (resident, row.resident),
            (kind, row.kind),
            (item, row.item),
            (register, row.register),
            (cs, row.cs),
            (proposal, row.proposal),
        ])
    }
}

const WORK_LIST: [&str; 7] = [
    "行番号",
    "宛名番号",
    "種別",
    "項目",
    "住基の値",
    "CSの値",
    "訂正案",
];

/// One encoded, quoted row after the other, each ending in CRLF as RFC 4180 has it.
struct RowWriter<S: FnMut(&[u8])> {
    encoding: FileEncoding,
    sink: S,
    csv: csv_core::Writer,
    line: Vec<u8>,
}

impl<S: FnMut(&[u8])> RowWriter<S> {
    fn new(encoding: FileEncoding, header: &[&'static str], mut sink: S) -> Self {
        if encoding == FileEncoding::Utf8Bom {
            sink(BYTE_ORDER_MARK);
        }
        let mut writer = Self {
            encoding,
            sink,
            csv: quoting(),
            line: Vec::new(),
        };
        // Every encoding holds the names of the columns, so the header is always written.
        for name in header {
            let bytes = encoding.encode(name).unwrap_or_default();
            writer.field(&bytes);
        }
        writer.end();
        writer
    }

    fn row<const N: usize>(&mut self, cells: [(&'static str, &str); N]) -> Result<(), WriteError> {
        for (column, text) in cells {
            let Some(bytes) = self.encoding.encode(text) else {
                self.line.clear();
                self.csv = quoting();
                return Err(WriteError::NotInEncoding(column));
            };
            self.field(&bytes);
        }
        self.end();
        Ok(())
    }

    /// Appends one field. It is quoted after encoding: no second byte of CP932 is a quote, a comma
    /// or a line break.
    fn field(&mut self, bytes: &[u8]) {
        let mut end = self.line.len();
        // A closing quote and a comma for the field before; quotes around this one and, at worst,
        // every byte of it doubled.
        self.line.resize(end + bytes.len() * 2 + 4, 0);
        if end > 0 {
            end += self
                .csv
                .delimiter(self.line.get_mut(end..).unwrap_or_default())
                .1;
        }
        end += self
            .csv
            .field(bytes, self.line.get_mut(end..).unwrap_or_default())
            .2;
        self.line.truncate(end);
    }

    fn end(&mut self) {
        let mut end = self.line.len();
        self.line.resize(end + 4, 0);
        end += self
            .csv
            .terminator(self.line.get_mut(end..).unwrap_or_default())
            .1;
        self.line.truncate(end);
        (self.sink)(&self.line);
        self.line.clear();
    }
}

fn quoting() -> csv_core::Writer {
    WriterBuilder::new().terminator(Terminator::CRLF).build()
}
