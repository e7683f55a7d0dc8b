//! The signed directory: which node has which keys and what it speaks for.

use std::collections::BTreeMap;

use juki_domain::{MunicipalityCode, NodeId, NodeRole};
use prost::Message;

use crate::{SealingPublic, SigningKey, VerifyingKey};

const CONTEXT: &str = "juki directory 1";

/// The directory cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The bytes are no directory.
    #[error("the directory cannot be read")]
    Malformed,
    /// The root authority did not sign it.
    #[error("the root authority did not sign the directory")]
    Signature,
}

/// One node's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// What the node is.
    pub role: NodeRole,
    /// The key that signs its sessions, blocks, receipts and checkpoints.
    pub signing: VerifyingKey,
    /// The key that sessions to it are sealed to.
    pub sealing: SealingPublic,
    /// The municipality whose journal it alone may write.
    pub municipality: Option<MunicipalityCode>,
}

/// All nodes of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// The lines by node name.
    pub nodes: BTreeMap<NodeId, DirectoryEntry>,
    /// The registrar's key, which signs operators' card certificates and the lists of revoked ones.
    pub registrar: Option<VerifyingKey>,
}

impl Directory {
    /// The line of a node.
    #[must_use]
    pub fn entry(&self, node: &NodeId) -> Option<&DirectoryEntry> {
        self.nodes.get(node)
    }

    /// The communication server that writes a municipality's journal.
    #[must_use]
    pub fn writer_of(&self, municipality: MunicipalityCode) -> Option<(&NodeId, &DirectoryEntry)> {
        self.nodes
            .iter()
            .find(|(_, entry)| entry.municipality == Some(municipality))
    }

    /// The directory's bytes, signed by the root authority.
    #[must_use]
    pub fn sign(&self, root: &SigningKey) -> Vec<u8> {
        let lines = self
            .nodes
            .iter()
            .map(|(node, entry)| Line {
                node: node.to_string(),
                role: entry.role.program().to_owned(),
                signing: entry.signing.as_bytes().to_vec(),
                sealing: entry.sealing.0.clone(),
                municipality: entry.municipality.map_or(0, MunicipalityCode::number),
            })
            .collect();
        let list = Lines {
            lines,
            registrar: self
                .registrar
                .map_or_else(Vec::new, |key| key.as_bytes().to_vec()),
        }
        .encode_to_vec();
        let signature = root.sign(CONTEXT, &list).to_vec();
        Signed { list, signature }.encode_to_vec()
    }

    /// Reads a directory and checks the root authority's signature.
    ///
    /// # Errors
    /// [`DirectoryError`] where it cannot be read or is not signed.
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, DirectoryError> {
        let signed = Signed::decode(bytes).map_err(|_| DirectoryError::Malformed)?;
        root.verify(CONTEXT, &signed.list, &signed.signature)
            .map_err(|_| DirectoryError::Signature)?;
        let list = Lines::decode(signed.list.as_slice()).map_err(|_| DirectoryError::Malformed)?;
        let registrar = if list.registrar.is_empty() {
            None
        } else {
            Some(VerifyingKey::from_bytes(&list.registrar).map_err(|_| DirectoryError::Malformed)?)
        };
        let mut nodes = BTreeMap::new();
        for line in list.lines {
            let node: NodeId = line.node.parse().map_err(|_| DirectoryError::Malformed)?;
            nodes.insert(node, line.entry().ok_or(DirectoryError::Malformed)?);
        }
        Ok(Self { nodes, registrar })
    }
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Signed {
    #[prost(bytes = "vec", tag = "1")]
    list: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Lines {
    #[prost(message, repeated, tag = "1")]
    lines: Vec<Line>,
    #[prost(bytes = "vec", tag = "2")]
    registrar: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Line {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(string, tag = "2")]
    role: String,
    #[prost(bytes = "vec", tag = "3")]
    signing: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    sealing: Vec<u8>,
    #[prost(uint32, tag = "5")]
    municipality: u32,
}

impl Line {
    fn entry(&self) -> Option<DirectoryEntry> {
        let municipality = match self.municipality {
            0 => None,
            number => Some(MunicipalityCode::from_number(number).ok()?),
        };
        Some(DirectoryEntry {
            role: self.role.parse().ok()?,
            signing: VerifyingKey::from_bytes(&self.signing).ok()?,
            sealing: SealingPublic(self.sealing.clone()),
            municipality,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SealingKey, SystemRandomness};

    #[test]
    fn a_signed_directory_reads_back_and_a_changed_one_does_not() {
        let (root, node) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let entry = DirectoryEntry {
            role: NodeRole::MunicipalCs,
            signing: node.public(),
            sealing: SealingKey::generate().unwrap().public().clone(),
            municipality: Some("352047".parse().unwrap()),
        };
        let directory = Directory {
            nodes: [("cs-352047".parse().unwrap(), entry)].into(),
            registrar: Some(root.public()),
        };
        let bytes = directory.sign(&root);
        assert_eq!(Directory::verify(&bytes, &root.public()), Ok(directory));
        assert_eq!(
            Directory::verify(&bytes, &node.public()),
            Err(DirectoryError::Signature)
        );
        let mut changed = bytes.clone();
        changed[10] ^= 1;
        assert!(Directory::verify(&changed, &root.public()).is_err());
        assert!(Directory::verify(&bytes[..20], &root.public()).is_err());
    }
}
