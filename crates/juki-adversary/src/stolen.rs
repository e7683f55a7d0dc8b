//! What somebody has who copied a node's folder.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use juki_crypto::SystemRandomness;
use juki_dispatch::Sessions;
use juki_domain::{NodeId, NodeRole};
use juki_node::Keys;
use juki_topology::{DialAddress, NodeConfig};

use crate::Fault;

/// A node's configuration and keys in the wrong hands.
pub struct StolenNode {
    /// The node's folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: NodeConfig,
    /// Its keys.
    pub keys: Keys,
}

impl StolenNode {
    /// Reads a node's folder: `node.toml` and the keys that it names.
    ///
    /// # Errors
    /// [`Fault`] naming the first file that is not there or not what it should be.
    pub fn read(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join("node.toml");
        let text = fs::read_to_string(&path).map_err(|source| Fault::File {
            path: path.clone(),
            source,
        })?;
        let config = NodeConfig::parse(&text, &path.display().to_string())?;
        let keys = Keys::read(
            &folder.join(&config.node.keys),
            &config.node.name,
            config.node.role,
        )?;
        Ok(Self {
            folder: folder.to_owned(),
            config,
            keys,
        })
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &NodeId {
        &self.config.node.name
    }

    /// The neighbour that the node dials, and where it listens now.
    ///
    /// # Errors
    /// [`Fault::Missing`] for a node that dials nobody; [`Fault::File`] where the neighbour has not
    /// announced itself.
    pub fn neighbour(&self) -> Result<(NodeId, SocketAddr), Fault> {
        let dialled = self
            .config
            .peer
            .iter()
            .find_map(|peer| Some((peer, peer.dial.as_ref()?)));
        let Some((peer, dial)) = dialled else {
            return Err(Fault::Missing(format!("{} dials nobody", self.name())));
        };
        let address = match dial {
            DialAddress::Fixed(address) => *address,
            DialAddress::File(path) => read_address(&self.folder.join(path))?,
        };
        Ok((peer.name.clone(), address))
    }

    /// Sealed sessions in the node's name: none is open yet, as after a restart.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::new(
            self.name().clone(),
            Arc::clone(&self.keys.signing),
            Arc::clone(&self.keys.sealing),
            Arc::clone(&self.keys.directory),
            Arc::new(SystemRandomness),
            self.config.calendar.version,
        )
    }

    /// The node of this role that serves this one: a town's prefecture, or the only one there is.
    ///
    /// # Errors
    /// [`Fault::Missing`] where the directory names none.
    pub fn server(&self, role: NodeRole) -> Result<NodeId, Fault> {
        let prefecture = self
            .config
            .node
            .prefecture
            .filter(|_| role == NodeRole::PrefectureServer)
            .map(|code| format!("-{code}"));
        let mut servers = self
            .keys
            .directory
            .nodes
            .iter()
            .filter(|(_, entry)| entry.role == role)
            .map(|(name, _)| name);
        servers
            .find(|name| {
                prefecture
                    .as_ref()
                    .is_none_or(|ending| name.as_str().ends_with(ending.as_str()))
            })
            .cloned()
            .ok_or_else(|| Fault::Missing(format!("no {} is known", role.program())))
    }
}

/// An address that a node has announced.
pub(crate) fn read_address(path: &Path) -> Result<SocketAddr, Fault> {
    let text = fs::read_to_string(path).map_err(|source| Fault::File {
        path: path.to_owned(),
        source,
    })?;
    text.trim()
        .parse()
        .map_err(|_| Fault::Missing(format!("{}: no address", path.display())))
}
