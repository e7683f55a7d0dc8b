//! Random bytes out of a seed.

use std::sync::{Mutex, PoisonError};

use juki_crypto::Randomness;
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Random bytes that are the same for the same seed.
#[derive(Debug)]
pub struct SeededRandomness(Mutex<ChaCha8Rng>);

impl SeededRandomness {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        let mut generator = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generator.fill_bytes(buffer);
    }
}
