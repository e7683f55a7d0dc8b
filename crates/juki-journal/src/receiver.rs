//! A tier's end: verify blocks, fold them, give receipts, and pass the same blocks on.

mod upward;

use std::collections::{BTreeMap, VecDeque};

use juki_crypto::Digest;
use juki_dispatch::{Answer, Context, Forward, LedgerRead, Origin, Service, Step, View, Writes};
use juki_domain::{MunicipalityCode, NodeId, NodeRole, ServiceId};
use juki_ledger::Entry;
use juki_registry::Registry;
use juki_wire::{MessageId, Priority, Refusal};
use prost::Message as _;

use crate::cursor::{keep_receipt, kept_receipt};
use crate::message::kind::Kind;
use crate::upstream::Upstream;
use crate::{
    BLOCK, BLOCK_BYTES_MAX, BLOCK_REFUSED, Block, BlockError, Cursor, Heights, JournalMessage,
    RECEIPT, Receipt, Refused, SignedBlock, Tier,
};

const READ_BYTES: usize = 1 << 20;

struct Waiting {
    first_seq: u64,
    last_seq: u64,
    ledger_seq: u64,
}

struct Stream {
    upstream: Upstream,
    waiting: VecDeque<Waiting>,
}

/// The journals of all municipalities below a tier.
pub struct JournalReceiver {
    tier: Tier,
    upper: Option<NodeId>,
    registry: Registry,
    receipt_timeout_ms: u64,
    streams: BTreeMap<MunicipalityCode, Stream>,
    /// The fold of the block judged last, so that it is not computed twice.
    prepared: Option<(Digest, Writes)>,
}

impl JournalReceiver {
    /// The receiving end of a tier; `upper` is whom it passes blocks on to.
    #[must_use]
    pub fn new(
        tier: Tier,
        upper: Option<NodeId>,
        registry: Registry,
        receipt_timeout_ms: u64,
    ) -> Self {
        Self {
            tier,
            upper,
            registry,
            receipt_timeout_ms,
            streams: BTreeMap::new(),
            prepared: None,
        }
    }

    /// Where this tier stands with every municipality.
    #[must_use]
    pub fn cursors(view: &View) -> Vec<(MunicipalityCode, Cursor)> {
        Cursor::all(view)
    }

    /// How many entries still have to be confirmed by the tier above.
    #[must_use]
    pub fn behind(view: &View) -> u64 {
        Cursor::all(view)
            .iter()
            .map(|(municipality, cursor)| {
                cursor
                    .seq
                    .saturating_sub(Heights::load(view, *municipality).national)
            })
            .sum()
    }

    /// Whether a node may bring a municipality's journal here: its own server to the prefecture, the
    /// prefecture to the national center.
    fn may_bring(
        &self,
        context: &Context<'_>,
        node: &NodeId,
        municipality: MunicipalityCode,
    ) -> bool {
        match self.tier {
            Tier::Prefecture => context
                .directory
                .writer_of(municipality)
                .is_some_and(|(writer, _)| writer == node),
            Tier::National => context.directory.entry(node).is_some_and(|sender| {
                sender.role == NodeRole::PrefectureServer
                    && node
                        .as_str()
                        .ends_with(&format!("-{}", municipality.prefecture()))
            }),
        }
    }

    /// Says where this tier stands: with a receipt, so that one that was lost is made good by asking,
    /// and with the last one of the tier above, which nobody else would say again.
    fn on_ask(&self, context: &Context<'_>, origin: &Origin, number: u32, view: &View) -> Step {
        let mut step = Step::none();
        let Ok(municipality) = MunicipalityCode::from_number(number) else {
            return self.refuse(&mut step, origin, (number, BlockError::Malformed), None);
        };
        if !self.may_bring(context, &origin.node, municipality) {
            return self.refuse(&mut step, origin, (number, BlockError::WrongWriter), None);
        }
        let cursor = Cursor::load(view, municipality);
        let answer = if cursor.seq == 0 {
            Kind::Cursor(cursor)
        } else {
            Kind::Receipt(Receipt::sign(
                municipality,
                cursor.position(),
                &cursor.block,
                (self.tier, context.me),
                context.signing,
            ))
        };
        step.answer(Answer::to(
            origin,
            ServiceId::Journal,
            JournalMessage::bytes(answer),
        ));
        if let Some(above) = kept_receipt(view, municipality) {
            let body = JournalMessage::bytes(Kind::Receipt(above));
            step.send_when_durable(Forward::new(
                origin.node.clone(),
                ServiceId::Journal,
                Priority::Bulk,
                body,
            ));
        }
        step
    }

    fn on_block(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        signed: &SignedBlock,
        view: &mut View,
    ) -> Step {
        let mut step = Step::none();
        let municipality = signed
            .read_header()
            .ok()
            .and_then(|header| MunicipalityCode::from_number(header.municipality).ok());
        let Some(municipality) = municipality else {
            return self.refuse(&mut step, origin, (0, BlockError::Malformed), None);
        };
        let cursor = Cursor::load(view, municipality);
        match self.judge(context, origin, signed, municipality, &cursor, view) {
            Err(error) => self.refuse(
                &mut step,
                origin,
                (municipality.number(), error),
                Some(cursor),
            ),
            Ok(None) => {
                // Seen before: the receipt is given again, nothing changes.
                let receipt = Receipt::sign(
                    municipality,
                    cursor.position(),
                    &cursor.block,
                    (self.tier, context.me),
                    context.signing,
                );
                step.answer(Answer::to(
                    origin,
                    ServiceId::Journal,
                    JournalMessage::bytes(Kind::Receipt(receipt)),
                ));
                step
            }
            Ok(Some((block, writes))) => {
                let hash = signed.hash();
                self.prepared = Some((hash, writes));
                step.append(BLOCK, signed.encode_to_vec());
                let position = juki_registry::Position {
                    epoch: block.header.epoch,
                    seq: block.header.last_seq(),
                };
                let receipt = Receipt::sign(
                    municipality,
                    position,
                    &hash,
                    (self.tier, context.me),
                    context.signing,
                );
                step.answer(Answer::to(
                    origin,
                    ServiceId::Journal,
                    JournalMessage::bytes(Kind::Receipt(receipt)),
                ));
                self.pass_on_at_once(context, municipality, &block, signed, &mut step);
                step
            }
        }
    }

    /// `None` for a block whose entries are all held already.
    fn judge(
        &self,
        context: &Context<'_>,
        origin: &Origin,
        signed: &SignedBlock,
        municipality: MunicipalityCode,
        cursor: &Cursor,
        view: &mut View,
    ) -> Result<Option<(Block, Writes)>, BlockError> {
        let (_, entry) = context
            .directory
            .writer_of(municipality)
            .ok_or(BlockError::WrongWriter)?;
        if !self.may_bring(context, &origin.node, municipality) {
            return Err(BlockError::WrongWriter);
        }
        let header = signed.read_header()?;
        if signed.encoded_len() > BLOCK_BYTES_MAX {
            return Err(BlockError::Malformed);
        }
        signed.verify_signature(&entry.signing)?;
        if cursor.epoch != 0 && header.epoch != cursor.epoch {
            return Err(BlockError::Epoch);
        }
        if header.count > 0 && header.last_seq() <= cursor.seq {
            return Ok(None);
        }
        if header.first_seq != cursor.seq + 1 {
            return Err(BlockError::Gap);
        }
        if header.previous != cursor.block {
            return Err(BlockError::Previous);
        }
        let block = signed.read()?;
        let (digest, writes) = view.rehearse(|view| {
            self.fold(view, &block);
            self.registry.digest(view, municipality).digest()
        });
        if digest.as_slice() != header.digest {
            return Err(BlockError::Digest);
        }
        Ok(Some((block, writes)))
    }

    fn fold(&self, view: &mut View, block: &Block) {
        let entries = block.changes.iter();
        let entries = entries.map(|(position, change)| (*position, change));
        self.registry.apply_all(view, block.municipality, entries);
    }

    fn refuse(
        &self,
        step: &mut Step,
        origin: &Origin,
        (municipality, error): (u32, BlockError),
        cursor: Option<Cursor>,
    ) -> Step {
        let refused = Refused {
            municipality,
            code: error.code().code().to_owned(),
            cursor,
        };
        // A gap is the ordinary consequence of a cut line; anything else concerns security.
        if error != BlockError::Gap {
            step.append(
                BLOCK_REFUSED,
                Refused {
                    cursor: None,
                    ..refused.clone()
                }
                .encode_to_vec(),
            );
        }
        step.answer(Answer::to(
            origin,
            ServiceId::Journal,
            JournalMessage::bytes(Kind::Refused(refused)),
        ));
        std::mem::take(step)
    }
}

impl Service for JournalReceiver {
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
        let Some(kind) = JournalMessage::decode(message)
            .ok()
            .and_then(|message| message.kind)
        else {
            let mut step = Step::none();
            return if origin.reply {
                step
            } else {
                self.refuse(&mut step, origin, (0, BlockError::Malformed), None)
            };
        };
        if self.upper.as_ref() == Some(&origin.node) {
            return self.on_upper(context, origin, kind, view);
        }
        match kind {
            Kind::Ask(number) => self.on_ask(context, origin, number, view),
            Kind::Block(signed) => self.on_block(context, origin, &signed, view),
            Kind::Cursor(_) | Kind::Receipt(_) | Kind::Refused(_) => Step::none(),
        }
    }

    fn on_refused(
        &mut self,
        context: &Context<'_>,
        message_id: MessageId,
        _refusal: &Refusal,
        _view: &mut View,
    ) -> Step {
        self.refused(context.now_ms, message_id);
        Step::none()
    }

    fn on_timeout(&mut self, context: &Context<'_>, _view: &mut View) -> Step {
        for stream in self.streams.values_mut() {
            stream.upstream.on_timeout(context.now_ms);
        }
        self.pump(context)
    }

    fn next_timeout(&self) -> Option<u64> {
        self.streams
            .values()
            .filter(|stream| !stream.waiting.is_empty())
            .filter_map(|stream| stream.upstream.next_timeout())
            .min()
    }

    fn on_durable(&mut self, context: &Context<'_>, _durable: u64, _view: &mut View) -> Step {
        self.pump(context)
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        match entry.kind {
            BLOCK => {
                let Ok(signed) = SignedBlock::decode(entry.payload.as_slice()) else {
                    return;
                };
                let Ok(header) = signed.read_header() else {
                    return;
                };
                let Ok(municipality) = MunicipalityCode::from_number(header.municipality) else {
                    return;
                };
                let hash = signed.hash();
                match self.prepared.take() {
                    Some((prepared, writes)) if prepared == hash => view.put_all(writes),
                    Some(_) | None => {
                        let Ok(block) = signed.read() else { return };
                        self.fold(view, &block);
                    }
                }
                let cursor = Cursor {
                    municipality: header.municipality,
                    epoch: header.epoch,
                    seq: header.last_seq(),
                    block: hash.to_vec(),
                    ledger_seq: entry.seq,
                };
                cursor.store(view, municipality);
                if self.upper.is_some() {
                    self.note(municipality, &signed, entry.seq);
                }
            }
            RECEIPT => {
                let Ok(receipt) = Receipt::decode(entry.payload.as_slice()) else {
                    return;
                };
                let Ok(municipality) = MunicipalityCode::from_number(receipt.municipality) else {
                    return;
                };
                // As at the municipality's server: only a receipt for all that is held settles.
                let settled = (receipt.position() == Cursor::load(view, municipality).position())
                    .then_some(entry.seq);
                Heights::raise(
                    view,
                    municipality,
                    Tier::National,
                    receipt.position(),
                    settled,
                );
                keep_receipt(view, municipality, &receipt);
            }
            _ => {}
        }
    }

    fn resume(&mut self, ledger: &dyn LedgerRead, view: &View) {
        self.streams.clear();
        if self.upper.is_some() {
            let heights = Cursor::all(view)
                .into_iter()
                .map(|(municipality, cursor)| (cursor, Heights::load(view, municipality)));
            let unsettled = heights
                .filter(|(cursor, heights)| heights.national < cursor.seq)
                .map(|(_, heights)| heights.settled)
                .min();
            if let Some(settled) = unsettled {
                self.collect(ledger, settled + 1, None, view);
            }
        }
    }
}
