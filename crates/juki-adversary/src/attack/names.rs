//! A communication server that speaks for another municipality.

use std::sync::Arc;

use juki_crypto::{SystemRandomness, random_array};
use juki_domain::{MunicipalityCode, NodeId, NodeRole, ServiceId};
use juki_journal::message::kind::Kind;
use juki_journal::{JOURNAL_ENTRY, JournalEntry, JournalMessage, SignedBlock};
use juki_ledger::Entry;
use juki_services::codes::{CodeBlock, CodeRequest};
use prost::Message as _;

use super::{ask_of, of_journal};
use crate::report::{Heard, Report};
use crate::speaker::Answered;
use crate::{Fault, ShiftedClock, Speaker, StolenNode};

/// In a communication server's place: uses the name, the journal and the codes of `other`'s town.
///
/// # Errors
/// [`Fault`] where the attack could not be made.
pub async fn names(stolen: &StolenNode, other: &NodeId) -> Result<Report, Fault> {
    let mut report = Report::new("names", stolen.name());
    let to = stolen.server(NodeRole::PrefectureServer)?;
    let (own, theirs) = (town(stolen, stolen.name())?, town(stolen, other)?);
    let mut speaker = Speaker::begin(stolen, ShiftedClock::default()).await?;

    let (_, answered) = speaker.ask(&to, ServiceId::Journal, ask_of(own)).await?;
    report.honest("asks for its own journal", of_journal(&to, answered));

    let mut header = speaker.header(ServiceId::Journal, &to);
    header.source = other.clone();
    let frame = header.frame(&[5; 64]).map_err(Fault::refused)?;
    let heard = speaker.throw(header.message_id, &frame).await?;
    report.hostile("a frame in the other's name", heard);

    let (_, answered) = speaker.ask(&to, ServiceId::Journal, ask_of(theirs)).await?;
    report.hostile("asks for the other's journal", of_journal(&to, answered));

    let block = JournalMessage::bytes(Kind::Block(invented(stolen, theirs)?));
    let (_, answered) = speaker.ask(&to, ServiceId::Journal, block).await?;
    report.hostile("a block of the other's journal", of_journal(&to, answered));

    let request = CodeRequest {
        municipality: theirs.number(),
        number: 1,
        count: 100,
    };
    let (_, answered) = speaker
        .ask(&to, ServiceId::CodeAllocation, request.encode_to_vec())
        .await?;
    report.hostile("asks for the other's codes", of_codes(&to, answered));
    Ok(report)
}

/// The municipality whose journal a node writes.
pub(super) fn town(stolen: &StolenNode, node: &NodeId) -> Result<MunicipalityCode, Fault> {
    let entry = stolen.keys.directory.entry(node);
    entry
        .and_then(|entry| entry.municipality)
        .ok_or_else(|| Fault::Missing(format!("{node} is the server of no municipality")))
}

/// A block in right form of a municipality's journal, signed with the stolen key. Its one entry says
/// nothing that could be read as a change: nobody shall come so far.
pub(super) fn invented(
    stolen: &StolenNode,
    municipality: MunicipalityCode,
) -> Result<SignedBlock, Fault> {
    let entry = JournalEntry {
        epoch: 1,
        seq: 1,
        change: vec![0xff; 8],
    };
    let entry = Arc::new(Entry {
        seq: 1,
        at_ms: 1,
        kind: JOURNAL_ENTRY,
        salt: random_array(&SystemRandomness),
        payload: entry.encode_to_vec(),
    });
    let key = stolen.keys.signing.as_ref();
    SignedBlock::sign(municipality, &[entry], &[], [0; 32], key).map_err(Fault::refused)
}

fn of_codes(by: &NodeId, answered: Answered) -> Heard {
    let body = match answered {
        Answered::Body(body) => body,
        Answered::Not(heard) => return heard,
    };
    match CodeBlock::decode(body.as_slice()) {
        Ok(block) if block.refusal.is_empty() => Heard::Taken,
        Ok(block) => Heard::Refused {
            node: by.to_string(),
            rule: "code-allocation".to_owned(),
            code: block.refusal,
        },
        Err(_) => Heard::Silence,
    }
}
