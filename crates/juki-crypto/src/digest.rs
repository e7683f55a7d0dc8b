//! SHA-256, keyed digests and Merkle roots.

use std::fmt;

use aws_lc_rs::{digest, hmac};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// SHA-256 of some bytes (CRYPTREC-listed; dependencies are named in docs/adr/0001).
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    to_array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-256 of bytes that come in parts.
pub struct DigestStream(digest::Context);

impl DigestStream {
    /// A new stream under a label that keeps digests of different kinds apart.
    #[must_use]
    pub fn new(label: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(label.as_bytes());
        context.update(&[0]);
        Self(context)
    }

    /// A stream without label, whose digest is the plain SHA-256 that other programs compute too.
    #[must_use]
    pub fn plain() -> Self {
        Self(digest::Context::new(&digest::SHA256))
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
        to_array(self.0.finish().as_ref())
    }
}

/// A key under which equal inputs have equal pseudonyms that nobody without it can recompute.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// Takes 32 bytes as a key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// HMAC-SHA-256 of some bytes.
    #[must_use]
    pub fn digest(&self, bytes: &[u8]) -> Digest {
        to_array(hmac::sign(&self.0, bytes).as_ref())
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
        hmac::verify(&self.0, bytes, tag).is_ok()
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

    #[test]
    fn a_keyed_digest_fits_its_own_key_only() {
        let (one, two) = (DigestKey::new(&[1; 32]), DigestKey::new(&[2; 32]));
        assert!(one.fits(b"x", &one.digest(b"x")));
        assert!(!two.fits(b"x", &one.digest(b"x")));
        assert!(!one.fits(b"y", &one.digest(b"x")));
    }
}
