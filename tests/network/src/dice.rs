//! Choices out of a seed.

use juki_crypto::{SystemRandomness, random_array};

/// Draws the same numbers for the same seed (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed in `JUKI_SEED`, or one that is drawn.
    ///
    /// # Panics
    /// Where `JUKI_SEED` is no number.
    #[must_use]
    pub fn seed() -> u64 {
        let drawn = || u64::from_be_bytes(random_array(&SystemRandomness));
        std::env::var("JUKI_SEED").map_or_else(|_| drawn(), |seed| seed.parse().unwrap())
    }

    /// One of a row.
    ///
    /// # Panics
    /// Where it is empty.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Brings a row into another order.
    pub fn shuffle<T>(&mut self, row: &mut [T]) {
        for last in (1..row.len()).rev() {
            row.swap(last, self.below(last + 1));
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((drawn ^ (drawn >> 31)) % end as u64).unwrap()
    }
}
