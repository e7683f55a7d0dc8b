//! One stream on its way up: ask where the tier above stands, then one block at a time.
//!
//! A single block is in flight: measured against four, this gives more entries per block and per
//! sync, and is faster (docs/benchmarks.md).

use juki_domain::ErrorCode;
use juki_wire::MessageId;

use crate::Cursor;

/// How long to wait before asking again after a failure.
const RETRY_MS_MIN: u64 = 100;
const RETRY_MS_MAX: u64 = 5_000;
/// What the slowest line carries, in bytes per millisecond: 48 kbit/s of a line of 64. A block that
/// is still on its way must not be taken for lost.
const LINE_BYTES_PER_MS: u64 = 6;

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
    /// The message that was sent last.
    waits_for: Option<MessageId>,
}

impl Upstream {
    pub(crate) fn new(timeout_ms: u64) -> Self {
        Self {
            state: State::Unknown { from_ms: 0 },
            cursor: Cursor::default(),
            retry_ms: RETRY_MS_MIN,
            timeout_ms,
            waits_for: None,
        }
    }

    pub(crate) fn next(&self, now_ms: u64, waiting: bool) -> Next {
        match &self.state {
            State::Unknown { from_ms } if *from_ms <= now_ms => Next::Ask,
            State::Ready if waiting => Next::SendAfter(self.cursor.clone()),
            State::Unknown { .. }
            | State::Asked { .. }
            | State::Ready
            | State::InFlight { .. }
            | State::Stopped(_) => Next::Wait,
        }
    }

    pub(crate) fn asked(&mut self, now_ms: u64, message_id: MessageId) {
        self.waits_for = Some(message_id);
        self.state = State::Asked {
            deadline_ms: now_ms + self.timeout_ms,
        };
    }

    /// A block of so many bytes was sent.
    pub(crate) fn sent(&mut self, now_ms: u64, message_id: MessageId, bytes: usize) {
        self.waits_for = Some(message_id);
        self.state = State::InFlight {
            deadline_ms: now_ms + self.timeout_ms + bytes as u64 / LINE_BYTES_PER_MS,
        };
    }

    /// Whether a message is the one that was sent last.
    pub(crate) fn waits_for(&self, message_id: MessageId) -> bool {
        self.waits_for == Some(message_id)
    }

    /// Whether a message is the last question for the cursor. Only its answer may move a stream
    /// back: any other word on an earlier place was overtaken on its way.
    pub(crate) fn answers_ask(&self, message_id: MessageId) -> bool {
        matches!(self.state, State::Asked { .. }) && self.waits_for(message_id)
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
    pub(crate) fn on_cursor(&mut self, cursor: Cursor) {
        // A refusal that repeats must not bring the pause down by the cursor that comes with it.
        if cursor.position() > self.cursor.position() {
            self.retry_ms = RETRY_MS_MIN;
        }
        self.cursor = cursor;
        self.state = State::Ready;
    }

    /// The tier above refused: with its cursor the stream goes on after a pause, so that a sender
    /// that is refused for ever does not flood.
    pub(crate) fn on_refused(&mut self, now_ms: u64) {
        self.state = State::Unknown {
            from_ms: now_ms + self.retry_ms,
        };
        self.retry_ms = (self.retry_ms * 2).min(RETRY_MS_MAX);
    }

    pub(crate) fn stop(&mut self, code: ErrorCode) {
        self.state = State::Stopped(code);
    }

    pub(crate) fn on_timeout(&mut self, now_ms: u64) {
        if let State::Asked { deadline_ms } | State::InFlight { deadline_ms } = self.state
            && deadline_ms <= now_ms
        {
            self.state = State::Unknown { from_ms: now_ms };
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<u64> {
        match self.state {
            State::Unknown { from_ms } => Some(from_ms),
            State::Asked { deadline_ms } | State::InFlight { deadline_ms } => Some(deadline_ms),
            State::Ready | State::Stopped(_) => None,
        }
    }
}
