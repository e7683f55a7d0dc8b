//! Cursors: replication state is one number per stream and tier.

use juki_dispatch::View;
use juki_domain::MunicipalityCode;
use juki_registry::Position;
use prost::Message;

use crate::{Receipt, SignedBlock, Tier};

/// Where a tier stands with a municipality's journal.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Cursor {
    /// The municipality, as five digits.
    #[prost(uint32, tag = "1")]
    pub municipality: u32,
    /// The journal's epoch; 0 before the first block.
    #[prost(uint32, tag = "2")]
    pub epoch: u32,
    /// Number of the last entry held.
    #[prost(uint64, tag = "3")]
    pub seq: u64,
    /// Digest of the last block's header.
    #[prost(bytes = "vec", tag = "4")]
    pub block: Vec<u8>,
    /// Number of the ledger entry that holds the last block, on the node whose cursor this is.
    #[prost(uint64, tag = "5")]
    pub ledger_seq: u64,
}

impl Cursor {
    /// Its place in the journal.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
        }
    }

    /// Where a tier stands when it has taken a block that this node signed or verified.
    pub(crate) fn after(block: &SignedBlock) -> Self {
        let header = block.read_header().unwrap_or_default();
        Self {
            municipality: header.municipality,
            epoch: header.epoch,
            seq: header.last_seq(),
            block: block.hash().to_vec(),
            ledger_seq: 0,
        }
    }

    pub(crate) fn load(view: &View, municipality: MunicipalityCode) -> Self {
        let stored = view
            .get(&key(b'c', municipality))
            .and_then(|bytes| Self::decode(bytes).ok());
        stored.unwrap_or_else(|| Self {
            municipality: municipality.number(),
            ..Self::default()
        })
    }

    pub(crate) fn store(&self, view: &mut View, municipality: MunicipalityCode) {
        view.put(key(b'c', municipality), self.encode_to_vec());
    }

    pub(crate) fn all(view: &View) -> Vec<(MunicipalityCode, Self)> {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let number = key
                .get(2..)
                .and_then(|number| number.try_into().ok())
                .map(u32::from_be_bytes)?;
            Some((
                MunicipalityCode::from_number(number).ok()?,
                Self::decode(value.as_slice()).ok()?,
            ))
        };
        view.scan(b"jc", 4096)
            .into_iter()
            .filter_map(read)
            .collect()
    }
}

/// What the tiers above have confirmed of one municipality's journal, with the place in this node's
/// ledger up to which that reaches.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Heights {
    /// Epoch and number confirmed by the prefecture.
    #[prost(uint64, tag = "1")]
    pub prefecture: u64,
    /// Confirmed by the national center.
    #[prost(uint64, tag = "2")]
    pub national: u64,
    /// The epoch both are of.
    #[prost(uint32, tag = "3")]
    pub epoch: u32,
    /// Number of the ledger entry up to which nothing has to be sent upward any more.
    #[prost(uint64, tag = "4")]
    pub settled: u64,
}

impl Heights {
    /// What is confirmed of a municipality's journal.
    #[must_use]
    pub fn load(view: &View, municipality: MunicipalityCode) -> Self {
        view.get(&key(b'h', municipality))
            .and_then(|bytes| Self::decode(bytes).ok())
            .unwrap_or_default()
    }

    /// Takes in a receipt: heights never sink.
    pub(crate) fn raise(
        view: &mut View,
        municipality: MunicipalityCode,
        tier: Tier,
        position: Position,
        settled: Option<u64>,
    ) {
        let mut heights = Self::load(view, municipality);
        heights.epoch = heights.epoch.max(position.epoch);
        let height = match tier {
            Tier::Prefecture => &mut heights.prefecture,
            Tier::National => &mut heights.national,
        };
        *height = (*height).max(position.seq);
        heights.settled = heights.settled.max(settled.unwrap_or(0));
        view.put(key(b'h', municipality), heights.encode_to_vec());
    }
}

/// Keeps the newest receipt of the tier above, to be told again to whom it did not reach.
pub(crate) fn keep_receipt(view: &mut View, municipality: MunicipalityCode, receipt: &Receipt) {
    if kept_receipt(view, municipality).is_none_or(|before| before.position() <= receipt.position())
    {
        view.put(key(b'n', municipality), receipt.encode_to_vec());
    }
}

/// The newest receipt of the tier above.
pub(crate) fn kept_receipt(view: &View, municipality: MunicipalityCode) -> Option<Receipt> {
    view.get(&key(b'n', municipality))
        .and_then(|bytes| Receipt::decode(bytes).ok())
}

fn key(kind: u8, municipality: MunicipalityCode) -> Vec<u8> {
    let mut key = vec![b'j', kind];
    key.extend_from_slice(&municipality.number().to_be_bytes());
    key
}
