//! The network of a world: who there is, with which keys and which configuration.
//!
//! Keys come from the seed, so that what depends on them (codes, certificates) is the same for the
//! same seed. They open nothing but this one simulated world.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use juki_access::{Authorisation, CardCertificate, Grant, Role};
use juki_crypto::{
    Directory, DirectoryEntry, Notice, NoticeKind, Randomness, SealingKey, SigningKey, random_array,
};
use juki_domain::{MunicipalityCode, NodeId, NodeRole};
use juki_line::LineSettings;
use juki_pki::{Authority, public_key_info};
use juki_topology::{DialAddress, Interface, Network, NodeConfig};
use prost::Message as _;
use tempfile::TempDir;

use crate::randomness::SeededRandomness;

/// A world cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the world cannot be built: {0}")]
pub struct DeploymentError(String);

impl DeploymentError {
    pub(crate) fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Everything on disk that nodes start from, and who is where.
pub struct Deployment {
    folder: TempDir,
    /// The nodes with their places, in the order in which they start.
    pub places: Vec<Place>,
    /// The leased lines.
    pub lines: Vec<Cable>,
    /// The operator's card.
    pub card: Card,
    /// The towns, by number.
    pub towns: Vec<MunicipalityCode>,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: NodeId,
    /// What it is.
    pub role: NodeRole,
    /// Its configuration.
    pub config: Arc<NodeConfig>,
    /// Where its keys lie.
    pub folder: PathBuf,
    /// Its machine's address.
    pub address: IpAddr,
}

/// A line between two machines.
#[derive(Debug, Clone)]
pub struct Cable {
    /// Its name.
    pub name: NodeId,
    /// The machine at the lower end, then that at the upper one.
    pub ends: (IpAddr, IpAddr),
    /// What it carries.
    pub settings: LineSettings,
}

/// An operator's card whose PIN is known.
pub struct Card {
    key: SigningKey,
    certificate: CardCertificate,
    terminal: NodeId,
}

impl Card {
    /// What the card signs at log-in.
    #[must_use]
    pub fn authorisation(&self, now_ms: u64, key: [u8; 32]) -> Authorisation {
        let grant = Grant::new(self.terminal.as_str(), now_ms / 1000, 900, &key).encode_to_vec();
        Authorisation {
            signature: self.key.sign(Grant::context(), &grant).to_vec(),
            grant,
            certificate: self.certificate.encode_to_vec(),
            key: key.to_vec(),
            proof: Vec::new(),
        }
    }
}

impl Deployment {
    /// Writes keys and configurations of all nodes of a network into a temporary folder.
    ///
    /// # Errors
    /// [`DeploymentError`] where the folder cannot be written.
    pub fn new(network: &Network, now_s: u64, seed: u64) -> Result<Self, DeploymentError> {
        let folder = tempfile::tempdir().map_err(failed)?;
        let addresses = addresses(network);
        let maker = KeyMaker::new(network.id(), now_s, seed)?;
        let mut directory = Directory {
            registrar: Some(maker.registrar.public()),
            ..Directory::default()
        };
        let mut places = Vec::new();
        for node in network.nodes() {
            if node.role == NodeRole::AccessPoint {
                continue;
            }
            let Some(config) = network.node_config(&node.name) else {
                continue;
            };
            let place = folder.path().join(node.name.as_str());
            let config = wired(config, network, &addresses)?;
            let entry = maker.write(&place, &config)?;
            directory.nodes.insert(node.name.clone(), entry);
            places.push(place_of(config, place, &addresses)?);
        }
        let directory = directory.sign(&maker.root_key);
        for place in &places {
            let keys = place.folder.join(&place.config.node.keys);
            write(&keys.join("directory.bin"), &directory)?;
        }
        let cable = |line: juki_topology::Line| {
            let ends = (addresses.get(&line.lower)?, addresses.get(&line.upper)?);
            Some(Cable {
                name: line.name.clone(),
                ends: (*ends.0, *ends.1),
                settings: line.settings,
            })
        };
        let towns = network.parts().municipalities.iter();
        Ok(Self {
            card: maker.card(terminal(&places)?),
            lines: network.lines().into_iter().filter_map(cable).collect(),
            towns: towns.map(|town| town.code).collect(),
            folder,
            places,
        })
    }

    /// The folder that holds it; it goes with this value.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The storage key of a node, which opens its ledger.
    ///
    /// # Errors
    /// [`DeploymentError`] where it cannot be read.
    pub fn storage_key(&self, place: &Place) -> Result<[u8; 32], DeploymentError> {
        let path = place
            .folder
            .join(&place.config.node.keys)
            .join("storage.key");
        let bytes = fs::read(path).map_err(failed)?;
        bytes
            .try_into()
            .map_err(|_| DeploymentError("a storage key".to_owned()))
    }
}

/// The authorities of a network, and keys out of a seed.
struct KeyMaker {
    network: String,
    now_s: u64,
    randomness: SeededRandomness,
    root_key: SigningKey,
    root_certificate: Vec<u8>,
    registrar: SigningKey,
    issuing: Authority,
    revocation_list: Vec<u8>,
    basis: Vec<u8>,
}

impl KeyMaker {
    fn new(network: &str, now_s: u64, seed: u64) -> Result<Self, DeploymentError> {
        let randomness = SeededRandomness::new(seed);
        let key = || SigningKey::generate(&randomness).map_err(failed);
        let (root_key, registrar) = (key()?, key()?);
        let end = now_s + YEARS_S;
        let root = Authority::root(network, root_key.pkcs8(), now_s, end).map_err(failed)?;
        let issuing = root
            .issuing(network, registrar.pkcs8(), now_s, end)
            .map_err(failed)?;
        let list = issuing
            .revocation_list(1, &[], now_s, end)
            .map_err(failed)?;
        let kind = NoticeKind::LegalBasis;
        let basis = Notice::sign(kind, 1, LEGAL_BASIS.as_bytes().to_vec(), &registrar).encode();
        Ok(Self {
            network: network.to_owned(),
            now_s,
            root_certificate: root.certificate().to_vec(),
            randomness,
            root_key,
            registrar,
            issuing,
            revocation_list: list,
            basis,
        })
    }

    fn write(&self, folder: &Path, config: &NodeConfig) -> Result<DirectoryEntry, DeploymentError> {
        let keys = folder.join(&config.node.keys);
        fs::create_dir_all(&keys).map_err(failed)?;
        fs::create_dir_all(folder.join(&config.node.data)).map_err(failed)?;
        let key = SigningKey::generate(&self.randomness).map_err(failed)?;
        let public = public_key_info(key.public().as_bytes());
        let own = self
            .issuing
            .issue_node(
                &config.node.name,
                &self.network,
                &public,
                self.now_s,
                self.now_s + YEARS_S,
            )
            .map_err(failed)?;
        let issuing = self.issuing.certificate().to_vec();
        let certificates = [
            ("node.crt", vec![own, issuing.clone()]),
            ("root.crt", vec![self.root_certificate.clone()]),
        ];
        for (name, chain) in certificates {
            juki_pki::write_certificates(&keys.join(name), &chain).map_err(failed)?;
        }
        juki_pki::write_key(&keys.join("node.key"), key.pkcs8()).map_err(failed)?;
        juki_pki::write_revocation_list(&keys.join("revocation.crl"), &self.revocation_list)
            .map_err(failed)?;
        write(
            &keys.join("storage.key"),
            &random_array::<32>(&self.randomness),
        )?;
        let sealing = SealingKey::generate().map_err(failed)?;
        write(&keys.join("seal.key"), &sealing.encode())?;
        let basis = format!("{}.notice", NoticeKind::LegalBasis.name());
        write(&keys.join(basis), &self.basis)?;
        if config.node.role == NodeRole::NationalCenter {
            juki_pki::write_key(&keys.join("issuing.key"), self.registrar.pkcs8())
                .map_err(failed)?;
            juki_pki::write_certificates(&keys.join("issuing.crt"), &[issuing]).map_err(failed)?;
        }
        if let Some(policy) = config.policy_toml().map_err(failed)? {
            let file = config
                .firewall
                .as_ref()
                .map(|section| section.policy.clone());
            write(&folder.join(file.unwrap_or_default()), policy.as_bytes())?;
        }
        Ok(DirectoryEntry {
            role: config.node.role,
            signing: key.public(),
            sealing: sealing.public().clone(),
            municipality: config.node.municipality,
        })
    }

    fn card(&self, terminal: &Place) -> Card {
        let mut seed = [0; 32];
        self.randomness.fill(&mut seed);
        // Any 32 bytes are a key.
        let key = SigningKey::from_seed(&seed).unwrap_or_else(|_| unreachable!("a seed is a key"));
        let certificate = CardCertificate {
            serial: "C-1".to_owned(),
            operator: "operator-1".to_owned(),
            body: terminal.config.node.body.clone().unwrap_or_default(),
            roles: vec![Role::BusinessOperator as u32],
            key: key.public().as_bytes().to_vec(),
            valid_until_s: self.now_s + YEARS_S,
            signature: Vec::new(),
        };
        Card {
            certificate: certificate.signed(&self.registrar),
            terminal: terminal.name.clone(),
            key,
        }
    }
}

/// Each machine's address, in the order of the nodes.
fn addresses(network: &Network) -> BTreeMap<NodeId, IpAddr> {
    let addressed = (1_u32..).zip(network.nodes());
    addressed
        .map(|(number, node)| {
            let ip = Ipv4Addr::from_bits(u32::from_be_bytes([10, 0, 0, 0]) + number);
            (node.name, IpAddr::V4(ip))
        })
        .collect()
}

/// The configuration with fixed addresses in place of announce files: a firewall dials the one above
/// as if no access point lay between them, since the simulated line is the network's.
fn wired(
    mut config: NodeConfig,
    network: &Network,
    addresses: &BTreeMap<NodeId, IpAddr>,
) -> Result<NodeConfig, DeploymentError> {
    let socket = |node: &NodeId, interface: Interface| {
        let ip = addresses.get(node);
        ip.map(|ip| SocketAddr::new(*ip, interface_port(interface)))
            .ok_or_else(|| DeploymentError(format!("{node} has no machine")))
    };
    let me = config.node.name.clone();
    for listen in &mut config.listen {
        listen.address = socket(&me, listen.interface)?;
        listen.announce = None;
    }
    let lines = network.lines();
    for peer in config.peer.iter_mut().filter(|peer| peer.dial.is_some()) {
        let line = lines
            .iter()
            .find(|line| line.lower == me && line.upper == peer.name);
        let interface = line.map_or(Interface::Inside, |line| line.upper_interface);
        peer.dial = Some(DialAddress::Fixed(socket(&peer.name, interface)?));
    }
    config.register = None;
    config.node.papers = None;
    Ok(config)
}

fn interface_port(interface: Interface) -> u16 {
    match interface {
        Interface::Inside => 4_001,
        Interface::Line => 4_002,
        Interface::NationalLine => 4_003,
        Interface::AgencyLine => 4_004,
    }
}

fn place_of(
    config: NodeConfig,
    folder: PathBuf,
    addresses: &BTreeMap<NodeId, IpAddr>,
) -> Result<Place, DeploymentError> {
    let name = config.node.name.clone();
    let address = addresses.get(&name).copied();
    Ok(Place {
        role: config.node.role,
        address: address.ok_or_else(|| DeploymentError(format!("{name} has no machine")))?,
        config: Arc::new(config),
        folder,
        name,
    })
}

/// The terminal whose operator asks: the first that the national center answers.
fn terminal(places: &[Place]) -> Result<&Place, DeploymentError> {
    let mut terminals = places
        .iter()
        .filter(|place| place.role == NodeRole::AgencyTerminal);
    terminals
        .find(|place| place.config.node.prefecture.is_none())
        .ok_or_else(|| DeploymentError("no terminal of a national body".to_owned()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DeploymentError> {
    let written: io::Result<()> = fs::write(path, bytes);
    written.map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> DeploymentError {
    DeploymentError::of(error)
}

/// How long certificates of a world are good for.
const YEARS_S: u64 = 20 * 365 * 86_400;

/// The table in force: the affairs of the network's own table.
const LEGAL_BASIS: &str = include_str!("../../../configs/legal-basis.csv");
