//! Signed checkpoints of the chain.

use juki_crypto::{SignatureError, SigningKey, VerifyingKey};
use juki_domain::NodeId;
use prost::Message;

use crate::Chain;

const CONTEXT: &str = "juki checkpoint 1";

/// A node's signed word on where its chain stands: whoever holds it can prove that entries were
/// edited, dropped or cut off.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Checkpoint {
    /// The node.
    #[prost(string, tag = "1")]
    pub node: String,
    /// Number of the last entry covered.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
    /// The chain's digest after it.
    #[prost(bytes = "vec", tag = "3")]
    pub hash: Vec<u8>,
    /// When it was signed, in milliseconds since 1970.
    #[prost(uint64, tag = "4")]
    pub at_ms: u64,
    /// The node's signature.
    #[prost(bytes = "vec", tag = "5")]
    pub signature: Vec<u8>,
}

impl Checkpoint {
    /// Signs the chain's head.
    #[must_use]
    pub fn sign(node: &NodeId, chain: &Chain, at_ms: u64, key: &SigningKey) -> Self {
        let unsigned = Self {
            node: node.to_string(),
            seq: chain.seq,
            hash: chain.hash.to_vec(),
            at_ms,
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
    /// [`SignatureError::Signature`] where the key did not sign this.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SignatureError> {
        let unsigned = Self {
            signature: Vec::new(),
            ..self.clone()
        };
        key.verify(CONTEXT, &unsigned.encode_to_vec(), &self.signature)
    }

    /// Whether the checkpoint speaks of this head.
    #[must_use]
    pub fn covers(&self, chain: &Chain) -> bool {
        self.seq == chain.seq && self.hash == chain.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use juki_crypto::SystemRandomness;

    #[test]
    fn a_checkpoint_is_bound_to_its_signer_and_head() {
        let (key, other) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let chain = Chain {
            seq: 4,
            hash: [1; 32],
        };
        let checkpoint = Checkpoint::sign(&"national".parse().unwrap(), &chain, 9, &key);
        assert_eq!(checkpoint.verify(&key.public()), Ok(()));
        assert!(checkpoint.verify(&other.public()).is_err());
        assert!(
            Checkpoint {
                seq: 5,
                ..checkpoint.clone()
            }
            .verify(&key.public())
            .is_err()
        );
        assert!(
            checkpoint.covers(&chain)
                && !checkpoint.covers(&Chain {
                    seq: 4,
                    hash: [2; 32]
                })
        );
    }
}
