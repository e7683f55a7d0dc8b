//! What happens to a card after it was made: another PIN, new tries.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use juki_crypto::VerifyingKey;

use super::{SoftCard, lock_current, open_key, read_card};
use crate::card_file::CardFile;
use crate::operator_card::{CardError, PIN_TRIES, Pin};
use crate::sealed_file;
use crate::unlocking::Fitting;

impl SoftCard {
    /// Puts a PIN of the operator's own choice in place of the old one, which may be temporary.
    ///
    /// # Errors
    /// As [`SoftCard::unlock`] for the old PIN, [`CardError::PinTooSimple`] for the new one.
    pub fn change_pin(&self, old: &str, new: &str) -> Result<(), CardError> {
        let chosen = Pin::parse_new(new, old)?;
        let old = Pin::parse(old)?;
        let file = lock_current(&self.path)?;
        let (card, key) = open_key(&file, &old)?;
        let mut card = CardFile {
            tries: PIN_TRIES,
            pin_is_temporary: false,
            ..card
        };
        card.sealed_key = sealed_file::seal(&key, chosen.as_bytes(), &card.bound_part())?;
        replace(&self.path, &card)
    }

    /// Gives the card its tries back under an unlocking of its registrar.
    ///
    /// # Errors
    /// [`CardError::UnlockNotFitting`] where it is not for this card, not of the registrar that the
    /// card knows, or not newer than the last one; [`CardError::Damaged`] or [`CardError::Io`].
    pub fn accept_unlocking(&self, unlocking: &[u8]) -> Result<(), CardError> {
        let file: File = lock_current(&self.path)?;
        let card = read_card(&file)?;
        let registrar = card
            .registrar
            .and_then(|key| VerifyingKey::from_bytes(&key).ok())
            .ok_or(CardError::UnlockNotFitting)?;
        Fitting::judge(&card.serial, unlocking, &registrar)?.after(&card.unlocking)?;
        let card = CardFile {
            tries: PIN_TRIES,
            unlocking: unlocking.to_vec(),
            ..card
        };
        replace(&self.path, &card)
    }
}

/// Writes the whole card beside the old file and puts it in its place: a cut leaves the one or the
/// other.
fn replace(path: &Path, card: &CardFile) -> Result<(), CardError> {
    let mut name = OsString::from(path);
    name.push(".new");
    let beside = Path::new(&name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(beside)?;
    file.write_all(&card.encode())?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use juki_access::UnlockGrant;
    use juki_crypto::{SigningKey, SystemRandomness};
    use prost::Message as _;
    use tempfile::TempDir;

    use super::*;
    use crate::NewCard;

    struct Desk {
        _folder: TempDir,
        card: SoftCard,
        registrar: SigningKey,
    }

    fn desk() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        let registrar = SigningKey::generate(&SystemRandomness).unwrap();
        let new = NewCard {
            serial: "C-001",
            operator: "op-1",
            certificate: b"certificate",
            registrar: Some(*registrar.public().as_bytes()),
            pin_is_temporary: true,
        };
        let card =
            SoftCard::issue(&folder.path().join("op.card"), "4711", &new, key.pkcs8()).unwrap();
        Desk {
            _folder: folder,
            card,
            registrar,
        }
    }

    #[test]
    fn a_temporary_pin_signs_nothing_until_it_is_changed() {
        let desk = desk();
        assert!(desk.card.pin_is_temporary());
        assert!(matches!(
            desk.card.unlock("4711"),
            Err(CardError::PinTemporary)
        ));
        assert!(matches!(
            desk.card.change_pin("4711", "4711"),
            Err(CardError::PinTooSimple)
        ));
        assert!(matches!(
            desk.card.change_pin("0815", "2580"),
            Err(CardError::PinWrong { left: 2 })
        ));
        desk.card.change_pin("4711", "2580").unwrap();
        assert!(matches!(
            desk.card.unlock("4711"),
            Err(CardError::PinWrong { left: 2 })
        ));
        assert_eq!(desk.card.unlock("2580").unwrap().serial(), "C-001");
        assert!(!SoftCard::open(&desk.card.path).unwrap().pin_is_temporary());
    }

    #[test]
    fn nobody_makes_a_temporary_pin_a_chosen_one_without_knowing_it() {
        let desk = desk();
        let bytes = fs::read(&desk.card.path).unwrap();
        let mut forged = CardFile::decode(&bytes).unwrap();
        forged.pin_is_temporary = false;
        fs::write(&desk.card.path, forged.encode()).unwrap();
        assert!(matches!(
            desk.card.unlock("4711"),
            Err(CardError::PinWrong { .. })
        ));
    }

    #[test]
    fn the_registrars_unlocking_gives_a_locked_card_its_tries_back_once() {
        let desk = desk();
        desk.card.change_pin("4711", "2580").unwrap();
        for _ in 0..3 {
            assert!(desk.card.unlock("0000").is_err());
        }
        assert!(matches!(desk.card.unlock("2580"), Err(CardError::Locked)));
        let grant =
            |serial, number| UnlockGrant::sign(serial, number, &desk.registrar).encode_to_vec();
        let stranger = SigningKey::generate(&SystemRandomness).unwrap();
        for other in [
            grant("C-002", 1),
            UnlockGrant::sign("C-001", 1, &stranger).encode_to_vec(),
            b"open sesame".to_vec(),
        ] {
            assert!(matches!(
                desk.card.accept_unlocking(&other),
                Err(CardError::UnlockNotFitting)
            ));
        }
        desk.card.accept_unlocking(&grant("C-001", 1)).unwrap();
        assert!(desk.card.unlock("2580").is_ok());
        assert!(matches!(
            desk.card.accept_unlocking(&grant("C-001", 1)),
            Err(CardError::UnlockNotFitting)
        ));
        desk.card.accept_unlocking(&grant("C-001", 7)).unwrap();
        let held = SoftCard::open(&desk.card.path).unwrap();
        assert_eq!(held.unlocking(), grant("C-001", 7));
    }
}
