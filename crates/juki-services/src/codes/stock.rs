//! The municipality's end: a stock of unused codes that is filled up before it runs out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use juki_dispatch::{Context, Forward, Origin, Service, Step, View};
use juki_domain::{MunicipalityCode, NodeId, ResidentRecordCode, ServiceId};
use juki_ledger::Entry;
use juki_wire::{MessageId, Priority, Refusal};
use prost::Message;

use super::{CODE_BLOCK_MAX, CODES_RECEIVED, CodeBlock, CodeRequest, key};

/// The size of the first block; the next ones are as large as [`CODE_BLOCK_MAX`] allows.
const FIRST_BLOCK: u32 = 4_000;
/// How many codes lie under one key: each row of a large file reads and takes one of them.
const PIECE_CODES: u32 = 64;
/// Bytes of a code.
const CODE_LEN: usize = 11;
const RETRY_MS: u64 = 200;
const ANSWER_TIMEOUT_MS: u64 = 10_000;

/// Where the next code is taken from.
#[derive(Clone, PartialEq, Eq, Message)]
struct Level {
    /// Number of the last block received.
    #[prost(uint32, tag = "1")]
    received: u32,
    /// Number of the block codes are taken from.
    #[prost(uint32, tag = "2")]
    block: u32,
    /// How many of that block were taken.
    #[prost(uint32, tag = "3")]
    taken: u32,
    /// How many codes are left in all blocks.
    #[prost(uint32, tag = "4")]
    left: u32,
}

/// The stock of one municipality.
pub struct CodeStock {
    municipality: MunicipalityCode,
    upper: NodeId,
    /// No block is asked for before this time: one is on its way, or the last try failed.
    wait_until_ms: Option<u64>,
    /// How many codes are left, for whoever waits for some.
    gauge: Arc<AtomicU32>,
}

impl CodeStock {
    /// The stock, filled from the server above.
    #[must_use]
    pub fn new(municipality: MunicipalityCode, upper: NodeId) -> Self {
        Self {
            municipality,
            upper,
            wait_until_ms: Some(0),
            gauge: Arc::default(),
        }
    }

    /// How many codes were left at the end of the node's last turn.
    #[must_use]
    pub fn gauge(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.gauge)
    }

    /// How many codes are left.
    #[must_use]
    pub fn left(view: &View) -> u32 {
        level(view).left
    }

    /// The next unused code. The order of a block tells nothing: it comes out of a keyed
    /// permutation.
    #[must_use]
    pub fn peek(view: &View) -> Option<ResidentRecordCode> {
        let level = level(view);
        let piece = view.get(&piece_key(level.block, level.taken / PIECE_CODES))?;
        let from = usize::try_from(level.taken % PIECE_CODES).ok()? * CODE_LEN;
        std::str::from_utf8(piece.get(from..from + CODE_LEN)?)
            .ok()?
            .parse()
            .ok()
    }

    /// The code that [`Self::peek`] named is used: called when the entry that uses it is applied.
    pub fn take(view: &mut View) {
        let mut level = level(view);
        let number = level.taken / PIECE_CODES;
        let key = piece_key(level.block, number);
        level.taken += 1;
        level.left = level.left.saturating_sub(1);
        let taken_of_piece = level.taken - number * PIECE_CODES;
        let codes = view.get(&key).map_or(0, |piece| piece.len() / CODE_LEN);
        if usize::try_from(taken_of_piece).unwrap_or(usize::MAX) >= codes {
            view.delete(key);
            // A block ends where no further piece of it is.
            if view.get(&piece_key(level.block, number + 1)).is_none() {
                level.block += 1;
                level.taken = 0;
            }
        }
        view.put(b"kl".to_vec(), level.encode_to_vec());
    }

    fn block_size(received: u32) -> u32 {
        if received == 0 {
            FIRST_BLOCK
        } else {
            CODE_BLOCK_MAX
        }
    }

    fn ask(&mut self, context: &Context<'_>, view: &View) -> Step {
        let mut step = Step::none();
        let level = level(view);
        // A new block is asked for while half of the last one is left.
        let low = Self::block_size(level.received.saturating_sub(1)) / 2;
        if level.left >= low
            || self
                .wait_until_ms
                .is_some_and(|until| until > context.now_ms)
        {
            self.wait_until_ms = self.wait_until_ms.filter(|until| *until > context.now_ms);
            return step;
        }
        self.wait_until_ms = Some(context.now_ms + ANSWER_TIMEOUT_MS);
        let request = CodeRequest {
            municipality: self.municipality.number(),
            number: level.received + 1,
            count: Self::block_size(level.received),
        };
        step.forward(Forward::new(
            self.upper.clone(),
            ServiceId::CodeAllocation,
            Priority::Interactive,
            request.encode_to_vec(),
        ));
        step
    }
}

fn piece_key(block: u32, piece: u32) -> Vec<u8> {
    key(b's', block, piece)
}

fn level(view: &View) -> Level {
    view.get(b"kl")
        .and_then(|bytes| Level::decode(bytes).ok())
        .unwrap_or(Level {
            received: 0,
            block: 1,
            taken: 0,
            left: 0,
        })
}

impl Service for CodeStock {
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
        if origin.node != self.upper {
            return step;
        }
        let Ok(block) = CodeBlock::decode(message) else {
            return step;
        };
        let expected = block.municipality == self.municipality.number()
            && block.number == level(view).received + 1;
        if block.refusal.is_empty()
            && expected
            && !block.codes.is_empty()
            && block.codes.len() % CODE_LEN == 0
        {
            step.append(CODES_RECEIVED, message.to_vec());
            self.wait_until_ms = None;
        } else {
            self.wait_until_ms = Some(context.now_ms + RETRY_MS);
        }
        step
    }

    fn on_refused(
        &mut self,
        context: &Context<'_>,
        _message_id: MessageId,
        _refusal: &Refusal,
        _view: &mut View,
    ) -> Step {
        self.wait_until_ms = Some(context.now_ms + RETRY_MS);
        Step::none()
    }

    fn on_timeout(&mut self, context: &Context<'_>, view: &mut View) -> Step {
        self.ask(context, view)
    }

    fn next_timeout(&self) -> Option<u64> {
        self.wait_until_ms
    }

    fn on_durable(&mut self, context: &Context<'_>, _durable: u64, view: &mut View) -> Step {
        self.gauge.store(Self::left(view), Ordering::Relaxed);
        self.ask(context, view)
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        if entry.kind == CODES_RECEIVED
            && let Ok(block) = CodeBlock::decode(entry.payload.as_slice())
        {
            let mut level = level(view);
            level.received = block.number;
            level.left += u32::try_from(block.codes.len() / CODE_LEN).unwrap_or(0);
            let piece_len = CODE_LEN * PIECE_CODES as usize;
            for (piece, codes) in (0..).zip(block.codes.chunks(piece_len)) {
                view.put(piece_key(block.number, piece), codes.to_vec());
            }
            view.put(b"kl".to_vec(), level.encode_to_vec());
        }
    }
}
