//! Choices out of a seed (`SplitMix64`), the same on every machine.

pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(super) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.part() < probability
    }

    /// A number from one up to the other.
    pub(super) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.part()
    }

    /// A whole number from one to the other, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// One of a row; `None` of an empty one.
    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(of.len()).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % count)
            .ok()
            .and_then(|at| of.get(at))
    }

    /// The exponential of a normal number: most are near `middle`, some far above.
    pub(super) fn log_normal(&mut self, middle: f64, spread: f64) -> f64 {
        let normal: f64 = (0..12).map(|_| self.part()).sum::<f64>() - 6.0;
        middle * (normal * spread).exp()
    }

    /// How many of many rare things happen.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            let normal: f64 = (0..12).map(|_| self.part()).sum::<f64>() - 6.0;
            return rounded(mean + normal * mean.sqrt());
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.part(), 0);
        while product > limit {
            product *= self.part();
            count += 1;
        }
        count
    }

    /// A pseudonym.
    pub(super) fn pseudonym(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for half in bytes.chunks_mut(8) {
            half.copy_from_slice(&self.next().to_be_bytes());
        }
        bytes
    }
}

/// A number to the next whole one; nothing below 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of requests"
)]
pub(super) fn rounded(number: f64) -> u64 {
    number.max(0.0).round() as u64
}
