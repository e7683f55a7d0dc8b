//! Receipts: a tier's signed word that it holds a journal up to a number.

use juki_crypto::{SignatureError, SigningKey, VerifyingKey};
use juki_domain::{MunicipalityCode, NodeId};
use juki_registry::Position;
use prost::Message;

const CONTEXT: &str = "juki receipt 1";

/// A tier above the municipality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// The prefecture server.
    Prefecture = 2,
    /// The national center.
    National = 3,
}

impl Tier {
    /// The tier with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        match number {
            2 => Some(Self::Prefecture),
            3 => Some(Self::National),
            _ => None,
        }
    }
}

/// "All entries up to this one are durable here."
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Receipt {
    /// The municipality, as five digits.
    #[prost(uint32, tag = "1")]
    pub municipality: u32,
    /// The journal's epoch.
    #[prost(uint32, tag = "2")]
    pub epoch: u32,
    /// Number of the last entry held.
    #[prost(uint64, tag = "3")]
    pub seq: u64,
    /// The tier.
    #[prost(uint32, tag = "4")]
    pub tier: u32,
    /// The node.
    #[prost(string, tag = "5")]
    pub node: String,
    /// Digest of the last block's header.
    #[prost(bytes = "vec", tag = "6")]
    pub block: Vec<u8>,
    /// The node's signature.
    #[prost(bytes = "vec", tag = "7")]
    pub signature: Vec<u8>,
}

impl Receipt {
    /// Signs a receipt.
    #[must_use]
    pub fn sign(
        municipality: MunicipalityCode,
        position: Position,
        block: &[u8],
        (tier, node): (Tier, &NodeId),
        key: &SigningKey,
    ) -> Self {
        let unsigned = Self {
            municipality: municipality.number(),
            epoch: position.epoch,
            seq: position.seq,
            tier: tier as u32,
            node: node.to_string(),
            block: block.to_vec(),
            signature: Vec::new(),
        };
        let signature = key.sign(CONTEXT, &unsigned.encode_to_vec()).to_vec();
        Self {
            signature,
            ..unsigned
        }
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`SignatureError::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SignatureError> {
        let unsigned = Self {
            signature: Vec::new(),
            ..self.clone()
        };
        key.verify(CONTEXT, &unsigned.encode_to_vec(), &self.signature)
    }

    /// The place in the journal it speaks of.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
        }
    }
}
