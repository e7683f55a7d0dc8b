//! A hand-made sender: it has a node's keys, or not, and says whatever a test wants it to.

use std::sync::Arc;

use juki_crypto::{SealingKey, SigningKey};
use juki_dispatch::{Input, OpenedFrame, Output, Sessions};
use juki_domain::{Change, CivilDate, ErrorCode, ServiceId};
use juki_journal::{JOURNAL_ENTRY, JournalEntry, JournalMessage};
use juki_ledger::Entry;
use juki_registry::Position;
use juki_wire::{FrameParts, Priority};
use prost::Message as _;

use crate::{Node, Post, SeededRandomness, cast};

/// What came back.
#[derive(Debug, Default)]
pub struct Heard {
    /// Messages of the journal service.
    pub messages: Vec<JournalMessage>,
    /// Refusals of frames.
    pub refusals: Vec<String>,
    /// What the node said about frames it refused.
    pub rejected: Vec<ErrorCode>,
}

/// A sender that speaks to one node.
pub struct Puppet {
    post: Post,
    sessions: Sessions,
    now_ms: u64,
}

impl Puppet {
    /// Speaks as a node, with its keys or with others.
    #[must_use]
    pub fn new(post: Post, own_keys: bool, seed: u64) -> Self {
        let stranger = || {
            let signing = SigningKey::from_seed(&[200; 32]).expect("any seed is a key");
            (Arc::new(signing), Arc::new(SealingKey::generate().expect("the library has random bytes")))
        };
        let (signing, sealing) = if own_keys { cast().keys(post) } else { stranger() };
        let randomness = Arc::new(SeededRandomness::new(seed));
        let sessions = Sessions::new(post.name(), signing, sealing, Arc::clone(&cast().directory), randomness, 1);
        Self { post, sessions, now_ms: 1_034_640_000_000 }
    }

    /// Says one message to a node and hears what it answers.
    pub fn say(&mut self, node: &mut Node, service: ServiceId, body: Vec<u8>) -> Heard {
        self.now_ms += 1;
        let to = node.post.name();
        let sealed = self.sessions.seal(self.now_ms, &to, (service, Priority::Bulk), (None, false), body);
        let mut outward = vec![sealed.expect("the directory names the node").1];
        let mut heard = Heard::default();
        // A reset, and the message sealed anew, are two rounds.
        for _ in 0..4 {
            node.inbox.extend(outward.drain(..).map(Input::Frame));
            let (said, ended) = node.turn(self.now_ms, CivilDate::from_number(20_021_015).expect("a day"));
            ended.expect("the node goes on");
            for output in said {
                match output {
                    Output::Frame { destination, frame, .. } if destination == self.post.name() => {
                        let parts = FrameParts::decode(&frame).expect("nodes send frames");
                        match self.sessions.open(self.now_ms, &parts) {
                            OpenedFrame::Message { body, .. } => heard.messages.push(JournalMessage::decode(body.as_slice()).expect("a journal message")),
                            OpenedFrame::Refused { refusal, .. } => heard.refusals.push(refusal.code),
                            OpenedFrame::Resend(frames) => outward.extend(frames.into_iter().map(|(_, _, frame)| frame)),
                            OpenedFrame::Reject { code, .. } => heard.rejected.push(code),
                            OpenedFrame::Nothing => {}
                        }
                    }
                    Output::Refused { code, .. } => heard.rejected.push(code),
                    Output::Frame { .. } | Output::Local { .. } => {}
                }
            }
            if outward.is_empty() {
                break;
            }
        }
        heard
    }
}

/// Journal entries of changes, as a communication server's ledger would hold them.
#[must_use]
pub fn entries(first_seq: u64, changes: &[Change]) -> Vec<Arc<Entry>> {
    let entry = |(seq, change): (u64, &Change)| {
        let payload = JournalEntry::new(Position { epoch: 1, seq }, change).encode_to_vec();
        Arc::new(Entry { seq: seq + 100, at_ms: 5, kind: JOURNAL_ENTRY, salt: [3; 16], payload })
    };
    (first_seq..).zip(changes).map(entry).collect()
}
