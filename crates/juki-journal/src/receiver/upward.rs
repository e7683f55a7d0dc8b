//! The way up from a tier: which blocks the tier above lacks, and what it answers.

use std::collections::VecDeque;

use juki_crypto::random_array;
use juki_dispatch::{Context, Forward, LedgerRead, Origin, Step, View};
use juki_domain::{MunicipalityCode, ServiceId};
use juki_wire::{MessageId, Priority};
use prost::Message as _;

use super::{JournalReceiver, READ_BYTES, Stream, Waiting};
use crate::message::kind::Kind;
use crate::sender::verified_tier;
use crate::upstream::{Next, Upstream};
use crate::{BLOCK, Block, Cursor, Heights, JournalMessage, RECEIPT, Receipt, SignedBlock, Tier};

impl JournalReceiver {
    /// Passes a block on while this tier still syncs it: passing on acknowledges nothing, and the
    /// tier above verifies for itself. Where this tier loses it with its power, the municipality's
    /// server sends the very same block again.
    pub(super) fn pass_on_at_once(
        &mut self,
        context: &Context<'_>,
        municipality: MunicipalityCode,
        block: &Block,
        signed: &SignedBlock,
        step: &mut Step,
    ) {
        let (Some(upper), Some(stream)) = (&self.upper, self.streams.get_mut(&municipality)) else {
            return;
        };
        if let Next::SendAfter(cursor) = stream.upstream.next(
            context.now_ms,
            stream.waiting.is_empty().then(|| block.header.last_seq()),
        ) && cursor.seq + 1 == block.header.first_seq
        {
            let id = MessageId(random_array(context.randomness));
            let after = Cursor::after(signed);
            stream
                .upstream
                .sent(context.now_ms, id, signed.body.len(), after);
            let body = JournalMessage::bytes(Kind::Block(signed.clone()));
            step.forward(
                Forward::new(upper.clone(), ServiceId::Journal, Priority::Bulk, body).with_id(id),
            );
        }
    }

    pub(super) fn on_upper(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        kind: Kind,
        view: &View,
    ) -> Step {
        match kind {
            Kind::Cursor(cursor) => {
                if let Ok(municipality) = MunicipalityCode::from_number(cursor.municipality) {
                    self.on_upper_cursor(context, view, origin, (municipality, cursor));
                }
                Step::none()
            }
            Kind::Receipt(receipt) => self.on_receipt(context, view, origin, &receipt),
            Kind::Refused(_) => {
                self.refused(context.now_ms, origin.message_id);
                Step::none()
            }
            Kind::Ask(_) | Kind::Block(_) => Step::none(),
        }
    }

    /// A message to the tier above was refused: the stream it was of asks again later.
    pub(super) fn refused(&mut self, now_ms: u64, message_id: MessageId) {
        for stream in self
            .streams
            .values_mut()
            .filter(|stream| stream.upstream.waits_for(message_id))
        {
            stream.upstream.on_refused(now_ms);
        }
    }

    pub(super) fn on_upper_cursor(
        &mut self,
        context: &Context<'_>,
        view: &View,
        origin: &Origin,
        (municipality, cursor): (MunicipalityCode, Cursor),
    ) {
        let here = Cursor::load(view, municipality);
        let Some(stream) = self.streams.get_mut(&municipality) else {
            return;
        };
        // The tier above may be ahead: it can hold a block that this one passed on and lost with its
        // power before the sync. The municipality's server sends such a block again, and until then
        // nothing has to be passed on.
        while stream
            .waiting
            .front()
            .is_some_and(|first| first.last_seq <= cursor.seq)
        {
            stream.waiting.pop_front();
        }
        let expected = stream
            .waiting
            .front()
            .map_or(here.seq + 1, |first| first.first_seq);
        let lost = cursor.seq < here.seq && cursor.seq + 1 < expected;
        if lost && !stream.upstream.answers_ask(origin.message_id) {
            return;
        }
        stream.upstream.on_cursor(context.now_ms, cursor.clone());
        if lost {
            // The tier above was restored from a copy: what it once held is sent again.
            let before = std::mem::take(&mut stream.waiting);
            self.collect(context.ledger, 1, Some((municipality, cursor.seq)), view);
            // What is not durable yet cannot be read from the ledger.
            if let Some(stream) = self.streams.get_mut(&municipality) {
                let last = stream
                    .waiting
                    .back()
                    .map_or(cursor.seq, |last| last.last_seq);
                stream
                    .waiting
                    .extend(before.into_iter().filter(|later| later.first_seq > last));
            }
        }
    }

    pub(super) fn on_receipt(
        &mut self,
        context: &Context<'_>,
        view: &View,
        origin: &Origin,
        receipt: &Receipt,
    ) -> Step {
        let mut step = Step::none();
        let Ok(municipality) = MunicipalityCode::from_number(receipt.municipality) else {
            return step;
        };
        if verified_tier(context, receipt, municipality) != Some(Tier::National) {
            return step;
        }
        if receipt.seq > Heights::load(view, municipality).national {
            step.append(RECEIPT, receipt.encode_to_vec());
        }
        if let Some((writer, _)) = context.directory.writer_of(municipality) {
            let body = JournalMessage::bytes(Kind::Receipt(receipt.clone()));
            step.forward(Forward::new(
                writer.clone(),
                ServiceId::Journal,
                Priority::Bulk,
                body,
            ));
        }
        let cursor = Cursor {
            municipality: receipt.municipality,
            epoch: receipt.epoch,
            seq: receipt.seq,
            block: receipt.block.clone(),
            ledger_seq: 0,
        };
        self.on_upper_cursor(context, view, origin, (municipality, cursor));
        step.lazy()
    }

    pub(super) fn pump(&mut self, context: &Context<'_>) -> Step {
        let mut step = Step::none();
        let Some(upper) = &self.upper else {
            return step;
        };
        for (municipality, stream) in &mut self.streams {
            let Some(newest) = stream.waiting.back() else {
                continue;
            };
            match stream.upstream.next(context.now_ms, Some(newest.last_seq)) {
                Next::Wait => {}
                Next::Ask => {
                    let id = MessageId(random_array(context.randomness));
                    stream.upstream.asked(context.now_ms, id);
                    let body = JournalMessage::bytes(Kind::Ask(municipality.number()));
                    step.forward(
                        Forward::new(
                            upper.clone(),
                            ServiceId::Journal,
                            Priority::Interactive,
                            body,
                        )
                        .with_id(id),
                    );
                }
                Next::SendAfter(cursor) => {
                    let mut waiting = stream.waiting.iter();
                    let next = waiting.find(|waiting| waiting.first_seq == cursor.seq + 1);
                    let block = next.and_then(|next| {
                        context
                            .ledger
                            .entries(next.ledger_seq, 1)
                            .into_iter()
                            .next()
                    });
                    let Some(block) =
                        block.and_then(|entry| SignedBlock::decode(entry.payload.as_slice()).ok())
                    else {
                        // Not durable yet, or the tier above stands inside of a block: ask again later.
                        if next.is_none() && !stream.upstream.is_in_flight() {
                            stream.upstream.on_refused(context.now_ms);
                        }
                        continue;
                    };
                    let id = MessageId(random_array(context.randomness));
                    let after = Cursor::after(&block);
                    stream
                        .upstream
                        .sent(context.now_ms, id, block.body.len(), after);
                    let body = JournalMessage::bytes(Kind::Block(block));
                    step.forward(
                        Forward::new(upper.clone(), ServiceId::Journal, Priority::Bulk, body)
                            .with_id(id),
                    );
                }
            }
        }
        step
    }

    pub(super) fn note(
        &mut self,
        municipality: MunicipalityCode,
        signed: &SignedBlock,
        ledger_seq: u64,
    ) {
        let Ok(header) = signed.read_header() else {
            return;
        };
        let timeout_ms = self.receipt_timeout_ms;
        let stream = self.streams.entry(municipality).or_insert_with(|| Stream {
            upstream: Upstream::new(timeout_ms),
            waiting: VecDeque::new(),
        });
        stream.waiting.push_back(Waiting {
            first_seq: header.first_seq,
            last_seq: header.last_seq(),
            ledger_seq,
        });
    }

    /// Collects from the ledger the blocks that the tier above does not hold.
    pub(super) fn collect(
        &mut self,
        ledger: &dyn LedgerRead,
        from: u64,
        only: Option<(MunicipalityCode, u64)>,
        view: &View,
    ) {
        let mut from = from;
        loop {
            let entries = ledger.entries(from, READ_BYTES);
            let Some(last) = entries.last() else { return };
            from = last.seq + 1;
            for entry in entries.iter().filter(|entry| entry.kind == BLOCK) {
                let Ok(signed) = SignedBlock::decode(entry.payload.as_slice()) else {
                    continue;
                };
                let Ok(header) = signed.read_header() else {
                    continue;
                };
                let Ok(municipality) = MunicipalityCode::from_number(header.municipality) else {
                    continue;
                };
                let after = match only {
                    Some((wanted, after)) if wanted == municipality => after,
                    Some(_) => continue,
                    None => Heights::load(view, municipality).national,
                };
                if header.last_seq() > after {
                    self.note(municipality, &signed, entry.seq);
                }
            }
        }
    }
}
