//! Encryption of what lies on a node's disk.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{DigestKey, DigestStream};

/// A sealed piece of storage cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The key is not the one it was sealed under, or the bytes were changed.
    #[error("the bytes do not open under this key")]
    NotOpened,
}

/// A key for AES-256-GCM over stored bytes. The caller gives each nonce once per key.
pub struct StorageKey {
    bytes: Zeroizing<[u8; 32]>,
    cipher: LessSafeKey,
}

impl StorageKey {
    /// Takes 32 bytes as a key.
    ///
    /// # Panics
    /// Never: the length is right by type.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        #[allow(clippy::expect_used, reason = "32 bytes are always a key of AES-256")]
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("32 bytes"));
        Self {
            bytes: Zeroizing::new(bytes),
            cipher,
        }
    }

    /// Another key for another purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self::new(self.derived(purpose))
    }

    /// A key for keyed digests, for another purpose.
    #[must_use]
    pub fn derive_digest_key(&self, purpose: &str) -> DigestKey {
        DigestKey::new(&self.derived(purpose))
    }

    /// The 32 bytes, to be wrapped under another key.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Encrypts in place and appends the 16-byte tag.
    pub fn seal(&self, nonce: [u8; 12], associated: &[u8], bytes: &mut Vec<u8>) {
        // The library refuses only plaintexts of 64 GiB and more, which no caller can hold.
        let sealed = self.cipher.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            bytes,
        );
        assert!(sealed.is_ok(), "a plaintext beyond the cipher's limit");
    }

    /// Decrypts in place and cuts off the tag.
    ///
    /// # Errors
    /// [`StorageError::NotOpened`] where key, nonce, associated data or bytes differ.
    pub fn open(
        &self,
        nonce: [u8; 12],
        associated: &[u8],
        bytes: &mut Vec<u8>,
    ) -> Result<(), StorageError> {
        let len = self
            .cipher
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated),
                bytes,
            )
            .map_err(|_| StorageError::NotOpened)?
            .len();
        bytes.truncate(len);
        Ok(())
    }

    fn derived(&self, purpose: &str) -> [u8; 32] {
        DigestKey::new(&self.bytes).digest(
            &DigestStream::new("juki storage key")
                .with(purpose.as_bytes())
                .finish(),
        )
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_under_the_same_key_nonce_and_associated_data_only() {
        let key = StorageKey::new([1; 32]);
        let mut sealed = b"content".to_vec();
        key.seal([2; 12], b"aad", &mut sealed);
        let mut opened = sealed.clone();
        key.open([2; 12], b"aad", &mut opened).unwrap();
        assert_eq!(opened, b"content");
        for (key, nonce, aad) in [
            (key.derive("other"), [2; 12], &b"aad"[..]),
            (StorageKey::new([1; 32]), [3; 12], b"aad"),
            (StorageKey::new([1; 32]), [2; 12], b"xyz"),
        ] {
            assert_eq!(
                key.open(nonce, aad, &mut sealed.clone()),
                Err(StorageError::NotOpened)
            );
        }
    }
}
