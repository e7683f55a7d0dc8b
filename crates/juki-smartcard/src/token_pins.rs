//! Wrong PINs of a token, counted in a file: `JUKIPINS`, tries left (1), the last unlocking.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use juki_crypto::VerifyingKey;

use crate::soft_card::lock_current;
use crate::unlocking::Fitting;
use crate::{CardError, PIN_TRIES};

/// The counter of one token.
#[derive(Debug)]
pub(crate) struct TokenPins {
    path: PathBuf,
    serial: String,
}

/// A try that was counted and is not judged yet; the counter is held until this is dropped.
pub(crate) struct Try {
    file: File,
    before: u8,
    pub(crate) left: u8,
}

impl TokenPins {
    /// The counter of a card, in this folder.
    pub(crate) fn of(folder: &Path, serial: &str) -> Result<Self, CardError> {
        // The serial comes from the token: it must not lead out of the folder.
        let fits = (1..=64).contains(&serial.len())
            && serial
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !fits {
            return Err(CardError::Contents("this serial"));
        }
        Ok(Self {
            path: folder.join(format!("{serial}.pins")),
            serial: serial.to_owned(),
        })
    }

    /// Counts a try before it is judged.
    pub(crate) fn begin(&self) -> Result<Try, CardError> {
        let file = self.open()?;
        let (before, _) = read(&file)?;
        let left = before.checked_sub(1).ok_or(CardError::Locked)?;
        write_tries(&file, left)?;
        Ok(Try { file, before, left })
    }

    /// The last unlocking; empty before the first.
    pub(crate) fn unlocking(&self) -> Result<Vec<u8>, CardError> {
        Ok(read(&self.open()?)?.1)
    }

    /// Gives the tries back under a newer unlocking of this registrar.
    pub(crate) fn accept(
        &self,
        unlocking: &[u8],
        registrar: &VerifyingKey,
    ) -> Result<(), CardError> {
        // What nobody signed makes no counter.
        let fitting = Fitting::judge(&self.serial, unlocking, registrar)?;
        let file = self.open()?;
        fitting.after(&read(&file)?.1)?;
        let beside = self.path.with_extension("new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        let mut new = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        new.write_all(&[MAGIC, &[PIN_TRIES], unlocking].concat())?;
        new.sync_all()?;
        fs::rename(&beside, &self.path)?;
        // A crash must not bring the old counter back: its unlocking would be taken a second time.
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn open(&self) -> Result<File, CardError> {
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path);
        match made {
            Ok(mut file) => {
                file.write_all(&[MAGIC, &[PIN_TRIES]].concat())?;
                file.sync_all()?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        lock_current(&self.path)
    }
}

impl Try {
    /// The PIN was right.
    pub(crate) fn was_right(self) -> Result<(), CardError> {
        write_tries(&self.file, PIN_TRIES)
    }

    /// Nothing was learnt about the PIN.
    pub(crate) fn was_none(self) -> Result<(), CardError> {
        write_tries(&self.file, self.before)
    }
}

fn read(file: &File) -> Result<(u8, Vec<u8>), CardError> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let rest = bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first);
    match rest {
        Some((tries, unlocking)) if *tries <= PIN_TRIES => Ok((*tries, unlocking.to_vec())),
        Some(_) | None => Err(CardError::Damaged),
    }
}

fn write_tries(file: &File, tries: u8) -> Result<(), CardError> {
    file.write_all_at(&[tries], TRIES_OFFSET)?;
    Ok(file.sync_data()?)
}

const MAGIC: &[u8] = b"JUKIPINS";
const TRIES_OFFSET: u64 = 8;
const FILE_BYTES_MAX: u64 = 4096;

#[cfg(test)]
mod tests {
    use juki_access::UnlockGrant;
    use juki_crypto::{SigningKey, SystemRandomness};
    use prost::Message as _;

    use super::*;

    #[test]
    fn three_tries_lock_a_token_until_its_registrar_unlocks_it() {
        let folder = tempfile::tempdir().unwrap();
        let registrar = SigningKey::generate(&SystemRandomness).unwrap();
        let pins = TokenPins::of(folder.path(), "C-1").unwrap();
        pins.begin().unwrap().was_none().unwrap();
        for left in [2, 1, 0] {
            assert_eq!(pins.begin().unwrap().left, left);
        }
        assert!(matches!(pins.begin(), Err(CardError::Locked)));
        let grant = |serial| UnlockGrant::sign(serial, 1, &registrar).encode_to_vec();
        let refused = pins.accept(&grant("C-2"), &registrar.public());
        assert!(matches!(refused, Err(CardError::UnlockNotFitting)));
        pins.accept(&grant("C-1"), &registrar.public()).unwrap();
        assert_eq!(pins.unlocking().unwrap(), grant("C-1"));
        let again = pins.accept(&grant("C-1"), &registrar.public());
        assert!(matches!(again, Err(CardError::UnlockNotFitting)));
        assert_eq!(pins.begin().unwrap().left, 2);
        pins.begin().unwrap().was_right().unwrap();
        assert_eq!(pins.begin().unwrap().left, 2);
    }

    #[test]
    fn an_unlocking_that_nobody_signed_makes_no_counter() {
        let folder = tempfile::tempdir().unwrap();
        let registrar = SigningKey::generate(&SystemRandomness).unwrap();
        let pins = TokenPins::of(folder.path(), "C-1").unwrap();
        let refused = pins.accept(b"nothing", &registrar.public());
        assert!(matches!(refused, Err(CardError::UnlockNotFitting)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_serial_that_leads_elsewhere_has_no_counter_and_a_damaged_one_takes_no_pin() {
        let folder = tempfile::tempdir().unwrap();
        for serial in ["", "../x", "a/b", ".."] {
            assert!(TokenPins::of(folder.path(), serial).is_err(), "{serial}");
        }
        fs::write(folder.path().join("C-1.pins"), b"JUKIPINS\x09").unwrap();
        let pins = TokenPins::of(folder.path(), "C-1").unwrap();
        assert!(matches!(pins.begin(), Err(CardError::Damaged)));
    }
}
