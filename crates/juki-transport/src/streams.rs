//! The two streams of frames: reading, writing, and what breaks them.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use juki_domain::{ErrorCode, NodeId};
use quinn::{ReadError, ReadExactError, RecvStream, SendStream, WriteError};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use crate::event::LinkEvent;
use crate::frame_splitter::FrameSplitter;

/// First byte of the control stream.
pub(crate) const TAG_CONTROL: u8 = 0;
/// First byte of the stream of interactive frames.
pub(crate) const TAG_INTERACTIVE: u8 = 1;
/// First byte of the stream of bulk frames.
pub(crate) const TAG_BULK: u8 = 2;

/// Why a stream, and with it the link, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// This side breaks the link over what the peer is or sent.
    Refused(ErrorCode),
    /// The connection is gone; it says itself why.
    Gone,
}

impl From<WriteError> for Broken {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopped(_) => Self::Refused(ErrorCode::FrameGarbage),
            WriteError::ConnectionLost(_)
            | WriteError::ClosedStream
            | WriteError::ZeroRttRejected => Self::Gone,
        }
    }
}

impl From<ReadExactError> for Broken {
    fn from(error: ReadExactError) -> Self {
        match error {
            ReadExactError::FinishedEarly(_) | ReadExactError::ReadError(ReadError::Reset(_)) => {
                Self::Refused(ErrorCode::FrameTruncated)
            }
            ReadExactError::ReadError(
                ReadError::ConnectionLost(_)
                | ReadError::ClosedStream
                | ReadError::IllegalOrderedRead
                | ReadError::ZeroRttRejected,
            ) => Self::Gone,
        }
    }
}

/// Reads frames and reports them, waiting while the receiver of events is busy.
pub(crate) async fn read_frames(
    peer: Arc<NodeId>,
    mut stream: RecvStream,
    frame_bytes_max: usize,
    events: mpsc::Sender<LinkEvent>,
) -> Broken {
    let mut splitter = FrameSplitter::new(frame_bytes_max);
    loop {
        match stream.read_buf(splitter.space()).await {
            // Streams of frames have no end: what ends one cuts a frame or the peer misbehaves.
            Ok(0) => return Broken::Refused(ErrorCode::FrameTruncated),
            Ok(_) => {}
            Err(error) => return broken_read(&error),
        }
        loop {
            let frame = match splitter.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(code) => return Broken::Refused(code),
            };
            if events
                .send(LinkEvent::Frame {
                    peer: Arc::clone(&peer),
                    frame,
                })
                .await
                .is_err()
            {
                return Broken::Gone;
            }
        }
    }
}

/// Writes whatever waits in the queue, many frames at a time.
pub(crate) async fn write_frames(
    mut stream: SendStream,
    mut queue: mpsc::Receiver<Bytes>,
) -> Broken {
    let mut frames = Vec::with_capacity(BATCH_FRAMES);
    while queue.recv_many(&mut frames, BATCH_FRAMES).await > 0 {
        let mut chunks = gather(frames.drain(..));
        if let Err(error) = stream.write_all_chunks(&mut chunks).await {
            return error.into();
        }
    }
    Broken::Gone
}

/// Small frames are copied together with their lengths, since each chunk has a price of its own;
/// long ones go as they are.
fn gather(frames: impl Iterator<Item = Bytes>) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    let mut small = BytesMut::new();
    for frame in frames {
        small.put_u32(u32::try_from(frame.len()).unwrap_or(u32::MAX));
        if frame.len() <= COPY_BYTES_MAX {
            small.extend_from_slice(&frame);
        } else {
            chunks.push(small.split().freeze());
            chunks.push(frame);
        }
    }
    if !small.is_empty() {
        chunks.push(small.freeze());
    }
    chunks
}

fn broken_read(error: &std::io::Error) -> Broken {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ReadError>())
    {
        Some(ReadError::Reset(_)) => Broken::Refused(ErrorCode::FrameTruncated),
        Some(
            ReadError::ConnectionLost(_)
            | ReadError::ClosedStream
            | ReadError::IllegalOrderedRead
            | ReadError::ZeroRttRejected,
        )
        | None => Broken::Gone,
    }
}

const BATCH_FRAMES: usize = 256;
const COPY_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gathered_frames_are_their_lengths_and_bytes_in_order(sizes in prop::collection::vec(1usize..10_000, 1..20)) {
            let frames: Vec<_> = sizes.iter().enumerate().map(|(n, size)| Bytes::from(vec![u8::try_from(n).unwrap(); *size])).collect();
            let mut plain = Vec::new();
            for frame in &frames {
                plain.put_u32(u32::try_from(frame.len()).unwrap());
                plain.extend_from_slice(frame);
            }
            let chunks = gather(frames.iter().cloned());
            prop_assert_eq!(chunks.concat(), plain);
            // Long frames are not copied.
            for frame in frames.iter().filter(|frame| frame.len() > COPY_BYTES_MAX) {
                prop_assert!(chunks.iter().any(|chunk| chunk.as_ptr() == frame.as_ptr()));
            }
        }
    }
}
