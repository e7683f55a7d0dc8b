//! The prefecture's end: the governor designates to each municipality the codes it may enter.

use std::collections::BTreeMap;

use juki_crypto::random_array;
use juki_dispatch::{Answer, Context, Forward, Origin, Service, Step, View};
use juki_domain::{ErrorCode, MunicipalityCode, NodeId, ServiceId};
use juki_ledger::Entry;
use juki_wire::{MessageId, Priority, Refusal};
use prost::Message as _;

use super::{CODE_BLOCK_MAX, CODES_DESIGNATED, CodeBlock, CodeRequest, key};

/// Most requests that wait for the national center at once: one per municipality, and room.
const PENDING_MAX: usize = 512;

/// Fetches blocks from the national center and designates them.
pub struct CodeDesignator {
    upper: NodeId,
    pending: BTreeMap<MessageId, Origin>,
}

impl CodeDesignator {
    /// A designator that fetches from `upper`.
    #[must_use]
    pub fn new(upper: NodeId) -> Self {
        Self {
            upper,
            pending: BTreeMap::new(),
        }
    }

    fn on_request(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &View,
    ) -> Step {
        let mut step = Step::none();
        let request = CodeRequest::decode(message).unwrap_or_default();
        let municipality = MunicipalityCode::from_number(request.municipality).ok();
        let is_writer = municipality
            .and_then(|m| context.directory.writer_of(m))
            .is_some_and(|(node, _)| *node == origin.node);
        if !is_writer || request.count == 0 || request.count > CODE_BLOCK_MAX {
            return refuse(step, origin, &request, ErrorCode::PolicyNoRule);
        }
        if let Some(block) = view.get(&key(b'd', request.municipality, request.number)) {
            step.answer(Answer::to(
                origin,
                ServiceId::CodeAllocation,
                block.to_vec(),
            ));
            return step;
        }
        if self.pending.len() >= PENDING_MAX {
            self.pending.pop_first();
        }
        let id = MessageId(random_array(context.randomness));
        self.pending.insert(id, origin.clone());
        step.forward(
            Forward::new(
                self.upper.clone(),
                ServiceId::CodeAllocation,
                Priority::Interactive,
                request.encode_to_vec(),
            )
            .with_id(id),
        );
        step
    }
}

fn refuse(mut step: Step, origin: &Origin, request: &CodeRequest, code: ErrorCode) -> Step {
    let block = CodeBlock {
        municipality: request.municipality,
        number: request.number,
        codes: Vec::new(),
        refusal: code.code().to_owned(),
    };
    step.answer(Answer::to(
        origin,
        ServiceId::CodeAllocation,
        block.encode_to_vec(),
    ));
    step
}

impl Service for CodeDesignator {
    fn name(&self) -> &'static str {
        ServiceId::CodeAllocation.name()
    }

    fn on_message(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &mut View,
    ) -> Step {
        if !origin.reply {
            return self.on_request(context, origin, message, view);
        }
        let mut step = Step::none();
        if origin.node != self.upper {
            return step;
        }
        let Some(asked) = self.pending.remove(&origin.message_id) else {
            return step;
        };
        let Ok(block) = CodeBlock::decode(message) else {
            return step;
        };
        if block.refusal.is_empty()
            && view
                .get(&key(b'd', block.municipality, block.number))
                .is_none()
        {
            step.append(CODES_DESIGNATED, message.to_vec());
        }
        step.answer(Answer::to(
            &asked,
            ServiceId::CodeAllocation,
            message.to_vec(),
        ));
        step
    }

    fn on_refused(
        &mut self,
        _context: &Context<'_>,
        message_id: MessageId,
        refusal: &Refusal,
        _view: &mut View,
    ) -> Step {
        let mut step = Step::none();
        if let Some(asked) = self.pending.remove(&message_id) {
            let block = CodeBlock {
                refusal: refusal.code.clone(),
                ..CodeBlock::default()
            };
            step.answer(Answer::to(
                &asked,
                ServiceId::CodeAllocation,
                block.encode_to_vec(),
            ));
        }
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        if entry.kind == CODES_DESIGNATED
            && let Ok(block) = CodeBlock::decode(entry.payload.as_slice())
        {
            view.put(
                key(b'd', block.municipality, block.number),
                entry.payload.clone(),
            );
        }
    }
}
