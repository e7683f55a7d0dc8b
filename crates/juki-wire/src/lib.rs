//! What travels on a hop: the frame with its clear header, hellos and refusals (docs/wire.md).

mod frame;
pub mod hello;
mod refusal;

pub use frame::{
    FRAME_BYTES_MAX, Flags, FrameKind, FrameParts, Header, MessageId, Priority, WireError,
};
pub use hello::{
    CONTROL_BYTES_MAX, Control, DialAnew, Hello, HelloAck, NoticeNumber, NoticeUpdate,
    RevocationUpdate, VERSION,
};
pub use refusal::{Refusal, Reset};
