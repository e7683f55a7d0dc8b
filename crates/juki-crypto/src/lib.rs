//! Keys, signatures, digests and sealed sessions.
//!
//! The one pure crate that names the cryptographic library. Randomness comes in through
//! [`Randomness`], so a simulation can pin it.

mod digest;
mod directory;
mod multiset;
mod notice;
mod permutation;
mod session;
mod sign;
mod storage;

pub use digest::{Digest, DigestKey, DigestStream, merkle_root, sha256};
pub use directory::{Directory, DirectoryEntry, DirectoryError};
pub use multiset::MultisetHash;
pub use notice::{NOTICE_BYTES_MAX, Notice, NoticeError, NoticeKind};
pub use permutation::BodyPermutation;
pub use session::{
    Opening, Party, ReplayWindow, SealError, SealingKey, SealingPublic, Session, SessionId,
};
pub use sign::{SIGNATURE_LEN, SignatureError, SigningKey, VerifyingKey};
pub use storage::{StorageError, StorageKey};

/// Where random bytes come from: the operating system in a running node, a seed in a simulation.
pub trait Randomness: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The library's own generator, seeded by the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        // The generator fails only where the operating system has no entropy source at all; going on
        // with predictable keys would be worse than ending.
        assert!(
            aws_lc_rs::rand::fill(buffer).is_ok(),
            "the system's random generator failed"
        );
    }
}

/// An array of random bytes.
#[must_use]
pub fn random_array<const N: usize>(randomness: &dyn Randomness) -> [u8; N] {
    let mut bytes = [0; N];
    randomness.fill(&mut bytes);
    bytes
}
