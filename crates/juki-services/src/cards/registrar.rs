//! The registrar's desk for cards: it judges signed acts, records them, and lists what may not be used.

use juki_access::{
    ActError, ActJudge, CardCertificate, CardList, LISTED_MAX, Role, SERIAL_LEN_MAX, SignedAct,
};
use juki_crypto::{VerifyingKey, random_array};
use juki_dispatch::{Context, Origin, Service, Step, Ticket, View};
use juki_domain::ErrorCode;
use juki_ledger::Entry;
use prost::Message as _;

use super::message::cards_ask::Kind;
use super::{
    ActKind, CARD_ACT, CardAct, CardActRecord, CardRow, CardsAnswer, CardsAsk, FirstCards, done,
    rules,
};

/// The name by which the registrar's routes reach the service. No frame carries it.
pub const SERVICE: &str = "registrar-cards";
/// The subject of card acts.
pub const ACT_SUBJECT: &str = "cards";

/// Lines of the card ledger in one answer.
const PAGE_LINES: usize = 500;
const DAY_S: u64 = 24 * 3600;
/// What is left of a card's name on the list after the card itself has expired.
const LISTED_AFTER_S: u64 = DAY_S;
const COUNT: &[u8] = b"on";

/// Decides what is done with cards. Its state is the fold of [`CARD_ACT`] entries.
pub struct CardRegistrar {
    registrar: VerifyingKey,
    judge: ActJudge,
}

impl CardRegistrar {
    /// A desk that begins now, under the registrar's public key.
    #[must_use]
    pub fn new(registrar: VerifyingKey, began_ms: u64) -> Self {
        Self {
            registrar,
            judge: ActJudge::new(ACT_SUBJECT, registrar, began_ms),
        }
    }

    fn act(
        &mut self,
        context: &Context<'_>,
        signed: &SignedAct,
        view: &mut View,
    ) -> Result<(Step, CardRow), ErrorCode> {
        let mut act = CardAct::decode(signed.act.as_slice()).map_err(|_| ErrorCode::ActInvalid)?;
        let kind = ActKind::from_number(act.kind).ok_or(ErrorCode::ActInvalid)?;
        rules::check_note(&act.note)?;
        let row = (kind != ActKind::Enrol).then(|| CardRow::of(view, &act.serial));
        let roles = match &row {
            Some(row) => row
                .as_ref()
                .map(|row| row.roles.clone())
                .unwrap_or_default(),
            None => act.roles.clone(),
        };
        let by = self.actor(context, signed, rules::roles(kind, &roles), view)?;
        let mut valid_until_s = 0;
        match row {
            None => {
                rules::check_enrolment(&act)?;
                if count(view) >= LISTED_MAX as u64 {
                    return Err(ErrorCode::RateExceeded);
                }
                let drawn = random_array::<8>(context.randomness);
                act.serial = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
                valid_until_s = context.now_ms / 1000 + u64::from(act.days) * DAY_S;
            }
            Some(None) => return Err(ErrorCode::CardUnknown),
            Some(Some(row)) => {
                rules::check_state(kind, &act, &row, context.now_ms / 1000)?;
                // Only an enrolment says whose the card is.
                act = CardAct {
                    kind: act.kind,
                    serial: act.serial,
                    reason: act.reason,
                    note: act.note,
                    ..CardAct::default()
                };
            }
        }
        let record = CardActRecord {
            at_ms: context.now_ms,
            civil_date: context.civil_date.number(),
            by: by.operator,
            by_card: by.serial,
            act: Some(act.clone()),
            valid_until_s,
            signed: signed.encode_to_vec(),
        };
        let row = CardRow::after(CardRow::of(view, &act.serial), &record, &act);
        let mut step = Step::none();
        step.append(CARD_ACT, record.encode_to_vec());
        Ok((step, row))
    }

    /// Who acts: a card that the ledger knows, that is lent, and that carries one of the roles.
    fn actor(
        &mut self,
        context: &Context<'_>,
        signed: &SignedAct,
        roles: &[Role],
        view: &View,
    ) -> Result<CardCertificate, ErrorCode> {
        actor(&mut self.judge, context, signed, roles, view)
    }

    fn enter(&self, context: &Context<'_>, first: &FirstCards, view: &View) -> Step {
        let mut step = Step::none();
        for bytes in first.certificates.iter().take(LISTED_MAX) {
            let Ok(card) = CardCertificate::decode(bytes.as_slice()) else {
                continue;
            };
            let is_known = CardRow::of(view, &card.serial).is_some();
            let fits = !card.serial.is_empty() && card.serial.len() <= SERIAL_LEN_MAX;
            // One that has expired meanwhile belongs into the ledger all the same.
            if is_known || !fits || card.verify(&self.registrar, 0).is_err() {
                continue;
            }
            let record = CardActRecord {
                at_ms: context.now_ms,
                civil_date: context.civil_date.number(),
                valid_until_s: card.valid_until_s,
                act: Some(CardAct {
                    kind: ActKind::Entered as u32,
                    serial: card.serial,
                    operator: card.operator,
                    body: card.body,
                    roles: card.roles,
                    key: card.key,
                    ..CardAct::default()
                }),
                ..CardActRecord::default()
            };
            step.append(CARD_ACT, record.encode_to_vec());
        }
        step
    }
}

/// The cards that may not be used, from their lines.
fn list(view: &View, now_s: u64) -> CardList {
    let mut list = CardList::default();
    let mut after = String::new();
    loop {
        let page = CardRow::page(view, &after, PAGE_LINES);
        let Some(last) = page.last() else {
            return list;
        };
        after.clone_from(&last.serial);
        for row in &page {
            // An expired card is refused for its date; its name need not stay for ever.
            if let Some(reason) = row.listed()
                && row.valid_until_s + LISTED_AFTER_S > now_s
            {
                // There are never more cards than the list has room for.
                let _ = list.list(&row.serial, reason, row.since_s);
            }
        }
    }
}

fn count(view: &View) -> u64 {
    view.get(COUNT)
        .and_then(|bytes| bytes.as_ref().try_into().ok())
        .map_or(0, u64::from_be_bytes)
}

/// Whose act it is, where the card may be used and carries one of the roles. The card ledger in the
/// view knows better than any list that was signed.
pub(crate) fn actor(
    judge: &mut ActJudge,
    context: &Context<'_>,
    signed: &SignedAct,
    roles: &[Role],
    view: &View,
) -> Result<CardCertificate, ErrorCode> {
    let card = CardCertificate::decode(signed.certificate.as_slice())
        .map_err(|_| ErrorCode::ActInvalid)?;
    if done::is_done(view, signed) {
        return Err(ActError::Repeated.code());
    }
    let row = CardRow::of(view, &card.serial).ok_or(ErrorCode::CardUnknown)?;
    let mut listed = CardList::default();
    if let Some(reason) = row.listed() {
        // The row has a serial that fits, and the list is empty.
        let _ = listed.list(&row.serial, reason, row.since_s);
    }
    judge
        .judge(signed, roles, &listed, context.now_ms)
        .map_err(ActError::code)
}

impl Service for CardRegistrar {
    fn name(&self) -> &'static str {
        SERVICE
    }

    fn on_message(&mut self, _: &Context<'_>, _: &Origin, _: &[u8], _: &mut View) -> Step {
        Step::none()
    }

    fn on_local(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        request: &[u8],
        view: &mut View,
    ) -> Step {
        let mut answer = CardsAnswer::default();
        let mut step = Step::none();
        match CardsAsk::decode(request).ok().and_then(|ask| ask.kind) {
            Some(Kind::Act(signed)) => match self.act(context, &signed, view) {
                Ok((done, card)) => {
                    step = done;
                    answer.card = Some(card);
                }
                Err(code) => answer.failure = code.code().to_owned(),
            },
            Some(Kind::Enter(first)) => step = self.enter(context, &first, view),
            Some(Kind::Page(page)) => {
                answer.page = CardRow::page(view, &page.after, PAGE_LINES);
            }
            Some(Kind::List(_)) => answer.list = list(view, context.now_ms / 1000).encode(),
            None => answer.failure = ErrorCode::FrameGarbage.code().to_owned(),
        }
        step.answer_local(ticket, answer.encode_to_vec());
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        if entry.kind != CARD_ACT {
            return;
        }
        let Ok(record) = CardActRecord::decode(entry.payload.as_slice()) else {
            return;
        };
        let Some(act) = &record.act else { return };
        // What came with the network nobody signed for.
        if let Ok(signed) = SignedAct::decode(record.signed.as_slice())
            && !record.signed.is_empty()
        {
            done::note(view, &signed);
        }
        let before = CardRow::of(view, &act.serial);
        if before.is_none() {
            view.put(COUNT.to_vec(), (count(view) + 1).to_be_bytes().to_vec());
        }
        CardRow::after(before, &record, act).put(view);
    }
}

#[cfg(test)]
mod tests;
