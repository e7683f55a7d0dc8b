//! So many a second, and so many at once.

/// Tokens that come back with time. The bucket begins full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenBucket {
    per_s: u64,
    /// In thousandths, as all amounts here.
    burst: u64,
    spent: u64,
    seen_ms: u64,
}

impl TokenBucket {
    pub(crate) fn new(per_s: u64, burst: u64) -> Self {
        Self {
            per_s,
            burst: burst.saturating_mul(TOKEN),
            spent: 0,
            seen_ms: 0,
        }
    }

    /// Takes tokens if there are so many. A clock that steps back gives nothing.
    pub(crate) fn take(&mut self, now_ms: u64, tokens: u64) -> bool {
        self.refill(now_ms);
        let spent = self.spent.saturating_add(tokens.saturating_mul(TOKEN));
        let fits = spent <= self.burst;
        if fits {
            self.spent = spent;
        }
        fits
    }

    /// Takes tokens that have been used already, and says for how many milliseconds nothing more
    /// should be.
    pub(crate) fn owe(&mut self, now_ms: u64, tokens: u64) -> u64 {
        self.refill(now_ms);
        self.spent = self.spent.saturating_add(tokens.saturating_mul(TOKEN));
        self.spent
            .saturating_sub(self.burst)
            .div_ceil(self.per_s.max(1))
    }

    fn refill(&mut self, now_ms: u64) {
        let elapsed = now_ms.saturating_sub(self.seen_ms);
        self.seen_ms = self.seen_ms.max(now_ms);
        self.spent = self
            .spent
            .saturating_sub(elapsed.saturating_mul(self.per_s));
    }
}

const TOKEN: u64 = 1_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_owes_waits_until_it_is_paid_back() {
        let mut bucket = TokenBucket::new(100, 50);
        assert_eq!(bucket.owe(0, 50), 0);
        assert_eq!(bucket.owe(0, 10), 100, "ten at a hundred a second");
        assert_eq!(bucket.owe(100, 0), 0);
        assert!(!bucket.take(100, 1) && bucket.take(110, 1));
    }

    proptest! {
        #[test]
        fn no_more_is_taken_than_burst_and_rate_allow(
            per_s in 0u64..2_000, burst in 0u64..100, steps in proptest::collection::vec((0u64..50, 1u64..5), 1..200),
        ) {
            let mut bucket = TokenBucket::new(per_s, burst);
            let (mut now_ms, mut taken) = (0, 0);
            for (step, tokens) in steps {
                now_ms += step;
                if bucket.take(now_ms, tokens) { taken += tokens; }
                prop_assert!(taken * 1_000 <= burst * 1_000 + now_ms * per_s);
            }
        }
    }
}
