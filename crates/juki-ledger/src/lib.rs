//! The ledger's format: entries, leaves, chain, frames, segments and checkpoints (docs/ledger.md).
//!
//! A ledger is a row of segments; a segment is a header and frames; a frame is the entries of one
//! sync. The chain runs over leaves, which are salted digests of entries, so salts and payloads can
//! be purged when the law says so while the chain still verifies.

mod checkpoint;
mod entry;
mod frame;
mod purge;
mod segment;

pub use checkpoint::Checkpoint;
pub use entry::{Chain, Entry, EntryKind, NewEntry, PAYLOAD_BYTES_MAX, SALT_LEN};
pub use frame::{FRAME_HEADER_LEN, FRAME_SEALED_MAX, Frame, FrameError, FrameHeader, encode_frame};
pub use purge::{LEDGER_PURGED, LedgerPurged, PurgeDigest, Remains};
pub use segment::{SEGMENT_HEADER_LEN, SegmentError, SegmentHeader};
