//! The communication server's end: fold its own entries, cut blocks, send them, take receipts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use juki_crypto::{Digest, random_array};
use juki_dispatch::{Context, Forward, LedgerRead, Origin, Service, Step, View};
use juki_domain::{ErrorCode, MunicipalityCode, NodeId, NodeRole, ServiceId};
use juki_ledger::Entry;
use juki_registry::{Position, Registry, decode_change};
use juki_wire::{MessageId, Priority, Refusal};
use prost::Message as _;

use crate::message::kind::Kind;
use crate::upstream::{Next, Upstream};
use crate::{
    BLOCK_BOUNDARY, Cursor, Heights, JOURNAL_ENTRY, JournalEntry, JournalMessage, RECEIPT, Receipt,
    SignedBlock, Tier,
};

/// Entries between two boundaries, in bytes: far below a block's limit, since a tier folds a block in
/// one go and a question that comes meanwhile waits for it.
const RUN_BYTES_MAX: usize = 32 * 1024;
/// What an entry costs in a block beside its payload, in bytes.
const ENTRY_OVERHEAD: usize = 48;
/// How much of the ledger is read at once, in bytes of payload.
const READ_BYTES: usize = 512 * 1024;
/// How long a receipt of the national center may stay away before it is asked for, in milliseconds.
const RECHECK_MS: u64 = 10_000;

#[derive(Clone, Copy)]
struct Outstanding {
    seq: u64,
    ledger_seq: u64,
}

/// The journal of one municipality: the single writer's bookkeeping and its stream upward.
pub struct JournalSender {
    municipality: MunicipalityCode,
    upper: NodeId,
    registry: Registry,
    upstream: Upstream,
    outstanding: VecDeque<Outstanding>,
    boundaries: VecDeque<(u64, Digest)>,
    /// When to ask for a receipt of the national center that may have been lost on its way down.
    recheck_ms: Option<u64>,
    /// Closed when the tier above holds more than this node wrote.
    gate: Arc<AtomicBool>,
}

impl JournalSender {
    /// The journal of a municipality, sent to the server above it.
    #[must_use]
    pub fn new(
        municipality: MunicipalityCode,
        upper: NodeId,
        registry: Registry,
        receipt_timeout_ms: u64,
    ) -> Self {
        Self {
            municipality,
            upper,
            registry,
            upstream: Upstream::new(receipt_timeout_ms),
            outstanding: VecDeque::new(),
            boundaries: VecDeque::new(),
            recheck_ms: None,
            gate: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Whether the municipality may write: false once the tier above is seen to hold entries that
    /// this node does not have.
    #[must_use]
    pub fn gate(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.gate)
    }

    /// The position of the last entry written.
    #[must_use]
    pub fn head(view: &View) -> Position {
        let stored = view
            .get(b"jw")
            .and_then(|bytes| JournalEntry::decode(bytes).ok());
        stored.map_or(Position { epoch: 1, seq: 0 }, |entry| entry.position())
    }

    /// Appends one change to a step, behind a boundary where the run has grown long. Every entry
    /// before it must have been applied to the view.
    pub fn write(
        registry: &Registry,
        view: &View,
        municipality: MunicipalityCode,
        change: &juki_domain::Change,
        step: &mut Step,
    ) -> Position {
        let head = Self::head(view);
        if run_bytes(view) > RUN_BYTES_MAX as u64 {
            let digest = registry.digest(view, municipality).digest();
            step.append(BLOCK_BOUNDARY, boundary_payload(head.seq, &digest));
        }
        let position = Position {
            epoch: head.epoch,
            seq: head.seq + 1,
        };
        step.append(
            JOURNAL_ENTRY,
            JournalEntry::new(position, change).encode_to_vec(),
        );
        position
    }

    fn pump(&mut self, context: &Context<'_>, view: &View) -> Step {
        let mut step = Step::none();
        match self
            .upstream
            .next(context.now_ms, self.outstanding.back().map(|last| last.seq))
        {
            Next::Wait => {}
            Next::Ask => {
                let id = MessageId(random_array(context.randomness));
                self.upstream.asked(context.now_ms, id);
                step.forward(
                    self.message(Kind::Ask(self.municipality.number()), Priority::Interactive)
                        .with_id(id),
                );
            }
            Next::SendAfter(cursor) => {
                if let Some(block) = self.next_block(context, &cursor) {
                    let id = MessageId(random_array(context.randomness));
                    let after = Cursor::after(&block);
                    self.upstream
                        .sent(context.now_ms, id, block.body.len(), after);
                    step.forward(self.message(Kind::Block(block), Priority::Bulk).with_id(id));
                }
            }
        }
        let behind = Heights::load(view, self.municipality).national < Self::head(view).seq;
        self.recheck_ms = behind.then(|| self.recheck_ms.unwrap_or(context.now_ms + RECHECK_MS));
        step
    }

    fn message(&self, kind: Kind, priority: Priority) -> Forward {
        Forward::new(
            self.upper.clone(),
            ServiceId::Journal,
            priority,
            JournalMessage::bytes(kind),
        )
    }

    fn next_block(&self, context: &Context<'_>, cursor: &Cursor) -> Option<SignedBlock> {
        let oldest = self.outstanding.front()?.seq;
        let at = usize::try_from((cursor.seq + 1).checked_sub(oldest)?).ok()?;
        let outstanding = self.outstanding.get(at);
        let first = *outstanding.filter(|first| first.seq == cursor.seq + 1)?;
        let (last_seq, digest) = *self.boundaries.iter().find(|(seq, _)| *seq > cursor.seq)?;
        let mut entries: Vec<Arc<Entry>> = Vec::new();
        let mut from = first.ledger_seq;
        let wanted = usize::try_from(last_seq - cursor.seq).ok()?;
        while entries.len() < wanted {
            let read = context.ledger.entries(from, READ_BYTES);
            from = read.last()?.seq + 1;
            let left = wanted - entries.len();
            entries.extend(
                read.into_iter()
                    .filter(|entry| entry.kind == JOURNAL_ENTRY)
                    .take(left),
            );
        }
        SignedBlock::sign(
            self.municipality,
            &entries,
            &cursor.block,
            digest,
            context.signing,
        )
        .ok()
    }

    fn on_cursor(&mut self, context: &Context<'_>, view: &View, origin: &Origin, cursor: Cursor) {
        let head = Self::head(view);
        if cursor.seq > head.seq || cursor.epoch > head.epoch {
            self.gate.store(false, Ordering::Relaxed);
            self.upstream.stop(ErrorCode::JournalBehind);
            return;
        }
        while self
            .outstanding
            .front()
            .is_some_and(|first| first.seq <= cursor.seq)
        {
            self.outstanding.pop_front();
        }
        while self
            .boundaries
            .front()
            .is_some_and(|(seq, _)| *seq <= cursor.seq)
        {
            self.boundaries.pop_front();
        }
        // A tier above that was restored from a copy stands further back than it once did.
        let expected = self
            .outstanding
            .front()
            .map_or(head.seq + 1, |first| first.seq);
        if cursor.seq + 1 < expected {
            if !self.upstream.answers_ask(origin.message_id) {
                return;
            }
            let (outstanding, boundaries) = (
                std::mem::take(&mut self.outstanding),
                std::mem::take(&mut self.boundaries),
            );
            self.collect(context.ledger, 1, cursor.seq);
            // What is not durable yet cannot be read from the ledger.
            let last = self.outstanding.back().map_or(cursor.seq, |last| last.seq);
            self.outstanding
                .extend(outstanding.into_iter().filter(|later| later.seq > last));
            let last = self.boundaries.back().map_or(cursor.seq, |(seq, _)| *seq);
            self.boundaries
                .extend(boundaries.into_iter().filter(|(seq, _)| *seq > last));
        }
        self.upstream.on_cursor(context.now_ms, cursor);
    }

    /// Collects from the ledger what lies after a number of the journal.
    fn collect(&mut self, ledger: &dyn LedgerRead, from: u64, after: u64) {
        self.outstanding.clear();
        self.boundaries.clear();
        let mut from = from;
        loop {
            let entries = ledger.entries(from, READ_BYTES);
            let Some(last) = entries.last() else { return };
            from = last.seq + 1;
            for entry in &entries {
                self.note(entry, after);
            }
        }
    }

    fn note(&mut self, entry: &Entry, after: u64) {
        if entry.kind == JOURNAL_ENTRY
            && let Ok(journal) = JournalEntry::decode(entry.payload.as_slice())
            && journal.seq > after
        {
            self.outstanding.push_back(Outstanding {
                seq: journal.seq,
                ledger_seq: entry.seq,
            });
        } else if entry.kind == BLOCK_BOUNDARY
            && let Some((seq, digest)) = read_boundary(&entry.payload)
            && seq > after
        {
            self.boundaries.push_back((seq, digest));
        }
    }

    fn on_receipt(
        &mut self,
        context: &Context<'_>,
        view: &View,
        origin: &Origin,
        receipt: &Receipt,
    ) -> Step {
        let mut step = Step::none();
        let Some(tier) = verified_tier(context, receipt, self.municipality) else {
            return step;
        };
        let heights = Heights::load(view, self.municipality);
        let known = match tier {
            Tier::Prefecture => heights.prefecture,
            Tier::National => heights.national,
        };
        if receipt.seq > known {
            step.append(RECEIPT, receipt.encode_to_vec());
        }
        if tier == Tier::Prefecture {
            let cursor = Cursor {
                municipality: receipt.municipality,
                epoch: receipt.epoch,
                seq: receipt.seq,
                block: receipt.block.clone(),
                ledger_seq: 0,
            };
            self.on_cursor(context, view, origin, cursor);
        }
        step.lazy()
    }
}

impl Service for JournalSender {
    fn name(&self) -> &'static str {
        ServiceId::Journal.name()
    }

    fn on_message(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &mut View,
    ) -> Step {
        if origin.node != self.upper {
            return Step::none();
        }
        match JournalMessage::decode(message)
            .ok()
            .and_then(|message| message.kind)
        {
            Some(Kind::Cursor(cursor)) => {
                self.on_cursor(context, view, origin, cursor);
                Step::none()
            }
            Some(Kind::Receipt(receipt)) => self.on_receipt(context, view, origin, &receipt),
            Some(Kind::Refused(_)) => {
                if self.upstream.waits_for(origin.message_id) {
                    self.upstream.on_refused(context.now_ms);
                }
                Step::none()
            }
            Some(Kind::Ask(_) | Kind::Block(_)) | None => Step::none(),
        }
    }

    fn on_refused(
        &mut self,
        context: &Context<'_>,
        message_id: MessageId,
        _refusal: &Refusal,
        _view: &mut View,
    ) -> Step {
        if self.upstream.waits_for(message_id) {
            self.upstream.on_refused(context.now_ms);
        }
        Step::none()
    }

    fn on_timeout(&mut self, context: &Context<'_>, view: &mut View) -> Step {
        self.upstream.on_timeout(context.now_ms);
        if self.recheck_ms.is_some_and(|due| due <= context.now_ms) {
            self.recheck_ms = None;
            self.upstream.ask_again(context.now_ms);
        }
        self.pump(context, view)
    }

    fn next_timeout(&self) -> Option<u64> {
        self.upstream
            .next_timeout()
            .into_iter()
            .chain(self.recheck_ms)
            .min()
    }

    /// Cuts a block before it is sent, in the sync of its own entries. A block once sent is then the
    /// same for ever, whichever tier loses it and is sent it again: the tiers above need not agree
    /// on who held it first.
    fn before_sync(&mut self, _context: &Context<'_>, view: &mut View) -> Step {
        let mut step = Step::none();
        let Some(last) = self
            .outstanding
            .back()
            .map(|last| last.seq)
            .filter(|_| self.upstream.is_ready())
        else {
            return step;
        };
        if self.boundaries.back().is_none_or(|(seq, _)| *seq < last) {
            step.append(
                BLOCK_BOUNDARY,
                boundary_payload(
                    last,
                    &self.registry.digest(view, self.municipality).digest(),
                ),
            );
        }
        step
    }

    fn on_durable(&mut self, context: &Context<'_>, _durable: u64, view: &mut View) -> Step {
        self.pump(context, view)
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        match entry.kind {
            JOURNAL_ENTRY => {
                let Ok(journal) = JournalEntry::decode(entry.payload.as_slice()) else {
                    return;
                };
                let Ok(change) = decode_change(&journal.change) else {
                    return;
                };
                self.registry
                    .apply(view, self.municipality, journal.position(), &change);
                let run = run_bytes(view) + (entry.payload.len() + ENTRY_OVERHEAD) as u64;
                view.put(b"jr".to_vec(), run.to_be_bytes().to_vec());
                view.put(
                    b"jw".to_vec(),
                    JournalEntry {
                        change: Vec::new(),
                        ..journal
                    }
                    .encode_to_vec(),
                );
                self.note(entry, 0);
            }
            BLOCK_BOUNDARY => {
                view.put(b"jr".to_vec(), 0u64.to_be_bytes().to_vec());
                self.note(entry, 0);
            }
            RECEIPT => {
                let Ok(receipt) = Receipt::decode(entry.payload.as_slice()) else {
                    return;
                };
                let Some(tier) = Tier::from_number(receipt.tier) else {
                    return;
                };
                // A receipt for all that is written settles the ledger up to here: the search after a
                // start may begin behind it. It must follow from the view alone, as a replay that
                // begins in the middle knows nothing else.
                let settled = (tier == Tier::Prefecture && receipt.position() == Self::head(view))
                    .then_some(entry.seq);
                Heights::raise(view, self.municipality, tier, receipt.position(), settled);
            }
            _ => {}
        }
    }

    fn resume(&mut self, ledger: &dyn LedgerRead, view: &View) {
        let heights = Heights::load(view, self.municipality);
        self.outstanding.clear();
        self.boundaries.clear();
        if heights.prefecture < Self::head(view).seq {
            self.collect(ledger, heights.settled + 1, heights.prefecture);
        }
    }
}

/// The tier of a receipt, if a node of that tier signed it for this municipality.
pub(crate) fn verified_tier(
    context: &Context<'_>,
    receipt: &Receipt,
    municipality: MunicipalityCode,
) -> Option<Tier> {
    let tier = Tier::from_number(receipt.tier)?;
    let node: NodeId = receipt.node.parse().ok()?;
    let entry = context.directory.entry(&node)?;
    let role = match tier {
        Tier::Prefecture => NodeRole::PrefectureServer,
        Tier::National => NodeRole::NationalCenter,
    };
    let right = entry.role == role
        && receipt.municipality == municipality.number()
        && receipt.verify(&entry.signing).is_ok();
    right.then_some(tier)
}

fn run_bytes(view: &View) -> u64 {
    view.get(b"jr")
        .and_then(|bytes| bytes.as_ref().try_into().ok())
        .map_or(0, u64::from_be_bytes)
}

fn boundary_payload(seq: u64, digest: &Digest) -> Vec<u8> {
    [&seq.to_be_bytes()[..], digest].concat()
}

fn read_boundary(payload: &[u8]) -> Option<(u64, Digest)> {
    let (seq, digest) = payload.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*seq), digest.try_into().ok()?))
}
