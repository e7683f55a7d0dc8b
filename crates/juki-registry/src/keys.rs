//! Keys of the index. Codes and search keys are pseudonyms under the node's key, so the index tells
//! nobody who is in it.

use juki_crypto::DigestKey;
use juki_domain::{BirthDate, MunicipalityCode, ResidentRecordCode};

const RECORD: u8 = b'r';
const SEARCH: u8 = b's';
const DIGEST: u8 = b'g';
const COUNT: u8 = b'n';
const DIFFERENCE: u8 = b'x';

/// By what a person is found without the code: the pseudonym of the name's first character with the
/// birth date, then that of all four items. In this order one key serves whoever knows all four
/// items and whoever does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SearchKey(pub(crate) [u8; SEARCH_KEY_LEN]);

/// Length of a search key in bytes.
pub(crate) const SEARCH_KEY_LEN: usize = BEGINNING_LEN + 16;
/// Length of a place of codes in bytes.
pub(crate) const SEARCH_PLACE_LEN: usize = 1 + SEARCH_KEY_LEN;
const BEGINNING_LEN: usize = 8;

impl SearchKey {
    /// That of a registry in which nobody is searched.
    pub(crate) const NONE: Self = Self([0; SEARCH_KEY_LEN]);
}

/// Makes the registry's keys.
#[derive(Debug, Clone)]
pub(crate) struct Keys(pub(crate) DigestKey);

impl Keys {
    pub(crate) fn pseudonym(&self, code: &ResidentRecordCode) -> [u8; 16] {
        self.0.pseudonym(code.as_bytes())
    }

    /// The place of a code's records; their holders are municipalities.
    pub(crate) fn records(pseudonym: &[u8; 16]) -> Vec<u8> {
        join(RECORD, &[pseudonym])
    }

    /// Who holds a record at the place of its code.
    pub(crate) fn record_holder(municipality: MunicipalityCode) -> [u8; 4] {
        municipality.number().to_be_bytes()
    }

    /// The search key of four items, by the folded name and all of them folded.
    pub(crate) fn items(&self, name: &str, birth: BirthDate, folded: &[u8]) -> SearchKey {
        let mut key = [0; SEARCH_KEY_LEN];
        let (first, rest) = key.split_at_mut(BEGINNING_LEN);
        first.copy_from_slice(&self.beginning(name, birth));
        rest.copy_from_slice(&self.0.pseudonym(folded));
        SearchKey(key)
    }

    fn beginning(&self, name: &str, birth: BirthDate) -> [u8; BEGINNING_LEN] {
        let mut first = [0; 4];
        let first = name
            .chars()
            .next()
            .unwrap_or_default()
            .encode_utf8(&mut first);
        let birth = birth.number().to_be_bytes();
        let [a, b, c, d, e, f, g, h, ..] =
            self.0.pseudonym(&[first.as_bytes(), &[0], &birth].concat());
        [a, b, c, d, e, f, g, h]
    }

    /// The place of the codes under a set of four items; their holders are records.
    pub(crate) fn searches(key: &SearchKey) -> Vec<u8> {
        join(SEARCH, &[&key.0])
    }

    /// What the places of all persons of this birth date begin with whose folded name begins with the
    /// same character.
    pub(crate) fn searches_by_beginning(&self, name: &str, birth: BirthDate) -> Vec<u8> {
        join(SEARCH, &[&self.beginning(name, birth)])
    }

    /// Who holds a code at the place of its items.
    pub(crate) fn search_holder(pseudonym: &[u8; 16], municipality: MunicipalityCode) -> Vec<u8> {
        [&pseudonym[..], &municipality.number().to_be_bytes()].concat()
    }

    pub(crate) fn digest(municipality: MunicipalityCode) -> Vec<u8> {
        join(DIGEST, &[&municipality.number().to_be_bytes()])
    }

    pub(crate) fn count(municipality: MunicipalityCode) -> Vec<u8> {
        join(COUNT, &[&municipality.number().to_be_bytes()])
    }

    pub(crate) fn counts() -> Vec<u8> {
        vec![COUNT]
    }

    pub(crate) fn difference(municipality: MunicipalityCode, epoch: u32, seq: u64) -> Vec<u8> {
        join(
            DIFFERENCE,
            &[
                &municipality.number().to_be_bytes(),
                &epoch.to_be_bytes(),
                &seq.to_be_bytes(),
            ],
        )
    }

    pub(crate) fn differences() -> Vec<u8> {
        vec![DIFFERENCE]
    }
}

fn join(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(first);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}
