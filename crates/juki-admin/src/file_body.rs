//! A request body that is read from a file as it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead as _, ReadBuf};

/// The rest of a file, whose length was read when it was opened.
pub(crate) struct FileBody {
    file: File,
    left: u64,
    buffer: Vec<u8>,
}

impl FileBody {
    pub(crate) fn new(file: File, length: u64) -> Self {
        Self {
            file,
            left: length,
            buffer: vec![0; CHUNK_BYTES],
        }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let wanted = usize::try_from(this.left)
            .unwrap_or(CHUNK_BYTES)
            .min(CHUNK_BYTES);
        let mut buffer = ReadBuf::new(this.buffer.get_mut(..wanted).unwrap_or_default());
        ready!(Pin::new(&mut this.file).poll_read(cx, &mut buffer))?;
        let chunk = Bytes::copy_from_slice(buffer.filled());
        if chunk.is_empty() {
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof))));
        }
        this.left = this
            .left
            .saturating_sub(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

const CHUNK_BYTES: usize = 64 * 1024;
