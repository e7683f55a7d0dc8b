//! A prefecture that says of a municipality what it never said.

use juki_domain::{MunicipalityCode, NodeId, NodeRole, ServiceId};
use juki_journal::message::kind::Kind;
use juki_journal::{BlockHeader, Cursor, JournalMessage, Receipt, SignedBlock, Tier};
use juki_registry::Position;
use prost::Message as _;

use super::names::{invented, town};
use super::{ask_of, of_journal};
use crate::report::{Heard, Report};
use crate::speaker::Answered;
use crate::{Fault, ShiftedClock, Speaker, StolenNode};

/// In a prefecture server's place: an invented entry of `writer`'s town; then the next block that
/// `writer` brings, altered, and as it is. The block has to be on its way: somebody reports a change.
///
/// # Errors
/// [`Fault`] where the attack could not be made.
pub async fn forgery(stolen: &StolenNode, writer: &NodeId) -> Result<Report, Fault> {
    let mut report = Report::new("forgery", stolen.name());
    let to = stolen.server(NodeRole::NationalCenter)?;
    let theirs = town(stolen, writer)?;
    let mut speaker = Speaker::begin(stolen, ShiftedClock::default()).await?;

    let (_, answered) = speaker.ask(&to, ServiceId::Journal, ask_of(theirs)).await?;
    let stand = stand_of(&answered);
    report.honest("asks for the journal", of_journal(&to, answered));

    let block = invented(stolen, theirs)?;
    let heard = bring(&mut speaker, &to, block).await?;
    report.hostile("an invented entry under its own signature", heard);

    let genuine = next_block(stolen, &mut speaker, (writer, theirs), stand).await?;
    let resigned = SignedBlock {
        signature: sign(stolen, &genuine.header),
        ..genuine.clone()
    };
    let heard = bring(&mut speaker, &to, resigned).await?;
    report.hostile("the town's block under its own signature", heard);

    let mut other_digest =
        BlockHeader::decode(genuine.header.as_slice()).map_err(Fault::refused)?;
    other_digest.digest = vec![0; 32];
    let renamed = SignedBlock {
        header: other_digest.encode_to_vec(),
        ..genuine.clone()
    };
    let heard = bring(&mut speaker, &to, renamed).await?;
    report.hostile("the town's block with another header", heard);

    let mut body = genuine.body.clone();
    if let Some(byte) = body.last_mut() {
        *byte ^= 1;
    }
    let altered = SignedBlock {
        body,
        ..genuine.clone()
    };
    let heard = bring(&mut speaker, &to, altered).await?;
    report.hostile("the town's block with another entry", heard);

    let heard = bring(&mut speaker, &to, genuine).await?;
    report.honest("the town's block as it is", heard);
    Ok(report)
}

async fn bring(speaker: &mut Speaker, to: &NodeId, block: SignedBlock) -> Result<Heard, Fault> {
    let body = JournalMessage::bytes(Kind::Block(block));
    let (_, answered) = speaker.ask(to, ServiceId::Journal, body).await?;
    Ok(of_journal(to, answered))
}

/// The signature that the prefecture can give: in the journal's context, with its own key.
fn sign(stolen: &StolenNode, header: &[u8]) -> Vec<u8> {
    stolen.keys.signing.sign("juki block 1", header).to_vec()
}

/// Where the national center stands, as it said.
fn stand_of(answered: &Answered) -> Option<Receipt> {
    let Answered::Body(body) = answered else {
        return None;
    };
    match JournalMessage::decode(body.as_slice()).ok()?.kind {
        Some(Kind::Receipt(receipt)) => Some(receipt),
        Some(Kind::Ask(_) | Kind::Cursor(_) | Kind::Block(_) | Kind::Refused(_)) | None => None,
    }
}

/// The next block of a town that its server brings. The server asks first where the prefecture
/// stands, and hears that it holds what the national center holds.
async fn next_block(
    stolen: &StolenNode,
    speaker: &mut Speaker,
    (writer, municipality): (&NodeId, MunicipalityCode),
    stand: Option<Receipt>,
) -> Result<SignedBlock, Fault> {
    let holds = match stand {
        Some(national) => Kind::Receipt(Receipt::sign(
            municipality,
            Position {
                epoch: national.epoch,
                seq: national.seq,
            },
            &national.block,
            (Tier::Prefecture, stolen.name()),
            &stolen.keys.signing,
        )),
        None => Kind::Cursor(Cursor {
            municipality: municipality.number(),
            ..Cursor::default()
        }),
    };
    loop {
        let heard = speaker.overhear().await?;
        if heard.service != ServiceId::Journal || heard.origin.node != *writer {
            continue;
        }
        let message = JournalMessage::decode(heard.body.as_slice()).map_err(Fault::refused)?;
        match message.kind {
            Some(Kind::Block(block)) => return Ok(block),
            Some(Kind::Ask(_)) => {
                let body = JournalMessage::bytes(holds.clone());
                speaker.reply(&heard.origin, heard.service, body).await?;
            }
            Some(Kind::Cursor(_) | Kind::Receipt(_) | Kind::Refused(_)) | None => {}
        }
    }
}
