//! Frames that come again, in another order, late, or altered on their way.

use juki_domain::{NodeId, NodeRole, ServiceId};
use juki_wire::Header;

use super::{ask_of, of_journal};
use crate::report::{Heard, Report};
use crate::speaker::{Answered, Said};
use crate::{Fault, ShiftedClock, Speaker, StolenNode};

/// One more than the frames that may come behind the highest number (docs/wire.md).
const BEHIND: usize = 1_026;

/// In a communication server's place: repeats, alters, reorders.
///
/// # Errors
/// [`Fault`] where the attack could not be made.
pub async fn frames(stolen: &StolenNode) -> Result<Report, Fault> {
    let mut report = Report::new("frames", stolen.name());
    let to = stolen.server(NodeRole::PrefectureServer)?;
    let own = stolen.config.node.municipality;
    let own = own.ok_or_else(|| Fault::Missing("the node is of no municipality".to_owned()))?;
    let mut speaker = Speaker::begin(stolen, ShiftedClock::default()).await?;

    let (first, answered) = speaker.ask(&to, ServiceId::Journal, ask_of(own)).await?;
    report.honest("a frame", of_journal(&to, answered));
    let again = speaker.throw(first.id, &first.frame).await?;
    report.hostile("the same frame again", again);

    let fresh = speaker.seal(&to, ServiceId::Journal, ask_of(own))?;
    for (what, frame) in altered(&fresh) {
        let heard = speaker.throw(fresh.id, &frame).await?;
        report.hostile(what, heard);
    }
    report.honest(
        "the frame as it was",
        deliver(&mut speaker, &to, &fresh).await?,
    );

    let early = speaker.seal(&to, ServiceId::Journal, ask_of(own))?;
    let late = speaker.seal(&to, ServiceId::Journal, ask_of(own))?;
    report.honest(
        "a frame that overtook another",
        deliver(&mut speaker, &to, &late).await?,
    );
    report.honest(
        "the frame that was overtaken",
        deliver(&mut speaker, &to, &early).await?,
    );
    let again = speaker.throw(early.id, &early.frame).await?;
    report.hostile("the overtaken frame again", again);

    let held_back = speaker.seal(&to, ServiceId::Journal, ask_of(own))?;
    let mut last = speaker.seal(&to, ServiceId::Journal, ask_of(own))?;
    for _ in 0..BEHIND {
        last = speaker.seal(&to, ServiceId::Journal, ask_of(own))?;
    }
    report.honest(
        "a frame far ahead",
        deliver(&mut speaker, &to, &last).await?,
    );
    let heard = speaker.throw(held_back.id, &held_back.frame).await?;
    report.hostile("a frame far behind", heard);
    Ok(report)
}

async fn deliver(speaker: &mut Speaker, to: &NodeId, said: &Said) -> Result<Heard, Fault> {
    speaker.send(&said.frame).await?;
    let answered: Answered = speaker.answer(said.id).await;
    Ok(of_journal(to, answered))
}

/// The same message with something changed that a node on the way could change.
fn altered(said: &Said) -> Vec<(&'static str, Vec<u8>)> {
    let flipped = |at: usize| {
        let mut frame = said.frame.to_vec();
        if let Some(byte) = frame.get_mut(at) {
            *byte ^= 1;
        }
        frame
    };
    let mut cases = vec![
        ("its last byte altered", flipped(said.frame.len() - 1)),
        ("another calendar in its header", flipped(11)),
    ];
    if let Ok((header, body_len)) = Header::decode(&said.frame) {
        let body = said.frame.slice(said.frame.len() - body_len..);
        let later = Header {
            sequence: header.sequence + 1,
            ..header
        };
        if let Ok(frame) = later.frame(&body) {
            cases.push(("another number in its header", frame.to_vec()));
        }
    }
    cases
}
