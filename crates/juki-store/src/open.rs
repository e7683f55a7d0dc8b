//! Opening a ledger: what earlier runs left, what is torn, what is damaged.

use juki_crypto::StorageKey;
use juki_ledger::{Chain, SegmentError, SegmentHeader};
use juki_runtime::Files;

use crate::recover::{
    FramePlace, SegmentEnd, continues, read_header, segment_name, segment_numbers, walk_segment,
};
use crate::{LedgerError, TornTail};

/// What the segments of earlier runs hold.
pub(crate) struct Found {
    pub(crate) chain: Chain,
    pub(crate) frames: Vec<FramePlace>,
    pub(crate) torn: Option<TornTail>,
    pub(crate) last: Option<u32>,
}

/// Verifies every frame and the chain, and cuts a torn tail.
pub(crate) fn read_segments(
    files: &mut impl Files,
    storage: &StorageKey,
) -> Result<Found, LedgerError> {
    let mut chain = Chain::default();
    let mut frames = Vec::new();
    let mut numbers = segment_numbers(files)?;
    let mut torn = drop_unfinished_segment(files, &mut numbers)?;
    let last = numbers.last().copied();
    for number in numbers {
        checked_header(files, number, &chain, storage)?;
        let end = walk_segment(files, number, &mut chain, &mut |place, _| {
            frames.push(place)
        })?;
        let damaged = |offset, entry, what| LedgerError::Damaged {
            segment: number,
            offset,
            entry,
            what,
        };
        match end {
            SegmentEnd::Clean { .. } => {}
            SegmentEnd::Torn { used, len } if Some(number) == last => {
                files.set_len(&segment_name(number), used)?;
                torn = Some(TornTail {
                    segment: number,
                    bytes: len,
                });
            }
            SegmentEnd::Torn { used, .. } => {
                let what = "a segment that is not the last one ends in the middle of a frame";
                return Err(damaged(used, chain.seq + 1, what.to_owned()));
            }
            SegmentEnd::Damaged {
                offset,
                next_seq,
                what,
            } => return Err(damaged(offset, next_seq, what)),
        }
    }
    if let Some(last) = last {
        // A run that was killed may have left frames that were read here and never synced: what the
        // next segment continues must not vanish when the power fails.
        files.sync(&segment_name(last))?;
    }
    Ok(Found {
        chain,
        frames,
        torn,
        last,
    })
}

/// A loss of power can leave a last segment that is only a name or a part of its header. Nothing in
/// it was acknowledged, since its first sync had not returned; it is emptied and its number goes on.
fn drop_unfinished_segment(
    files: &mut impl Files,
    numbers: &mut Vec<u32>,
) -> Result<Option<TornTail>, LedgerError> {
    let Some(number) = numbers.last().copied() else {
        return Ok(None);
    };
    let header = read_header(files, number)?;
    if SegmentHeader::decode(&header).is_ok() {
        return Ok(None);
    }
    let mut chain = Chain::default();
    let name = segment_name(number);
    let len = files.len(&name)?;
    // A whole frame behind a broken header means that the header was damaged later.
    let mut whole = false;
    if let SegmentEnd::Damaged { .. } =
        walk_segment(files, number, &mut chain, &mut |_, _| whole = true)?
    {
        whole = true;
    }
    if whole {
        return Ok(None);
    }
    files.set_len(&name, 0)?;
    files.sync(&name)?;
    numbers.pop();
    Ok(Some(TornTail {
        segment: number,
        bytes: len,
    }))
}

fn checked_header(
    files: &dyn Files,
    number: u32,
    chain: &Chain,
    storage: &StorageKey,
) -> Result<SegmentHeader, LedgerError> {
    let bytes = read_header(files, number)?;
    let damage = |what: String| LedgerError::Damaged {
        segment: number,
        offset: 0,
        entry: chain.seq + 1,
        what,
    };
    let header = SegmentHeader::decode(&bytes).map_err(|error| damage(error.to_string()))?;
    if !continues(&header, number, chain) {
        return Err(damage(
            "the segment does not continue the one before it".to_owned(),
        ));
    }
    match SegmentHeader::frame_key(&bytes, storage) {
        Ok(_) => Ok(header),
        Err(SegmentError::WrongKey) => Err(LedgerError::WrongKey(number)),
        Err(error @ SegmentError::Damaged) => Err(damage(error.to_string())),
    }
}
