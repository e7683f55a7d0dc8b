//! Answers that come line by line: newline-delimited JSON (`application/x-ndjson`).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;

/// The media type of such answers.
pub const JSON_LINES: &str = "application/x-ndjson";

/// Whether a request wants its answer line by line.
#[must_use]
pub fn accepts_json_lines(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(JSON_LINES))
}

/// An answer with the bytes that come through a channel; it ends when the sender is dropped, and
/// breaks off where an error comes.
#[must_use]
pub fn lines_response(
    content: &'static str,
    receiver: mpsc::Receiver<io::Result<Bytes>>,
) -> Response {
    let body = axum::body::Body::new(ChannelBody(receiver));
    ([(header::CONTENT_TYPE, content)], body).into_response()
}

struct ChannelBody(mpsc::Receiver<io::Result<Bytes>>);

impl Body for ChannelBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let received = self.get_mut().0.poll_recv(cx);
        received.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// Cuts pieces of an answer into lines.
#[derive(Default)]
pub(crate) struct LineCutter {
    rest: Vec<u8>,
}

impl LineCutter {
    /// Calls `each` with every line that is complete; false where one is longer than the limit.
    pub(crate) fn feed(&mut self, piece: &[u8], mut each: impl FnMut(&[u8])) -> bool {
        let mut piece = piece;
        while let Some(at) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, after) = piece.split_at(at);
            if self.rest.is_empty() {
                each(line);
            } else {
                self.rest.extend_from_slice(line);
                each(&std::mem::take(&mut self.rest));
            }
            piece = after.get(1..).unwrap_or_default();
        }
        self.rest.extend_from_slice(piece);
        self.rest.len() <= LINE_BYTES_MAX
    }
}

/// A longer line is a fault of the node.
const LINE_BYTES_MAX: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_wherever_the_pieces_are_cut() {
        let text = b"{\"a\":1}\n\n{\"b\":22}\n";
        for size in 1..=text.len() {
            let mut cutter = LineCutter::default();
            let mut lines = Vec::new();
            for piece in text.chunks(size) {
                assert!(cutter.feed(piece, |line| lines.push(line.to_vec())));
            }
            assert_eq!(lines, [&b"{\"a\":1}"[..], b"", b"{\"b\":22}"], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut cutter = LineCutter::default();
        assert!(!cutter.feed(&vec![b'x'; LINE_BYTES_MAX + 1], |_| {}));
    }
}
