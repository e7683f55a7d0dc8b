//! The two streams of frames: reading, writing, and what breaks them.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use juki_domain::{ErrorCode, NodeId};
use quinn::{ReadError, ReadExactError, RecvStream, SendStream, WriteError};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::event::LinkEvent;
use crate::frame_splitter::FrameSplitter;
use crate::outflow::{Outflow, PIECE_BYTES};
use crate::pace::Pace;
use crate::settings::LinkLimits;

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

/// How frames are read from one peer.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(crate) peer: Arc<NodeId>,
    pub(crate) frame_bytes_max: usize,
    pub(crate) limits: LinkLimits,
    pub(crate) pace: Arc<Pace>,
    pub(crate) events: mpsc::Sender<LinkEvent>,
}

/// Reads frames and reports them, waiting while the receiver of events is busy or the peer is ahead
/// of its pace. Ends without a reason where the peer has ended the stream between two frames, as it
/// does when another connection has taken over.
pub(crate) async fn read_frames(reading: Reading, stream: RecvStream) -> Option<Broken> {
    read_to_end(reading, stream).await.err()
}

async fn read_to_end(reading: Reading, mut stream: RecvStream) -> Result<(), Broken> {
    let mut splitter = FrameSplitter::new(reading.frame_bytes_max);
    // Since when a frame that is not whole yet has been read.
    let mut begun: Option<Instant> = None;
    loop {
        let read = match (begun, splitter.begun()) {
            (Some(since), Some(len)) => {
                let deadline = since + reading.time_for(len);
                match timeout_at(deadline, stream.read_buf(splitter.space())).await {
                    Ok(read) => read,
                    Err(_) => return Err(Broken::Refused(ErrorCode::FrameTooSlow)),
                }
            }
            (Some(_) | None, _) => stream.read_buf(splitter.space()).await,
        };
        let bytes = match read {
            Ok(0) if splitter.begun().is_none() => return Ok(()),
            Ok(0) => return Err(Broken::Refused(ErrorCode::FrameTruncated)),
            Ok(bytes) => bytes,
            Err(error) => return Err(broken_read(&error)),
        };
        let mut frames = 0;
        loop {
            let frame = match splitter.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(code) => return Err(Broken::Refused(code)),
            };
            frames += 1;
            let peer = Arc::clone(&reading.peer);
            let event = LinkEvent::Frame { peer, frame };
            if reading.events.send(event).await.is_err() {
                return Err(Broken::Gone);
            }
        }
        let wait = reading.pace.after(frames, bytes);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        begun = match (splitter.begun(), begun) {
            (None, _) => None,
            // Waiting here is not the peer's delay.
            (Some(_), Some(since)) if frames == 0 => Some(since + wait),
            (Some(_), Some(_) | None) => Some(Instant::now()),
        };
    }
}

impl Reading {
    /// How long a frame of this length may take from its first byte to its last.
    fn time_for(&self, len: usize) -> Duration {
        let slowest = u64::from(self.limits.frame_bytes_per_s_min.max(1));
        let by_length = (len as u64).saturating_mul(1_000) / slowest;
        self.limits.frame_timeout + Duration::from_millis(by_length)
    }
}

/// How frames leave for a line.
#[derive(Clone)]
pub(crate) enum Leaving {
    /// As fast as the link takes them.
    AtOnce,
    /// The same, and bulk makes room for them.
    Noted(Arc<Outflow>),
    /// At the line's pace.
    Paced(Arc<Outflow>),
}

/// Writes whatever waits in the queue, many frames at a time. Ends without a reason when the queue
/// has ended and the peer has got all of it.
pub(crate) async fn write_frames(
    mut stream: SendStream,
    mut queue: mpsc::Receiver<Bytes>,
    leaving: Leaving,
) -> Option<Broken> {
    let mut frames = Vec::with_capacity(BATCH_FRAMES);
    while queue.recv_many(&mut frames, BATCH_FRAMES).await > 0 {
        let mut chunks = gather(frames.drain(..));
        let written = match &leaving {
            Leaving::AtOnce => stream.write_all_chunks(&mut chunks).await,
            Leaving::Noted(outflow) => {
                outflow.note(chunks.iter().map(Bytes::len).sum());
                stream.write_all_chunks(&mut chunks).await
            }
            Leaving::Paced(outflow) => write_paced(&mut stream, chunks, outflow).await,
        };
        if let Err(error) = written {
            return Some(error.into());
        }
    }
    let got = stream.finish().is_ok() && matches!(stream.stopped().await, Ok(None));
    (!got).then_some(Broken::Gone)
}

async fn write_paced(
    stream: &mut SendStream,
    chunks: Vec<Bytes>,
    outflow: &Outflow,
) -> Result<(), WriteError> {
    for mut chunk in chunks {
        while !chunk.is_empty() {
            outflow.room().await;
            let piece = chunk.split_to(chunk.len().min(PIECE_BYTES));
            outflow.note(piece.len());
            stream.write_chunk(piece).await?;
        }
    }
    Ok(())
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
