//! Three nodes above each other, without lines: what one says the others hear at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use juki_crypto::{Directory, DirectoryEntry, SealingKey, SigningKey, SystemRandomness};
use juki_dispatch::{
    COMMUNICATION, Input, LedgerPort, LedgerRead, MemoryIndex, NodeIdentity, Output, Sequencer,
    View,
};
use juki_domain::{CivilDate, NodeRole};
use juki_ledger::{Chain, NewEntry};

use super::*;

const CS: &str = "cs-352047";
const PREFECTURE: &str = "prefecture-35";
const NATION: &str = "national";

/// A ledger in memory, durable at once.
struct Pages {
    me: NodeId,
    key: Arc<SigningKey>,
    chain: Chain,
    entries: Vec<Arc<Entry>>,
    checkpoint: Option<Checkpoint>,
}

impl LedgerRead for Pages {
    fn entries(&self, _: u64, _: usize) -> Vec<Arc<Entry>> {
        Vec::new()
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        self.checkpoint.clone()
    }
}

impl LedgerPort for Pages {
    fn append(&mut self, at_ms: u64, new: NewEntry) -> Result<Arc<Entry>, String> {
        let entry = Arc::new(Entry {
            seq: self.chain.seq + 1,
            at_ms,
            kind: new.kind,
            salt: [0; 16],
            payload: new.payload,
        });
        self.chain.advance(&entry.leaf());
        self.entries.push(Arc::clone(&entry));
        Ok(entry)
    }

    fn append_checkpoint(&mut self, at_ms: u64) -> Result<(), String> {
        let checkpoint = Checkpoint::sign(&self.me, &self.chain, at_ms, &self.key);
        self.append(
            at_ms,
            NewEntry {
                kind: EntryKind::CHECKPOINT,
                payload: checkpoint.encode_to_vec(),
            },
        )?;
        self.checkpoint = Some(checkpoint);
        Ok(())
    }

    fn sync(&mut self) -> Result<u64, String> {
        Ok(self.chain.seq)
    }

    fn chain(&self) -> Chain {
        self.chain
    }
}

struct World {
    now_ms: u64,
    nodes: BTreeMap<String, Sequencer<Pages>>,
    keys: BTreeMap<String, Arc<SigningKey>>,
    identities: BTreeMap<String, NodeIdentity>,
    /// Nodes that nothing reaches.
    cut: Option<&'static str>,
}

impl World {
    fn new() -> Self {
        let names = [
            (CS, NodeRole::MunicipalCs, Some(PREFECTURE)),
            (PREFECTURE, NodeRole::PrefectureServer, Some(NATION)),
            (NATION, NodeRole::NationalCenter, None),
        ];
        let mut directory = Directory::default();
        let mut keys = BTreeMap::new();
        let mut sealing = BTreeMap::new();
        for (name, role, _) in names {
            let key = Arc::new(SigningKey::generate(&SystemRandomness).unwrap());
            let seal = Arc::new(SealingKey::generate().unwrap());
            let entry = DirectoryEntry {
                role,
                signing: key.public(),
                sealing: seal.public().clone(),
                municipality: None,
            };
            directory.nodes.insert(name.parse().unwrap(), entry);
            keys.insert(name.to_owned(), key);
            sealing.insert(name.to_owned(), seal);
        }
        let directory = Arc::new(directory);
        let mut world = Self {
            now_ms: 1_000_000,
            nodes: BTreeMap::new(),
            keys,
            identities: BTreeMap::new(),
            cut: None,
        };
        for (name, _, upper) in names {
            let key = Arc::clone(&world.keys[name]);
            let identity = NodeIdentity {
                node: name.parse().unwrap(),
                signing: Arc::clone(&key),
                sealing: Arc::clone(&sealing[name]),
                directory: Arc::clone(&directory),
                randomness: Arc::new(SystemRandomness),
                calendar_version: 1,
            };
            let pages = Pages {
                me: name.parse().unwrap(),
                key,
                chain: Chain::default(),
                entries: Vec::new(),
                checkpoint: None,
            };
            let monitor = Monitor::new(MonitorSettings {
                upper: upper.map(|upper| upper.parse().unwrap()),
                collects: name != CS,
                suspects: Vec::new(),
            });
            let view = View::new(Arc::new(MemoryIndex::default()));
            let services: Vec<Box<dyn Service>> = vec![Box::new(monitor)];
            world.identities.insert(name.to_owned(), identity.clone());
            let sequencer = Sequencer::new(identity, pages, view, services);
            world.nodes.insert(name.to_owned(), sequencer);
        }
        world
    }

    /// Lets a node take inputs, and all others what follows from it.
    fn turn(&mut self, node: &str, inputs: Vec<Input>) -> Vec<Vec<u8>> {
        let date = CivilDate::from_ymd(2002, 10, 15).unwrap();
        let mut said = Vec::new();
        let mut answers = Vec::new();
        let now = (self.now_ms, date);
        let sequencer = self.nodes.get_mut(node).unwrap();
        let taken = &mut inputs.into_iter();
        sequencer
            .turn(now, taken, &mut |output| match output {
                Output::Frame {
                    destination, frame, ..
                } => said.push((destination, frame)),
                Output::Local { body, .. } => answers.push(body),
                Output::Refused { .. } => {}
            })
            .unwrap();
        for (destination, frame) in said {
            if self.cut != Some(destination.as_str()) && self.cut != Some(node) {
                self.turn(destination.as_str(), vec![Input::Frame(frame)]);
            }
        }
        answers
    }

    /// Lets time pass in steps of a second.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            for name in [CS, PREFECTURE, NATION] {
                self.turn(name, Vec::new());
                self.turn(name, Vec::new());
            }
        }
    }

    fn refuse_something(&mut self, node: &str, source: &str) {
        let suspicious = Input::Security {
            source: source.to_owned(),
            code: ErrorCode::FrameGarbage,
        };
        self.turn(node, vec![suspicious]);
    }

    fn alerts(&mut self, node: &str) -> Vec<Alert> {
        let question = MonitorQuestion { limit: 100 };
        let asked = Input::Local {
            service: ServiceId::Monitor.name(),
            ticket: Ticket(1),
            request: question.encode_to_vec(),
        };
        let body = self.turn(node, vec![asked]).swap_remove(0);
        let answer = MonitorAnswer::decode(body.as_slice()).unwrap();
        answer
            .alerts
            .into_iter()
            .filter_map(|listed| listed.alert)
            .collect()
    }

    fn kinds(&self, node: &str) -> Vec<u16> {
        let pages = self.nodes[node].ledger();
        pages.entries.iter().map(|entry| entry.kind.0).collect()
    }

    /// A message of the monitor service as a node would seal it, sent by hand.
    fn say(&mut self, from: &str, to: &str, body: Vec<u8>) {
        let identity = self.identities[from].clone();
        let mut sessions = juki_dispatch::Sessions::new(
            identity.node,
            identity.signing,
            identity.sealing,
            identity.directory,
            identity.randomness,
            1,
        );
        // Later than the node's own session, which this one takes the place of.
        self.now_ms += 10;
        let to: NodeId = to.parse().unwrap();
        let service = (ServiceId::Monitor, Priority::Interactive);
        let (_, frame) = sessions
            .seal(self.now_ms, &to, service, (None, false), body)
            .unwrap();
        let reset = self.heard(&to, frame).expect("the first opening is reset");
        let parts = juki_wire::FrameParts::decode(&reset).unwrap();
        let juki_dispatch::OpenedFrame::Resend(frames) = sessions.open(self.now_ms, &parts) else {
            panic!("the reset was not understood")
        };
        for (_, _, frame) in frames {
            self.heard(&to, frame);
        }
    }

    /// Gives a node a frame, and its first word back.
    fn heard(&mut self, node: &NodeId, frame: Bytes) -> Option<Bytes> {
        let date = CivilDate::from_ymd(2002, 10, 15).unwrap();
        let sequencer = self.nodes.get_mut(node.as_str()).unwrap();
        let mut back = None;
        let mut inputs = std::iter::once(Input::Frame(frame));
        sequencer
            .turn((self.now_ms, date), &mut inputs, &mut |output| {
                if let Output::Frame { frame, .. } = output {
                    back.get_or_insert(frame);
                }
            })
            .unwrap();
        back
    }
}

#[test]
fn a_refusal_behind_the_firewall_is_level_three_at_every_tier_above_under_its_nodes_name() {
    let mut world = World::new();
    world.pass(1);
    world.refuse_something(CS, "fw-cs-352047");
    world.pass(1);
    for node in [CS, PREFECTURE, NATION] {
        let alerts = world.alerts(node);
        assert_eq!(alerts.len(), 1, "{node}");
        let alert = &alerts[0];
        assert_eq!(
            (alert.node.as_str(), alert.level, alert.kind.as_str()),
            (CS, 3, "refused-behind")
        );
        assert_eq!(
            (alert.peer.as_str(), alert.code.as_str()),
            ("fw-cs-352047", "JKW-1004")
        );
    }
    let alert = world.alerts(NATION).swap_remove(0);
    assert_eq!(
        alert.verify(&world.keys[CS].public()),
        Ok(()),
        "its node's own word"
    );
    let pages = &world.nodes[CS].ledger().entries;
    let evidence = pages
        .iter()
        .find(|entry| entry.seq == alert.evidence)
        .unwrap();
    assert_eq!(evidence.kind, SECURITY);
    let before = world.kinds(NATION);
    world.pass(30);
    assert_eq!(
        world.kinds(NATION),
        before,
        "what is acknowledged is not said again"
    );
}

#[test]
fn like_refusals_of_a_minute_make_one_alert_and_the_next_one_counts_them() {
    let mut world = World::new();
    world.pass(1);
    for _ in 0..20 {
        world.refuse_something(CS, "fw-cs-352047");
    }
    world.refuse_something(CS, "fw-other");
    world.pass(60);
    world.refuse_something(CS, "fw-cs-352047");
    world.pass(1);
    let counts: Vec<u64> = world
        .alerts(NATION)
        .iter()
        .map(|alert| alert.count)
        .collect();
    assert_eq!(counts, [1, 1, 20]);
}

#[test]
fn an_alert_waits_out_a_cut_and_a_prefecture_that_is_silent_loses_nothing() {
    let mut world = World::new();
    world.pass(1);
    world.cut = Some(PREFECTURE);
    world.refuse_something(CS, "fw-cs-352047");
    world.pass(40);
    assert_eq!(world.alerts(NATION).len(), 0);
    world.cut = None;
    world.pass(12);
    assert_eq!(world.alerts(PREFECTURE).len(), 1);
    assert_eq!(
        world.alerts(NATION).len(),
        1,
        "once, however often it was said"
    );
}

#[test]
fn nobody_invents_or_alters_an_alert_of_another() {
    let mut world = World::new();
    world.pass(1);
    let genuine = Alert {
        node: CS.to_owned(),
        at_ms: 5,
        kind: "scan".to_owned(),
        level: 2,
        count: 1,
        evidence: 9,
        ..Alert::default()
    }
    .signed(&world.keys[CS]);
    let milder = Alert {
        level: 1,
        ..genuine.clone()
    };
    let invented = Alert {
        node: NATION.to_owned(),
        ..genuine.clone()
    }
    .signed(&world.keys[CS]);
    let report = |alert: &Alert| Report {
        alerts: vec![alert.clone()],
        ..Report::default()
    };
    // A prefecture may bring what others signed; a communication server only its own.
    world.say(PREFECTURE, NATION, report(&milder).encode_to_vec());
    world.say(CS, PREFECTURE, report(&invented).encode_to_vec());
    let codes = |alerts: Vec<Alert>| -> Vec<(String, String)> {
        alerts
            .into_iter()
            .map(|alert| (alert.peer, alert.code))
            .collect()
    };
    let forged = |by: &str| vec![(by.to_owned(), "JKM-1001".to_owned())];
    assert_eq!(codes(world.alerts(NATION)), forged(PREFECTURE));
    assert_eq!(codes(world.alerts(PREFECTURE)), forged(CS));
    world.say(PREFECTURE, NATION, report(&genuine).encode_to_vec());
    assert!(world.alerts(NATION).contains(&genuine));
}

#[test]
fn checkpoints_are_kept_on_both_sides_and_an_idle_network_writes_little() {
    let mut world = World::new();
    world.pass(130);
    let neighbour = NEIGHBOUR_CHECKPOINT.0;
    for node in [CS, PREFECTURE, NATION] {
        let kept = world
            .kinds(node)
            .iter()
            .filter(|kind| **kind == neighbour)
            .count();
        assert!(kept >= 1, "{node}");
    }
    let before = [CS, PREFECTURE, NATION].map(|node| world.kinds(node).len());
    world.pass(600);
    for (node, before) in [CS, PREFECTURE, NATION].into_iter().zip(before) {
        let since = world.kinds(node).split_off(before);
        // Two runs of frames for each neighbour and direction, and what makes them evidence.
        let written =
            [COMMUNICATION, EntryKind::CHECKPOINT, NEIGHBOUR_CHECKPOINT].map(|kind| kind.0);
        assert!(since.iter().all(|kind| written.contains(kind)), "{since:?}");
        assert!((1..=16).contains(&since.len()), "{node}: {since:?}");
    }
}

#[test]
fn a_ledger_that_signs_a_shorter_chain_later_is_an_alert_at_once() {
    let mut world = World::new();
    world.pass(1);
    world.refuse_something(CS, "fw-cs-352047");
    world.pass(1);
    let report = |chain: &Chain, at_ms, key: &SigningKey| Report {
        checkpoint: Some(Checkpoint::sign(&CS.parse().unwrap(), chain, at_ms, key)),
        ..Report::default()
    };
    let key = Arc::clone(&world.keys[CS]);
    let shorter = Chain {
        seq: 0,
        hash: [7; 32],
    };
    world.say(
        CS,
        PREFECTURE,
        report(&shorter, world.now_ms + 1, &key).encode_to_vec(),
    );
    world.pass(1);
    let alerts = world.alerts(NATION);
    let said: Vec<(&str, u32, &str)> = alerts
        .iter()
        .map(|alert| (alert.peer.as_str(), alert.level, alert.code.as_str()))
        .filter(|(_, _, code)| code.starts_with("JKM"))
        .collect();
    assert_eq!(said, [(CS, 3, "JKM-1004")]);
}

#[test]
fn whoever_reports_without_end_is_put_off() {
    let mut world = World::new();
    world.pass(1);
    let forged = Report {
        alerts: vec![
            Alert {
                node: NATION.to_owned(),
                kind: "scan".to_owned(),
                level: 2,
                ..Alert::default()
            };
            REPORT_ALERTS_MAX
        ],
        ..Report::default()
    };
    for _ in 0..120 {
        world.say(CS, PREFECTURE, forged.encode_to_vec());
    }
    let kinds = world.kinds(PREFECTURE);
    let looked_at = kinds.iter().filter(|kind| **kind == SECURITY.0).count();
    assert_eq!(looked_at, 93, "6,000 alerts a minute, 64 in each report");
}
