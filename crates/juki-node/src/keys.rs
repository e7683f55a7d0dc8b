//! The keys of a node, from the folder beside its data.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use juki_crypto::{Directory, SealingKey, SigningKey, StorageKey, VerifyingKey};
use juki_domain::{ErrorCode, NodeId, NodeRole};
use juki_pki::PkiError;
use juki_transport::Identity;
use zeroize::Zeroizing;

/// Key files are missing or do not belong together.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{0}: not what it should be")]
    Contents(PathBuf),
    /// A certificate or key file is wrong.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The directory does not name this node, or names another key for it.
    #[error("the directory does not name {0} with this key")]
    NotInDirectory(NodeId),
}

impl KeysError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unreadable { .. } => ErrorCode::ConfigUnreadable,
            Self::Contents(_) | Self::NotInDirectory(_) => ErrorCode::ConfigBadValue,
            Self::Pki(error) => error.code(),
        }
    }
}

/// All that a node holds in its keys folder.
pub struct Keys {
    /// Certificates and the key of the links.
    pub identity: Identity,
    /// Signs sessions, blocks, receipts, checkpoints: the node's first key, which the directory names.
    pub signing: Arc<SigningKey>,
    /// Receives session secrets.
    pub sealing: Arc<SealingKey>,
    /// Wraps what lies on disk.
    pub storage: Zeroizing<[u8; 32]>,
    /// Who is who, signed by the root.
    pub directory: Arc<Directory>,
}

impl Keys {
    /// Reads and checks the folder. The directory must name the node with these keys, unless it is
    /// an access point, which seals and signs nothing and stands in no directory.
    ///
    /// # Errors
    /// [`KeysError`] naming the first file that is wrong.
    pub fn read(folder: &Path, node: &NodeId, role: NodeRole) -> Result<Self, KeysError> {
        Self::read_apart(folder, folder, node, role)
    }

    /// The same with the secret keys in a folder of their own.
    ///
    /// # Errors
    /// [`KeysError`] naming the first file that is wrong.
    pub fn read_apart(
        folder: &Path,
        secrets: &Path,
        node: &NodeId,
        role: NodeRole,
    ) -> Result<Self, KeysError> {
        let identity = Identity::read_apart(folder, secrets)?;
        let node_key = secrets.join("node.key");
        let signing = SigningKey::from_pkcs8(&juki_pki::read_key(&node_key)?)
            .map_err(|_| KeysError::Contents(node_key))?;
        let sealing = read(secrets, "seal.key", |bytes| SealingKey::decode(bytes).ok())?;
        let storage = read(secrets, "storage.key", |bytes| {
            bytes.try_into().ok().map(Zeroizing::new)
        })?;
        let root_path = folder.join("root.crt");
        let roots = root_keys(&identity.roots).ok_or(KeysError::Contents(root_path))?;
        let directory = read(folder, "directory.bin", |bytes| {
            let mut signed = roots.iter().map(|root| Directory::verify(bytes, root));
            signed.find_map(Result::ok)
        })?;
        let own = directory.entry(node).is_some_and(|entry| {
            entry.signing == signing.public() && entry.sealing == *sealing.public()
        });
        if !own && role != NodeRole::AccessPoint {
            return Err(KeysError::NotInDirectory(node.clone()));
        }
        Ok(Self {
            identity,
            signing: Arc::new(signing),
            sealing: Arc::new(sealing),
            storage,
            directory: Arc::new(directory),
        })
    }

    /// The key that wraps what lies on disk.
    #[must_use]
    pub fn storage_key(&self) -> StorageKey {
        StorageKey::new(*self.storage)
    }
}

fn read<T>(
    folder: &Path,
    name: &str,
    parse: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, KeysError> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(|source| KeysError::Unreadable {
        path: path.clone(),
        source,
    })?;
    let bytes = Zeroizing::new(bytes);
    parse(&bytes).ok_or(KeysError::Contents(path))
}

/// The keys of roots' certificates.
pub(crate) fn root_keys(certificates: &[Vec<u8>]) -> Option<Vec<VerifyingKey>> {
    let key = |certificate: &Vec<u8>| {
        VerifyingKey::from_bytes(&juki_pki::authority_key(certificate).ok()?).ok()
    };
    certificates.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use juki_pki::{Authority, generate_key, public_key_info, public_key_of};

    /// The keys of an access point, whose network's directory names nobody.
    fn write_keys(folder: &Path, node: &NodeId) {
        let (from, to) = (1_700_000_000, 4_000_000_000);
        let root_key = generate_key().unwrap();
        let root = Authority::root("demo", &root_key, from, to).unwrap();
        let issuing = root
            .issuing("demo", &generate_key().unwrap(), from, to)
            .unwrap();
        let key = generate_key().unwrap();
        let own = issuing
            .issue_node(
                node,
                "demo",
                &public_key_info(&public_key_of(&key).unwrap()),
                from,
                to,
            )
            .unwrap();
        juki_pki::write_key(&folder.join("node.key"), &key).unwrap();
        juki_pki::write_certificates(
            &folder.join("node.crt"),
            &[own, issuing.certificate().to_vec()],
        )
        .unwrap();
        juki_pki::write_certificates(&folder.join("root.crt"), &[root.certificate().to_vec()])
            .unwrap();
        juki_pki::write_revocation_list(
            &folder.join("revocation.crl"),
            &issuing.revocation_list(1, &[], from, to).unwrap(),
        )
        .unwrap();
        std::fs::write(
            folder.join("seal.key"),
            SealingKey::generate().unwrap().encode(),
        )
        .unwrap();
        std::fs::write(folder.join("storage.key"), [7; 32]).unwrap();
        let directory = Directory::default().sign(&SigningKey::from_pkcs8(&root_key).unwrap());
        std::fs::write(folder.join("directory.bin"), directory).unwrap();
    }

    #[test]
    fn an_access_point_alone_need_not_stand_in_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        let node = "ap-35-1".parse().unwrap();
        write_keys(folder.path(), &node);
        for role in NodeRole::ALL {
            match Keys::read(folder.path(), &node, role) {
                Ok(_) => assert_eq!(role, NodeRole::AccessPoint),
                Err(KeysError::NotInDirectory(named)) => {
                    assert!(named == node && role != NodeRole::AccessPoint)
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}
