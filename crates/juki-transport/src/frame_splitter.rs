//! Frames out of a stream: a length as u32 in network order, then the frame.

use bytes::{Buf as _, Bytes, BytesMut};
use juki_domain::ErrorCode;

/// Cuts a stream's bytes into frames without copying them again.
#[derive(Debug)]
pub(crate) struct FrameSplitter {
    buffer: BytesMut,
    frame_bytes_max: usize,
}

impl FrameSplitter {
    pub(crate) fn new(frame_bytes_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            frame_bytes_max,
        }
    }

    /// Where the next bytes of the stream go; there is always room.
    pub(crate) fn space(&mut self) -> &mut BytesMut {
        let missing = self.frame_len().map_or(0, |len| {
            (LENGTH_LEN + len).saturating_sub(self.buffer.len())
        });
        // A frame that has begun is read to its end in one piece; lengths were bounded before.
        self.buffer
            .reserve(missing.min(self.frame_bytes_max).max(READ_BYTES));
        &mut self.buffer
    }

    /// The next whole frame.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Bytes>, ErrorCode> {
        let Some(len) = self.frame_len() else {
            return Ok(None);
        };
        if len > self.frame_bytes_max {
            return Err(ErrorCode::FrameTooLong);
        }
        if len == 0 {
            return Err(ErrorCode::FrameTruncated);
        }
        if self.buffer.len() < LENGTH_LEN + len {
            return Ok(None);
        }
        self.buffer.advance(LENGTH_LEN);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }

    /// The length of the frame that has begun and is not whole, 0 where its length is not known
    /// yet; none between two frames.
    pub(crate) fn begun(&self) -> Option<usize> {
        if self.buffer.is_empty() {
            return None;
        }
        Some(self.frame_len().unwrap_or(0))
    }

    fn frame_len(&self) -> Option<usize> {
        let length = self.buffer.first_chunk::<LENGTH_LEN>()?;
        Some(usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX))
    }
}

const LENGTH_LEN: usize = 4;
/// Several packets of a burst per read, without much idle memory per link.
const READ_BYTES: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use bytes::BufMut as _;
    use proptest::prelude::*;

    use super::*;

    fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for frame in frames {
            bytes.put_u32(u32::try_from(frame.len()).unwrap());
            bytes.extend_from_slice(frame);
        }
        bytes
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes_come() {
        let mut splitter = FrameSplitter::new(10);
        splitter.space().put_u32(11);
        assert_eq!(splitter.next_frame(), Err(ErrorCode::FrameTooLong));
        let mut splitter = FrameSplitter::new(10);
        splitter.space().put_u32(u32::MAX);
        assert_eq!(splitter.next_frame(), Err(ErrorCode::FrameTooLong));
    }

    #[test]
    fn an_empty_frame_is_refused() {
        let mut splitter = FrameSplitter::new(10);
        splitter.space().put_u32(0);
        assert_eq!(splitter.next_frame(), Err(ErrorCode::FrameTruncated));
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_the_stream_is_cut(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 0..20),
            cut in 1usize..97,
        ) {
            let mut splitter = FrameSplitter::new(200);
            let mut out = Vec::new();
            for piece in framed(&frames).chunks(cut) {
                splitter.space().put_slice(piece);
                while let Some(frame) = splitter.next_frame().unwrap() {
                    out.push(frame.to_vec());
                }
            }
            prop_assert_eq!(out, frames);
            prop_assert!(splitter.buffer.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut splitter = FrameSplitter::new(64);
            splitter.space().put_slice(&bytes);
            while let Ok(Some(frame)) = splitter.next_frame() {
                prop_assert!((1..=64).contains(&frame.len()));
            }
        }
    }
}
