//! Reproducible draws: the same on every machine and with every version of the random crates.

use std::sync::LazyLock;

use juki_domain::MunicipalityCode;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of draws that belongs to one seed, municipality, purpose and number.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(
        seed: u64,
        municipality: MunicipalityCode,
        purpose: &str,
        number: u64,
    ) -> Self {
        Self(ChaCha8Rng::from_seed(mixed(
            seed,
            municipality,
            purpose,
            number,
        )))
    }

    /// A number below `bound`; 0 where the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        scale(self.0.next_u64(), bound)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        let width = u64::from(high.abs_diff(low)) + 1;
        low.saturating_add(i32::try_from(self.below(width)).unwrap_or(0))
    }

    /// True in `per_mille` of 1,000 draws.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One item, each as likely as the others.
    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = self.below(u64::try_from(items.len()).unwrap_or(0));
        items.get(usize::try_from(at).unwrap_or(0))
    }

    /// Sets the items in random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.below(u64::try_from(at).unwrap_or(0) + 1);
            items.swap(at, usize::try_from(other).unwrap_or(0));
        }
    }
}

/// Items drawn in proportion to their weights.
pub(crate) struct Weighted<T> {
    items: Vec<T>,
    upto: Vec<u64>,
}

impl<T> Weighted<T> {
    pub(crate) fn new(weighted: impl IntoIterator<Item = (T, u64)>) -> Self {
        let (mut items, mut upto, mut total) = (Vec::new(), Vec::new(), 0);
        for (item, weight) in weighted.into_iter().filter(|(_, weight)| *weight > 0) {
            total += weight;
            items.push(item);
            upto.push(total);
        }
        Self { items, upto }
    }

    pub(crate) fn draw(&self, draw: &mut Draw) -> Option<&T> {
        self.at(draw.0.next_u64())
    }

    /// The item at a position, 2^64 being the sum of all weights.
    pub(crate) fn at(&self, position: u64) -> Option<&T> {
        let point = scale(position, self.upto.last().copied().unwrap_or(0));
        self.items
            .get(self.upto.partition_point(|&upto| upto <= point))
    }
}

/// One number that belongs to a seed, municipality, purpose and number.
pub(crate) fn mixed_u64(
    seed: u64,
    municipality: MunicipalityCode,
    purpose: &str,
    number: u64,
) -> u64 {
    mixed(seed, municipality, purpose, number)
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A cheap number for each item under a key made by [`mixed_u64`] (SplitMix64).
pub(crate) fn spread(key: u64, number: u64) -> u64 {
    let mut mixed = key.wrapping_add(number.wrapping_add(1).wrapping_mul(GOLDEN));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The golden ratio as a fraction of 2^64: its multiples fill the circle evenly.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Begun once: a household's draws cost one compression instead of three.
static DRAWS: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("juki-population 1 draws"));

fn mixed(seed: u64, municipality: MunicipalityCode, purpose: &str, number: u64) -> [u8; 32] {
    let mut hasher = DRAWS.clone();
    hasher
        .update(&seed.to_le_bytes())
        .update(&municipality.number().to_le_bytes())
        .update(&number.to_le_bytes());
    hasher.update(purpose.as_bytes());
    *hasher.finalize().as_bytes()
}

fn scale(position: u64, bound: u64) -> u64 {
    u64::try_from((u128::from(position) * u128::from(bound)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_municipality_purpose_and_number() {
        let hagi: MunicipalityCode = "352047".parse().unwrap();
        let abu: MunicipalityCode = "355020".parse().unwrap();
        let all = [
            (1, hagi, "a", 0),
            (2, hagi, "a", 0),
            (1, abu, "a", 0),
            (1, hagi, "b", 0),
            (1, hagi, "a", 1),
        ];
        let firsts: Vec<u64> = all
            .iter()
            .map(|(seed, code, purpose, number)| mixed_u64(*seed, *code, purpose, *number))
            .collect();
        for (at, first) in firsts.iter().enumerate() {
            assert!(!firsts[..at].contains(first));
        }
    }

    #[test]
    fn weighted_items_come_in_proportion() {
        let weighted = Weighted::new([('a', 1), ('b', 0), ('c', 3)]);
        assert_eq!(
            (
                weighted.at(0),
                weighted.at(u64::MAX / 4 - 8),
                weighted.at(u64::MAX)
            ),
            (Some(&'a'), Some(&'a'), Some(&'c'))
        );
        assert_eq!(weighted.at(u64::MAX / 4 + 8), Some(&'c'));
        assert_eq!(Weighted::<u8>::new([]).at(5), None);
    }
}
