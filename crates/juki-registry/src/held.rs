//! A record as it lies in the index.

use bytes::Bytes;
use juki_crypto::sha256;
use juki_domain::{Change, IdentityRecord, MunicipalityCode};

use crate::current::{encode_record, standing_of};
use crate::keys::{SEARCH_KEY_LEN, SearchKey};
use crate::{Position, Standing, StoredRecord};

/// Length of the digest of four items.
const ITEMS_LEN: usize = 16;
/// Epoch, number, standing.
const PLACE_LEN: usize = 4 + 8 + 1;
const HEAD_LEN: usize = SEARCH_KEY_LEN + ITEMS_LEN + PLACE_LEN;

/// A record as the index holds it: before its bytes stands what the next change to it needs to know,
/// so that these need not be read.
pub(crate) struct Held {
    pub(crate) search: SearchKey,
    /// Of the four items as they are written.
    pub(crate) items: [u8; ITEMS_LEN],
    pub(crate) position: Position,
    pub(crate) standing: Standing,
    bytes: Bytes,
}

impl Held {
    pub(crate) fn decode(bytes: Bytes) -> Option<Self> {
        let (search, rest) = bytes.split_first_chunk::<SEARCH_KEY_LEN>()?;
        let (items, rest) = rest.split_first_chunk::<ITEMS_LEN>()?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let standing = match rest.first()? {
            0 => Standing::Ended,
            _ => Standing::Present,
        };
        Some(Self {
            search: SearchKey(*search),
            items: *items,
            position: Position {
                epoch: u32::from_be_bytes(*epoch),
                seq: u64::from_be_bytes(*seq),
            },
            standing,
            bytes,
        })
    }

    /// The record's element in its municipality's digest: its bytes.
    pub(crate) fn element(&self) -> &[u8] {
        self.bytes.get(HEAD_LEN..).unwrap_or(&[])
    }

    /// The record itself; `None` where the bytes are none.
    pub(crate) fn record(&self) -> Option<StoredRecord> {
        StoredRecord::decode(self.element())
    }
}

/// A record that is about to be held.
pub(crate) struct Holding {
    pub(crate) items: [u8; ITEMS_LEN],
    pub(crate) standing: Standing,
    value: Vec<u8>,
}

impl Holding {
    /// What a municipality said at a place of its journal.
    pub(crate) fn new(municipality: MunicipalityCode, position: Position, change: &Change) -> Self {
        let items = items_digest(&change.record);
        let standing = standing_of(change);
        let mut value = vec![0; SEARCH_KEY_LEN];
        value.reserve(512);
        value.extend_from_slice(&items);
        value.extend_from_slice(&position.epoch.to_be_bytes());
        value.extend_from_slice(&position.seq.to_be_bytes());
        value.push(u8::from(standing == Standing::Present));
        encode_record(municipality, position, change, &mut value);
        Self {
            items,
            standing,
            value,
        }
    }

    pub(crate) fn element(&self) -> &[u8] {
        self.value.get(HEAD_LEN..).unwrap_or(&[])
    }

    /// The value under a search key.
    pub(crate) fn under(mut self, search: &SearchKey) -> Vec<u8> {
        if let Some(head) = self.value.first_chunk_mut() {
            *head = search.0;
        }
        self.value
    }
}

fn items_digest(record: &IdentityRecord) -> [u8; ITEMS_LEN] {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(record.name.reveal().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&record.birth.number().to_be_bytes());
    bytes.push(record.sex as u8);
    bytes.extend_from_slice(record.address.reveal().as_bytes());
    let mut short = [0; ITEMS_LEN];
    for (to, from) in short.iter_mut().zip(sha256(&bytes)) {
        *to = from;
    }
    short
}
