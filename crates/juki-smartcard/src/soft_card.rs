//! The card that is a file.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::Ed25519KeyPair;

use crate::card_file::{CardFile, FILE_BYTES_MAX, TRIES_OFFSET};
use crate::operator_card::{CardError, OperatorCard, PIN_TRIES, Pin};
use crate::sealed_file::{self, SealedFileError};

/// An operator's card in a file: who holds it in clear, the private key sealed under the PIN.
#[derive(Debug)]
pub struct SoftCard {
    path: PathBuf,
    serial: String,
    operator: String,
    certificate: Vec<u8>,
}

impl SoftCard {
    /// Writes a new card (mode 0600); `pkcs8` is the operator's Ed25519 private key.
    ///
    /// # Errors
    /// [`CardError::PinForm`], [`CardError::Contents`], or [`CardError::Io`], also where the file
    /// exists already.
    pub fn create(
        path: &Path,
        pin: &str,
        serial: &str,
        operator: &str,
        certificate: &[u8],
        pkcs8: &[u8],
    ) -> Result<Self, CardError> {
        let pin = Pin::parse(pin)?;
        read_key(pkcs8)?;
        let mut card = CardFile {
            tries: PIN_TRIES,
            serial: serial.to_owned(),
            operator: operator.to_owned(),
            certificate: certificate.to_vec(),
            sealed_key: Vec::new(),
        };
        card.check()?;
        card.sealed_key = sealed_file::seal(pkcs8, pin.as_bytes(), &card.clear_part())?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(&card.encode())?;
        file.sync_all()?;
        Ok(Self::from_file(path, card))
    }

    /// Reads the clear part of a card.
    ///
    /// # Errors
    /// [`CardError::Io`] or [`CardError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, CardError> {
        let card = read_card(&File::open(path)?)?;
        Ok(Self::from_file(path, card))
    }

    /// The card's own serial.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The operator's id.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The card's certificate as issued.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Unlocks the private key; takes 64 MiB and about 0.2 s of this thread.
    ///
    /// # Errors
    /// [`CardError::PinWrong`] with the tries left, [`CardError::Locked`] after the third wrong PIN
    /// in a row, [`CardError::PinForm`] (no try used), [`CardError::Damaged`] or [`CardError::Io`].
    pub fn unlock(&self, pin: &str) -> Result<UnlockedCard, CardError> {
        let pin = Pin::parse(pin)?;
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        // Held to the end, or parallel attempts would share one try.
        file.lock()?;
        let card = read_card(&file)?;
        let left = card.tries.checked_sub(1).ok_or(CardError::Locked)?;
        // Counted before it is judged: cutting the power in between must not give a try back.
        write_tries(&file, left)?;
        let key = match sealed_file::open(&card.sealed_key, pin.as_bytes(), &card.clear_part()) {
            Ok(key) => key,
            Err(SealedFileError::WrongPassphrase) => return Err(CardError::PinWrong { left }),
            Err(
                error @ (SealedFileError::Damaged
                | SealedFileError::Resources
                | SealedFileError::TooLong),
            ) => {
                write_tries(&file, card.tries)?;
                return Err(error.into());
            }
        };
        let key = read_key(&key).map_err(|_| CardError::Damaged)?;
        write_tries(&file, PIN_TRIES)?;
        Ok(UnlockedCard {
            key,
            serial: card.serial,
            operator: card.operator,
            certificate: card.certificate,
        })
    }

    fn from_file(path: &Path, card: CardFile) -> Self {
        Self {
            path: path.to_owned(),
            serial: card.serial,
            operator: card.operator,
            certificate: card.certificate,
        }
    }
}

/// A card whose PIN was right. `Debug` shows nothing of the key, which is wiped when dropped.
pub struct UnlockedCard {
    key: Ed25519KeyPair,
    serial: String,
    operator: String,
    certificate: Vec<u8>,
}

impl UnlockedCard {
    /// An Ed25519 signature over exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(self.key.sign(message).as_ref()) {
            *to = *from;
        }
        bytes
    }

    /// A signature under a context, as `juki_crypto::VerifyingKey::verify` checks it: over the
    /// context, a zero byte and the message.
    #[must_use]
    pub fn sign_in(&self, context: &str, message: &[u8]) -> [u8; 64] {
        self.sign(&[context.as_bytes(), &[0], message].concat())
    }

    /// The card's own serial.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The operator's id.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The card's certificate as issued.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

impl OperatorCard for UnlockedCard {
    fn serial(&self) -> &str {
        self.serial()
    }

    fn operator(&self) -> &str {
        self.operator()
    }

    fn certificate(&self) -> &[u8] {
        self.certificate()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], CardError> {
        Ok(self.sign(message))
    }
}

impl std::fmt::Debug for UnlockedCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnlockedCard")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

fn read_card(file: &File) -> Result<CardFile, CardError> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    CardFile::decode(&bytes)
}

fn write_tries(file: &File, tries: u8) -> Result<(), CardError> {
    file.write_all_at(&[tries], TRIES_OFFSET)?;
    Ok(file.sync_data()?)
}

fn read_key(pkcs8: &[u8]) -> Result<Ed25519KeyPair, CardError> {
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
        .map_err(|_| CardError::Contents("a key that is not Ed25519"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use juki_crypto::{SigningKey, SystemRandomness, VerifyingKey};
    use tempfile::TempDir;

    use super::*;

    struct Desk {
        folder: TempDir,
        card: SoftCard,
        public: VerifyingKey,
    }

    fn desk() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        let card = SoftCard::create(
            &folder.path().join("op.card"),
            "4711",
            "C-001",
            "op-1",
            b"certificate",
            key.pkcs8(),
        )
        .unwrap();
        Desk {
            folder,
            card,
            public: key.public(),
        }
    }

    fn left(result: Result<UnlockedCard, CardError>) -> Option<u8> {
        match result {
            Err(CardError::PinWrong { left }) => Some(left),
            Ok(_) | Err(_) => None,
        }
    }

    #[test]
    fn the_right_pin_signs_under_the_cards_key() {
        let desk = desk();
        let card = SoftCard::open(&desk.folder.path().join("op.card")).unwrap();
        assert_eq!(
            (card.serial(), card.operator(), card.certificate()),
            ("C-001", "op-1", b"certificate".as_slice())
        );
        let unlocked = card.unlock("4711").unwrap();
        let signature = unlocked.sign_in("grant", b"message");
        assert_eq!(desk.public.verify("grant", b"message", &signature), Ok(()));
        assert!(desk.public.verify("other", b"message", &signature).is_err());
        assert_eq!(unlocked.certificate(), b"certificate");
    }

    #[test]
    fn three_wrong_pins_lock_the_card_for_the_right_one_too() {
        let desk = desk();
        assert_eq!(left(desk.card.unlock("0000")), Some(2));
        assert_eq!(left(desk.card.unlock("0001")), Some(1));
        assert_eq!(left(desk.card.unlock("0002")), Some(0));
        assert!(matches!(desk.card.unlock("4711"), Err(CardError::Locked)));
    }

    #[test]
    fn the_right_pin_gives_the_tries_back_and_a_malformed_one_costs_none() {
        let desk = desk();
        assert_eq!(left(desk.card.unlock("0000")), Some(2));
        assert!(matches!(desk.card.unlock("47 11"), Err(CardError::PinForm)));
        assert!(desk.card.unlock("4711").is_ok());
        assert_eq!(left(desk.card.unlock("0000")), Some(2));
    }

    #[test]
    fn a_try_is_written_before_it_is_judged() {
        let desk = desk();
        let path = desk.folder.path().join("op.card");
        // The derivation takes so long that the new counter is seen first, unless this thread sleeps
        // through it; hence three chances.
        let seen_first = (0..PIN_TRIES).rev().any(|left_after| {
            let card = SoftCard::open(&path).unwrap();
            let wrong = std::thread::spawn(move || left(card.unlock("0000")));
            let started = std::time::Instant::now();
            while std::fs::read(&path).unwrap()[9] != left_after {
                assert!(
                    started.elapsed().as_secs() < 20,
                    "the try was never written"
                );
            }
            let judging = !wrong.is_finished();
            assert_eq!(wrong.join().unwrap(), Some(left_after));
            judging
        });
        assert!(seen_first);
    }

    #[test]
    fn parallel_attempts_do_not_share_a_try() {
        let desk = desk();
        let path = desk.folder.path().join("op.card");
        let attempts: Vec<_> = (0..4)
            .map(|_| {
                let card = SoftCard::open(&path).unwrap();
                std::thread::spawn(move || left(card.unlock("0000")))
            })
            .collect();
        let mut lefts: Vec<_> = attempts
            .into_iter()
            .map(|attempt| attempt.join().unwrap())
            .collect();
        lefts.sort();
        assert_eq!(lefts, [None, Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn an_altered_card_is_damaged_and_a_missing_one_says_so() {
        let desk = desk();
        let path = desk.folder.path().join("op.card");
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(desk.card.unlock("4711"), Err(CardError::Damaged)));
        assert!(matches!(SoftCard::open(&path), Err(CardError::Damaged)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(SoftCard::open(&path), Err(CardError::Io(_))));
    }

    #[test]
    fn a_card_is_never_overwritten_and_is_readable_by_its_owner_only() {
        let desk = desk();
        let path = desk.folder.path().join("op.card");
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        assert!(matches!(
            SoftCard::create(&path, "1234", "C-2", "op-2", b"", key.pkcs8()),
            Err(CardError::Io(_))
        ));
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn what_a_card_cannot_hold_is_refused() {
        let desk = desk();
        let path = desk.folder.path().join("new.card");
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        assert!(matches!(
            SoftCard::create(&path, "1", "C-2", "op-2", b"", key.pkcs8()),
            Err(CardError::PinForm)
        ));
        assert!(matches!(
            SoftCard::create(&path, "1234", "", "op-2", b"", key.pkcs8()),
            Err(CardError::Contents(_))
        ));
        assert!(matches!(
            SoftCard::create(&path, "1234", "C-2", "op 2", b"", key.pkcs8()),
            Err(CardError::Contents(_))
        ));
        assert!(matches!(
            SoftCard::create(&path, "1234", "C-2", "op-2", &[0; 20_000], key.pkcs8()),
            Err(CardError::Contents(_))
        ));
        assert!(matches!(
            SoftCard::create(&path, "1234", "C-2", "op-2", b"", b"no key"),
            Err(CardError::Contents(_))
        ));
        assert!(!path.exists());
    }
}
