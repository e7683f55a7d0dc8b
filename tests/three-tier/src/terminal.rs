//! What people at the agency's terminal ask and hear.

use std::collections::BTreeMap;

use juki_dispatch::{Input, Ticket};
use juki_services::query::{LocalAnswer, LocalAsk, Question, local_ask};
use prost::Message as _;

use crate::cast;

/// The terminal's users.
#[derive(Default)]
pub struct Terminal {
    numbered: u64,
    waiting: BTreeMap<u64, u64>,
    /// Answers by ticket.
    pub heard: BTreeMap<u64, LocalAnswer>,
    /// What should not have been answered.
    pub violations: Vec<String>,
}

/// How long a question may go without an answer: the asker's own limit and a second for its turn.
const SILENCE_MS_MAX: u64 = 16_000;

impl Terminal {
    /// Logs in and asks; gives the ticket of the question and what to tell the node.
    pub fn ask(&mut self, now_ms: u64, question: Question) -> (u64, [Input; 2]) {
        self.numbered += 2;
        let ticket = self.numbered;
        let login = local_ask::Kind::Login(cast().authorisation(now_ms, [11; 32]));
        let say = |ticket, kind| Input::Local {
            service: "query",
            ticket: Ticket(ticket),
            request: LocalAsk {
                kind: Some(kind),
                ..LocalAsk::default()
            }
            .encode_to_vec(),
        };
        self.waiting.insert(ticket, now_ms);
        (
            ticket,
            [
                say(ticket - 1, login),
                say(ticket, local_ask::Kind::Ask(question)),
            ],
        )
    }

    /// The node answered.
    pub fn answer(&mut self, ticket: Ticket, body: &[u8]) {
        let answer = LocalAnswer::decode(body).expect("the service answers in its own form");
        if ticket.0 % 2 == 1 {
            if !answer.failure.is_empty() {
                self.violations
                    .push(format!("a log-in failed with {}", answer.failure));
            }
        } else if self.waiting.remove(&ticket.0).is_none() {
            self.violations
                .push(format!("ticket {} was answered twice", ticket.0));
        } else {
            self.heard.insert(ticket.0, answer);
        }
    }

    /// The node stopped: nobody is answered any more.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Questions that have waited too long: silence is never an answer.
    #[must_use]
    pub fn overdue(&self, now_ms: u64) -> usize {
        self.waiting
            .values()
            .filter(|asked| *asked + SILENCE_MS_MAX < now_ms)
            .count()
    }
}

/// A question by code.
pub(crate) fn by_code(code: &str) -> Question {
    Question {
        affair: "war-bereaved-pension".to_owned(),
        code: code.to_owned(),
        ..Question::default()
    }
}
