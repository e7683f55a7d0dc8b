//! Sealed bodies that came by, and somebody who wants to read or use them.

use std::fs;
use std::path::Path;

use juki_crypto::Opening;
use juki_dispatch::OpenedFrame;
use juki_runtime::Clock as _;
use juki_wire::{FrameKind, FrameParts};
use prost::Message as _;

use crate::report::{Heard, Report};
use crate::tampering::read_frames;
use crate::{Fault, ShiftedClock, Speaker, StolenNode};

/// With a node's keys: tries to open and to use the frames in a file that [`crate::Tampering`] kept,
/// none of which is for this node.
///
/// # Errors
/// [`Fault`] where the attack could not be made, for example since the file holds no frame with an
/// opening.
pub async fn body(stolen: &StolenNode, frames: &Path) -> Result<Report, Fault> {
    let mut report = Report::new("body", stolen.name());
    let text = fs::read_to_string(frames).map_err(|source| Fault::File {
        path: frames.to_owned(),
        source,
    })?;
    let others = read_frames(&text)
        .into_iter()
        .filter_map(|frame| FrameParts::decode(&frame).ok())
        .filter(|parts| parts.header.kind == FrameKind::Message)
        .filter(|parts| {
            parts.header.destination != *stolen.name() && parts.header.source != *stolen.name()
        });
    let with_opening = others.filter(|parts| parts.header.flags.opening);
    let Some(parts) = with_opening.last() else {
        return Err(Fault::Missing("no frame with an opening".to_owned()));
    };
    report.hostile("opens the session's secret", envelope(stolen, &parts));
    report.hostile("opens the body as its own", own(stolen, &parts));

    let mut speaker = Speaker::begin(stolen, ShiftedClock::default()).await?;
    let id = parts.header.message_id;
    let whole = [parts.header_bytes.as_ref(), parts.body.as_ref()].concat();
    let heard = speaker.throw(id, &whole).await?;
    report.hostile("sends the frame as it is", heard);

    let mut taken_over = parts.header.clone();
    taken_over.source = stolen.name().clone();
    let frame = taken_over.frame(&parts.body).map_err(Fault::refused)?;
    let heard = speaker.throw(id, &frame).await?;
    report.hostile("sends the body under its own name", heard);
    Ok(report)
}

/// The envelope that holds the session's secret, with the stolen sealing key.
fn envelope(stolen: &StolenNode, parts: &FrameParts) -> Heard {
    let opening = parts
        .body
        .split_first_chunk::<2>()
        .and_then(|(length, rest)| rest.get(..usize::from(u16::from_be_bytes(*length))))
        .and_then(|opening| Opening::decode(opening).ok());
    let Some(opening) = opening else {
        return Heard::Silence;
    };
    match stolen
        .keys
        .sealing
        .open_envelope(b"juki session secret 1", &opening.envelope)
    {
        Ok(_) => Heard::Taken,
        Err(error) => not_opened(stolen, error.code()),
    }
}

/// The frame, as if it were addressed to the stolen node.
fn own(stolen: &StolenNode, parts: &FrameParts) -> Heard {
    let mut header = parts.header.clone();
    header.destination = stolen.name().clone();
    let Ok(frame) = header.frame(&parts.body) else {
        return Heard::Silence;
    };
    let Ok(parts) = FrameParts::decode(&frame) else {
        return Heard::Silence;
    };
    let now_ms = ShiftedClock::default().now_ms();
    match stolen.sessions().open(now_ms, &parts) {
        OpenedFrame::Message { .. } => Heard::Taken,
        OpenedFrame::Reject { code, .. } => not_opened(stolen, code),
        OpenedFrame::Resend(_) => Heard::Reset,
        OpenedFrame::Refused { .. } | OpenedFrame::Nothing => Heard::Silence,
    }
}

fn not_opened(stolen: &StolenNode, code: juki_domain::ErrorCode) -> Heard {
    Heard::Refused {
        node: stolen.name().to_string(),
        rule: "session".to_owned(),
        code: code.code().to_owned(),
    }
}
