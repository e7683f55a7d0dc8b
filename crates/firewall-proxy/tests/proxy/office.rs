//! One municipality's firewall with its server inside and the prefecture's firewall on its line.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firewall_proxy::{FirewallRecord, Proxy};
use juki_admin::StatusReport;
use juki_crypto::{Directory, SealingKey, SigningKey};
use juki_domain::{NodeId, ServiceId};
use juki_node::{Keys, Prepared, open_ledger};
use juki_pki::{Authority, generate_key, public_key_info, public_key_of};
use juki_runtime::{Clock, SystemClock};
use juki_topology::{DialAddress, FirewallSection, Interface, Network, NodeConfig};
use juki_transport::{Class, Identity, LinkEvent, Transport, TransportSettings};
use juki_wire::{Flags, FrameKind, FrameParts, Header, MessageId, Priority, Refusal};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

pub(crate) const CS: &str = "cs-352047";
pub(crate) const FIREWALL: &str = "fw-cs-352047";
pub(crate) const FAR: &str = "fw-prefecture-35";
pub(crate) const PREFECTURE: &str = "prefecture-35";
pub(crate) const OTHER_CS: &str = "cs-355011";

const NETWORK: &str = "demo";
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn id(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn now_s() -> u64 {
    SystemClock.now_ms() / 1000
}

/// A message's header; `number` makes its id.
pub(crate) fn header(source: &str, destination: &str, service: ServiceId, number: u8) -> Header {
    Header {
        kind: FrameKind::Message,
        service,
        priority: Priority::Interactive,
        flags: Flags::default(),
        source: id(source),
        destination: id(destination),
        calendar_version: 1,
        message_id: MessageId([number; 16]),
        session: [9; 16],
        sequence: u64::from(number),
    }
}

pub(crate) fn frame(header: &Header) -> Bytes {
    header
        .frame(b"sealed, as far as a firewall can tell")
        .unwrap()
}

const POLICY: &str = "policy.toml";

/// The network's authorities and configurations.
struct Office {
    root: Authority,
    issuing: Authority,
    network: Network,
}

impl Office {
    fn new() -> Self {
        let (from, to) = (now_s(), now_s() + 86_400);
        let root = Authority::root(NETWORK, &generate_key().unwrap(), from, to).unwrap();
        let issuing = root
            .issuing(NETWORK, &generate_key().unwrap(), from, to)
            .unwrap();
        Self {
            root,
            issuing,
            network: Network::demo(1, NETWORK, now_s()).unwrap(),
        }
    }

    fn identity(&self, node: &str) -> Identity {
        let (from, to) = (now_s(), now_s() + 3_600);
        let key = generate_key().unwrap();
        let public = public_key_info(&public_key_of(&key).unwrap());
        let certificate = self
            .issuing
            .issue_node(&id(node), NETWORK, &public, from, to)
            .unwrap();
        Identity {
            reset_seed: key.clone(),
            key,
            chain: vec![certificate, self.issuing.certificate().to_vec()],
            roots: vec![self.root.certificate().to_vec()],
            issuing: self.issuing.certificate().to_vec(),
            revocation_list: self.issuing.revocation_list(1, &[], from, to).unwrap(),
        }
    }

    /// A node of the demo network with only those peers, met directly and without files.
    fn config(&self, node: &str, peers: &[(&str, Option<DialAddress>)]) -> NodeConfig {
        let mut config = self.network.node_config(&id(node)).unwrap();
        config
            .peer
            .retain(|peer| peers.iter().any(|(name, _)| peer.name == id(name)));
        for peer in &mut config.peer {
            peer.dial = peers
                .iter()
                .find(|(name, _)| peer.name == id(name))
                .and_then(|(_, dial)| dial.clone());
        }
        config.listen.retain(|listen| {
            config
                .peer
                .iter()
                .any(|peer| peer.interface == listen.interface && peer.dial.is_none())
        });
        for listen in &mut config.listen {
            listen.announce = None;
        }
        // The rules stand where the test sees them.
        config.firewall = None;
        config
    }

    fn keys(&self, node: &str) -> Keys {
        let identity = self.identity(node);
        let signing = SigningKey::from_pkcs8(&identity.key).unwrap();
        let sealing = SealingKey::generate().unwrap();
        Keys {
            identity,
            signing: Arc::new(signing),
            sealing: Arc::new(sealing),
            storage: [3; 32].into(),
            directory: Arc::new(Directory::default()),
        }
    }

    fn neighbour(&self, node: &str, peers: &[(&str, Option<DialAddress>)]) -> Neighbour {
        self.neighbour_with(&self.config(node, peers))
    }

    fn neighbour_with(&self, config: &NodeConfig) -> Neighbour {
        let identity = self.identity(config.node.name.as_str());
        let settings = TransportSettings::from_config(
            config,
            Path::new(""),
            identity,
            Arc::new(|_| Ok(())),
            Arc::new(SystemClock),
        );
        let (sender, events) = mpsc::channel(1024);
        Neighbour {
            transport: Transport::start(settings, sender).unwrap(),
            events,
        }
    }
}

/// A node beside the firewall, as its links alone.
pub(crate) struct Neighbour {
    pub(crate) transport: Transport,
    events: mpsc::Receiver<LinkEvent>,
}

impl Neighbour {
    pub(crate) async fn send(&self, frame: Bytes) {
        self.transport
            .send_wait(&id(FIREWALL), Class::Interactive, frame)
            .await
            .unwrap();
    }

    /// Its events, to be read beside other work.
    pub(crate) fn take_events(&mut self) -> Self {
        let (_, silent) = mpsc::channel(1);
        Self {
            transport: self.transport.clone(),
            events: std::mem::replace(&mut self.events, silent),
        }
    }

    /// The next frame from the firewall.
    pub(crate) async fn frame(&mut self) -> Bytes {
        let next = async {
            loop {
                match self.events.recv().await.expect("a running transport") {
                    LinkEvent::Frame { peer, frame } => {
                        assert_eq!(*peer, id(FIREWALL));
                        return frame;
                    }
                    LinkEvent::Up { .. }
                    | LinkEvent::Down { .. }
                    | LinkEvent::Refused { .. }
                    | LinkEvent::NewCrl { .. }
                    | LinkEvent::NewNotice { .. } => {}
                }
            }
        };
        timeout(PATIENCE, next).await.expect("a frame in time")
    }

    /// The next frame from the firewall, which must be its refusal.
    pub(crate) async fn refusal(&mut self) -> (Header, Refusal) {
        let parts = FrameParts::decode(&self.frame().await).unwrap();
        assert_eq!(parts.header.kind, FrameKind::Refusal);
        let refusal = Refusal::decode(parts.body).unwrap();
        assert_eq!(refusal.node, FIREWALL);
        (parts.header, refusal)
    }
}

/// The three, with both links up.
pub(crate) struct World {
    pub(crate) cs: Neighbour,
    pub(crate) far: Neighbour,
    pub(crate) proxy: Proxy,
    pub(crate) prepared: Arc<Prepared>,
    office: Office,
    // Holds the firewall's data.
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(false).await
    }

    /// The three, the firewall's policy in a file of its own.
    pub(crate) async fn start_with_file() -> Self {
        Self::start_with(true).await
    }

    async fn start_with(has_file: bool) -> Self {
        let (office, folder) = (Office::new(), tempfile::tempdir().unwrap());
        let far = office.neighbour(FAR, &[(FIREWALL, None)]);
        let line = DialAddress::Fixed(line_of(&far));
        let mut config = office.config(FIREWALL, &[(CS, None), (FAR, Some(line))]);
        if has_file {
            config.firewall = Some(FirewallSection {
                policy: POLICY.into(),
            });
            let policy = config.policy_toml().unwrap().unwrap();
            std::fs::write(folder.path().join(POLICY), policy).unwrap();
            config.rule.clear();
        }
        let prepared = Arc::new(Prepared {
            config: Arc::new(config),
            folder: folder.path().to_owned(),
            secrets: folder.path().to_owned(),
            keys: office.keys(FIREWALL),
            lang: juki_domain::Lang::En,
            machine: juki_node::Machine::system(),
        });
        let proxy = Proxy::start(Arc::clone(&prepared))
            .map_err(|error| error.sentence)
            .unwrap();
        let world = Self {
            cs: office.neighbour(CS, &[(FIREWALL, Some(inside(&proxy)))]),
            far,
            proxy,
            prepared,
            office,
            _folder: folder,
        };
        world
            .until(|status| status.peers.iter().all(|peer| peer.up))
            .await;
        world
    }

    /// A node with a good certificate that the firewall's configuration does not name dials it.
    pub(crate) fn stranger(&self) -> Neighbour {
        // Another municipality's server, told that its own firewall is reached here.
        let mut config = self
            .office
            .config(OTHER_CS, &[("fw-cs-355011", Some(inside(&self.proxy)))]);
        config.peer[0].name = id(FIREWALL);
        self.office.neighbour_with(&config)
    }

    pub(crate) fn policy_text(&self) -> String {
        std::fs::read_to_string(self.prepared.folder.join(POLICY)).unwrap()
    }

    pub(crate) fn write_policy(&self, text: &str) {
        std::fs::write(self.prepared.folder.join(POLICY), text).unwrap();
    }

    pub(crate) fn remove_policy(&self) {
        std::fs::remove_file(self.prepared.folder.join(POLICY)).unwrap();
    }

    pub(crate) async fn until(&self, holds: impl Fn(&StatusReport) -> bool) {
        let reached = async {
            while !holds(&self.proxy.handle().status()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, reached)
            .await
            .expect("the status in time");
    }

    /// The far firewall goes away; returns when its line is seen to be down.
    pub(crate) async fn lose_far(&self) {
        self.far.transport.shutdown().await;
        self.until(|status| status.peers.iter().any(|peer| peer.name == FAR && !peer.up))
            .await;
    }

    /// The far firewall comes back at its old address; returns when its line is up again.
    pub(crate) async fn return_far(&mut self) {
        let address = line_of(&self.far);
        // The old one's socket is held until it is dropped.
        self.far = self.office.neighbour(FAR, &[]);
        let mut config = self.office.config(FAR, &[(FIREWALL, None)]);
        for listen in &mut config.listen {
            listen.address = address;
        }
        self.far = self.office.neighbour_with(&config);
        self.until(|status| status.peers.iter().all(|peer| peer.up))
            .await;
    }

    /// How many frames were refused with this code.
    pub(crate) fn refused(&self, code: &str) -> u64 {
        self.proxy.handle().status().more["refused"][code]
            .as_u64()
            .unwrap_or(0)
    }

    /// Stops the firewall and reads its ledger.
    pub(crate) async fn records(self) -> Vec<FirewallRecord> {
        self.proxy.shutdown().await.unwrap();
        let (ledger, _) = open_ledger(&self.prepared, SystemClock.now_ms()).unwrap();
        let entries = ledger.ledger().entries(1, 1 << 20).unwrap();
        entries
            .iter()
            .filter_map(|entry| FirewallRecord::decode(entry.kind, &entry.payload).unwrap())
            .collect()
    }
}

fn line_of(far: &Neighbour) -> SocketAddr {
    let bound = far.transport.bound();
    bound
        .iter()
        .find(|(interface, _)| *interface == Interface::Line)
        .unwrap()
        .1
}

fn inside(proxy: &Proxy) -> DialAddress {
    let addresses = proxy.handle().addresses();
    let (_, address) = addresses
        .iter()
        .find(|(interface, _)| interface == "inside")
        .unwrap();
    DialAddress::Fixed(address.parse().unwrap())
}
