//! The card that is a file.

mod care;

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::Ed25519KeyPair;
use zeroize::Zeroizing;

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
    unlocking: Vec<u8>,
    pin_is_temporary: bool,
}

/// What a new card is made of beside its key and PIN.
#[derive(Debug, Clone, Copy)]
pub struct NewCard<'a> {
    /// The card's serial, 1 to 64 printable ASCII characters.
    pub serial: &'a str,
    /// The operator's id, 1 to 64 printable ASCII characters.
    pub operator: &'a str,
    /// The certificate as issued.
    pub certificate: &'a [u8],
    /// The registrar's public key, whose unlockings the card accepts.
    pub registrar: Option<[u8; 32]>,
    /// Whether the operator has to choose another PIN before the card signs.
    pub pin_is_temporary: bool,
}

impl SoftCard {
    /// Writes a new card that takes no unlocking (mode 0600); `pkcs8` is the operator's Ed25519
    /// private key.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn create(
        path: &Path,
        pin: &str,
        serial: &str,
        operator: &str,
        certificate: &[u8],
        pkcs8: &[u8],
    ) -> Result<Self, CardError> {
        let new = NewCard {
            serial,
            operator,
            certificate,
            registrar: None,
            pin_is_temporary: false,
        };
        Self::issue(path, pin, &new, pkcs8)
    }

    /// Writes a new card (mode 0600); `pkcs8` is the operator's Ed25519 private key.
    ///
    /// # Errors
    /// [`CardError::PinForm`], [`CardError::Contents`], or [`CardError::Io`], also where the file
    /// exists already.
    pub fn issue(
        path: &Path,
        pin: &str,
        new: &NewCard<'_>,
        pkcs8: &[u8],
    ) -> Result<Self, CardError> {
        let pin = Pin::parse(pin)?;
        read_key(pkcs8)?;
        let mut card = CardFile {
            tries: PIN_TRIES,
            serial: new.serial.to_owned(),
            operator: new.operator.to_owned(),
            registrar: new.registrar,
            pin_is_temporary: new.pin_is_temporary,
            certificate: new.certificate.to_vec(),
            unlocking: Vec::new(),
            sealed_key: Vec::new(),
        };
        card.check()?;
        card.sealed_key = sealed_file::seal(pkcs8, pin.as_bytes(), &card.bound_part())?;
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

    /// The last unlocking that the card accepted, as the registrar signed it; empty before the first.
    #[must_use]
    pub fn unlocking(&self) -> &[u8] {
        &self.unlocking
    }

    /// Whether the operator has to choose another PIN first.
    #[must_use]
    pub fn pin_is_temporary(&self) -> bool {
        self.pin_is_temporary
    }

    /// Unlocks the private key; takes 64 MiB and about 0.2 s of this thread.
    ///
    /// # Errors
    /// [`CardError::PinWrong`] with the tries left, [`CardError::Locked`] after the third wrong PIN
    /// in a row, [`CardError::PinTemporary`] where the right PIN has to be changed first,
    /// [`CardError::PinForm`] (no try used), [`CardError::Damaged`] or [`CardError::Io`].
    pub fn unlock(&self, pin: &str) -> Result<UnlockedCard, CardError> {
        let pin = Pin::parse(pin)?;
        // Held to the end, or parallel attempts would share one try.
        let file = lock_current(&self.path)?;
        let (card, key) = open_key(&file, &pin)?;
        if card.pin_is_temporary {
            return Err(CardError::PinTemporary);
        }
        let key = read_key(&key).map_err(|_| CardError::Damaged)?;
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
            unlocking: card.unlocking,
            pin_is_temporary: card.pin_is_temporary,
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

/// The file that has this path now, locked: a change of PIN puts another in its place.
pub(crate) fn lock_current(path: &Path) -> Result<File, CardError> {
    loop {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        file.lock()?;
        let (held, named) = (file.metadata()?, std::fs::metadata(path)?);
        if (held.dev(), held.ino()) == (named.dev(), named.ino()) {
            return Ok(file);
        }
    }
}

/// Counts a try and, where the PIN is right, gives it back and the private key out.
fn open_key(file: &File, pin: &Pin<'_>) -> Result<(CardFile, Zeroizing<Vec<u8>>), CardError> {
    let card = read_card(file)?;
    let left = card.tries.checked_sub(1).ok_or(CardError::Locked)?;
    // Counted before it is judged: cutting the power in between must not give a try back.
    write_tries(file, left)?;
    let opened = sealed_file::open(&card.sealed_key, pin.as_bytes(), &card.bound_part());
    match opened {
        Ok(key) => {
            write_tries(file, PIN_TRIES)?;
            Ok((card, key))
        }
        Err(SealedFileError::WrongPassphrase) => Err(CardError::PinWrong { left }),
        Err(
            error @ (SealedFileError::Damaged
            | SealedFileError::Resources
            | SealedFileError::TooLong),
        ) => {
            write_tries(file, card.tries)?;
            Err(error.into())
        }
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
mod tests;
