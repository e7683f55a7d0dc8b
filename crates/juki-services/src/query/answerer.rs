//! The answering end, at the national center and the prefecture server.

use juki_access::{AccessControl, Asked, CardList, Keys, Permit, RefusedAccess};
use juki_audit::{AUDIT, AuditRecord, Outcome};
use juki_crypto::{Notice, NoticeKind};
use juki_dispatch::{Answer, Context, Origin, Service, Step, View};
use juki_domain::{ErrorCode, ServiceId};
use juki_ledger::Entry;
use juki_registry::{Hit, Registry};
use prost::Message as _;

use super::message::{Answered, Question, Request, ShownRecord};
use crate::cards;

/// Items 1 to 6 of the identity record: name, birth date, sex, address, code, change information.
const ALL_ITEMS: [u32; 6] = [1, 2, 3, 4, 5, 6];

/// Answers questions: an audit record first, then the answer.
pub struct QueryAnswerer {
    access: AccessControl,
    registry: Registry,
}

impl QueryAnswerer {
    /// Answers from a registry under an access control.
    #[must_use]
    pub fn new(access: AccessControl, registry: Registry) -> Self {
        Self { access, registry }
    }

    fn judge(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        request: &Request,
        view: &View,
    ) -> (AuditRecord, Answered) {
        let mut audit = AuditRecord {
            at_ms: context.now_ms,
            civil_date: context.civil_date.number(),
            terminal: origin.node.to_string(),
            message_id: origin.message_id.to_string(),
            outcome: Outcome::Refused as u32,
            ..AuditRecord::default()
        };
        let Ok(question) = Question::decode(request.question.as_slice()) else {
            return refused(audit, ErrorCode::FrameGarbage);
        };
        audit.affair.clone_from(&question.affair);
        let lookup = question.lookup();
        let keys = lookup.as_ref().map_or(Keys::Items, |(keys, _)| *keys);
        audit.keys = keys as u32;
        let asked = Asked {
            terminal: origin.node.as_str(),
            affair: &question.affair,
            keys,
            question: &request.question,
        };
        let authorisation = request.authorisation.clone().unwrap_or_default();
        let permit =
            match self
                .access
                .decide(&authorisation, &asked, context.now_ms, context.civil_date)
            {
                Ok(permit) => permit,
                Err(RefusedAccess {
                    code,
                    operator,
                    card,
                    body,
                    starts,
                }) => {
                    audit = AuditRecord {
                        operator,
                        card,
                        body,
                        refusal: code.code().to_owned(),
                        ..audit
                    };
                    return (audit, Answered::refused(code, starts));
                }
            };
        audit = named(audit, &permit);
        match lookup {
            Err(code) => refused(audit, code),
            Ok((_, lookup)) => self.answer(audit, self.registry.look_up(&permit, view, &lookup)),
        }
    }

    fn answer(&self, mut audit: AuditRecord, hit: Hit) -> (AuditRecord, Answered) {
        let outcome = match &hit {
            Hit::None => Outcome::NoMatch,
            Hit::One(_) => Outcome::Match,
            Hit::Several => Outcome::Several,
        };
        audit.outcome = outcome as u32;
        let mut answered = Answered {
            outcome: outcome as u32,
            ..Answered::default()
        };
        if let Hit::One(record) = hit {
            audit.person = self.registry.pseudonym(&record.change.record.code).to_vec();
            audit.items = ALL_ITEMS.to_vec();
            answered.record = Some(ShownRecord::of(&record));
        }
        (audit, answered)
    }
}

fn named(audit: AuditRecord, permit: &Permit) -> AuditRecord {
    AuditRecord {
        operator: permit.operator.clone(),
        card: permit.card.clone(),
        body: permit.body.clone(),
        statute: permit.statute.clone(),
        ..audit
    }
}

fn refused(audit: AuditRecord, code: ErrorCode) -> (AuditRecord, Answered) {
    (
        AuditRecord {
            refusal: code.code().to_owned(),
            ..audit
        },
        Answered::refused(code, None),
    )
}

impl Service for QueryAnswerer {
    fn name(&self) -> &'static str {
        ServiceId::Query.name()
    }

    fn on_message(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &mut View,
    ) -> Step {
        if origin.reply {
            return Step::none();
        }
        // What cannot be read has no authorisation either, and is refused and recorded for that.
        let request = Request::decode(message).unwrap_or_default();
        let (audit, answered) = self.judge(context, origin, &request, view);
        let mut step = Step::none();
        step.append(AUDIT, audit.encode_to_vec());
        step.answer(Answer::to(
            origin,
            ServiceId::Query,
            answered.encode_to_vec(),
        ));
        step
    }

    fn on_notice(&mut self, context: &Context<'_>, notice: &Notice, view: &mut View) -> Step {
        match notice.kind {
            NoticeKind::CardList => {
                let read = CardList::decode(&notice.body).ok();
                let step = cards::record(context, notice, read.as_ref(), view);
                if let Some(listed) = read {
                    self.access.install_cards(listed);
                }
                step
            }
            NoticeKind::LegalBasis | NoticeKind::Directory => Step::none(),
        }
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        cards::recorded(entry, view);
    }
}

#[cfg(test)]
mod tests;
