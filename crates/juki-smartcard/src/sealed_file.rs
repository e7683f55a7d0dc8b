//! Secrets sealed under a pass phrase: Argon2id makes the key, XChaCha20-Poly1305 seals.
//!
//! Layout: `JUKISEA1`, memory in KiB (u32), passes (u32), salt (16), nonce (24), sealed bytes and
//! their tag. Numbers are big-endian. Everything before the sealed bytes is authenticated.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Longest secret that is sealed, in bytes.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// Longest sealed form, in bytes.
pub const SEALED_BYTES_MAX: usize = SECRET_BYTES_MAX + HEADER_LEN + TAG_LEN;

/// Why a secret was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealedFileError {
    /// The secret exceeds [`SECRET_BYTES_MAX`].
    #[error("a sealed secret has at most 65536 bytes")]
    TooLong,
    /// The bytes are no sealed secret, or ask for more memory or passes than is reasonable.
    #[error("not a sealed secret")]
    Damaged,
    /// The pass phrase does not open it, or the bytes were altered.
    #[error("the pass phrase does not open the sealed secret")]
    WrongPassphrase,
    /// Memory for the key derivation (64 MiB) or random bytes could not be had.
    #[error("no memory or randomness for the key derivation")]
    Resources,
}

/// Seals a secret under a pass phrase; takes 64 MiB and about 0.2 s.
///
/// The associated bytes are not stored but must be given again to open.
///
/// # Errors
/// [`SealedFileError::TooLong`] or [`SealedFileError::Resources`].
pub fn seal(
    secret: &[u8],
    passphrase: &[u8],
    associated: &[u8],
) -> Result<Vec<u8>, SealedFileError> {
    if secret.len() > SECRET_BYTES_MAX {
        return Err(SealedFileError::TooLong);
    }
    let mut random = [0; SALT_LEN + NONCE_LEN];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| SealedFileError::Resources)?;
    let mut file = Vec::with_capacity(HEADER_LEN + secret.len() + TAG_LEN);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&MEMORY_KIB.to_be_bytes());
    file.extend_from_slice(&PASSES.to_be_bytes());
    file.extend_from_slice(&random);
    let header = Header::read(&file)?;
    let sealed = header
        .cipher(passphrase)?
        .encrypt(&header.nonce, payload(secret, &in_full(&file, associated)));
    file.extend_from_slice(&sealed.map_err(|_| SealedFileError::TooLong)?);
    Ok(file)
}

/// Opens what [`seal`] made; the secret is wiped when dropped.
///
/// # Errors
/// [`SealedFileError`]; a wrong pass phrase and altered bytes cannot be told apart.
pub fn open(
    file: &[u8],
    passphrase: &[u8],
    associated: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealedFileError> {
    if file.len() > SEALED_BYTES_MAX {
        return Err(SealedFileError::Damaged);
    }
    let (head, sealed) = file
        .split_at_checked(HEADER_LEN)
        .ok_or(SealedFileError::Damaged)?;
    let header = Header::read(head)?;
    let opened = header
        .cipher(passphrase)?
        .decrypt(&header.nonce, payload(sealed, &in_full(head, associated)));
    opened
        .map(Zeroizing::new)
        .map_err(|_| SealedFileError::WrongPassphrase)
}

struct Header {
    params: Params,
    salt: [u8; SALT_LEN],
    nonce: XNonce,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, SealedFileError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(SealedFileError::Damaged)?;
        let (memory, rest) = rest.split_first_chunk().ok_or(SealedFileError::Damaged)?;
        let (passes, rest) = rest.split_first_chunk().ok_or(SealedFileError::Damaged)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(SealedFileError::Damaged)?;
        let (nonce, _) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SealedFileError::Damaged)?;
        let (memory, passes) = (u32::from_be_bytes(*memory), u32::from_be_bytes(*passes));
        // A file from elsewhere must not be able to exhaust the machine before it is judged.
        if memory > MEMORY_KIB_MAX || passes > PASSES_MAX {
            return Err(SealedFileError::Damaged);
        }
        let params =
            Params::new(memory, passes, 1, Some(KEY_LEN)).map_err(|_| SealedFileError::Damaged)?;
        Ok(Self {
            params,
            salt: *salt,
            nonce: (*nonce).into(),
        })
    }

    fn cipher(&self, passphrase: &[u8]) -> Result<XChaCha20Poly1305, SealedFileError> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
            .hash_password_into(passphrase, &self.salt, key.as_mut())
            .map_err(|_| SealedFileError::Resources)?;
        XChaCha20Poly1305::new_from_slice(key.as_ref()).map_err(|_| SealedFileError::Resources)
    }
}

fn payload<'a>(message: &'a [u8], associated: &'a [u8]) -> Payload<'a, 'a> {
    Payload {
        msg: message,
        aad: associated,
    }
}

fn in_full(header: &[u8], associated: &[u8]) -> Vec<u8> {
    [header, associated].concat()
}

const MAGIC: &[u8] = b"JUKISEA1";
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 24;
const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;
const HEADER_LEN: usize = 8 + 4 + 4 + SALT_LEN + NONCE_LEN;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_comes_back_only_with_its_pass_phrase_and_associated_bytes() {
        let file = seal(b"secret", b"open sesame", b"card 1").unwrap();
        assert_eq!(
            open(&file, b"open sesame", b"card 1").unwrap().as_slice(),
            b"secret"
        );
        assert_eq!(
            open(&file, b"open sesamE", b"card 1").unwrap_err(),
            SealedFileError::WrongPassphrase
        );
        assert_eq!(
            open(&file, b"open sesame", b"card 2").unwrap_err(),
            SealedFileError::WrongPassphrase
        );
        assert!(!file.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn an_altered_byte_is_noticed_wherever_it_is() {
        let file = seal(b"secret", b"pass", b"").unwrap();
        for place in [0, 7, 16, 33, HEADER_LEN, file.len() - 1] {
            let mut altered = file.clone();
            altered[place] ^= 1;
            assert!(open(&altered, b"pass", b"").is_err(), "byte {place}");
        }
        assert!(open(&file[..file.len() - 1], b"pass", b"").is_err());
        assert_eq!(
            open(&file[..HEADER_LEN - 1], b"pass", b"").unwrap_err(),
            SealedFileError::Damaged
        );
    }

    #[test]
    fn a_file_that_asks_for_all_memory_is_refused_before_any_work() {
        let mut file = seal(b"secret", b"pass", b"").unwrap();
        file[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(
            open(&file, b"pass", b"").unwrap_err(),
            SealedFileError::Damaged
        );
    }

    #[test]
    fn an_overlong_secret_is_refused() {
        assert_eq!(
            seal(&vec![0; SECRET_BYTES_MAX + 1], b"pass", b"").unwrap_err(),
            SealedFileError::TooLong
        );
        assert_eq!(
            open(&vec![0; SEALED_BYTES_MAX + 1], b"pass", b"").unwrap_err(),
            SealedFileError::Damaged
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(open(&bytes, b"pass", b"").is_err());
        }
    }
}
