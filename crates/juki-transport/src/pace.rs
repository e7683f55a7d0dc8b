//! How fast frames are read from one peer: what goes beyond waits with its sender.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use juki_runtime::Clock;

use crate::settings::LinkLimits;
use crate::token_bucket::TokenBucket;

/// The pace of one link, shared by its streams.
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    buckets: Mutex<(TokenBucket, TokenBucket)>,
}

impl Pace {
    pub(crate) fn new(limits: &LinkLimits, clock: Arc<dyn Clock>) -> Self {
        let (frames, bytes) = (u64::from(limits.peer_frames_per_s), limits.peer_bytes_per_s);
        Self {
            clock,
            buckets: Mutex::new((
                TokenBucket::new(frames, frames),
                TokenBucket::new(bytes, bytes),
            )),
        }
    }

    /// Notes what was read, and says how long not to read on.
    pub(crate) fn after(&self, frames: u64, bytes: usize) -> Duration {
        let now_ms = self.clock.now_ms();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let wait_ms = buckets
            .0
            .owe(now_ms, frames)
            .max(buckets.1.owe(now_ms, bytes as u64));
        Duration::from_millis(wait_ms)
    }
}
