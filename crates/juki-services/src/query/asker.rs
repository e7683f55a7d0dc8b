//! The asking end, at an agency's terminal: it holds the operators' sessions and waits for answers.

use std::collections::BTreeMap;

use juki_access::{Authorisation, CardCertificate, CardList, Grant};
use juki_audit::{PIN_FAILED, PinFailed};
use juki_crypto::{Notice, NoticeKind, random_array};
use juki_dispatch::{Context, Forward, Origin, Service, Step, Ticket, View};
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_ledger::{Entry, EntryKind};
use juki_wire::{MessageId, Priority, Refusal};
use prost::Message as _;

use super::local::{CardAtHand, LocalAnswer, LocalAsk, WrongPin, local_ask};
use super::logins::{EndedFor, Login, Logins, SESSION_ENDED, SessionEnded};
use super::message::{Answered, Question, Request};
use super::pins;
use crate::cards;

/// An operator began a session at this terminal.
pub const OPERATOR_SESSION: EntryKind = EntryKind(96);

/// How long a question waits for its answer, in milliseconds.
const ANSWER_TIMEOUT_MS: u64 = 15_000;

/// Most questions that wait at once.
const PENDING_MAX: usize = 1024;

/// How long a session lasts without a question, where nothing else is said: five minutes.
const IDLE_MS: u64 = 300_000;

/// The terminal's asking service.
pub struct Asker {
    answering: NodeId,
    logins: Logins,
    listed: CardList,
    pending: BTreeMap<MessageId, (Ticket, u64)>,
}

impl Asker {
    /// Asks one answering node.
    #[must_use]
    pub fn new(answering: NodeId) -> Self {
        Self::with_idle_ms(answering, IDLE_MS)
    }

    /// The same, with sessions that end after so long without a question.
    #[must_use]
    pub fn with_idle_ms(answering: NodeId, idle_ms: u64) -> Self {
        Self {
            answering,
            logins: Logins::new(idle_ms),
            listed: CardList::default(),
            pending: BTreeMap::new(),
        }
    }

    fn login(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        authorisation: Authorisation,
    ) -> Step {
        let mut step = self.end_due(context);
        let key: Option<[u8; 32]> = authorisation.key.as_slice().try_into().ok();
        let grant = Grant::decode(authorisation.grant.as_slice()).ok();
        let (Some(key), Some(grant)) = (key, grant) else {
            return fail(step, ticket, ErrorCode::GrantMissing, None);
        };
        let Ok(card) = CardCertificate::decode(authorisation.certificate.as_slice()) else {
            return fail(step, ticket, ErrorCode::CardUnknown, None);
        };
        let now_s = context.now_ms / 1000;
        if now_s > grant.until_s {
            return fail(step, ticket, ErrorCode::GrantExpired, None);
        }
        if now_s > card.valid_until_s {
            return fail(step, ticket, ErrorCode::CardExpired, None);
        }
        if self.listed.get(&card.serial).is_some() {
            return fail(step, ticket, ErrorCode::CardListed, None);
        }
        append_ended(&mut step, context, self.logins.end_of_card(&card.serial));
        if self.logins.is_full() {
            return fail(step, ticket, ErrorCode::LoginsFull, None);
        }
        let drawn = random_array::<16>(context.randomness);
        let token: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
        step.append(OPERATOR_SESSION, authorisation.certificate.clone());
        // The card's own end is one of the session's.
        let until_ms = grant.until_s.min(card.valid_until_s) * 1000 + 999;
        let login = Login::new(authorisation, &key, card.serial, until_ms);
        self.logins.begin(token.clone(), login, context.now_ms);
        let answer = LocalAnswer {
            session: token,
            ..LocalAnswer::default()
        };
        step.answer_local(ticket, answer.encode_to_vec());
        step
    }

    fn ask(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        session: &str,
        question: Question,
    ) -> Step {
        let mut step = self.end_due(context);
        // Without a session the question travels all the same: the refusal must be on record where
        // records are kept. Only a terminal that is full refuses by itself.
        if self.pending.len() >= PENDING_MAX {
            return fail(step, ticket, ErrorCode::RateExceeded, None);
        }
        let question = Question {
            nonce: random_array::<8>(context.randomness).to_vec(),
            ..question
        }
        .encode_to_vec();
        let login = self.logins.used(session, context.now_ms);
        // Whoever names a session would wonder at being told that nobody has logged in.
        if login.is_none() && !session.is_empty() {
            return fail(step, ticket, ErrorCode::LoginEnded, None);
        }
        let authorisation = login.map(|login| Authorisation {
            proof: login.key.digest(&question).to_vec(),
            ..login.authorisation.clone()
        });
        let message_id = MessageId(random_array(context.randomness));
        self.pending
            .insert(message_id, (ticket, context.now_ms + ANSWER_TIMEOUT_MS));
        let body = Request {
            question,
            authorisation,
        }
        .encode_to_vec();
        step.forward(
            Forward::new(
                self.answering.clone(),
                ServiceId::Query,
                Priority::Interactive,
                body,
            )
            .with_id(message_id),
        );
        step
    }

    fn logout(&mut self, context: &Context<'_>, ticket: Ticket, session: &str) -> Step {
        let mut step = self.end_due(context);
        let card = self.logins.end(session);
        if card.is_none() && !session.is_empty() {
            return fail(step, ticket, ErrorCode::LoginEnded, None);
        }
        let card = card.unwrap_or_default();
        append_ended(&mut step, context, vec![(card, EndedFor::Logout)]);
        step.answer_local(ticket, LocalAnswer::default().encode_to_vec());
        step
    }

    fn admit(&self, ticket: Ticket, card: &CardAtHand, view: &View) -> Step {
        let mut step = Step::none();
        let refusal = if self.listed.get(&card.serial).is_some() {
            Some(ErrorCode::CardListed)
        } else if pins::is_locked(view, &card.serial, card.unlockings) {
            Some(ErrorCode::CardLocked)
        } else {
            None
        };
        match refusal {
            Some(code) => fail(step, ticket, code, None),
            None => {
                step.answer_local(ticket, LocalAnswer::default().encode_to_vec());
                step
            }
        }
    }

    fn end_due(&mut self, context: &Context<'_>) -> Step {
        let mut step = Step::none();
        append_ended(&mut step, context, self.logins.end_due(context.now_ms));
        step
    }
}

fn wrong_pin(context: &Context<'_>, ticket: Ticket, wrong: WrongPin) -> Step {
    let card = wrong.card.unwrap_or_default();
    let failed = PinFailed {
        at_ms: context.now_ms,
        card: card.serial,
        left: wrong.left,
        unlockings: card.unlockings,
    };
    let mut step = Step::none();
    step.append(PIN_FAILED, failed.encode_to_vec());
    step.answer_local(ticket, LocalAnswer::default().encode_to_vec());
    step
}

fn append_ended(step: &mut Step, context: &Context<'_>, ended: Vec<(String, EndedFor)>) {
    for (card, reason) in ended {
        let record = SessionEnded {
            at_ms: context.now_ms,
            card,
            reason: reason as u32,
        };
        step.append(SESSION_ENDED, record.encode_to_vec());
    }
}

fn fail(
    mut step: Step,
    ticket: Ticket,
    code: ErrorCode,
    refused: Option<(&Refusal, MessageId)>,
) -> Step {
    let answer = LocalAnswer {
        answered: None,
        failure: refused.map_or_else(
            || code.code().to_owned(),
            |(refusal, _)| refusal.code.clone(),
        ),
        refused_by: refused.map_or_else(String::new, |(refusal, _)| refusal.node.clone()),
        message_id: refused.map_or_else(String::new, |(_, id)| id.to_string()),
        session: String::new(),
    };
    step.answer_local(ticket, answer.encode_to_vec());
    step
}

impl Service for Asker {
    fn name(&self) -> &'static str {
        ServiceId::Query.name()
    }

    fn on_local(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        request: &[u8],
        view: &mut View,
    ) -> Step {
        let ask = LocalAsk::decode(request).unwrap_or_default();
        match ask.kind {
            Some(local_ask::Kind::Login(authorisation)) => {
                self.login(context, ticket, authorisation)
            }
            Some(local_ask::Kind::Ask(question)) => {
                self.ask(context, ticket, &ask.session, question)
            }
            Some(local_ask::Kind::Logout(_)) => self.logout(context, ticket, &ask.session),
            Some(local_ask::Kind::Admit(card)) => self.admit(ticket, &card, view),
            Some(local_ask::Kind::WrongPin(wrong)) => wrong_pin(context, ticket, wrong),
            None => fail(Step::none(), ticket, ErrorCode::FrameGarbage, None),
        }
    }

    fn on_notice(&mut self, context: &Context<'_>, notice: &Notice, view: &mut View) -> Step {
        if notice.kind != NoticeKind::CardList {
            return Step::none();
        }
        let read = cards::read(notice, view);
        let mut step = cards::record(context, notice, read.as_ref(), view);
        if let Some(listed) = read {
            let ended = self.logins.end_listed(&listed);
            append_ended(&mut step, context, ended);
            self.listed = listed;
        }
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        cards::recorded(entry, view);
        pins::fold(entry, view);
    }

    fn on_message(
        &mut self,
        _context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        _view: &mut View,
    ) -> Step {
        let mut step = Step::none();
        if origin.node != self.answering || !origin.reply {
            return step;
        }
        if let Some((ticket, _)) = self.pending.remove(&origin.message_id) {
            let answered = Answered::decode(message).ok();
            let failure = if answered.is_some() {
                String::new()
            } else {
                ErrorCode::FrameGarbage.code().to_owned()
            };
            let answer = LocalAnswer {
                answered,
                failure,
                refused_by: String::new(),
                message_id: origin.message_id.to_string(),
                session: String::new(),
            };
            step.answer_local(ticket, answer.encode_to_vec());
        }
        step
    }

    fn on_refused(
        &mut self,
        _context: &Context<'_>,
        message_id: MessageId,
        refusal: &Refusal,
        _view: &mut View,
    ) -> Step {
        match self.pending.remove(&message_id) {
            Some((ticket, _)) => fail(
                Step::none(),
                ticket,
                ErrorCode::LineDown,
                Some((refusal, message_id)),
            ),
            None => Step::none(),
        }
    }

    fn on_timeout(&mut self, context: &Context<'_>, _view: &mut View) -> Step {
        let mut step = self.end_due(context);
        let late: Vec<MessageId> = self
            .pending
            .iter()
            .filter(|(_, (_, due))| *due <= context.now_ms)
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            if let Some((ticket, _)) = self.pending.remove(&id) {
                step = fail(step, ticket, ErrorCode::AnswerTimeout, None);
            }
        }
        step
    }

    fn next_timeout(&self) -> Option<u64> {
        let answers = self.pending.values().map(|(_, due)| *due).min();
        answers.into_iter().chain(self.logins.next_due()).min()
    }
}

#[cfg(test)]
mod tests;
