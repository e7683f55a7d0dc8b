//! A record as it lies in the index.

use bytes::Bytes;

use crate::StoredRecord;

/// A record as the index holds it: the pseudonym of its folded items, then its bytes.
pub(crate) struct Held {
    pub(crate) search: [u8; 16],
    pub(crate) record: StoredRecord,
    bytes: Bytes,
}

impl Held {
    pub(crate) fn encode(search: &[u8; 16], record: &[u8]) -> Vec<u8> {
        [&search[..], record].concat()
    }

    pub(crate) fn decode(bytes: Bytes) -> Option<Self> {
        let (search, record) = bytes.split_first_chunk::<16>()?;
        Some(Self {
            search: *search,
            record: StoredRecord::decode(record)?,
            bytes,
        })
    }

    /// The record's element in its municipality's digest.
    pub(crate) fn element(&self) -> &[u8] {
        self.bytes.get(16..).unwrap_or(&[])
    }
}
