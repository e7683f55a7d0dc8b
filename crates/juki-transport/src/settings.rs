//! What a transport is told at its start.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use juki_domain::NodeId;
use juki_pki::PkiError;
use juki_runtime::{Calendar, Clock};
use juki_topology::{DialAddress, Interface, Limits, NodeConfig};
use zeroize::Zeroizing;

use crate::endpoint::Sockets;
use crate::notices::NoticeStore;

/// Keeps a newer revocation list (DER) across restarts; called from any task, one call at a time.
pub type KeepRevocationList = Arc<dyn Fn(&[u8]) -> io::Result<()> + Send + Sync>;

/// Who this node is and whom it trusts; all certificates and lists as DER.
#[derive(Clone)]
pub struct Identity {
    /// The Ed25519 private key of the node's certificate as PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
    /// What the node's resets of forgotten connections are made from: the same over all its runs and
    /// certificates.
    pub reset_seed: Zeroizing<Vec<u8>>,
    /// The node's certificate, then the issuing authority's.
    pub chain: Vec<Vec<u8>>,
    /// The roots' certificates: one, or two while the network moves from one to the next.
    pub roots: Vec<Vec<u8>>,
    /// The issuing authority's certificate, whose key signs revocation lists.
    pub issuing: Vec<u8>,
    /// The newest revocation list at hand, be it past its time.
    pub revocation_list: Vec<u8>,
}

impl Identity {
    /// Reads `node.key`, `node.crt` (the node's certificate, then the issuing authority's), its key (see
    /// [`juki_pki::read_link_key`]), `root.crt` and `revocation.crl` from a keys folder.
    ///
    /// # Errors
    /// [`PkiError`] naming the file.
    pub fn read(keys: &Path) -> Result<Self, PkiError> {
        Self::read_apart(keys, keys)
    }

    /// The same with `node.key` in a folder of its own.
    ///
    /// # Errors
    /// [`PkiError`] naming the file.
    pub fn read_apart(keys: &Path, secrets: &Path) -> Result<Self, PkiError> {
        let chain_path = keys.join("node.crt");
        let chain = juki_pki::read_certificates(&chain_path)?;
        let what = "the node's certificate and the issuing authority's";
        let issuing = chain.get(1).cloned().ok_or(PkiError::Contents {
            path: chain_path,
            what,
        })?;
        let node_key = juki_pki::read_key(&secrets.join("node.key"))?;
        let own = chain.first().map_or(&[][..], Vec::as_slice);
        Ok(Self {
            key: juki_pki::read_link_key(keys, own, &node_key)?,
            reset_seed: node_key,
            roots: juki_pki::read_certificates(&keys.join("root.crt"))?,
            chain,
            issuing,
            revocation_list: juki_pki::read_revocation_list(&keys.join("revocation.crl"))?,
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// One place to listen.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The own side it serves.
    pub interface: Interface,
    /// The address to bind; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The file that gets the bound address.
    pub announce: Option<PathBuf>,
}

/// One peer, dialled or accepted.
#[derive(Debug, Clone)]
pub struct PeerSettings {
    /// Its name, which its certificate must carry.
    pub name: NodeId,
    /// The own side on which it is met.
    pub interface: Interface,
    /// Where to dial it; without this it dials us, and only then it is accepted.
    pub dial: Option<DialAddress>,
    /// The rate of the line to it in bits a second, which bulk frames keep to; 0 where nobody knows.
    pub line_bps: u64,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// QUIC's first guess of the round trip.
    pub initial_rtt: Duration,
    /// First pause between dial attempts; it doubles after each.
    pub retry_first: Duration,
    /// Longest pause between dial attempts.
    pub retry_max: Duration,
    /// How long one dial attempt may take until the TLS handshake is done.
    pub dial_timeout: Duration,
    /// How long hello and its answer may take.
    pub hello_timeout: Duration,
    /// How often a silent dialled link is probed.
    pub keep_alive: Duration,
    /// After how much silence a link counts as down.
    pub idle_timeout: Duration,
    /// How often a dialler looks for a peer that has not announced itself yet, at first.
    pub announce_check: Duration,
    /// How often a dialler looks whether its peer has announced another address.
    pub address_check: Duration,
    /// How long a link may take to bring its last frames over when another has taken over from it.
    pub drain_max: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            initial_rtt: Duration::from_millis(50),
            retry_first: Duration::from_millis(50),
            retry_max: Duration::from_secs(1),
            dial_timeout: Duration::from_secs(3),
            hello_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(10),
            announce_check: Duration::from_millis(20),
            address_check: Duration::from_millis(250),
            drain_max: Duration::from_secs(10),
        }
    }
}

/// How much others may ask of a node; [`Limits`] says what each is.
#[derive(Debug, Clone, Copy)]
pub struct LinkLimits {
    /// Handshakes under way at once on one listener.
    pub handshakes_max: u32,
    /// Of these, from one IP address.
    pub handshakes_per_address_max: u32,
    /// Handshakes begun in a second, with two seconds' worth at once.
    pub handshakes_per_s: u32,
    /// Handshakes under way from which on a stranger has to prove its address first.
    pub retry_from: u32,
    /// How long a frame may take from its first byte, beside what its length allows.
    pub frame_timeout: Duration,
    /// The slowest that a frame may come, in bytes a second.
    pub frame_bytes_per_s_min: u32,
    /// Frames a second that are read from one peer.
    pub peer_frames_per_s: u32,
    /// Bytes a second that are read from one peer.
    pub peer_bytes_per_s: u64,
    /// Links that one peer may begin in a minute, half of them at once.
    pub peer_links_per_min: u32,
}

impl From<&Limits> for LinkLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            handshakes_max: limits.handshakes_max,
            handshakes_per_address_max: limits.handshakes_per_address_max,
            handshakes_per_s: limits.handshakes_per_s,
            retry_from: limits.retry_from,
            frame_timeout: Duration::from_millis(limits.frame_timeout_ms),
            frame_bytes_per_s_min: limits.frame_bytes_per_s_min,
            peer_frames_per_s: limits.peer_frames_per_s,
            peer_bytes_per_s: limits.peer_bytes_per_s,
            peer_links_per_min: limits.peer_links_per_min,
        }
    }
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self::from(&Limits::default())
    }
}

/// Everything a transport needs to know.
#[derive(Clone)]
pub struct TransportSettings {
    /// This node.
    pub node: NodeId,
    /// The id of its network.
    pub network: String,
    /// The network's calendar.
    pub calendar: Calendar,
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// Whom to dial and to accept; nobody else.
    pub peers: Vec<PeerSettings>,
    /// Longest frame in bytes, both ways.
    pub frame_bytes_max: usize,
    /// Frames that may wait per peer and class.
    pub queue_frames: usize,
    /// How long things may take.
    pub timing: Timing,
    /// How much others may ask.
    pub limits: LinkLimits,
    /// Keys and certificates.
    pub identity: Identity,
    /// Keeps newer revocation lists.
    pub keep_revocation_list: KeepRevocationList,
    /// Where notices are kept.
    pub notices: NoticeStore,
    /// The machine's clock, by which certificates are judged.
    pub clock: Arc<dyn Clock>,
    /// Where sockets come from.
    pub sockets: Sockets,
}

impl TransportSettings {
    /// The settings of a configured node. Relative paths start at `folder`, the folder of the
    /// configuration file.
    #[must_use]
    pub fn from_config(
        config: &NodeConfig,
        folder: &Path,
        identity: Identity,
        keep: KeepRevocationList,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let listeners = config.listen.iter().map(|listen| Listener {
            interface: listen.interface,
            address: listen.address,
            announce: listen.announce.as_ref().map(|path| folder.join(path)),
        });
        let peers = config.peer.iter().map(|peer| PeerSettings {
            name: peer.name.clone(),
            interface: peer.interface,
            line_bps: peer.line_bps,
            dial: peer.dial.as_ref().map(|dial| match dial {
                DialAddress::File(path) => DialAddress::File(folder.join(path)),
                DialAddress::Fixed(address) => DialAddress::Fixed(*address),
            }),
        });
        Self {
            node: config.node.name.clone(),
            network: config.node.network.clone(),
            calendar: Calendar {
                base: config.calendar.base,
                anchor_unix_s: config.calendar.anchor_unix_s,
                version: config.calendar.version,
            },
            listeners: listeners.collect(),
            peers: peers.collect(),
            frame_bytes_max: config.limits.frame_bytes_max,
            queue_frames: QUEUE_FRAMES,
            timing: Timing {
                hello_timeout: Duration::from_millis(config.limits.hello_timeout_ms),
                ..Timing::default()
            },
            limits: LinkLimits::from(&config.limits),
            identity,
            keep_revocation_list: keep,
            notices: NoticeStore::default(),
            clock,
            sockets: Sockets::system(),
        }
    }
}

impl fmt::Debug for TransportSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportSettings")
            .field("node", &self.node)
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

/// Enough for a burst of small frames; a queue of the longest frames stays below 512 MiB.
const QUEUE_FRAMES: usize = 1024;

#[cfg(test)]
mod tests {
    use juki_pki::{Authority, generate_key, public_key_info, public_key_of};
    use juki_runtime::SystemClock;
    use juki_topology::Network;

    use super::*;

    fn write_keys(folder: &Path, network: &str) {
        let (from, to) = (1_700_000_000, 4_000_000_000);
        let root = Authority::root(network, &generate_key().unwrap(), from, to).unwrap();
        let issuing = root
            .issuing(network, &generate_key().unwrap(), from, to)
            .unwrap();
        let key = generate_key().unwrap();
        let public = public_key_info(&public_key_of(&key).unwrap());
        let own = issuing
            .issue_node(&"cs-352047".parse().unwrap(), network, &public, from, to)
            .unwrap();
        juki_pki::write_key(&folder.join("node.key"), &key).unwrap();
        juki_pki::write_certificates(
            &folder.join("node.crt"),
            &[own, issuing.certificate().to_vec()],
        )
        .unwrap();
        juki_pki::write_certificates(&folder.join("root.crt"), &[root.certificate().to_vec()])
            .unwrap();
        let list = issuing.revocation_list(1, &[], from, to).unwrap();
        juki_pki::write_revocation_list(&folder.join("revocation.crl"), &list).unwrap();
    }

    #[test]
    fn an_identity_is_read_from_a_keys_folder_and_a_missing_part_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write_keys(folder.path(), "demo");
        let identity = Identity::read(folder.path()).unwrap();
        assert_eq!(
            juki_pki::node_of(&identity.chain[0], "demo")
                .unwrap()
                .as_str(),
            "cs-352047"
        );
        assert!(juki_pki::verify_crl(&identity.revocation_list, &identity.issuing).is_ok());
        juki_pki::write_certificates(&folder.path().join("node.crt"), &identity.chain[..1])
            .unwrap();
        let error = Identity::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("node.crt"), "{error}");
    }

    #[test]
    fn settings_take_paths_from_the_configurations_folder() {
        let folder = tempfile::tempdir().unwrap();
        write_keys(folder.path(), "demo");
        let identity = Identity::read(folder.path()).unwrap();
        let network = Network::demo(1, "demo", 1_700_000_000).unwrap();
        let config = network
            .node_config(&"fw-cs-352047".parse().unwrap())
            .unwrap();
        let base = Path::new("/deployment/nodes/fw-cs-352047");
        let settings = TransportSettings::from_config(
            &config,
            base,
            identity,
            Arc::new(|_| Ok(())),
            Arc::new(SystemClock),
        );
        let inside = settings
            .listeners
            .iter()
            .find(|listener| listener.interface == Interface::Inside)
            .unwrap();
        assert!(inside.announce.as_ref().unwrap().starts_with(base));
        let above = settings
            .peers
            .iter()
            .find(|peer| peer.interface == Interface::Line)
            .unwrap();
        assert!(matches!(&above.dial, Some(DialAddress::File(path)) if path.starts_with(base)));
        assert_eq!(
            (settings.network.as_str(), settings.frame_bytes_max),
            ("demo", 524_288)
        );
    }
}
