//! An operator who sets the terminal's clock back, to go on under what has ended.

use std::path::Path;

use juki_access::Grant;
use juki_domain::{NodeRole, ServiceId};
use juki_runtime::Clock as _;
use juki_smartcard::{SoftCard, UnlockedCard};
use prost::Message as _;

use super::card::{Authority, ask, grant, of_query, request};
use crate::report::Report;
use crate::{Fault, ShiftedClock, Speaker, StolenNode};

const HOUR_MS: i64 = 3_600_000;

/// At a terminal, with a card and its PIN: grants of another time, and sessions opened under a clock
/// that went back.
///
/// # Errors
/// [`Fault`] where the attack could not be made.
pub async fn clock_set_back(
    stolen: &StolenNode,
    card: &Path,
    pin: &str,
    affair: &str,
) -> Result<Report, Fault> {
    let mut report = Report::new("clock", stolen.name());
    let to = stolen.server(NodeRole::NationalCenter)?;
    let card = SoftCard::open(card).map_err(Fault::refused)?;
    let card = card.unlock(pin).map_err(Fault::refused)?;
    let terminal = stolen.name().as_str();
    let (now, back) = (ShiftedClock::default(), ShiftedClock { by_ms: -HOUR_MS });
    let ahead = ShiftedClock { by_ms: HOUR_MS };
    let mut speaker = Speaker::begin(stolen, now).await?;

    let honest = authority(&card, grant(terminal, now.now_ms() / 1000));
    let words = request(affair, Some(&honest));
    let (first, answered) = speaker.ask(&to, ServiceId::Query, words).await?;
    report.honest("a grant of now", of_query(&to, answered));

    let old = authority(&card, grant(terminal, back.now_ms() / 1000));
    let heard = ask(&mut speaker, &to, affair, Some(&old)).await?;
    report.hostile("a grant of an hour ago", heard);

    let early = authority(&card, grant(terminal, ahead.now_ms() / 1000));
    let heard = ask(&mut speaker, &to, affair, Some(&early)).await?;
    report.hostile("a grant of an hour ahead", heard);

    let heard = ask(
        &mut speaker,
        &to,
        affair,
        Some(&day_long(&card, terminal, now)?),
    )
    .await?;
    report.hostile("a grant for a whole day", heard);

    let elsewhere = authority(&card, grant("agency-other", now.now_ms() / 1000));
    let heard = ask(&mut speaker, &to, affair, Some(&elsewhere)).await?;
    report.hostile("a grant for another terminal", heard);

    speaker.restart(stolen, back);
    let heard = ask(&mut speaker, &to, affair, Some(&honest)).await?;
    report.honest("a session opened under a clock set back", heard);
    let heard = speaker.throw(first.id, &first.frame).await?;
    report.hostile("a frame of the session before", heard);
    Ok(report)
}

fn authority(card: &UnlockedCard, (grant, key): (Vec<u8>, [u8; 32])) -> Authority {
    Authority {
        signature: card.sign_in(Grant::context(), &grant).to_vec(),
        grant,
        certificate: card.certificate().to_vec(),
        key,
    }
}

/// A grant that lives longer than any may; the card signs whatever it is given.
fn day_long(card: &UnlockedCard, terminal: &str, now: ShiftedClock) -> Result<Authority, Fault> {
    let now_s = now.now_ms() / 1000;
    let (bytes, key) = grant(terminal, now_s);
    let mut long = Grant::decode(bytes.as_slice()).map_err(Fault::refused)?;
    long.until_s = now_s + 24 * 3_600;
    Ok(authority(card, (long.encode_to_vec(), key)))
}
