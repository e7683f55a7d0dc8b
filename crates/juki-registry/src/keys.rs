//! Keys of the index. Codes and search keys are pseudonyms under the node's key, so the index tells
//! nobody who is in it.

use juki_crypto::DigestKey;
use juki_domain::{MunicipalityCode, ResidentRecordCode};

const RECORD: u8 = b'r';
const SEARCH: u8 = b's';
const DIGEST: u8 = b'g';
const COUNT: u8 = b'n';
const DIFFERENCE: u8 = b'x';

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

    /// The pseudonym of a folded set of four items.
    pub(crate) fn items(&self, folded: &[u8]) -> [u8; 16] {
        self.0.pseudonym(folded)
    }

    /// The place of the codes under a set of four items; their holders are records.
    pub(crate) fn searches(items: &[u8; 16]) -> Vec<u8> {
        join(SEARCH, &[items])
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
