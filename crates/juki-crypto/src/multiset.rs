//! An incremental hash of a multiset: equal sets have equal hashes whatever order they grew in.

use std::fmt;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};

use crate::{Digest, DigestStream, sha256};

const LANES: usize = 1024;

/// LtHash with 1024 lanes of 16 bits: elements are added and removed one by one, in any order
/// (Bellare and Micciancio 1997; the parameters are those of LtHash16, Lewi et al. 2019).
#[derive(Clone, PartialEq, Eq)]
pub struct MultisetHash(Box<[u8; LANES * 2]>);

impl Default for MultisetHash {
    fn default() -> Self {
        Self(Box::new([0; LANES * 2]))
    }
}

impl MultisetHash {
    /// Length of the encoded state in bytes.
    pub const ENCODED_LEN: usize = LANES * 2;

    /// Adds an element.
    pub fn add(&mut self, element: &[u8]) {
        self.combine(element, u16::wrapping_add);
    }

    /// Removes an element that was added before.
    pub fn remove(&mut self, element: &[u8]) {
        self.combine(element, u16::wrapping_sub);
    }

    fn combine(&mut self, element: &[u8], act: impl Fn(u16, u16) -> u16) {
        let expanded = expand(element);
        let lanes = self.0.as_chunks_mut::<2>().0;
        for (lane, value) in lanes.iter_mut().zip(expanded.as_chunks::<2>().0) {
            *lane = act(u16::from_le_bytes(*lane), u16::from_le_bytes(*value)).to_le_bytes();
        }
    }

    /// A short digest of the state, for comparison and signature.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(self.0.as_slice())
    }

    /// The state as [`Self::ENCODED_LEN`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// Reads a state back; `None` where the length differs.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self(Box::new(bytes.try_into().ok()?)))
    }
}

impl fmt::Debug for MultisetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.digest();
        write!(f, "MultisetHash({:02x}{:02x}..)", digest[0], digest[1])
    }
}

/// Stretches an element over all lanes: AES-256 in counter mode under the element's digest. Processors
/// have instructions for both, and every change is stretched twice at each of three tiers.
fn expand(element: &[u8]) -> [u8; LANES * 2] {
    let key = DigestStream::new("jukinet multiset element 2")
        .with(element)
        .finish();
    let mut stream = [0; LANES * 2];
    // A key serves for one element only, so that its counter may always begin at nought.
    Ctr128BE::<Aes256>::new(&key.into(), &[0; 16].into()).apply_keystream(&mut stream);
    stream
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_never_matters_and_removal_undoes(mut elements in proptest::collection::vec(any::<[u8; 4]>(), 1..20), keep in 0usize..20) {
            let mut forward = MultisetHash::default();
            for element in &elements { forward.add(element); }
            let mut backward = MultisetHash::default();
            for element in elements.iter().rev() { backward.add(element); }
            prop_assert_eq!(&forward, &backward);
            let keep = keep.min(elements.len());
            let removed = elements.split_off(keep);
            for element in &removed { forward.remove(element); }
            let mut kept = MultisetHash::default();
            for element in &elements { kept.add(element); }
            prop_assert_eq!(&forward, &kept);
            prop_assert_eq!(MultisetHash::decode(&kept.encode()), Some(kept));
        }
    }

    /// Servers that disagree on it would refuse each other's blocks, so it may not change unseen.
    #[test]
    fn the_hash_of_an_element_is_fixed() {
        let mut hash = MultisetHash::default();
        hash.add(b"element");
        let digest = hash.digest();
        assert_eq!(digest[..4], [204, 94, 198, 128]);
    }

    #[test]
    fn twice_is_not_once() {
        let (mut once, mut twice) = (MultisetHash::default(), MultisetHash::default());
        once.add(b"a");
        twice.add(b"a");
        twice.add(b"a");
        assert_ne!(once.digest(), twice.digest());
    }
}
