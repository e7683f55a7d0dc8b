//! Reading segments back: what is whole, what is torn, what is damaged.

use std::io;

use juki_ledger::{
    Chain, FRAME_HEADER_LEN, Frame, FrameError, FrameHeader, SEGMENT_HEADER_LEN, SegmentHeader,
};
use juki_runtime::Files;

/// Where a frame lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FramePlace {
    pub(crate) first_seq: u64,
    pub(crate) count: u32,
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

/// What ends a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SegmentEnd {
    /// The file ends, or only zeros follow.
    Clean { used: u64 },
    /// An unfinished frame and nothing whole after it: what a loss of power leaves.
    Torn { used: u64, len: u64 },
    /// Something whole follows something broken: no loss of power leaves that.
    Damaged {
        offset: u64,
        next_seq: u64,
        what: String,
    },
}

/// The name of a segment's file.
pub(crate) fn segment_name(number: u32) -> String {
    format!("{number:08}.segment")
}

/// The numbers of all segments, rising.
pub(crate) fn segment_numbers(files: &dyn Files) -> io::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = files
        .list()?
        .iter()
        .filter_map(|name| name.strip_suffix(".segment"))
        .filter(|stem| stem.len() == 8)
        .filter_map(|stem| stem.parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads a segment's header.
pub(crate) fn read_header(files: &dyn Files, number: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; SEGMENT_HEADER_LEN];
    let read = files.read_at(&segment_name(number), 0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads one frame at an offset.
pub(crate) fn read_frame(
    files: &dyn Files,
    number: u32,
    offset: u64,
) -> io::Result<Result<Frame, FrameError>> {
    let name = segment_name(number);
    let mut head = [0; FRAME_HEADER_LEN];
    let read = files.read_at(&name, offset, &mut head)?;
    if read < FRAME_HEADER_LEN {
        let empty = head.iter().all(|byte| *byte == 0);
        return Ok(Err(if empty {
            FrameError::Empty
        } else {
            FrameError::NoFrame
        }));
    }
    let header = match FrameHeader::decode(&head) {
        Ok(header) => header,
        Err(error) => return Ok(Err(error)),
    };
    if offset + FRAME_HEADER_LEN as u64 + header.body_len() as u64 > files.len(&name)? {
        return Ok(Err(FrameError::Checksum));
    }
    let mut body = vec![0; header.body_len()];
    files.read_at(&name, offset + FRAME_HEADER_LEN as u64, &mut body)?;
    Ok(Frame::decode(header, &body))
}

/// Walks the frames of a segment in order, telling `on_frame` each one, and says how it ends.
///
/// The chain moves on over each frame's leaves.
pub(crate) fn walk_segment(
    files: &dyn Files,
    number: u32,
    chain: &mut Chain,
    on_frame: &mut dyn FnMut(FramePlace, &Frame),
) -> io::Result<SegmentEnd> {
    let mut offset = SEGMENT_HEADER_LEN as u64;
    let mut index = 0;
    loop {
        let next_seq = chain.seq + 1;
        let frame = match read_frame(files, number, offset)? {
            Ok(frame) => frame,
            Err(error) => return end_of(files, number, offset, next_seq, error),
        };
        if frame.header.first_seq != next_seq || frame.header.index != index {
            let what = format!(
                "the frame says it begins with entry {}, entry {next_seq} is next",
                frame.header.first_seq
            );
            return Ok(SegmentEnd::Damaged {
                offset,
                next_seq,
                what,
            });
        }
        on_frame(
            FramePlace {
                first_seq: next_seq,
                count: frame.header.count,
                segment: number,
                offset,
            },
            &frame,
        );
        for leaf in &frame.leaves {
            chain.advance(leaf);
        }
        offset += FRAME_HEADER_LEN as u64 + frame.header.body_len() as u64;
        index += 1;
    }
}

/// What is behind the last whole frame of a segment.
pub(crate) fn end_of(
    files: &dyn Files,
    number: u32,
    offset: u64,
    next_seq: u64,
    error: FrameError,
) -> io::Result<SegmentEnd> {
    let name = segment_name(number);
    let len = files.len(&name)?;
    let mut last_written = offset;
    let mut at = offset;
    let mut buffer = vec![0; 1 << 20];
    // A loss of power can leave only one unfinished frame, since each is synced before the next is
    // written; a whole frame behind a broken one is therefore damage.
    while at < len {
        let read = files.read_at(&name, at, &mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or(&[]);
        if let Some(place) = bytes.iter().rposition(|byte| *byte != 0) {
            last_written = at + place as u64 + 1;
        }
        for place in bytes
            .windows(4)
            .enumerate()
            .filter(|(_, window)| *window == b"JKF1")
            .map(|(place, _)| place)
        {
            let whole = read_frame(files, number, at + place as u64)?;
            if at + place as u64 > offset && whole.is_ok() {
                return Ok(SegmentEnd::Damaged {
                    offset,
                    next_seq,
                    what: error.to_string(),
                });
            }
        }
        if read < buffer.len() {
            break;
        }
        // Windows overlap, so that a mark across two buffers is found.
        at += read as u64 - 3;
    }
    if last_written == offset {
        Ok(SegmentEnd::Clean { used: offset })
    } else {
        Ok(SegmentEnd::Torn {
            used: offset,
            len: last_written - offset,
        })
    }
}

/// Whether a segment's header is the one that continues the chain.
pub(crate) fn continues(header: &SegmentHeader, number: u32, chain: &Chain) -> bool {
    header.number == number && header.before == *chain
}
