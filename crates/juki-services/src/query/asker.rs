//! The asking end, at an agency's terminal: it holds the operator's session and waits for answers.

use std::collections::BTreeMap;

use juki_access::{Authorisation, Grant};
use juki_crypto::{DigestKey, random_array};
use juki_dispatch::{Context, Forward, Origin, Service, Step, Ticket, View};
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_ledger::EntryKind;
use juki_wire::{MessageId, Priority, Refusal};
use prost::Message;

use super::message::{Answered, Question, Request};

/// An operator began or ended a session at this terminal.
pub const OPERATOR_SESSION: EntryKind = EntryKind(96);

/// How long a question waits for its answer, in milliseconds.
const ANSWER_TIMEOUT_MS: u64 = 15_000;

/// Most questions that wait at once.
const PENDING_MAX: usize = 1024;

/// What somebody at the terminal wants.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LocalAsk {
    /// Which thing.
    #[prost(oneof = "local_ask::Kind", tags = "1, 2, 3")]
    pub kind: Option<local_ask::Kind>,
}

/// The kinds of local requests.
pub mod local_ask {
    use super::{Authorisation, Question};

    /// One request.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// Begin a session under a grant (its proof is empty).
        #[prost(message, tag = "1")]
        Login(Authorisation),
        /// Ask a question.
        #[prost(message, tag = "2")]
        Ask(Question),
        /// End the session.
        #[prost(bool, tag = "3")]
        Logout(bool),
    }
}

/// What the terminal's user hears.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LocalAnswer {
    /// The answer of the answering node; absent where none came.
    #[prost(message, optional, tag = "1")]
    pub answered: Option<Answered>,
    /// The code where the question did not reach an answer.
    #[prost(string, tag = "2")]
    pub failure: String,
    /// The node that refused, where one did.
    #[prost(string, tag = "3")]
    pub refused_by: String,
    /// The message's id, for `trace`.
    #[prost(string, tag = "4")]
    pub message_id: String,
}

/// The terminal's asking service.
pub struct Asker {
    answering: NodeId,
    session: Option<(Authorisation, DigestKey, u64)>,
    pending: BTreeMap<MessageId, (Ticket, u64)>,
}

impl Asker {
    /// Asks one answering node.
    #[must_use]
    pub fn new(answering: NodeId) -> Self {
        Self {
            answering,
            session: None,
            pending: BTreeMap::new(),
        }
    }

    fn login(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        authorisation: Authorisation,
    ) -> Step {
        let mut step = Step::none();
        let key: Option<[u8; 32]> = authorisation.key.as_slice().try_into().ok();
        let grant = Grant::decode(authorisation.grant.as_slice()).ok();
        let (Some(key), Some(grant)) = (key, grant) else {
            return fail(step, ticket, ErrorCode::GrantMissing, None);
        };
        if context.now_ms / 1000 > grant.until_s {
            return fail(step, ticket, ErrorCode::GrantExpired, None);
        }
        step.append(OPERATOR_SESSION, authorisation.certificate.clone());
        self.session = Some((authorisation, DigestKey::new(&key), grant.until_s));
        step.answer_local(ticket, LocalAnswer::default().encode_to_vec());
        step
    }

    fn ask(&mut self, context: &Context<'_>, ticket: Ticket, question: Question) -> Step {
        let mut step = Step::none();
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
        let authorisation = self
            .session
            .as_ref()
            .map(|(authorisation, key, _)| Authorisation {
                proof: key.digest(&question).to_vec(),
                ..authorisation.clone()
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
        _view: &mut View,
    ) -> Step {
        match LocalAsk::decode(request).ok().and_then(|ask| ask.kind) {
            Some(local_ask::Kind::Login(authorisation)) => {
                self.login(context, ticket, authorisation)
            }
            Some(local_ask::Kind::Ask(question)) => self.ask(context, ticket, question),
            Some(local_ask::Kind::Logout(_)) => {
                self.session = None;
                let mut step = Step::none();
                step.append(OPERATOR_SESSION, Vec::new());
                step.answer_local(ticket, LocalAnswer::default().encode_to_vec());
                step
            }
            None => fail(Step::none(), ticket, ErrorCode::FrameGarbage, None),
        }
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
        let mut step = Step::none();
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
        if self
            .session
            .as_ref()
            .is_some_and(|(_, _, until_s)| *until_s < context.now_ms / 1000)
        {
            self.session = None;
        }
        step
    }

    fn next_timeout(&self) -> Option<u64> {
        self.pending.values().map(|(_, due)| *due).min()
    }
}
