//! A first look at a file: is it one of the register's, and is it whole?

use juki_domain::ErrorCode;

use crate::encoding::BYTE_ORDER_MARK;
use crate::framer::{Framed, Framer};
use crate::header::Header;
use crate::{FileEncoding, FileKind, Reject};

/// What a first look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// What the file is.
    pub kind: FileKind,
    /// How it is encoded.
    pub encoding: FileEncoding,
    /// How many rows it has, bad ones included.
    pub rows: u64,
}

/// Looks at a file's header, framing and end without reading its rows.
///
/// A file is cut where its last record has no line break and is not whole: it has another number of
/// fields than the header, an open quotation mark or half a character. A file that ends with a line
/// break, or with a whole record, is taken for complete.
pub struct Inspection {
    framer: Framer,
    header: Option<(Header, FileEncoding)>,
    begun: bool,
    byte_order_mark: bool,
    rows: u64,
    last_byte: u8,
    /// Whether the record framed last was whole.
    last_whole: bool,
}

impl Inspection {
    /// An inspection at the beginning of a file, with the longest record as
    /// [`crate::ReaderSettings`] has it.
    #[must_use]
    pub fn new(line_bytes_max: usize) -> Self {
        Self {
            framer: Framer::new(line_bytes_max),
            header: None,
            begun: false,
            byte_order_mark: false,
            rows: 0,
            last_byte: b'\n',
            last_whole: true,
        }
    }

    /// Takes the next bytes of the file. Where they are cut changes nothing.
    ///
    /// # Errors
    /// The reject of the whole file, as soon as its header shows that it is none of the register's.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Reject> {
        if let Some(last) = chunk.last() {
            self.last_byte = *last;
        }
        self.framer.feed(chunk);
        self.look()
    }

    /// Says that the file is at its end.
    ///
    /// # Errors
    /// The reject of the whole file: its header is wrong, or it is cut.
    pub fn finish(mut self) -> Result<Inspected, Reject> {
        let broken_off = !matches!(self.last_byte, b'\n' | b'\r');
        if broken_off && self.framer.is_skipping() {
            return Err(Reject::row(ErrorCode::FileCut));
        }
        self.framer.finish();
        self.last_whole = true;
        self.look()?;
        let Some((header, encoding)) = &self.header else {
            return Err(Reject::columns(&crate::Column::INITIAL));
        };
        if broken_off && !self.last_whole {
            return Err(Reject::row(ErrorCode::FileCut));
        }
        Ok(Inspected {
            kind: header.kind(),
            encoding: *encoding,
            rows: self.rows,
        })
    }

    fn look(&mut self) -> Result<(), Reject> {
        if !self.begun && !self.begin() {
            return Ok(());
        }
        while let Some(framed) = self.framer.next() {
            match (&self.header, framed) {
                (None, Framed::Record { .. }) => {
                    let fields: Vec<&[u8]> = self.framer.fields().collect();
                    let header = Header::parse(fields.iter().copied(), self.byte_order_mark)?;
                    let encoding = header.encoding;
                    self.header = Some((header, encoding));
                }
                (None, Framed::Refused { code, .. }) => return Err(Reject::row(code)),
                (Some((header, encoding)), Framed::Record { .. }) => {
                    self.rows += 1;
                    let fields = self.framer.fields();
                    self.last_whole = fields.len() == header.places.len()
                        && self
                            .framer
                            .fields()
                            .last()
                            .is_none_or(|field| encoding.decode(field).is_some());
                }
                (Some(_), Framed::Refused { .. }) => {
                    self.rows += 1;
                    self.last_whole = false;
                }
            }
        }
        Ok(())
    }

    /// Passes a byte order mark; false while too little of the file is here to tell.
    fn begin(&mut self) -> bool {
        let (bytes, more) = self.framer.peek();
        self.byte_order_mark = bytes.starts_with(BYTE_ORDER_MARK);
        if more && !self.byte_order_mark && BYTE_ORDER_MARK.starts_with(bytes) {
            return false;
        }
        if self.byte_order_mark {
            self.framer.pass(BYTE_ORDER_MARK.len());
        }
        self.begun = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "宛名番号,氏名,生年月日,性別,住所\n";
    const ROW: &str = "1,試験　太郎,1970-01-02,男,山口県萩市大字江向510番地";

    fn inspect(bytes: &[u8]) -> Result<Inspected, ErrorCode> {
        let whole = once(bytes, bytes.len().max(1));
        for piece in [1, 7] {
            assert_eq!(once(bytes, piece), whole, "the place of a cut matters");
        }
        whole
    }

    fn once(bytes: &[u8], piece: usize) -> Result<Inspected, ErrorCode> {
        let mut inspection = Inspection::new(1_000);
        for chunk in bytes.chunks(piece) {
            inspection.feed(chunk).map_err(|reject| reject.code)?;
        }
        inspection.finish().map_err(|reject| reject.code)
    }

    #[test]
    fn a_whole_file_passes_with_and_without_a_last_line_break() {
        for end in ["", "\n", "\r\n", "\n\n"] {
            let found = inspect(format!("{HEADER}{ROW}\n{ROW}{end}").as_bytes()).unwrap();
            assert_eq!((found.kind, found.rows), (FileKind::Initial, 2), "{end:?}");
        }
        assert_eq!(inspect(HEADER.as_bytes()).unwrap().rows, 0);
    }

    #[test]
    fn a_file_cut_anywhere_in_its_last_row_before_the_last_field_is_refused() {
        let file = format!("{HEADER}{ROW}\n{ROW}\n");
        let last = HEADER.len() + ROW.len() + 1;
        let fields = last + ROW.rfind(',').unwrap();
        for at in last + 1..=fields {
            assert_eq!(
                inspect(&file.as_bytes()[..at]),
                Err(ErrorCode::FileCut),
                "cut at {at}"
            );
        }
        // Within a character of the last field.
        let end = file.len() - 2;
        assert_eq!(inspect(&file.as_bytes()[..end]), Err(ErrorCode::FileCut));
    }

    #[test]
    fn an_open_quotation_mark_at_a_cut_end_refuses_the_file() {
        let cut = format!("{HEADER}{ROW}\n2,\"試験　次郎,1970-01-02,男,山口");
        assert_eq!(inspect(cut.as_bytes()), Err(ErrorCode::FileCut));
    }

    #[test]
    fn bad_rows_before_a_whole_end_are_no_cut() {
        let file = format!("{HEADER}1,2\n{},\n3,\"x\n{ROW}\n", "y".repeat(2_000));
        assert_eq!(inspect(file.as_bytes()).unwrap().rows, 4);
    }

    #[test]
    fn a_long_line_that_never_ends_is_a_cut_file() {
        let file = format!("{HEADER}{}", "y".repeat(5_000));
        assert_eq!(inspect(file.as_bytes()), Err(ErrorCode::FileCut));
    }

    #[test]
    fn a_file_of_something_else_is_refused_at_its_header() {
        for file in ["", "\n\n", "a,b\n1,2\n", "宛名番号,氏名\n"] {
            assert_eq!(
                inspect(file.as_bytes()),
                Err(ErrorCode::ColumnsWrong),
                "{file:?}"
            );
        }
    }
}
