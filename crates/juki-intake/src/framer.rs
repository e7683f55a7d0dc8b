//! Cuts bytes into records in flat memory, whatever the bytes are.

use csv_core::ReadRecordResult;
use juki_domain::ErrorCode;

/// Most fields of one record.
const FIELDS_MAX: usize = 256;

/// Most lines that one record may span. No item of the register holds a line break; other columns
/// may. Without this limit every line of a hostile file could make the reader look as far ahead as
/// a record may be long.
const RECORD_LINES_MAX: u32 = 16;

/// What the framer found next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framed {
    /// A record, beginning on this line; its fields are in [`Framer::field`].
    Record { line: u64 },
    /// No record can begin on this line; reading goes on after its end.
    Refused { line: u64, code: ErrorCode },
}

/// The framer. It holds the unread part of what it was fed and at most one record more.
pub(crate) struct Framer {
    csv: csv_core::Reader,
    record_bytes_max: usize,
    bytes: Vec<u8>,
    start: usize,
    scanned: usize,
    fields: Vec<u8>,
    fields_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    record_lines: u32,
    line: u64,
    after_return: bool,
    skipping: bool,
    finished: bool,
}

impl Framer {
    pub(crate) fn new(record_bytes_max: usize) -> Self {
        let mut csv = csv_core::Reader::new();
        begin_anew(&mut csv);
        Self {
            csv,
            record_bytes_max,
            bytes: Vec::new(),
            start: 0,
            scanned: 0,
            // Two more than a record can fill, so that the parser never reports a full output.
            fields: vec![0; record_bytes_max.saturating_add(3)],
            fields_len: 0,
            ends: vec![0; FIELDS_MAX + 1],
            ends_len: 0,
            record_lines: 0,
            line: 1,
            after_return: false,
            skipping: false,
            finished: false,
        }
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(chunk);
        if self.skipping {
            self.skip();
        }
    }

    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }

    /// Throws away everything, now and later.
    pub(crate) fn close(&mut self) {
        self.bytes = Vec::new();
        (self.start, self.scanned) = (0, 0);
    }

    /// Bytes of input held at this moment, room reserved for them included.
    pub(crate) fn buffered(&self) -> usize {
        self.bytes.capacity()
    }

    /// The first bytes not yet read, and whether more may follow.
    pub(crate) fn peek(&self) -> (&[u8], bool) {
        (
            self.bytes.get(self.start..).unwrap_or_default(),
            !self.finished,
        )
    }

    /// Whether the rest of a refused record is being thrown away.
    pub(crate) fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// Passes over `count` bytes that belong to no record.
    pub(crate) fn pass(&mut self, count: usize) {
        self.advance(self.start + count);
    }

    /// The fields of the record returned last, quotes removed.
    pub(crate) fn fields(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().take(self.ends_len).map(move |&end| {
            let field = self.fields.get(from..end).unwrap_or_default();
            from = end;
            field
        })
    }

    /// The next record or refusal; `None` until more is fed, or at the end.
    pub(crate) fn next(&mut self) -> Option<Framed> {
        if self.skipping {
            self.skip();
        }
        if self.scanned == self.start {
            self.pass_line_breaks();
            (self.fields_len, self.ends_len, self.record_lines) = (0, 0, 0);
        }
        loop {
            let limit = self
                .start
                .saturating_add(self.record_bytes_max)
                .saturating_add(1);
            let available = self
                .bytes
                .get(self.scanned..self.bytes.len().min(limit))
                .unwrap_or_default();
            if available.is_empty() {
                if self.scanned == limit {
                    return Some(self.refuse(ErrorCode::LineTooLong));
                }
                return if self.finished && self.scanned > self.start {
                    Some(self.last())
                } else {
                    None
                };
            }
            let broken = available.iter().position(|&byte| is_break(byte));
            let piece = broken.map_or(available, |at| available.get(..=at).unwrap_or(available));
            let room = (
                self.fields.get_mut(self.fields_len..).unwrap_or_default(),
                self.ends.get_mut(self.ends_len..).unwrap_or_default(),
            );
            let (result, read, written, ended) = self.csv.read_record(piece, room.0, room.1);
            let inside_pair = self.scanned > self.start
                && self.bytes.get(self.scanned - 1) == Some(&b'\r')
                && piece == b"\n";
            self.scanned += read;
            self.fields_len += written;
            self.ends_len += ended;
            match result {
                ReadRecordResult::Record => return Some(self.record()),
                ReadRecordResult::InputEmpty => {
                    self.record_lines += u32::from(broken.is_some() && !inside_pair);
                    if self.record_lines >= RECORD_LINES_MAX {
                        return Some(self.refuse(ErrorCode::LineTooLong));
                    }
                }
                ReadRecordResult::OutputFull => return Some(self.refuse(ErrorCode::LineTooLong)),
                ReadRecordResult::OutputEndsFull | ReadRecordResult::End => {
                    return Some(self.refuse(ErrorCode::FieldCountWrong));
                }
            }
        }
    }

    /// The record that the end of the file closes; an open quote there refuses its first line.
    fn last(&mut self) -> Framed {
        let room = (
            self.fields.get_mut(self.fields_len..).unwrap_or_default(),
            self.ends.get_mut(self.ends_len..).unwrap_or_default(),
        );
        let (result, _, written, ended) = self.csv.read_record(b"\n", room.0, room.1);
        if !matches!(result, ReadRecordResult::Record) {
            return self.refuse(ErrorCode::FieldCountWrong);
        }
        self.fields_len += written;
        self.ends_len += ended;
        self.record()
    }

    fn record(&mut self) -> Framed {
        let line = self.line;
        self.advance(self.scanned);
        Framed::Record { line }
    }

    fn refuse(&mut self, code: ErrorCode) -> Framed {
        let line = self.line;
        begin_anew(&mut self.csv);
        self.skipping = true;
        self.skip();
        Framed::Refused { line, code }
    }

    /// Throws bytes away up to the next line break.
    fn skip(&mut self) {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        match rest.iter().position(|&byte| is_break(byte)) {
            Some(at) => {
                self.advance(self.start + at);
                self.skipping = false;
            }
            None => self.advance(self.bytes.len()),
        }
    }

    fn pass_line_breaks(&mut self) {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let count = rest.iter().take_while(|&&byte| is_break(byte)).count();
        self.advance(self.start + count);
    }

    /// Moves the start of the next record to `to` and counts the lines passed.
    fn advance(&mut self, to: usize) {
        for &byte in self.bytes.get(self.start..to).unwrap_or_default() {
            let pair = byte == b'\n' && self.after_return;
            self.line += u64::from(is_break(byte) && !pair);
            self.after_return = byte == b'\r';
        }
        self.start = to.min(self.bytes.len());
        self.scanned = self.start;
    }
}

/// Sets the parser to the beginning of a record. csv-core 0.1.13 clones a parser without its tables,
/// so one is reset instead.
fn begin_anew(csv: &mut csv_core::Reader) {
    csv.reset();
    // An unused parser would take a byte order mark away wherever it is set anew.
    csv.read_record(b"\n", &mut [0], &mut [0]);
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(max: usize, chunks: &[&[u8]]) -> Vec<(u64, Result<Vec<String>, ErrorCode>)> {
        let mut framer = Framer::new(max);
        let mut found = Vec::new();
        let mut drain = |framer: &mut Framer| {
            while let Some(framed) = framer.next() {
                found.push(match framed {
                    Framed::Record { line } => (
                        line,
                        Ok(framer
                            .fields()
                            .map(|field| String::from_utf8_lossy(field).into_owned())
                            .collect::<Vec<_>>()),
                    ),
                    Framed::Refused { line, code } => (line, Err(code)),
                });
            }
        };
        for chunk in chunks {
            framer.feed(chunk);
            drain(&mut framer);
        }
        framer.finish();
        drain(&mut framer);
        found
    }

    fn record(line: u64, fields: &[&str]) -> (u64, Result<Vec<String>, ErrorCode>) {
        (
            line,
            Ok(fields.iter().map(|&field| field.to_owned()).collect()),
        )
    }

    #[test]
    fn line_numbers_count_every_kind_of_line_break_and_blank_lines() {
        let found = frames(100, &[b"a,b\r\n\r\nc,d\n\n\ne,f\rg,\"h\r\ni\"\nj,k"]);
        let expected = [
            record(1, &["a", "b"]),
            record(3, &["c", "d"]),
            record(6, &["e", "f"]),
            record(7, &["g", "h\r\ni"]),
            record(9, &["j", "k"]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_unclosed_quote_costs_one_line_and_not_the_file() {
        let mut text = String::from("a,\"b\n");
        for _ in 0..40 {
            text.push_str("c,d\n");
        }
        let found = frames(1000, &[text.as_bytes()]);
        assert_eq!(found.first(), Some(&(1, Err(ErrorCode::LineTooLong))));
        assert_eq!(found.len(), 41);
        assert_eq!(found.last(), Some(&record(41, &["c", "d"])));
    }

    #[test]
    fn an_unclosed_quote_near_the_end_costs_one_line_too() {
        let found = frames(1000, &[b"a,\"b\nc,d\ne,f\n"]);
        assert_eq!(
            found,
            [
                (1, Err(ErrorCode::FieldCountWrong)),
                record(2, &["c", "d"]),
                record(3, &["e", "f"])
            ]
        );
    }

    #[test]
    fn a_record_as_long_as_the_limit_passes_and_one_byte_more_does_not() {
        assert_eq!(
            frames(8, &[b"abc,efgh\nx\n"]),
            [record(1, &["abc", "efgh"]), record(2, &["x"])]
        );
        assert_eq!(
            frames(8, &[b"abc,efghi\nx\n"]),
            [(1, Err(ErrorCode::LineTooLong)), record(2, &["x"])]
        );
        assert_eq!(
            frames(8, &[b"abc,", b"efgh", b"i", b"jkl", b"m\nx"]),
            [(1, Err(ErrorCode::LineTooLong)), record(2, &["x"])]
        );
    }

    #[test]
    fn more_fields_than_the_limit_are_refused_alone() {
        let mut text = ",".repeat(FIELDS_MAX + 5);
        text.push_str("\nx,y\n");
        assert_eq!(
            frames(4096, &[text.as_bytes()]),
            [(1, Err(ErrorCode::FieldCountWrong)), record(2, &["x", "y"])]
        );
    }
}
