//! A record as it lies in the index.

use bytes::Bytes;

use crate::StoredRecord;
use crate::keys::{SEARCH_KEY_LEN, SearchKey};

/// A record as the index holds it: its search key, then its bytes.
pub(crate) struct Held {
    pub(crate) search: SearchKey,
    pub(crate) record: StoredRecord,
    bytes: Bytes,
}

impl Held {
    pub(crate) fn encode(search: &SearchKey, record: &[u8]) -> Vec<u8> {
        [&search.0[..], record].concat()
    }

    pub(crate) fn decode(bytes: Bytes) -> Option<Self> {
        let (search, record) = bytes.split_first_chunk::<SEARCH_KEY_LEN>()?;
        Some(Self {
            search: SearchKey(*search),
            record: StoredRecord::decode(record)?,
            bytes,
        })
    }

    /// The record's element in its municipality's digest.
    pub(crate) fn element(&self) -> &[u8] {
        self.bytes.get(SEARCH_KEY_LEN..).unwrap_or(&[])
    }
}
