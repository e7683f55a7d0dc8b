//! Ed25519 signatures of nodes, registrars and operators' cards.

use std::fmt;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::{Randomness, random_array};

/// Length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// A key or signature is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The bytes are no Ed25519 key.
    #[error("not an Ed25519 key")]
    Key,
    /// The signature does not fit message and key.
    #[error("the signature does not fit")]
    Signature,
}

/// A private signing key. `Debug` shows nothing of it.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

impl SigningKey {
    /// A new key from random bytes.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where the library refuses the seed, which it does for none.
    pub fn generate(randomness: &dyn Randomness) -> Result<Self, SignatureError> {
        Self::from_seed(&random_array::<32>(randomness))
    }

    /// The key of a 32-byte seed.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where the library refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignatureError> {
        // PKCS#8 v1 of an Ed25519 key is this fixed prefix and the seed (RFC 8410).
        let mut pkcs8 = vec![
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        pkcs8.extend_from_slice(seed);
        Self::from_pkcs8(&pkcs8)
    }

    /// Reads a PKCS#8 key.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where the bytes are no Ed25519 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SignatureError> {
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| SignatureError::Key)?;
        Ok(Self {
            pair,
            pkcs8: der.to_vec(),
        })
    }

    /// The key as PKCS#8, for a key file.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        VerifyingKey(bytes)
    }

    /// Signs a message under a context that keeps signatures of different kinds apart.
    #[must_use]
    pub fn sign(&self, context: &str, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        let signature = self.pair.sign(&in_context(context, message));
        let mut bytes = [0; SIGNATURE_LEN];
        for (to, from) in bytes.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        bytes
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.pkcs8);
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// A public key that verifies signatures.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Takes 32 bytes as a key.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where the length differs.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        Ok(Self(bytes.try_into().map_err(|_| SignatureError::Key)?))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Verifies a signature made under the same context.
    ///
    /// # Errors
    /// [`SignatureError::Signature`] where it does not fit.
    pub fn verify(
        &self,
        context: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(&in_context(context, message), signature)
            .map_err(|_| SignatureError::Signature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

fn in_context(context: &str, message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(context.len() + 1 + message.len());
    bytes.extend_from_slice(context.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(message);
    bytes
}

/// The 32-byte seed of a key, for sealing it in a card.
impl SigningKey {
    /// The private seed; the caller wipes it.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where the library cannot export it.
    pub fn seed(&self) -> Result<[u8; 32], SignatureError> {
        let seed = self.pair.seed().map_err(|_| SignatureError::Key)?;
        let bytes = seed.as_be_bytes().map_err(|_| SignatureError::Key)?;
        bytes.as_ref().try_into().map_err(|_| SignatureError::Key)
    }
}
