//! The answering end, at the national center and the prefecture server.

use juki_access::{AccessControl, Asked, Keys, Permit, RefusedAccess};
use juki_audit::{AUDIT, AuditRecord, Outcome};
use juki_crypto::{Notice, NoticeKind, sha256};
use juki_dispatch::{Answer, Context, LedgerRead, Origin, Service, Step, View};
use juki_domain::{CivilDate, ErrorCode, RecordItem, ServiceId, is_purpose_id};
use juki_ledger::Entry;
use juki_registry::{Hit, Registry, Standing};
use prost::Message as _;

use super::basis::{self, BASIS_IN_FORCE};
use super::message::{Answered, Question, Request, ShownRecord};
use super::refusals::RefusalRuns;
use crate::cards;

/// Answers questions: an audit record first, then the answer.
pub struct QueryAnswerer {
    access: AccessControl,
    tables: &'static [&'static str],
    registry: Registry,
    runs: RefusalRuns,
}

/// What a request comes to.
struct Judged {
    audit: AuditRecord,
    answered: Answered,
    /// Whether no rate bounds refusals like this.
    unbounded: bool,
}

impl QueryAnswerer {
    /// Answers from a registry under an access control. Of each legal-basis table that the
    /// registrar puts in force, the rows of these appended tables concern this node.
    #[must_use]
    pub fn new(access: AccessControl, tables: &'static [&'static str], registry: Registry) -> Self {
        Self {
            access,
            tables,
            registry,
            runs: RefusalRuns::default(),
        }
    }

    fn judge(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        request: &Request,
        view: &View,
    ) -> Judged {
        let mut audit = AuditRecord {
            at_ms: context.now_ms,
            civil_date: context.civil_date.number(),
            terminal: origin.node.to_string(),
            message_id: origin.message_id.to_string(),
            outcome: Outcome::Refused as u32,
            basis_version: self.access.basis_number(),
            ..AuditRecord::default()
        };
        let Ok(question) = Question::decode(request.question.as_slice()) else {
            return Judged {
                unbounded: true,
                ..refused(audit, ErrorCode::FrameGarbage)
            };
        };
        let lookup = question.lookup();
        // Of an affair that has no affair's form nothing goes on record: it may be anything.
        if is_purpose_id(&question.affair) {
            audit.affair.clone_from(&question.affair);
        }
        let keys = lookup.as_ref().map_or(Keys::Items, |(keys, _)| *keys);
        audit.keys = keys as u32;
        if let Ok((_, lookup)) = &lookup {
            audit.asked = self.registry.asked(lookup).to_vec();
        }
        let asked = Asked {
            terminal: origin.node.as_str(),
            affair: &question.affair,
            keys,
            question: &request.question,
        };
        let authorisation = request.authorisation.clone().unwrap_or_default();
        if !authorisation.grant.is_empty() {
            audit.grant = sha256(&authorisation.grant).into_iter().take(8).collect();
        }
        let decided =
            self.access
                .decide(&authorisation, &asked, context.now_ms, context.civil_date);
        match (decided, lookup) {
            (Err(refused), _) => refused_access(audit, refused),
            (Ok(permit), Err(code)) => refused(named(audit, &permit), code),
            (Ok(permit), Ok((_, lookup))) => {
                let hit = self.registry.look_up(&permit, view, &lookup);
                self.answer(named(audit, &permit), &permit, hit)
            }
        }
    }

    fn hear_basis(&mut self, context: &Context<'_>, notice: &Notice, view: &View) -> Step {
        let mut step = Step::none();
        let heard = basis::hear(notice, context.now_ms, context.ledger, view);
        if let Some(record) = heard.record {
            step.append(BASIS_IN_FORCE, record.encode_to_vec());
        }
        if let Some(in_force) = heard.in_force {
            self.access
                .take_in_force(basis::of_node(in_force, self.tables));
        }
        step
    }

    fn answer(&self, mut audit: AuditRecord, permit: &Permit, hit: Hit) -> Judged {
        let hit = match hit {
            // Whoever may not learn that a record has ended must not take it for one that stands.
            Hit::One(record)
                if record.standing() == Standing::Ended
                    && !permit.items.has(RecordItem::ChangeInformation) =>
            {
                Hit::None
            }
            Hit::One(_) | Hit::None | Hit::Several => hit,
        };
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
            audit.items = permit.items.numbers().collect();
            answered.record = Some(ShownRecord::of(&record, permit.items));
        }
        Judged {
            audit,
            answered,
            unbounded: false,
        }
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

fn refused(audit: AuditRecord, code: ErrorCode) -> Judged {
    Judged {
        audit: AuditRecord {
            refusal: code.code().to_owned(),
            ..audit
        },
        answered: Answered::refused(code),
        unbounded: false,
    }
}

fn refused_access(audit: AuditRecord, access: RefusedAccess) -> Judged {
    let judged = refused(audit, access.code);
    Judged {
        audit: AuditRecord {
            operator: access.operator,
            card: access.card,
            body: access.body,
            ..judged.audit
        },
        answered: Answered {
            starts: access.starts.map_or(0, CivilDate::number),
            ask_again_ms: access.ask_again_ms.unwrap_or(0),
            ..judged.answered
        },
        unbounded: access.unbounded,
    }
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
        let judged = self.judge(context, origin, &request, view);
        let mut step = Step::none();
        if judged.unbounded {
            for record in self.runs.take(judged.audit) {
                step.append(AUDIT, record.encode_to_vec());
            }
        } else {
            step.append(AUDIT, judged.audit.encode_to_vec());
        }
        step.answer(Answer::to(
            origin,
            ServiceId::Query,
            judged.answered.encode_to_vec(),
        ));
        step
    }

    fn on_notice(&mut self, context: &Context<'_>, notice: &Notice, view: &mut View) -> Step {
        match notice.kind {
            NoticeKind::CardList => {
                let read = cards::read(notice, view);
                let step = cards::record(context, notice, read.as_ref(), view);
                if let Some(listed) = read {
                    self.access.install_cards(listed);
                }
                step
            }
            NoticeKind::LegalBasis => self.hear_basis(context, notice, view),
            NoticeKind::Directory => Step::none(),
        }
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        basis::apply(entry, view);
        cards::recorded(entry, view);
    }

    fn resume(&mut self, ledger: &dyn LedgerRead, view: &View) {
        if cards::last(view) > 0 {
            // The file beside the keys is heard next, and only if it is there.
            self.access.await_cards();
        }
        if let Some(in_force) = basis::resumed(ledger, view) {
            self.access
                .take_in_force(basis::of_node(in_force, self.tables));
        }
    }

    fn on_timeout(&mut self, context: &Context<'_>, _view: &mut View) -> Step {
        let mut step = Step::none();
        for record in self.runs.due(context.now_ms) {
            step.append(AUDIT, record.encode_to_vec());
        }
        // Nobody waits for the sum of what was refused.
        step.lazy()
    }

    fn next_timeout(&self) -> Option<u64> {
        self.runs.next_due()
    }

    fn before_end(&mut self, context: &Context<'_>, _view: &mut View) -> Step {
        let mut step = Step::none();
        for record in self.runs.close(context.now_ms) {
            step.append(AUDIT, record.encode_to_vec());
        }
        step
    }
}

#[cfg(test)]
mod tests;
