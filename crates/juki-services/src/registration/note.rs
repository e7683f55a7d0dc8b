//! What is kept of a registration, in the ledger and in the index.

use juki_dispatch::View;
use prost::Message;

use super::message::Certificate;

/// By idempotency key.
pub(super) const BY_KEY: u8 = b'i';
/// By the pseudonym of the register's number.
pub(super) const BY_RESIDENT: u8 = b'u';

/// The payload of a [`super::REGISTRATION`] entry, and what is kept under key and resident.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Note {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    /// Empty for a row of a file, whose key is its digest.
    #[prost(bytes = "vec", tag = "2")]
    pub(super) request_digest: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) resident: Vec<u8>,
    #[prost(string, tag = "4")]
    pub(super) code: String,
    #[prost(uint32, tag = "5")]
    pub(super) epoch: u32,
    #[prost(uint64, tag = "6")]
    pub(super) seq: u64,
    #[prost(bool, tag = "7")]
    pub(super) from_stock: bool,
    #[prost(message, optional, tag = "8")]
    pub(super) certificate: Option<Certificate>,
    /// 宛名番号: the register is told its residents' codes again by it.
    #[prost(string, tag = "9")]
    pub(super) number: String,
    /// The entry comes of a row of a file of all residents.
    #[prost(bool, tag = "10")]
    pub(super) initial: bool,
    /// Under a resident: the key of the row of a file of all residents that entered it.
    #[prost(bytes = "vec", tag = "11")]
    pub(super) row: Vec<u8>,
}

impl Note {
    pub(super) fn load(view: &View, kind: u8, pseudonym: &[u8]) -> Option<Self> {
        view.get(&index_key(kind, pseudonym))
            .and_then(|bytes| Self::decode(bytes).ok())
    }

    /// Keeps the note of an entry under its resident and its key. The rows of a file of all residents
    /// are many and each enters a resident of its own, so their keys lie with their residents.
    pub(super) fn store(self, view: &mut View) {
        let row = if self.initial {
            self.key.clone()
        } else {
            Self::load(view, BY_RESIDENT, &self.resident).map_or_else(Vec::new, |known| known.row)
        };
        let by_resident = Self {
            code: self.code.clone(),
            number: self.number,
            row,
            ..Self::default()
        };
        view.put(
            index_key(BY_RESIDENT, &self.resident),
            by_resident.encode_to_vec(),
        );
        if self.initial {
            return;
        }
        let key = index_key(BY_KEY, &self.key);
        let by_key = Self {
            key: Vec::new(),
            resident: Vec::new(),
            number: String::new(),
            ..self
        };
        view.put(key, by_key.encode_to_vec());
    }
}

pub(super) fn index_key(kind: u8, pseudonym: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + pseudonym.len());
    key.push(kind);
    key.extend_from_slice(pseudonym);
    key
}
