//! A hand-made sender: it has a node's keys, or not, and says whatever a test wants it to.

use std::sync::Arc;

use juki_crypto::{SealingKey, SigningKey};
use juki_dispatch::{Input, OpenedFrame, Output, Sessions};
use juki_domain::{CivilDate, ErrorCode, ServiceId};
use juki_journal::JournalMessage;
use juki_journal::message::kind::Kind;
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

impl Heard {
    /// The number that the first message confirms, if it is a receipt.
    #[must_use]
    pub fn receipt(&self) -> Option<u64> {
        match self
            .messages
            .first()
            .and_then(|message| message.kind.as_ref())
        {
            Some(Kind::Receipt(receipt)) => Some(receipt.seq),
            Some(Kind::Ask(_) | Kind::Cursor(_) | Kind::Block(_) | Kind::Refused(_)) | None => None,
        }
    }

    /// The code with which the first message refuses, if it does.
    #[must_use]
    pub fn refused(&self) -> Option<&str> {
        match self
            .messages
            .first()
            .and_then(|message| message.kind.as_ref())
        {
            Some(Kind::Refused(refused)) => Some(&refused.code),
            Some(Kind::Ask(_) | Kind::Cursor(_) | Kind::Block(_) | Kind::Receipt(_)) | None => None,
        }
    }
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
            (
                Arc::new(signing),
                Arc::new(SealingKey::generate().expect("the library has random bytes")),
            )
        };
        let (signing, sealing) = if own_keys {
            cast().keys(post)
        } else {
            stranger()
        };
        let randomness = Arc::new(SeededRandomness::new(seed));
        let sessions = Sessions::new(
            post.name(),
            signing,
            sealing,
            Arc::clone(&cast().directory),
            randomness,
            1,
        );
        Self {
            post,
            sessions,
            now_ms: 1_034_640_000_000,
        }
    }

    /// Says one message to a node and hears what it answers.
    pub fn say(&mut self, node: &mut Node, service: ServiceId, body: Vec<u8>) -> Heard {
        self.now_ms += 1;
        let to = node.post.name();
        let sealed = self.sessions.seal(
            self.now_ms,
            &to,
            (service, Priority::Bulk),
            (None, false),
            body,
        );
        let mut outward = vec![sealed.expect("the directory names the node").1];
        let mut heard = Heard::default();
        // A reset, and the message sealed anew, are two rounds.
        for _ in 0..4 {
            node.inbox.extend(outward.drain(..).map(Input::Frame));
            let (said, ended) = node.turn(
                self.now_ms,
                CivilDate::from_number(20_021_015).expect("a day"),
            );
            ended.expect("the node goes on");
            for output in said {
                match output {
                    Output::Frame {
                        destination, frame, ..
                    } if destination == self.post.name() => {
                        let parts = FrameParts::decode(&frame).expect("nodes send frames");
                        match self.sessions.open(self.now_ms, &parts) {
                            OpenedFrame::Message { body, .. } => heard.messages.push(
                                JournalMessage::decode(body.as_slice()).expect("a journal message"),
                            ),
                            OpenedFrame::Refused { refusal, .. } => {
                                heard.refusals.push(refusal.code)
                            }
                            OpenedFrame::Resend(frames) => {
                                outward.extend(frames.into_iter().map(|(_, _, frame)| frame))
                            }
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
