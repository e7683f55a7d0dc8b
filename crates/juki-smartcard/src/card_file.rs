//! The bytes of a card file.
//!
//! `JUKICARD`, version (1), tries left (1), SHA-256 of all that follows (32), then serial, operator and
//! the registrar's public key (u16 length each, the key's 0 or 32), flags (1; bit 0: the PIN is
//! temporary), certificate, last unlocking and sealed key (u32 length each); lengths big-endian. The
//! tries stand outside the digest, so that counting one rewrites a single byte.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{CardError, PIN_TRIES, sealed_file};

/// Where the tries left stand in the file.
pub(crate) const TRIES_OFFSET: u64 = 9;
/// Longest card file, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 128 * 1024;

/// What a card file holds.
pub(crate) struct CardFile {
    pub(crate) tries: u8,
    pub(crate) serial: String,
    pub(crate) operator: String,
    /// The key under which unlockings are accepted; without it none is.
    pub(crate) registrar: Option<[u8; REGISTRAR_LEN]>,
    pub(crate) pin_is_temporary: bool,
    pub(crate) certificate: Vec<u8>,
    /// The last unlocking that was accepted, as the registrar signed it; empty before the first.
    pub(crate) unlocking: Vec<u8>,
    pub(crate) sealed_key: Vec<u8>,
}

impl CardFile {
    /// Checks what a new card is to hold.
    pub(crate) fn check(&self) -> Result<(), CardError> {
        if !is_name(&self.serial) {
            return Err(CardError::Contents("this serial"));
        }
        if !is_name(&self.operator) {
            return Err(CardError::Contents("this operator id"));
        }
        if self.certificate.len() > CERTIFICATE_BYTES_MAX {
            return Err(CardError::Contents("so long a certificate"));
        }
        Ok(())
    }

    /// The part to which the sealed key is bound: only who knows the PIN can change it.
    pub(crate) fn bound_part(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.certificate.len() + 2 * NAME_LEN_MAX + 48);
        for name in [&self.serial, &self.operator] {
            put_short(&mut bytes, name.as_bytes());
        }
        put_short(
            &mut bytes,
            self.registrar.as_ref().map_or(&[], |key| &key[..]),
        );
        bytes.push(u8::from(self.pin_is_temporary));
        put_long(&mut bytes, &self.certificate);
        bytes
    }

    /// The whole file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = self.bound_part();
        put_long(&mut body, &self.unlocking);
        put_long(&mut body, &self.sealed_key);
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&[VERSION, self.tries]);
        file.extend_from_slice(digest(&SHA256, &body).as_ref());
        file.extend_from_slice(&body);
        file
    }

    /// Reads a whole file.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CardError> {
        Self::read(bytes).ok_or(CardError::Damaged)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let ([version, tries], rest) = rest.split_first_chunk()?;
        let (sum, body) = rest.split_first_chunk::<32>()?;
        if *version != VERSION || *tries > PIN_TRIES || digest(&SHA256, body).as_ref() != sum {
            return None;
        }
        let (serial, body) = take_short(body)?;
        let (operator, body) = take_short(body)?;
        let (registrar, body) = take_short(body)?;
        let ([flags], body) = body.split_first_chunk()?;
        let (certificate, body) = take_long(body)?;
        let (unlocking, body) = take_long(body)?;
        let (sealed_key, body) = take_long(body)?;
        let registrar = match registrar {
            [] => None,
            key => Some(key.try_into().ok()?),
        };
        let card = Self {
            tries: *tries,
            serial: String::from_utf8(serial.to_vec()).ok()?,
            operator: String::from_utf8(operator.to_vec()).ok()?,
            registrar,
            pin_is_temporary: *flags == TEMPORARY,
            certificate: certificate.to_vec(),
            unlocking: unlocking.to_vec(),
            sealed_key: sealed_key.to_vec(),
        };
        let fits = body.is_empty()
            && *flags <= TEMPORARY
            && card.unlocking.len() <= UNLOCKING_BYTES_MAX
            && card.sealed_key.len() <= sealed_file::SEALED_BYTES_MAX;
        (fits && card.check().is_ok()).then_some(card)
    }
}

fn is_name(text: &str) -> bool {
    (1..=NAME_LEN_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn put_short(bytes: &mut Vec<u8>, field: &[u8]) {
    // `check` keeps fields within their bounds, far below what the length field can say.
    bytes.extend_from_slice(&u16::try_from(field.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(field);
}

fn put_long(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(field);
}

fn take_short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}

fn take_long(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)
}

const MAGIC: &[u8] = b"JUKICARD";
const VERSION: u8 = 2;
const TEMPORARY: u8 = 1;
const REGISTRAR_LEN: usize = 32;
const NAME_LEN_MAX: usize = 64;
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Longest unlocking, in bytes.
pub(crate) const UNLOCKING_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card() -> CardFile {
        CardFile {
            tries: 2,
            serial: "C-1".to_owned(),
            operator: "op-7".to_owned(),
            registrar: Some([5; 32]),
            pin_is_temporary: true,
            certificate: vec![1, 2, 3],
            unlocking: vec![4],
            sealed_key: vec![9; 80],
        }
    }

    #[test]
    fn a_card_file_comes_back_as_written() {
        let read = CardFile::decode(&card().encode()).unwrap();
        assert_eq!(
            (read.tries, read.serial.as_str(), read.operator.as_str()),
            (2, "C-1", "op-7")
        );
        assert_eq!(
            (read.certificate, read.unlocking, read.sealed_key),
            (vec![1, 2, 3], vec![4], vec![9; 80])
        );
        assert_eq!(
            (read.registrar, read.pin_is_temporary),
            (Some([5; 32]), true)
        );
        let plain = CardFile {
            registrar: None,
            pin_is_temporary: false,
            ..card()
        };
        let read = CardFile::decode(&plain.encode()).unwrap();
        assert_eq!((read.registrar, read.pin_is_temporary), (None, false));
    }

    #[test]
    fn any_altered_byte_but_the_tries_makes_it_damaged() {
        let file = card().encode();
        for place in (0..file.len()).filter(|place| *place as u64 != TRIES_OFFSET) {
            let mut altered = file.clone();
            altered[place] ^= 0x10;
            assert!(CardFile::decode(&altered).is_err(), "byte {place}");
        }
        for len in 0..file.len() {
            assert!(CardFile::decode(&file[..len]).is_err(), "cut at {len}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut file = MAGIC.to_vec();
            file.extend_from_slice(&[VERSION, 3]);
            file.extend_from_slice(digest(&SHA256, &body).as_ref());
            file.extend_from_slice(&body);
            let _ = CardFile::decode(&file);
        }
    }
}
