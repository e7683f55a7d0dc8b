//! The national center's end: a keyed permutation of a counter.

use juki_crypto::BodyPermutation;
use juki_dispatch::{Answer, Context, Origin, Service, Step, View};
use juki_domain::{ErrorCode, MunicipalityCode, NodeRole, ResidentRecordCode, ServiceId};
use juki_ledger::Entry;
use prost::Message as _;

use super::message::Allocation;
use super::{CODE_BLOCK_MAX, CODES_ALLOCATED, CodeBlock, CodeRequest, key};

/// Gives out blocks of codes that nobody was given before.
pub struct CodeAllocator {
    permutation: BodyPermutation,
}

impl CodeAllocator {
    /// An allocator under the network's permutation.
    #[must_use]
    pub fn new(permutation: BodyPermutation) -> Self {
        Self { permutation }
    }

    /// How many codes were given out.
    #[must_use]
    pub fn counter(view: &View) -> u32 {
        view.get(b"kc")
            .and_then(|bytes| bytes.as_ref().try_into().ok())
            .map_or(0, u32::from_be_bytes)
    }

    /// Whether a code lies in a block that was given out. A code from elsewhere is none of this
    /// network's (design.md 7).
    #[must_use]
    pub fn gave_out(&self, view: &View, code: &ResidentRecordCode) -> bool {
        let body = code.as_bytes().first_chunk::<10>();
        body.and_then(|body| self.permutation.counter(body))
            .is_some_and(|counter| counter < Self::counter(view))
    }

    fn codes(&self, allocation: &Allocation) -> Vec<u8> {
        let counters = allocation.start..allocation.start.saturating_add(allocation.count);
        let codes = counters.filter_map(|counter| {
            ResidentRecordCode::from_body(&self.permutation.body(counter)?).ok()
        });
        codes.flat_map(|code| *code.as_bytes()).collect()
    }
}

impl Service for CodeAllocator {
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
        let mut step = Step::none();
        if origin.reply {
            return step;
        }
        let request = CodeRequest::decode(message).unwrap_or_default();
        let block = |codes, refusal: Option<ErrorCode>| CodeBlock {
            municipality: request.municipality,
            number: request.number,
            codes,
            refusal: refusal.map_or_else(String::new, |code| code.code().to_owned()),
        };
        let municipality = MunicipalityCode::from_number(request.municipality);
        let from_its_prefecture = context
            .directory
            .entry(&origin.node)
            .is_some_and(|entry| entry.role == NodeRole::PrefectureServer)
            && municipality.is_ok_and(|m| {
                origin
                    .node
                    .as_str()
                    .ends_with(&format!("-{}", m.prefecture()))
            });
        if !from_its_prefecture || request.count == 0 || request.count > CODE_BLOCK_MAX {
            step.answer(Answer::to(
                origin,
                ServiceId::CodeAllocation,
                block(Vec::new(), Some(ErrorCode::PolicyNoRule)).encode_to_vec(),
            ));
            return step;
        }
        let known = view
            .get(&key(b'a', request.municipality, request.number))
            .and_then(|bytes| Allocation::decode(bytes).ok());
        let start = Self::counter(view);
        let allocation = known.clone().unwrap_or(Allocation {
            municipality: request.municipality,
            number: request.number,
            start,
            count: request.count,
        });
        if allocation.start.saturating_add(allocation.count) > BodyPermutation::COUNT {
            step.answer(Answer::to(
                origin,
                ServiceId::CodeAllocation,
                block(Vec::new(), Some(ErrorCode::CodeStockEmpty)).encode_to_vec(),
            ));
            return step;
        }
        if known.is_none() {
            step.append(CODES_ALLOCATED, allocation.encode_to_vec());
        }
        step.answer(Answer::to(
            origin,
            ServiceId::CodeAllocation,
            block(self.codes(&allocation), None).encode_to_vec(),
        ));
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        if entry.kind == CODES_ALLOCATED
            && let Ok(allocation) = Allocation::decode(entry.payload.as_slice())
        {
            let counter =
                Self::counter(view).max(allocation.start.saturating_add(allocation.count));
            view.put(b"kc".to_vec(), counter.to_be_bytes().to_vec());
            view.put(
                key(b'a', allocation.municipality, allocation.number),
                entry.payload.clone(),
            );
        }
    }
}
