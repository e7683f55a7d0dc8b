//! A node for tests: services over a ledger in memory, driven turn by turn.

use std::sync::Arc;

use juki_access::{CardCertificate, Role};
use juki_crypto::{Directory, Notice, SealingKey, SigningKey, SystemRandomness};
use juki_dispatch::{
    Input, LedgerPort, LedgerRead, MemoryIndex, NodeIdentity, Output, Sequencer, Service, Ticket,
    View,
};
use juki_domain::CivilDate;
use juki_ledger::{Chain, Entry, EntryKind, NewEntry, SALT_LEN};

/// When tests begin.
pub(crate) const BEGAN_MS: u64 = 1_700_000_000_000;

#[derive(Default)]
struct MemoryLedger {
    entries: Vec<Arc<Entry>>,
    chain: Chain,
}

impl LedgerRead for MemoryLedger {
    fn entries(&self, from_seq: u64, _: usize) -> Vec<Arc<Entry>> {
        let behind = self.entries.iter().filter(|entry| entry.seq >= from_seq);
        behind.cloned().collect()
    }
}

impl LedgerPort for MemoryLedger {
    fn append(&mut self, at_ms: u64, entry: NewEntry) -> Result<Arc<Entry>, String> {
        self.chain.advance(&[0; 32]);
        let entry = Arc::new(Entry {
            seq: self.chain.seq,
            at_ms,
            kind: entry.kind,
            salt: [0; SALT_LEN],
            payload: entry.payload,
        });
        self.entries.push(Arc::clone(&entry));
        Ok(entry)
    }

    fn sync(&mut self) -> Result<u64, String> {
        Ok(self.chain.seq)
    }

    fn chain(&self) -> Chain {
        self.chain
    }
}

/// The node.
pub(crate) struct Stage {
    sequencer: Sequencer<MemoryLedger>,
    pub(crate) now_ms: u64,
    asked: u64,
}

impl Stage {
    pub(crate) fn new(services: Vec<Box<dyn Service>>) -> Self {
        Self::after(services, Vec::new())
    }

    /// A node that starts again over these entries.
    pub(crate) fn after(mut services: Vec<Box<dyn Service>>, entries: Vec<Arc<Entry>>) -> Self {
        let identity = NodeIdentity {
            node: "national".parse().unwrap(),
            signing: Arc::new(SigningKey::generate(&SystemRandomness).unwrap()),
            sealing: Arc::new(SealingKey::generate().unwrap()),
            directory: Arc::new(Directory::default()),
            randomness: Arc::new(SystemRandomness),
            calendar_version: 1,
        };
        let mut view = View::new(Arc::new(MemoryIndex::default()));
        let mut ledger = MemoryLedger::default();
        for entry in entries {
            view.begin_entry(entry.seq);
            for service in &mut services {
                service.apply(&entry, &mut view);
            }
            ledger.chain.advance(&[0; 32]);
            ledger.entries.push(entry);
        }
        Self {
            sequencer: Sequencer::new(identity, ledger, view, services),
            now_ms: BEGAN_MS,
            asked: 0,
        }
    }

    fn turn(&mut self, input: Option<Input>) -> Vec<(Ticket, Vec<u8>)> {
        let date: CivilDate = "2002-10-15".parse().unwrap();
        let mut answers = Vec::new();
        self.sequencer
            .turn((self.now_ms, date), &mut input.into_iter(), &mut |output| {
                if let Output::Local { ticket, body } = output {
                    answers.push((ticket, body));
                }
            })
            .unwrap();
        answers
    }

    /// Asks a service and gives what it answered in the same turn.
    pub(crate) fn ask(&mut self, service: &'static str, request: Vec<u8>) -> Option<Vec<u8>> {
        self.asked += 1;
        let ticket = Ticket(self.asked);
        let answers = self.turn(Some(Input::Local {
            service,
            ticket,
            request,
        }));
        answers
            .into_iter()
            .find(|(to, _)| *to == ticket)
            .map(|(_, body)| body)
    }

    /// Puts a document of the registrar in force.
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.turn(Some(Input::Notice(Arc::new(notice))));
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, ms: u64) {
        self.now_ms += ms;
        self.turn(None);
    }

    /// Ends the node as when it is told to stop.
    pub(crate) fn end(&mut self) {
        let date: CivilDate = "2002-10-15".parse().unwrap();
        self.sequencer.end((self.now_ms, date)).unwrap();
    }

    /// When the node wants to be woken.
    pub(crate) fn wakes_at(&self) -> Option<u64> {
        self.sequencer.next_timeout()
    }

    /// All entries.
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.sequencer.ledger().entries(0, usize::MAX)
    }

    /// The payloads of one kind of entries.
    pub(crate) fn payloads(&self, kind: EntryKind) -> Vec<Vec<u8>> {
        let entries = self.entries();
        let of_kind = entries.iter().filter(|entry| entry.kind == kind);
        of_kind.map(|entry| entry.payload.clone()).collect()
    }
}

/// An operator's card.
pub(crate) struct Holder {
    pub(crate) key: SigningKey,
    pub(crate) certificate: CardCertificate,
}

impl Holder {
    /// A card that the registrar made, of this serial and these roles, which serves for a day.
    pub(crate) fn new(registrar: &SigningKey, serial: &str, roles: &[Role]) -> Self {
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        let certificate = CardCertificate {
            serial: serial.to_owned(),
            operator: format!("operator of {serial}").replace(' ', "-"),
            body: "center".to_owned(),
            roles: roles.iter().map(|role| *role as u32).collect(),
            key: key.public().as_bytes().to_vec(),
            valid_until_s: BEGAN_MS / 1000 + 24 * 3600,
            signature: Vec::new(),
        };
        Self {
            key,
            certificate: certificate.signed(registrar),
        }
    }
}
