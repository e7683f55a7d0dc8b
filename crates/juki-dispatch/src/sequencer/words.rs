//! What a step says: sealed for whom it is said to.

use super::Sequencer;
use crate::{Emit, Forward, LedgerPort, Output};

impl<L: LedgerPort> Sequencer<L> {
    pub(super) fn say_emit(&mut self, now_ms: u64, emit: Emit, say: &mut dyn FnMut(Output)) {
        match emit {
            Emit::Local { ticket, body } => say(Output::Local { ticket, body }),
            Emit::Message(forward) => self.say_forward(now_ms, forward, say),
            Emit::Answer(answer) => {
                let sealed = self.sessions.seal(
                    now_ms,
                    &answer.to,
                    (answer.service, answer.priority),
                    (Some(answer.message_id), true),
                    answer.body,
                );
                if let Ok((_, frame)) = sealed {
                    say(Output::Frame {
                        destination: answer.to,
                        priority: answer.priority,
                        frame,
                    });
                }
            }
        }
    }

    pub(super) fn say_forward(
        &mut self,
        now_ms: u64,
        forward: Forward,
        say: &mut dyn FnMut(Output),
    ) {
        let sealed = self.sessions.seal(
            now_ms,
            &forward.to,
            (forward.service, forward.priority),
            (forward.message_id, false),
            forward.body,
        );
        if let Ok((_, frame)) = sealed {
            say(Output::Frame {
                destination: forward.to,
                priority: forward.priority,
                frame,
            });
        }
    }
}
