//! Ed25519 keys as PKCS#8.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use crate::PkiError;

/// A new Ed25519 key as PKCS#8 DER.
///
/// # Errors
/// [`PkiError::Key`] where the machine has no randomness.
pub fn generate_key() -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let document =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| PkiError::Key)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// The 32-byte public half of a PKCS#8 key.
///
/// # Errors
/// [`PkiError::Key`] where the bytes are no Ed25519 key.
pub fn public_key_of(pkcs8: &[u8]) -> Result<[u8; 32], PkiError> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| PkiError::Key)?;
    pair.public_key()
        .as_ref()
        .try_into()
        .map_err(|_| PkiError::Key)
}

/// A public key as SubjectPublicKeyInfo DER, the form that certificates carry (RFC 8410).
#[must_use]
pub fn public_key_info(public_key: &[u8; 32]) -> Vec<u8> {
    [SPKI_PREFIX, public_key].concat()
}

const SPKI_PREFIX: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
