//! One node: services over a ledger on a disk that loses power, and an index that a crash sets back.

use std::num::NonZeroU32;
use std::sync::Arc;

use juki_access::{AccessControl, AccessRates};
use juki_crypto::{BodyPermutation, DigestKey, StorageKey};
use juki_dispatch::{
    IndexBatch, IndexMark, IndexPort as _, Input, LedgerPort, LedgerRead, NodeIdentity, Output,
    Sequencer, Service, TurnError, View,
};
use juki_domain::{CivilDate, LegalBasisTable};
use juki_journal::{JournalReceiver, JournalSender, Tier};
use juki_ledger::{Chain, Entry, NewEntry};
use juki_registry::Registry;
use juki_runtime::{Files as _, PowerLossFiles};
use juki_services::codes::{CodeAllocator, CodeDesignator, CodeStock};
use juki_services::query::{Asker, QueryAnswerer};
use juki_services::registration::Registration;
use juki_store::{Ledger, LedgerError, LedgerIdentity, LedgerSettings};

use crate::{KeptIndex, Medium, Post, Power, SeededRandomness, cast, municipality};

/// How long a stream waits for its receipt, in milliseconds.
const RECEIPT_TIMEOUT_MS: u64 = 2_000;

/// The ledger as the sequencer takes it.
pub struct NodeLedger(pub Ledger<Medium>);

impl LedgerRead for NodeLedger {
    fn entries(&self, from_seq: u64, bytes_max: usize) -> Vec<Arc<Entry>> {
        self.0
            .entries(from_seq, bytes_max)
            .expect("a ledger that was opened is read")
    }
}

impl LedgerPort for NodeLedger {
    fn append(&mut self, at_ms: u64, entry: NewEntry) -> Result<Arc<Entry>, String> {
        self.0
            .append(at_ms, entry)
            .map_err(|error| error.to_string())
    }

    fn sync(&mut self) -> Result<u64, String> {
        self.0.sync().map_err(|error| error.to_string())
    }

    fn chain(&self) -> Chain {
        self.0.chain()
    }
}

/// How a start went.
#[derive(Debug)]
pub enum Boot {
    /// The node runs; its ledger had a torn tail or not, its index was usable or not.
    Up {
        /// A torn tail was cut.
        torn: bool,
        /// The index was taken up where it stood, neither empty nor complete.
        partial_index: bool,
    },
    /// The power failed again.
    PowerFailed,
    /// The ledger does not open.
    Failed(LedgerError),
}

/// One node and its machine.
pub struct Node {
    /// Its place.
    pub post: Post,
    /// Its disk.
    pub disk: PowerLossFiles,
    /// Its power.
    pub power: Power,
    /// What waits for the next turn.
    pub inbox: Vec<Input>,
    /// Its index.
    pub index: Arc<KeptIndex>,
    skip_sync: bool,
    randomness: Arc<SeededRandomness>,
    sequencer: Option<Sequencer<NodeLedger>>,
    /// A batch on its way to the index.
    handed: Option<IndexBatch>,
    turned_ms: u64,
}

impl Node {
    /// A node that was never started.
    #[must_use]
    pub fn new(post: Post, seed: u64, skip_sync: bool) -> Self {
        Self {
            post,
            disk: PowerLossFiles::new(),
            power: Power::default(),
            inbox: Vec::new(),
            index: Arc::new(KeptIndex::default()),
            skip_sync,
            randomness: Arc::new(SeededRandomness::new(seed)),
            sequencer: None,
            handed: None,
            turned_ms: 0,
        }
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.sequencer.is_some()
    }

    /// Its sequencer.
    ///
    /// # Panics
    /// Where the node does not run.
    #[must_use]
    pub fn sequencer(&self) -> &Sequencer<NodeLedger> {
        self.sequencer.as_ref().expect("the node runs")
    }

    /// Its view.
    #[must_use]
    pub fn view(&self) -> &View {
        self.sequencer().view()
    }

    /// All durable entries of its ledger.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.sequencer()
            .ledger()
            .0
            .replay(1, &mut |entry| entries.push(entry.clone()))
            .expect("the ledger is read");
        entries
    }

    /// The key its ledger lies under.
    #[must_use]
    pub fn storage_key() -> StorageKey {
        StorageKey::new([7; 32])
    }

    /// Starts the node: opens the ledger, brings the index's view up to its end, resumes.
    pub fn boot(&mut self, now_ms: u64) -> Boot {
        let (signing, sealing) = cast().keys(self.post);
        let identity = LedgerIdentity {
            node: self.post.name(),
            storage: Self::storage_key(),
            signing: Arc::clone(&signing),
            randomness: self.randomness.clone(),
        };
        // Small sizes, so that growth, change of segment and reading back from the disk all happen.
        let settings = LedgerSettings {
            grow_bytes: 4096,
            segment_bytes_max: 48 * 1024,
            recent_bytes_max: 8 * 1024,
        };
        let (ledger, report) = match Ledger::open(
            Medium::new(&self.disk, &self.power, self.skip_sync),
            identity,
            settings,
            now_ms,
        ) {
            Ok(opened) => opened,
            Err(_) if self.power.failed() => return Boot::PowerFailed,
            Err(error) => return Boot::Failed(error),
        };
        let mark = self.index.mark().expect("memory has a mark");
        let known = ledger.chain_at(mark.seq).expect("the ledger is read");
        if known.is_none_or(|chain| chain.hash != mark.hash) {
            self.index.wipe().expect("memory is wiped");
        }
        let from = self.index.mark().expect("memory has a mark").seq;
        let mut view = View::new(self.index.clone());
        let mut services = services(self.post);
        let replayed = ledger.replay(from + 1, &mut |entry| {
            view.begin_entry(entry.seq);
            for service in &mut services {
                service.apply(entry, &mut view);
            }
        });
        replayed.expect("the ledger is read");
        let identity = NodeIdentity {
            node: self.post.name(),
            signing,
            sealing,
            directory: Arc::clone(&cast().directory),
            randomness: self.randomness.clone(),
            calendar_version: 1,
        };
        let partial_index = from > 0 && from < report.found.seq;
        self.sequencer = Some(Sequencer::new(identity, NodeLedger(ledger), view, services));
        Boot::Up {
            torn: report.torn.is_some(),
            partial_index,
        }
    }

    /// Takes everything that waits, in one turn.
    ///
    /// # Errors
    /// [`TurnError`]: the node must be taken down.
    pub fn turn(&mut self, now_ms: u64, date: CivilDate) -> (Vec<Output>, Result<(), TurnError>) {
        let mut said = Vec::new();
        let Some(sequencer) = &mut self.sequencer else {
            return (said, Ok(()));
        };
        self.turned_ms = now_ms;
        let mut inputs = self.inbox.drain(..);
        let ended = sequencer.turn((now_ms, date), &mut inputs, &mut |output| said.push(output));
        (said, ended)
    }

    /// When the next turn is due though nothing comes in.
    #[must_use]
    pub fn next_timeout(&self) -> Option<u64> {
        self.sequencer
            .as_ref()
            .and_then(Sequencer::next_timeout)
            .map(|due| due.max(self.turned_ms + 1))
    }

    /// Gives the index what it was handed before, and hands over what is durable now.
    pub fn feed_index(&mut self) {
        let Some(sequencer) = &mut self.sequencer else {
            return;
        };
        if let Some(batch) = self.handed.take() {
            self.index.write(&batch).expect("memory takes every batch");
            let keys: Vec<_> = batch.writes.into_iter().map(|(key, _)| key).collect();
            sequencer.view_mut().forget_written(&keys, batch.mark.seq);
        }
        let through = sequencer.durable();
        let chain = sequencer
            .ledger()
            .0
            .chain_at(through)
            .expect("the ledger is read")
            .expect("a durable entry is in the chain");
        let writes = sequencer.view_mut().take_writes(through);
        self.handed = Some(IndexBatch {
            mark: IndexMark {
                seq: chain.seq,
                hash: chain.hash,
            },
            writes,
        });
    }

    /// Cuts the power. The seed decides what the disk keeps; `batches` says how much of its index
    /// is left.
    pub fn lose_power(&mut self, seed: u64, batches: usize) {
        self.sequencer = None;
        self.handed = None;
        self.inbox.clear();
        self.disk.lose_power(seed);
        self.power.restore();
        self.index = Arc::new(self.index.set_back(batches));
    }

    /// Kills the process: the machine still writes what it was given. A broken index is thrown away.
    pub fn kill(&mut self, index_broken: bool) {
        self.sequencer = None;
        self.handed = None;
        self.inbox.clear();
        if index_broken {
            self.index = Arc::new(KeptIndex::default());
        }
    }

    /// Stops the node in order.
    ///
    /// # Errors
    /// [`LedgerError`] where the power fails meanwhile.
    pub fn stop(&mut self, now_ms: u64) -> Result<(), LedgerError> {
        self.handed = None;
        self.inbox.clear();
        self.sequencer
            .take()
            .map_or(Ok(()), |sequencer| sequencer.into_ledger().0.close(now_ms))
    }

    /// Its state folded from the ledger alone, and its state as it lives: they must be equal.
    #[must_use]
    pub fn refolded_and_live(&self) -> [Vec<(Vec<u8>, Vec<u8>)>; 2] {
        let mut view = View::new(Arc::new(KeptIndex::default()));
        let mut services = services(self.post);
        for entry in self.entries() {
            view.begin_entry(entry.seq);
            for service in &mut services {
                service.apply(&entry, &mut view);
            }
        }
        [view.scan(b"", 1 << 24), self.view().scan(b"", 1 << 24)]
    }

    /// The files of its ledger.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.disk.list().expect("memory lists its files")
    }
}

/// The registry of a node: every node has a key of its own for its pseudonyms.
#[must_use]
pub fn registry(post: Post) -> Registry {
    let (key, searchable) = match post {
        Post::Town(0) => (40, false),
        Post::Town(1) => (41, false),
        Post::Town(_) => (42, false),
        Post::Prefecture => (43, true),
        Post::National | Post::Terminal => (44, true),
    };
    Registry::new(DigestKey::new(&[key; 32]), searchable)
}

/// The services of a node.
fn services(post: Post) -> Vec<Box<dyn Service>> {
    let registry = registry(post);
    let access = || {
        let table = LegalBasisTable::parse(LEGAL_BASES).expect("the table is sound");
        let rates = AccessRates {
            operator_per_min: NonZeroU32::MAX,
            body_per_min: NonZeroU32::MAX,
        };
        AccessControl::new(cast().registrar.public(), rates).with_basis(1, table)
    };
    let (prefecture, national) = (Post::Prefecture.name(), Post::National.name());
    match post {
        Post::Town(town) => {
            let municipality = municipality(town);
            let sender = JournalSender::new(
                municipality,
                prefecture.clone(),
                registry.clone(),
                RECEIPT_TIMEOUT_MS,
            );
            let registration = Registration::new(
                municipality,
                registry,
                DigestKey::new(&[50; 32]),
                sender.gate(),
            );
            vec![
                Box::new(registration),
                Box::new(sender),
                Box::new(CodeStock::new(municipality, prefecture)),
            ]
        }
        Post::Prefecture => vec![
            Box::new(JournalReceiver::new(
                Tier::Prefecture,
                Some(national.clone()),
                registry.clone(),
                RECEIPT_TIMEOUT_MS,
            )),
            Box::new(CodeDesignator::new(national)),
            Box::new(QueryAnswerer::new(access(), &TABLES, registry)),
        ],
        Post::National => vec![
            Box::new(JournalReceiver::new(
                Tier::National,
                None,
                registry.clone(),
                RECEIPT_TIMEOUT_MS,
            )),
            Box::new(CodeAllocator::new(permutation())),
            Box::new(QueryAnswerer::new(access(), &TABLES, registry)),
        ],
        Post::Terminal => vec![Box::new(Asker::new(national))],
    }
}

/// The network's permutation of codes.
pub(crate) fn permutation() -> BodyPermutation {
    BodyPermutation::new([9; 32])
}

const TABLES: [&str; 1] = ["別表第一"];
const LEGAL_BASES: &str = "affair,body,table,body_ja,statute_ja,affair_ja,starts,starts_mark,\
    keys,items,fuzzy,operator_per_min,body_per_min,scope_mark\n\
    war-bereaved-pension,mhlw,別表第一,厚生労働省,援護法,年金,2002-09,src,both,123456,yes,,,design\n";
