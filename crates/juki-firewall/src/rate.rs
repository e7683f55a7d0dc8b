//! Token buckets, one for each source and service.

use juki_domain::ServiceId;

/// How many frames of one service a source may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateLimit {
    /// Frames a second in the long run; zero lets the burst pass and nothing after it.
    pub frames_per_s: u32,
    /// Frames at once after a pause.
    pub burst_frames: u32,
}

impl Default for RateLimit {
    /// 20,000 frames a second and one second's worth at once: far above any honest source.
    fn default() -> Self {
        Self {
            frames_per_s: 20_000,
            burst_frames: 20_000,
        }
    }
}

/// The limits of every service; each holds for each source by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Blocks and receipts.
    pub journal: RateLimit,
    /// Blocks of unused resident record codes.
    pub code_allocation: RateLimit,
    /// Inquiries and answers.
    pub query: RateLimit,
    /// Reports of nodes on themselves.
    pub monitor: RateLimit,
    /// Acts for the registrar.
    pub registrar: RateLimit,
}

impl Rates {
    /// The same limit for every service.
    #[must_use]
    pub fn all(limit: RateLimit) -> Self {
        Self {
            journal: limit,
            code_allocation: limit,
            query: limit,
            monitor: limit,
            registrar: limit,
        }
    }

    pub(crate) fn of(&self, service: ServiceId) -> RateLimit {
        match service {
            ServiceId::Journal => self.journal,
            ServiceId::CodeAllocation => self.code_allocation,
            ServiceId::Query => self.query,
            ServiceId::Monitor => self.monitor,
            ServiceId::Registrar => self.registrar,
        }
    }
}

/// Thousandths that one unit costs: at R units a second, R of them come back each millisecond.
const UNIT_COST: u64 = 1000;

/// How much of something, frames or bytes, may pass. The bucket begins full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    spent: u64,
    seen_ms: u64,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        Self {
            spent: 0,
            seen_ms: 0,
        }
    }

    /// Whether so many units would fit now.
    pub(crate) fn fits(&self, now_ms: u64, units: u64, per_s: u64, burst: u64) -> bool {
        let cost = units.saturating_mul(UNIT_COST);
        self.spent_at(now_ms, per_s).saturating_add(cost) <= burst.saturating_mul(UNIT_COST)
    }

    /// Takes so many units, if they fit. A clock that steps back gives nothing and takes nothing.
    pub(crate) fn take(&mut self, now_ms: u64, units: u64, per_s: u64, burst: u64) -> bool {
        let fits = self.fits(now_ms, units, per_s, burst);
        self.spent = self.spent_at(now_ms, per_s);
        self.seen_ms = self.seen_ms.max(now_ms);
        if fits {
            self.spent = self.spent.saturating_add(units.saturating_mul(UNIT_COST));
        }
        fits
    }

    /// Takes one frame's worth.
    pub(crate) fn take_frame(&mut self, now_ms: u64, limit: RateLimit) -> bool {
        let (per_s, burst) = (limit.frames_per_s, limit.burst_frames);
        self.take(now_ms, 1, u64::from(per_s), u64::from(burst))
    }

    fn spent_at(&self, now_ms: u64, per_s: u64) -> u64 {
        let elapsed = now_ms.saturating_sub(self.seen_ms);
        self.spent.saturating_sub(elapsed.saturating_mul(per_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_passes_and_the_next_frame_waits_for_its_token() {
        let limit = RateLimit {
            frames_per_s: 10,
            burst_frames: 3,
        };
        let mut bucket = Bucket::new();
        assert_eq!(
            (0..4)
                .map(|_| bucket.take_frame(1_000, limit))
                .collect::<Vec<_>>(),
            [true, true, true, false]
        );
        assert!(
            !bucket.take_frame(1_099, limit),
            "99 ms bring 0.99 of a frame"
        );
        assert!(bucket.take_frame(1_100, limit));
        assert!(!bucket.take_frame(1_100, limit));
    }

    #[test]
    fn a_lowered_limit_holds_at_once() {
        let mut bucket = Bucket::new();
        for _ in 0..10 {
            assert!(bucket.take_frame(0, RateLimit::default()));
        }
        assert!(!bucket.take_frame(
            0,
            RateLimit {
                frames_per_s: 1,
                burst_frames: 10
            }
        ));
    }

    #[test]
    fn a_clock_that_steps_back_does_not_refill() {
        let limit = RateLimit {
            frames_per_s: 1,
            burst_frames: 1,
        };
        let mut bucket = Bucket::new();
        assert!(bucket.take_frame(10_000, limit));
        assert!(!bucket.take_frame(0, limit));
        assert!(
            !bucket.take_frame(10_500, limit),
            "only half a second has really gone by"
        );
        assert!(bucket.take_frame(11_000, limit));
    }

    proptest! {
        #[test]
        fn no_span_of_time_passes_more_than_burst_and_rate_allow(
            frames_per_s in 0u32..5_000, burst_frames in 0u32..200,
            steps in proptest::collection::vec(0u64..40, 1..400),
        ) {
            let limit = RateLimit { frames_per_s, burst_frames };
            let mut bucket = Bucket::new();
            let (mut now_ms, mut passed) = (0u64, Vec::new());
            for step in steps {
                now_ms += step;
                if bucket.take_frame(now_ms, limit) { passed.push(now_ms); }
            }
            for (from, first) in passed.iter().enumerate() {
                for (upto, last) in passed.iter().enumerate().skip(from) {
                    let allowed = u64::from(burst_frames) * 1000 + (last - first) * u64::from(frames_per_s);
                    prop_assert!((upto - from + 1) as u64 * 1000 <= allowed);
                }
            }
        }

        #[test]
        fn bytes_pass_no_faster_than_their_rate(
            per_s in 1u64..100_000, burst in 1u64..50_000,
            steps in proptest::collection::vec((0u64..40, 1u64..5_000), 1..200),
        ) {
            let mut bucket = Bucket::new();
            let (mut now_ms, mut passed) = (0u64, 0u64);
            for (step, bytes) in steps {
                now_ms += step;
                let fits = bucket.fits(now_ms, bytes, per_s, burst);
                prop_assert_eq!(bucket.take(now_ms, bytes, per_s, burst), fits);
                if fits { passed += bytes; }
                prop_assert!(passed * 1000 <= burst * 1000 + now_ms * per_s);
            }
        }

        #[test]
        fn a_source_below_its_rate_is_never_held_up(frames_per_s in 1u32..1000, n in 1usize..200) {
            let limit = RateLimit { frames_per_s, burst_frames: 1 };
            let gap_ms = 1000u64.div_ceil(u64::from(frames_per_s));
            let mut bucket = Bucket::new();
            for i in 0..n as u64 { prop_assert!(bucket.take_frame(i * gap_ms, limit)); }
        }
    }
}
