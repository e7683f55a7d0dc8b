//! A town's journal written by hand, with its server's keys.

use std::sync::Arc;

use juki_crypto::{DigestKey, SigningKey};
use juki_dispatch::{MemoryIndex, View};
use juki_domain::{Change, ChangeReason, CivilDate, IdentityRecord, ResidentRecordCode, ServiceId};
use juki_journal::message::kind::Kind;
use juki_journal::{BlockHeader, JOURNAL_ENTRY, JournalEntry, JournalMessage, SignedBlock};
use juki_ledger::Entry;
use juki_registry::{Position, Registry};
use prost::Message as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::{Heard, Node, Post, Puppet, Resident, cast, municipality};

/// The context under which headers of blocks are signed.
const CONTEXT: &str = "juki block 1";

/// A town's journal as its server would write it: births, one after the other.
pub struct JournalWriter {
    /// The town.
    pub town: usize,
    /// Who sends for it.
    pub puppet: Puppet,
    /// Number of the next entry.
    pub next: u64,
    view: View,
    registry: Registry,
    previous: Vec<u8>,
}

impl JournalWriter {
    /// An empty journal.
    #[must_use]
    pub fn new(town: usize) -> Self {
        let view = View::new(Arc::new(MemoryIndex::default()));
        let registry = Registry::new(DigestKey::new(&[8; 32]), false);
        let puppet = Puppet::new(Post::Town(town), true, town as u64);
        Self {
            town,
            puppet,
            next: 1,
            view,
            registry,
            previous: Vec::new(),
        }
    }

    /// The town's signing key.
    #[must_use]
    pub fn key(&self) -> Arc<SigningKey> {
        cast().keys(Post::Town(self.town)).0
    }

    /// The next block of so many births. Nothing is remembered of it.
    ///
    /// # Panics
    /// For no births.
    pub fn block(&mut self, births: u64) -> SignedBlock {
        let changes: Vec<Change> = (self.next..self.next + births).map(birth).collect();
        let (of, first) = (municipality(self.town), self.next);
        let (digest, _) = self.view.rehearse(|view| {
            for (seq, change) in (first..).zip(&changes) {
                self.registry
                    .apply(view, of, Position { epoch: 1, seq }, change);
            }
            self.registry.digest(view, of).digest()
        });
        let entries = entries(first, &changes);
        SignedBlock::sign(of, &entries, &self.previous, digest, &self.key())
            .expect("a block of some entries")
    }

    /// A block of other people at the same place, whose digest is wrong.
    ///
    /// # Panics
    /// Never: it holds two entries.
    #[must_use]
    pub fn block_of_others(&self) -> SignedBlock {
        let entries = entries(self.next, &[birth(70), birth(71)]);
        SignedBlock::sign(
            municipality(self.town),
            &entries,
            &self.previous,
            [0; 32],
            &self.key(),
        )
        .expect("a block of two entries")
    }

    /// Another header over the same body, signed with a key.
    ///
    /// # Panics
    /// Where the block's header cannot be read.
    #[must_use]
    pub fn with_header(
        block: &SignedBlock,
        key: &SigningKey,
        change: impl FnOnce(&mut BlockHeader),
    ) -> SignedBlock {
        let mut header = block.read_header().expect("a header that was made here");
        change(&mut header);
        let header = header.encode_to_vec();
        SignedBlock {
            signature: key.sign(CONTEXT, &header).to_vec(),
            header,
            ..block.clone()
        }
    }

    /// Sends a block.
    pub fn send(&mut self, node: &mut Node, block: &SignedBlock) -> Heard {
        self.puppet.say(
            node,
            ServiceId::Journal,
            JournalMessage::bytes(Kind::Block(block.clone())),
        )
    }

    /// Sends the next block of two births, which must be accepted.
    ///
    /// # Panics
    /// Where no receipt comes for it.
    pub fn send_good(&mut self, node: &mut Node) {
        let block = self.block(2);
        let heard = self.send(node, &block);
        self.go_on(&block);
        assert_eq!(
            heard.receipt(),
            Some(self.next - 1),
            "town {}: {heard:?}",
            self.town
        );
    }

    /// The block was accepted: the next one follows it.
    ///
    /// # Panics
    /// Where the block cannot be read.
    pub fn go_on(&mut self, block: &SignedBlock) {
        let read = block.read().expect("a block that was made here");
        for (position, change) in &read.changes {
            self.registry
                .apply(&mut self.view, read.municipality, *position, change);
        }
        self.next = read.header.last_seq() + 1;
        self.previous = block.hash().to_vec();
    }
}

/// Journal entries of changes, as a communication server's ledger would hold them.
fn entries(first_seq: u64, changes: &[Change]) -> Vec<Arc<Entry>> {
    let entry = |(seq, change): (u64, &Change)| {
        let payload = JournalEntry::new(Position { epoch: 1, seq }, change).encode_to_vec();
        Arc::new(Entry {
            seq: seq + 100,
            at_ms: 5,
            kind: JOURNAL_ENTRY,
            salt: [3; 16],
            payload,
        })
    };
    (first_seq..).zip(changes).map(entry).collect()
}

fn birth(seq: u64) -> Change {
    let resident = Resident::new(0, &mut ChaCha8Rng::seed_from_u64(seq));
    let body = format!("9{seq:09}");
    let body = body.as_bytes().try_into().expect("ten digits");
    let code = ResidentRecordCode::from_body(body).expect("a body that is not all zeros");
    let record = IdentityRecord {
        code,
        name: resident.name,
        birth: resident.birth,
        sex: resident.sex,
        address: resident.address,
    };
    let event_date = CivilDate::from_number(20_021_015).expect("a day");
    Change {
        reason: ChangeReason::Birth,
        event_date,
        record,
        previous_code: None,
        origin: None,
    }
}
