//! How fast bulk frames leave for a slow line.
//!
//! A leased line's queue holds a second or more of what the line carries, and a sender that fills it
//! makes everything else wait as long. Bulk frames are therefore written in pieces of a packet, at a
//! little less than the line's rate and at most two packets ahead of it; interactive frames go at
//! once, and bulk makes room for them (design.md 2).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes written at once: what fits into one packet of any path.
pub(crate) const PIECE_BYTES: usize = 1_200;

/// Packets that bulk may be ahead of the line.
const PIECES_AHEAD: u32 = 2;

/// Part of a line's rate that is left for what is written, in thousandths: 97 % of it for frames and
/// their packets, of which headers of IP, UDP and QUIC take 65 of 1,480 bytes.
const RATE_PER_MILLE: u64 = 927;

/// What leaves over one link for a line of a known rate.
#[derive(Debug)]
pub(crate) struct Outflow {
    bytes_per_s: u64,
    /// When the line has sent all that was written.
    sent_at: Mutex<Instant>,
}

impl Outflow {
    /// For a line of so many bits a second; none for a line whose rate nobody knows.
    pub(crate) fn new(line_bps: u64) -> Option<Self> {
        let bytes_per_s = line_bps.saturating_mul(RATE_PER_MILLE) / 8_000;
        (bytes_per_s > 0).then(|| Self {
            bytes_per_s,
            sent_at: Mutex::new(Instant::now()),
        })
    }

    /// Notes that so many bytes are written.
    pub(crate) fn note(&self, bytes: usize) {
        let mut sent_at = self.sent_at.lock().unwrap_or_else(PoisonError::into_inner);
        *sent_at = (*sent_at).max(Instant::now()) + self.time_of(bytes);
    }

    /// Waits until the line is nearly through with what was written.
    pub(crate) async fn room(&self) {
        let ahead = self.time_of(PIECE_BYTES) * PIECES_AHEAD;
        loop {
            let sent_at = *self.sent_at.lock().unwrap_or_else(PoisonError::into_inner);
            let room_at = sent_at.checked_sub(ahead).unwrap_or(sent_at);
            if room_at <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(room_at).await;
        }
    }

    fn time_of(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / self.bytes_per_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bulk_goes_at_the_lines_pace_and_makes_room_for_what_is_written_meanwhile() {
        assert!(Outflow::new(0).is_none());
        let outflow = Outflow::new(64_000).unwrap();
        let start = Instant::now();
        for _ in 0..100 {
            outflow.room().await;
            outflow.note(PIECE_BYTES);
        }
        let alone = start.elapsed();
        // 120,000 bytes at 7,416 a second, two packets ahead.
        assert!((15.6..15.8).contains(&alone.as_secs_f64()), "{alone:?}");
        outflow.note(7_416);
        outflow.room().await;
        let with_another = start.elapsed() - alone;
        assert!(
            (1.0..1.4).contains(&with_another.as_secs_f64()),
            "{with_another:?}"
        );
    }
}
