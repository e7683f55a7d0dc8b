//! One stream on its way up: ask where the tier above stands, then one block at a time.
//!
//! A single block is in flight: measured against four, this gives more entries per block and per
//! sync, and is faster (docs/benchmarks.md). On a slow line the way there and back would stand empty
//! between two blocks; a stream that has waited for a while sends one more.

use std::collections::VecDeque;

use juki_domain::ErrorCode;
use juki_wire::MessageId;

use crate::Cursor;

/// How long to wait before asking again after a failure.
const RETRY_MS_MIN: u64 = 100;
const RETRY_MS_MAX: u64 = 5_000;
/// What the slowest line carries, in bytes per millisecond: 48 kbit/s of a line of 64. A block that
/// is still on its way must not be taken for lost.
const LINE_BYTES_PER_MS: u64 = 6;
/// How long a block is in flight before another follows it: longer than any fast line takes, shorter
/// than a slow one needs for the shortest block that has a backlog behind it.
const FOLLOW_MS: u64 = 250;
/// Blocks in flight on a slow line.
const FLIGHT_MAX: usize = 2;

/// What a stream does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask the tier above for its cursor.
    Ask,
    /// Send the entries after this cursor.
    SendAfter(Cursor),
    /// Nothing now.
    Wait,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Unknown {
        from_ms: u64,
    },
    Asked {
        deadline_ms: u64,
    },
    Ready,
    InFlight {
        deadline_ms: u64,
        /// When another block may follow; `None` once it may.
        follow_ms: Option<u64>,
    },
    /// The tier above holds more than this node wrote: only a person can say what happened.
    Stopped(ErrorCode),
}

/// The state of one stream. All of it is lost at a restart, and asked for again.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    state: State,
    cursor: Cursor,
    retry_ms: u64,
    timeout_ms: u64,
    /// The question for the cursor, while it waits for its answer.
    asked: Option<MessageId>,
    /// Blocks on their way, the oldest first.
    flight: VecDeque<Sent>,
}

/// A block on its way.
#[derive(Debug, Clone)]
struct Sent {
    id: MessageId,
    bytes: usize,
    /// Where the tier above will stand.
    after: Cursor,
}

impl Upstream {
    pub(crate) fn new(timeout_ms: u64) -> Self {
        Self {
            state: State::Unknown { from_ms: 0 },
            cursor: Cursor::default(),
            retry_ms: RETRY_MS_MIN,
            timeout_ms,
            asked: None,
            flight: VecDeque::new(),
        }
    }

    /// What is next, where entries up to that number of the journal wait for the tier above.
    pub(crate) fn next(&self, now_ms: u64, last: Option<u64>) -> Next {
        match (&self.state, self.flight.back()) {
            (State::Unknown { from_ms }, _) if *from_ms <= now_ms => Next::Ask,
            (State::Ready, _) if last.is_some() => Next::SendAfter(self.cursor.clone()),
            (
                State::InFlight {
                    follow_ms: None, ..
                },
                Some(newest),
            ) if self.flight.len() < FLIGHT_MAX && last > Some(newest.after.seq) => {
                Next::SendAfter(newest.after.clone())
            }
            (
                State::Unknown { .. }
                | State::Asked { .. }
                | State::Ready
                | State::InFlight { .. }
                | State::Stopped(_),
                _,
            ) => Next::Wait,
        }
    }

    pub(crate) fn asked(&mut self, now_ms: u64, message_id: MessageId) {
        self.asked = Some(message_id);
        self.flight.clear();
        self.state = State::Asked {
            deadline_ms: now_ms + self.timeout_ms,
        };
    }

    /// A block of so many bytes was sent, after which the tier above will stand there.
    pub(crate) fn sent(&mut self, now_ms: u64, id: MessageId, bytes: usize, after: Cursor) {
        self.flight.push_back(Sent { id, bytes, after });
        if self.flight.len() == 1 {
            self.state = State::InFlight {
                deadline_ms: self.deadline(now_ms),
                follow_ms: Some(now_ms + FOLLOW_MS),
            };
        }
    }

    /// When the oldest block in flight counts as lost.
    fn deadline(&self, now_ms: u64) -> u64 {
        let bytes = self.flight.front().map_or(0, |sent| sent.bytes as u64);
        now_ms + self.timeout_ms + bytes / LINE_BYTES_PER_MS
    }

    /// Whether a message is one that waits for an answer.
    pub(crate) fn waits_for(&self, message_id: MessageId) -> bool {
        self.asked == Some(message_id) || self.flight.iter().any(|sent| sent.id == message_id)
    }

    /// Whether a message is the last question for the cursor. Only its answer may move a stream
    /// back: any other word on an earlier place was overtaken on its way.
    pub(crate) fn answers_ask(&self, message_id: MessageId) -> bool {
        matches!(self.state, State::Asked { .. }) && self.asked == Some(message_id)
    }

    /// Whether a block is on its way.
    pub(crate) fn is_in_flight(&self) -> bool {
        !self.flight.is_empty()
    }

    /// Whether the next block may be sent.
    pub(crate) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Asks for the cursor though nothing waits.
    pub(crate) fn ask_again(&mut self, now_ms: u64) {
        if self.state == State::Ready {
            self.state = State::Unknown { from_ms: now_ms };
        }
    }

    /// The tier above said where it stands.
    pub(crate) fn on_cursor(&mut self, now_ms: u64, cursor: Cursor) {
        // A refusal that repeats must not bring the pause down by the cursor that comes with it.
        if cursor.position() > self.cursor.position() {
            self.retry_ms = RETRY_MS_MIN;
        }
        self.asked = None;
        while self
            .flight
            .front()
            .is_some_and(|sent| sent.after.position() <= cursor.position())
        {
            self.flight.pop_front();
        }
        self.cursor = cursor;
        self.state = if self.flight.is_empty() {
            State::Ready
        } else {
            // The next one was on its way behind this one: the line is slow still.
            State::InFlight {
                deadline_ms: self.deadline(now_ms),
                follow_ms: None,
            }
        };
    }

    /// The tier above refused: with its cursor the stream goes on after a pause, so that a sender
    /// that is refused for ever does not flood.
    pub(crate) fn on_refused(&mut self, now_ms: u64) {
        self.forget();
        self.state = State::Unknown {
            from_ms: now_ms + self.retry_ms,
        };
        self.retry_ms = (self.retry_ms * 2).min(RETRY_MS_MAX);
    }

    pub(crate) fn stop(&mut self, code: ErrorCode) {
        self.state = State::Stopped(code);
    }

    pub(crate) fn on_timeout(&mut self, now_ms: u64) {
        match &mut self.state {
            State::Asked { deadline_ms } | State::InFlight { deadline_ms, .. }
                if *deadline_ms <= now_ms =>
            {
                self.forget();
                self.state = State::Unknown { from_ms: now_ms };
            }
            State::InFlight { follow_ms, .. } => {
                *follow_ms = follow_ms.filter(|follow_ms| *follow_ms > now_ms);
            }
            State::Unknown { .. } | State::Asked { .. } | State::Ready | State::Stopped(_) => {}
        }
    }

    /// What is on its way may arrive or not.
    fn forget(&mut self) {
        self.asked = None;
        self.flight.clear();
    }

    pub(crate) fn next_timeout(&self) -> Option<u64> {
        match self.state {
            State::Unknown { from_ms } => Some(from_ms),
            State::Asked { deadline_ms } => Some(deadline_ms),
            State::InFlight {
                deadline_ms,
                follow_ms,
            } => Some(follow_ms.unwrap_or(deadline_ms)),
            State::Ready | State::Stopped(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> MessageId {
        MessageId([number; 16])
    }

    fn at(seq: u64) -> Cursor {
        Cursor {
            epoch: 1,
            seq,
            ..Cursor::default()
        }
    }

    /// A stream that stands at the tier above's word, 0.
    fn ready() -> Upstream {
        let mut stream = Upstream::new(5_000);
        assert_eq!(stream.next(0, None), Next::Ask);
        stream.asked(0, id(1));
        stream.on_cursor(1, at(0));
        stream
    }

    #[test]
    fn one_block_is_in_flight_where_receipts_come_soon() {
        let mut stream = ready();
        assert_eq!(stream.next(1, Some(30)), Next::SendAfter(at(0)));
        stream.sent(1, id(2), 9_000, at(10));
        assert_eq!(stream.next(2, Some(30)), Next::Wait);
        stream.on_cursor(3, at(10));
        assert_eq!(stream.next(3, Some(30)), Next::SendAfter(at(10)));
    }

    #[test]
    fn another_block_follows_on_a_slow_line_and_no_third() {
        let mut stream = ready();
        stream.sent(1, id(2), 9_000, at(10));
        assert_eq!(stream.next_timeout(), Some(251));
        stream.on_timeout(251);
        assert_eq!(
            stream.next(251, Some(10)),
            Next::Wait,
            "nothing waits behind"
        );
        assert_eq!(stream.next(251, Some(30)), Next::SendAfter(at(10)));
        stream.sent(251, id(3), 9_000, at(20));
        assert_eq!(stream.next(2_000, Some(30)), Next::Wait);
        assert!(stream.waits_for(id(2)) && stream.waits_for(id(3)));
        stream.on_cursor(1_400, at(10));
        assert!(!stream.waits_for(id(2)));
        assert_eq!(stream.next(1_400, Some(30)), Next::SendAfter(at(20)));
        stream.on_cursor(1_401, at(20));
        assert_eq!(stream.next(1_401, None), Next::Wait);
        assert_eq!(stream.next(1_401, Some(30)), Next::SendAfter(at(20)));
    }

    #[test]
    fn what_is_refused_or_late_is_asked_about_and_nothing_is_in_flight_any_more() {
        for refused in [true, false] {
            let mut stream = ready();
            stream.sent(1, id(2), 9_000, at(10));
            stream.on_timeout(300);
            stream.sent(300, id(3), 9_000, at(20));
            if refused {
                stream.on_refused(400);
            } else {
                // Five seconds, and what 9,000 bytes take on the slowest line.
                assert_eq!(stream.next_timeout(), Some(6_501));
                stream.on_timeout(6_501);
            }
            assert!(!stream.is_in_flight() && !stream.waits_for(id(3)));
            assert_eq!(stream.next(7_000, Some(30)), Next::Ask);
        }
    }
}
