//! Values as they lie on disk, and the mark among them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use juki_crypto::{Randomness, StorageKey, random_array};
use juki_dispatch::{IndexError, IndexMark};

/// The key of the mark; records' keys begin with a letter.
pub(crate) const MARK: &[u8] = &[0];
/// The mark is bound to how services lay out what they keep: that of an index of another layout does
/// not open, and the ledger is folded again. It grows with every change of their keys or values, and
/// with every change of what a registry's digest is computed from.
const LAYOUT: &[u8] = b"\0layout 2";
const NONCE_LEN: usize = 12;

/// Encrypts values, each bound to its key.
///
/// Nonces count up from a random place of 96 bits that each opening draws anew, so that those of
/// two openings do not meet: the values of one lie within 2^64 of its beginning.
pub(crate) struct Sealing {
    key: StorageKey,
    first: u128,
    sealed: AtomicU64,
}

impl Sealing {
    pub(crate) fn new(key: StorageKey, randomness: &dyn Randomness) -> Self {
        Self {
            key,
            first: u128::from_be_bytes(random_array(randomness)),
            sealed: AtomicU64::new(0),
        }
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let sealed = self.sealed.fetch_add(1, Ordering::Relaxed);
        let bytes = self.first.wrapping_add(sealed.into()).to_be_bytes();
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(bytes.split_at(bytes.len() - NONCE_LEN).1);
        nonce
    }

    pub(crate) fn seal(&self, key: &[u8], value: &[u8]) -> Vec<u8> {
        let nonce = self.nonce();
        let mut sealed = Vec::with_capacity(NONCE_LEN + value.len() + TAG_LEN);
        sealed.extend_from_slice(value);
        self.key.seal(nonce, key, &mut sealed);
        sealed.extend_from_slice(&nonce);
        sealed
    }

    pub(crate) fn unseal(&self, key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, IndexError> {
        let opened = bytes
            .split_last_chunk::<NONCE_LEN>()
            .and_then(|(sealed, nonce)| {
                let mut value = sealed.to_vec();
                self.key.open(*nonce, key, &mut value).ok().map(|()| value)
            });
        opened.ok_or_else(|| IndexError("a value does not open".to_owned()))
    }

    pub(crate) fn seal_mark(&self, mark: &IndexMark) -> Vec<u8> {
        self.seal(LAYOUT, &[&mark.seq.to_be_bytes()[..], &mark.hash].concat())
    }

    /// The mark in these bytes; the default one where there are none.
    pub(crate) fn unseal_mark(&self, bytes: Option<&[u8]>) -> Result<IndexMark, IndexError> {
        let Some(bytes) = bytes else {
            return Ok(IndexMark::default());
        };
        let plain = self.unseal(LAYOUT, bytes)?;
        let mark = plain.split_first_chunk::<8>().and_then(|(seq, hash)| {
            Some(IndexMark {
                seq: u64::from_be_bytes(*seq),
                hash: hash.try_into().ok()?,
            })
        });
        mark.ok_or_else(|| IndexError("the mark cannot be read".to_owned()))
    }
}

/// An engine may report damage by a panic: that too means wipe and fold again, not the node's end.
pub(crate) fn guarded<R, E: std::error::Error>(
    act: impl FnOnce() -> Result<R, E>,
) -> Result<R, IndexError> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(IndexError(error.to_string())),
        Err(_) => Err(IndexError("the engine panicked".to_owned())),
    }
}

const TAG_LEN: usize = 16;
