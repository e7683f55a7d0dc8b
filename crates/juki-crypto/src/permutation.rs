//! The keyed permutation behind random-looking, never repeating resident record codes.

use std::fmt;

const HALF_BITS: u32 = 15;
const HALF_MASK: u32 = (1 << HALF_BITS) - 1;
const ROUNDS: u8 = 10;

/// A permutation of 0..1,000,000,000 under a key: a counter goes in, the last nine digits of a
/// code's body come out. Two different counters never give the same body, and without the key the
/// order cannot be told (a Feistel network of ten rounds on 30 bits, walked until it falls below
/// the bound).
#[derive(Clone)]
pub struct BodyPermutation {
    key: [u8; 32],
}

impl BodyPermutation {
    /// How many bodies there are: nine free digits after the training network's leading 9.
    pub const COUNT: u32 = 1_000_000_000;

    /// The permutation of a key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The ten ASCII digits of the body at a counter, or `None` beyond the last one.
    #[must_use]
    pub fn body(&self, counter: u32) -> Option<[u8; 10]> {
        if counter >= Self::COUNT {
            return None;
        }
        let mut value = self.forward(counter);
        while value >= Self::COUNT {
            value = self.forward(value);
        }
        let mut digits = [b'9'; 10];
        for digit in digits.iter_mut().skip(1).rev() {
            *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
        Some(digits)
    }

    /// The counter that gives a body, or `None` where the body does not begin with 9.
    #[must_use]
    pub fn counter(&self, body: &[u8; 10]) -> Option<u32> {
        let (first, rest) = body.split_first()?;
        if *first != b'9' || !rest.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = rest
            .iter()
            .fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
        let mut counter = self.backward(value);
        while counter >= Self::COUNT {
            counter = self.backward(counter);
        }
        Some(counter)
    }

    fn forward(&self, value: u32) -> u32 {
        let (mut left, mut right) = (value >> HALF_BITS, value & HALF_MASK);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        left << HALF_BITS | right
    }

    fn backward(&self, value: u32) -> u32 {
        let (mut left, mut right) = (value >> HALF_BITS, value & HALF_MASK);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        left << HALF_BITS | right
    }

    fn round(&self, round: u8, half: u32) -> u32 {
        let mut input = [round; 5];
        for (to, from) in input.iter_mut().skip(1).zip(half.to_be_bytes()) {
            *to = from;
        }
        let digest = blake3::keyed_hash(&self.key, &input);
        let [a, b, ..] = *digest.as_bytes();
        u32::from(u16::from_be_bytes([a, b])) & HALF_MASK
    }
}

impl fmt::Debug for BodyPermutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyPermutation(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_permutation_goes_back(key in any::<[u8; 32]>(), counter in 0..BodyPermutation::COUNT) {
            let permutation = BodyPermutation::new(key);
            prop_assert_eq!(permutation.counter(&permutation.body(counter).unwrap()), Some(counter));
        }
    }

    #[test]
    fn twenty_thousand_counters_give_twenty_thousand_bodies_out_of_order() {
        let permutation = BodyPermutation::new([7; 32]);
        let bodies: Vec<[u8; 10]> = (0..20_000).map(|n| permutation.body(n).unwrap()).collect();
        assert_eq!(bodies.iter().collect::<BTreeSet<_>>().len(), bodies.len());
        let rising = bodies.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((9_500..10_500).contains(&rising), "{rising} of 19,999 rise");
        assert_eq!(permutation.body(BodyPermutation::COUNT), None);
    }
}
