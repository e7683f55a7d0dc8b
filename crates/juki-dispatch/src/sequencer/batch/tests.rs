use std::sync::{Arc, Mutex};

use juki_crypto::{Directory, SealingKey, SigningKey, SystemRandomness};
use juki_domain::CivilDate;
use juki_ledger::{Chain, Entry, EntryKind, NewEntry, SALT_LEN};
use prost::Message as _;

use super::BatchAnswer;
use crate::sequencer::Sequencer;
use crate::{
    Context, Input, LedgerPort, LedgerRead, MemoryIndex, NodeIdentity, Origin, Output, Service,
    Step, Ticket, View,
};

const NAMED: EntryKind = EntryKind(90);
const ASKER: Ticket = Ticket(7);

/// What ledger and listener saw, in order.
type Seen = Arc<Mutex<Vec<String>>>;

struct NotedLedger {
    seen: Seen,
    chain: Chain,
}

impl LedgerRead for NotedLedger {
    fn entries(&self, _: u64, _: usize) -> Vec<Arc<Entry>> {
        Vec::new()
    }
}

impl LedgerPort for NotedLedger {
    fn append(&mut self, at_ms: u64, entry: NewEntry) -> Result<Arc<Entry>, String> {
        let said = format!("append {}", String::from_utf8_lossy(&entry.payload));
        self.seen.lock().unwrap().push(said);
        self.chain.advance(&[0; 32]);
        Ok(Arc::new(Entry {
            seq: self.chain.seq,
            at_ms,
            kind: entry.kind,
            salt: [0; SALT_LEN],
            payload: entry.payload,
        }))
    }

    fn sync(&mut self) -> Result<u64, String> {
        self.seen.lock().unwrap().push("sync".to_owned());
        Ok(self.chain.seq)
    }

    fn chain(&self) -> Chain {
        self.chain
    }
}

/// Takes each name once and tells how many it had before; `bad` is refused, silence is not answered.
struct Names;

impl Service for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn on_message(&mut self, _: &Context<'_>, _: &Origin, _: &[u8], _: &mut View) -> Step {
        Step::none()
    }

    fn on_local(&mut self, _: &Context<'_>, to: Ticket, name: &[u8], view: &mut View) -> Step {
        let mut step = Step::none();
        let answer = match name {
            b"" => return step,
            b"bad" => "refused".to_owned(),
            taken if view.get(taken).is_some() => "taken".to_owned(),
            free => {
                step.append(NAMED, free.to_vec());
                format!("after {}", view.scan(b"", 100).len())
            }
        };
        step.answer_local(to, answer.into_bytes());
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        view.put(entry.payload.clone(), vec![1]);
    }
}

fn sequencer(seen: &Seen) -> Sequencer<NotedLedger> {
    let identity = NodeIdentity {
        node: "cs-352047".parse().unwrap(),
        signing: Arc::new(SigningKey::generate(&SystemRandomness).unwrap()),
        sealing: Arc::new(SealingKey::generate().unwrap()),
        directory: Arc::new(Directory::default()),
        randomness: Arc::new(SystemRandomness),
        calendar_version: 1,
    };
    let ledger = NotedLedger {
        seen: Arc::clone(seen),
        chain: Chain::default(),
    };
    let view = View::new(Arc::new(MemoryIndex::default()));
    Sequencer::new(identity, ledger, view, vec![Box::new(Names)])
}

fn batch(ticket: Ticket, names: &[&str]) -> Input {
    Input::Batch {
        service: "names",
        ticket,
        requests: names.iter().map(|name| name.as_bytes().to_vec()).collect(),
    }
}

fn alone(ticket: Ticket, name: &str) -> Input {
    Input::Local {
        service: "names",
        ticket,
        request: name.as_bytes().to_vec(),
    }
}

/// One turn; gives who was answered with what.
fn turn(
    sequencer: &mut Sequencer<NotedLedger>,
    inputs: Vec<Input>,
    seen: &Seen,
) -> Vec<(Ticket, Vec<u8>)> {
    let mut answers = Vec::new();
    let now = (0, "2002-10-15".parse::<CivilDate>().unwrap());
    sequencer
        .turn(now, &mut inputs.into_iter(), &mut |output| match output {
            Output::Local { ticket, body } => {
                seen.lock().unwrap().push(format!("answer {}", ticket.0));
                answers.push((ticket, body));
            }
            Output::Frame { .. } | Output::Refused { .. } => panic!("nobody else is spoken to"),
        })
        .unwrap();
    answers
}

fn bodies(answer: &[u8]) -> Vec<String> {
    let answer = BatchAnswer::decode(answer).unwrap();
    let text = |body: Vec<u8>| String::from_utf8(body).unwrap();
    answer.bodies.into_iter().map(text).collect()
}

#[test]
fn requests_of_a_batch_are_decided_in_order_and_each_sees_what_those_before_it_appended() {
    let seen = Seen::default();
    let mut sequencer = sequencer(&seen);
    let answers = turn(
        &mut sequencer,
        vec![batch(ASKER, &["c", "a", "c", "b"])],
        &seen,
    );
    assert_eq!(
        bodies(&answers[0].1),
        ["after 0", "after 1", "taken", "after 2"]
    );
    assert_eq!(sequencer.durable(), 3);
}

#[test]
fn a_batch_has_one_answer_and_it_leaves_after_the_one_sync_of_all_its_entries() {
    let seen = Seen::default();
    let answers = turn(
        &mut sequencer(&seen),
        vec![batch(ASKER, &["a", "b", "c"])],
        &seen,
    );
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].0, ASKER);
    assert_eq!(
        *seen.lock().unwrap(),
        ["append a", "append b", "append c", "sync", "answer 7"]
    );
}

#[test]
fn a_refused_request_and_one_without_answer_spoil_none_of_the_others() {
    let seen = Seen::default();
    let answers = turn(
        &mut sequencer(&seen),
        vec![batch(ASKER, &["a", "bad", "", "b"])],
        &seen,
    );
    assert_eq!(answers.len(), 1);
    assert_eq!(
        bodies(&answers[0].1),
        ["after 0", "refused", "", "after 1"],
        "one body for each request, in their order"
    );
    assert_eq!(
        *seen.lock().unwrap(),
        ["append a", "append b", "sync", "answer 7"]
    );
}

#[test]
fn batches_and_single_requests_of_one_turn_share_its_order_and_its_sync() {
    let seen = Seen::default();
    let inputs = vec![
        batch(Ticket(1), &["a", "b"]),
        alone(Ticket(2), "b"),
        alone(Ticket(3), "c"),
        batch(Ticket(4), &["c", "d"]),
    ];
    let answers = turn(&mut sequencer(&seen), inputs, &seen);
    let tickets: Vec<u64> = answers.iter().map(|(ticket, _)| ticket.0).collect();
    assert_eq!(tickets, [1, 2, 3, 4]);
    assert_eq!(answers[1].1, b"taken");
    assert_eq!(answers[2].1, b"after 2");
    assert_eq!(bodies(&answers[3].1), ["taken", "after 3"]);
    let syncs = seen.lock().unwrap().clone();
    assert_eq!(syncs.iter().filter(|said| *said == "sync").count(), 1);
}

#[test]
fn an_empty_batch_and_one_for_nobody_are_answered_and_sync_nothing() {
    let seen = Seen::default();
    let unknown = Input::Batch {
        service: "nobody",
        ticket: Ticket(2),
        requests: vec![b"a".to_vec()],
    };
    let answers = turn(
        &mut sequencer(&seen),
        vec![batch(ASKER, &[]), unknown],
        &seen,
    );
    assert!(bodies(&answers[0].1).is_empty());
    assert_eq!(bodies(&answers[1].1), [""]);
    assert_eq!(*seen.lock().unwrap(), ["answer 7", "answer 2"]);
}
