//! SHA-256, keyed digests and Merkle roots.

use std::fmt;

use aws_lc_rs::digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// SHA-256 of some bytes (CRYPTREC-listed; dependencies are named in docs/adr/0001).
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    to_array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-256 of bytes that come in parts. Each entry of a ledger begins some of them, so the state
/// lies where the stream does and not in a place of its own.
pub struct DigestStream(Sha256);

impl DigestStream {
    /// A new stream under a label that keeps digests of different kinds apart.
    #[must_use]
    pub fn new(label: &str) -> Self {
        Self(Sha256::new().chain_update(label).chain_update([0]))
    }

    /// A stream without label, whose digest is the plain SHA-256 that other programs compute too.
    #[must_use]
    pub fn plain() -> Self {
        Self(Sha256::new())
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Takes in more bytes.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    /// The digest of all that came in.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

/// A key under which equal inputs have equal pseudonyms that nobody without it can recompute.
///
/// Residents' codes are digested several times with every change; what HMAC makes of the key alone
/// is computed once.
#[derive(Clone)]
pub struct DigestKey(Hmac<Sha256>);

impl DigestKey {
    /// Takes 32 bytes as a key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // A key of the hash's block length, which HMAC makes of any key that is shorter (RFC 2104).
        let mut block = [0; 64];
        block.split_at_mut(key.len()).0.copy_from_slice(key);
        let hmac = Hmac::new(&block.into());
        block.zeroize();
        Self(hmac)
    }

    /// HMAC-SHA-256 of some bytes.
    #[must_use]
    pub fn digest(&self, bytes: &[u8]) -> Digest {
        self.0
            .clone()
            .chain_update(bytes)
            .finalize()
            .into_bytes()
            .into()
    }

    /// The first 16 bytes of the digest: a pseudonym.
    #[must_use]
    pub fn pseudonym(&self, bytes: &[u8]) -> [u8; 16] {
        let digest = self.digest(bytes);
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(digest) {
            *to = from;
        }
        short
    }

    /// Whether `tag` is the digest of `bytes`, compared in constant time.
    #[must_use]
    pub fn fits(&self, bytes: &[u8], tag: &[u8]) -> bool {
        self.0.clone().chain_update(bytes).verify_slice(tag).is_ok()
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(..)")
    }
}

/// The Merkle root of leaves in order (RFC 6962 section 2.1: leaf and node hashes are kept apart).
#[must_use]
pub fn merkle_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(b""),
        [leaf] => prefixed(0, leaf, &[]),
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            prefixed(1, &merkle_root(left), &merkle_root(right))
        }
    }
}

fn prefixed(tag: u8, left: &[u8], right: &[u8]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[tag]);
    context.update(left);
    context.update(right);
    to_array(context.finish().as_ref())
}

fn to_array(bytes: &[u8]) -> Digest {
    let mut array = [0; 32];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_depends_on_every_leaf_and_on_order() {
        let leaves: Vec<Digest> = (0u8..7).map(|n| sha256(&[n])).collect();
        let root = merkle_root(&leaves);
        for at in 0..leaves.len() {
            let mut other = leaves.clone();
            other[at][0] ^= 1;
            assert_ne!(merkle_root(&other), root);
        }
        let mut swapped = leaves.clone();
        swapped.swap(2, 5);
        assert_ne!(merkle_root(&swapped), root);
        assert_ne!(merkle_root(&leaves[..6]), root);
    }

    #[test]
    fn a_plain_stream_is_the_digest_of_its_parts_together() {
        let mut stream = DigestStream::plain();
        stream.update(b"jukinet ");
        stream.update(b"file");
        assert_eq!(stream.finish(), sha256(b"jukinet file"));
    }

    /// RFC 4231 section 4.3 with its key filled up to 32 bytes, as HMAC itself does.
    #[test]
    fn a_keyed_digest_is_hmac_sha_256() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let digest = DigestKey::new(&key).digest(b"what do ya want for nothing?");
        assert_eq!(digest[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(digest[28..], [0x64, 0xec, 0x38, 0x43]);
    }

    #[test]
    fn a_keyed_digest_fits_its_own_key_only() {
        let (one, two) = (DigestKey::new(&[1; 32]), DigestKey::new(&[2; 32]));
        assert!(one.fits(b"x", &one.digest(b"x")));
        assert!(!two.fits(b"x", &one.digest(b"x")));
        assert!(!one.fits(b"y", &one.digest(b"x")));
    }
}
