//! A network's authorities and its nodes, for one test.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use juki_crypto::{Notice, SigningKey};
use juki_domain::{ErrorCode, NodeId};
use juki_pki::{Authority, generate_key, public_key_info, public_key_of};
use juki_runtime::{Calendar, Clock, SystemClock};
use juki_topology::{DialAddress, Interface};
use juki_transport::{
    Class, Identity, LinkEvent, LinkLimits, Listener, NoticeStore, PeerSettings, SendError,
    Sockets, Timing, Transport, TransportSettings,
};
use tokio::sync::mpsc;

pub(crate) const NETWORK: &str = "demo";
pub(crate) const HUB: &str = "prefecture-35";

pub(crate) fn id(name: &str) -> NodeId {
    name.parse().unwrap()
}

pub(crate) fn now_s() -> u64 {
    SystemClock.now_ms() / 1000
}

/// Root and registrar of a network.
pub(crate) struct Office {
    root: Authority,
    pub(crate) issuing: Authority,
    /// The issuing authority's key in its other use: it signs notices.
    pub(crate) registrar: SigningKey,
}

impl Office {
    pub(crate) fn new() -> Self {
        let (from, to) = (now_s(), now_s() + 86_400);
        let root = Authority::root(NETWORK, &generate_key().unwrap(), from, to).unwrap();
        let key = generate_key().unwrap();
        let issuing = root.issuing(NETWORK, &key, from, to).unwrap();
        Self {
            root,
            issuing,
            registrar: SigningKey::from_pkcs8(&key).unwrap(),
        }
    }

    pub(crate) fn identity(&self, node: &str) -> Identity {
        self.identity_between(node, NETWORK, now_s(), now_s() + 3600)
    }

    pub(crate) fn identity_between(
        &self,
        node: &str,
        network: &str,
        from: u64,
        to: u64,
    ) -> Identity {
        let key = generate_key().unwrap();
        let public = public_key_info(&public_key_of(&key).unwrap());
        let certificate = self
            .issuing
            .issue_node(&id(node), network, &public, from, to)
            .unwrap();
        Identity {
            reset_seed: key.clone(),
            key,
            chain: vec![certificate, self.issuing.certificate().to_vec()],
            roots: vec![self.root.certificate().to_vec()],
            issuing: self.issuing.certificate().to_vec(),
            revocation_list: self.revocation_list(1, &[]),
        }
    }

    pub(crate) fn revocation_list(&self, number: u64, revoked: &[&Identity]) -> Vec<u8> {
        let revoked: Vec<_> = revoked
            .iter()
            .map(|identity| (juki_pki::serial_of(&identity.chain[0]).unwrap(), now_s()))
            .collect();
        self.issuing
            .revocation_list(number, &revoked, now_s(), now_s() + 3600)
            .unwrap()
    }

    /// A node that listens on its line for these peers and dials nobody.
    pub(crate) fn listening(&self, node: &str, accepts: &[&str]) -> TransportSettings {
        let peers = accepts.iter().map(|name| PeerSettings {
            name: id(name),
            interface: Interface::Line,
            dial: None,
            line_bps: 0,
        });
        let mut settings = self.settings(node, peers.collect());
        settings.listeners = vec![Listener {
            interface: Interface::Line,
            address: "127.0.0.1:0".parse().unwrap(),
            announce: None,
        }];
        settings
    }

    /// A node that dials one peer and listens nowhere.
    pub(crate) fn dialling(&self, node: &str, peer: &str, dial: DialAddress) -> TransportSettings {
        self.settings(
            node,
            vec![PeerSettings {
                name: id(peer),
                interface: Interface::Line,
                dial: Some(dial),
                line_bps: 0,
            }],
        )
    }

    fn settings(&self, node: &str, peers: Vec<PeerSettings>) -> TransportSettings {
        TransportSettings {
            node: id(node),
            network: NETWORK.to_owned(),
            calendar: calendar("2002-10-15"),
            listeners: Vec::new(),
            peers,
            frame_bytes_max: 524_288,
            queue_frames: 64,
            timing: Timing {
                hello_timeout: Duration::from_millis(1500),
                ..Timing::default()
            },
            limits: LinkLimits::default(),
            identity: self.identity(node),
            keep_revocation_list: Arc::new(|_| Ok(())),
            notices: NoticeStore::default(),
            clock: Arc::new(SystemClock),
            sockets: Sockets::system(),
        }
    }
}

pub(crate) fn calendar(base: &str) -> Calendar {
    Calendar {
        base: base.parse().unwrap(),
        anchor_unix_s: now_s(),
        version: 1,
    }
}

pub(crate) fn announced(path: &Path) -> DialAddress {
    DialAddress::File(path.to_owned())
}

/// A running node and what it reports.
pub(crate) struct Node {
    pub(crate) transport: Transport,
    pub(crate) events: mpsc::Receiver<LinkEvent>,
}

impl Node {
    pub(crate) fn start(settings: TransportSettings) -> Self {
        let (sender, events) = mpsc::channel(64);
        Self {
            transport: Transport::start(settings, sender).unwrap(),
            events,
        }
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.transport.bound()[0].1
    }

    pub(crate) fn dial(&self) -> DialAddress {
        DialAddress::Fixed(self.address())
    }

    pub(crate) async fn next(&mut self) -> LinkEvent {
        tokio::time::timeout(Duration::from_secs(20), self.events.recv())
            .await
            .expect("an event in time")
            .expect("a running transport")
    }

    /// The next event that the filter takes; others are passed over.
    pub(crate) async fn until<T>(&mut self, mut filter: impl FnMut(LinkEvent) -> Option<T>) -> T {
        loop {
            if let Some(found) = filter(self.next().await) {
                return found;
            }
        }
    }

    /// Waits for a link to come up; true where the calendars are apart.
    pub(crate) async fn up(&mut self, name: &str) -> bool {
        self.until(|event| match event {
            LinkEvent::Up {
                peer,
                calendar_apart,
            } if *peer == id(name) => Some(calendar_apart),
            LinkEvent::Up { .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Frame { .. }
            | LinkEvent::Refused { .. }
            | LinkEvent::NewCrl { .. }
            | LinkEvent::NewNotice { .. } => None,
        })
        .await
    }

    pub(crate) async fn down(&mut self, name: &str) -> ErrorCode {
        self.until(|event| match event {
            LinkEvent::Down { peer, code } if *peer == id(name) => Some(code),
            LinkEvent::Up { .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Frame { .. }
            | LinkEvent::Refused { .. }
            | LinkEvent::NewCrl { .. }
            | LinkEvent::NewNotice { .. } => None,
        })
        .await
    }

    pub(crate) async fn refused(&mut self) -> (Option<NodeId>, ErrorCode) {
        self.until(|event| match event {
            LinkEvent::Refused {
                peer,
                code,
                interface: Interface::Line,
                ..
            } => Some((peer, code)),
            LinkEvent::Refused { .. }
            | LinkEvent::Up { .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Frame { .. }
            | LinkEvent::NewCrl { .. }
            | LinkEvent::NewNotice { .. } => None,
        })
        .await
    }

    pub(crate) async fn frame(&mut self) -> (NodeId, Bytes) {
        self.until(|event| match event {
            LinkEvent::Frame { peer, frame } => Some(((*peer).clone(), frame)),
            LinkEvent::Up { .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Refused { .. }
            | LinkEvent::NewCrl { .. }
            | LinkEvent::NewNotice { .. } => None,
        })
        .await
    }

    pub(crate) async fn new_list(&mut self) -> Bytes {
        self.until(|event| match event {
            LinkEvent::NewCrl { der } => Some(der),
            LinkEvent::Up { .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Frame { .. }
            | LinkEvent::NewNotice { .. }
            | LinkEvent::Refused { .. } => None,
        })
        .await
    }

    pub(crate) async fn notice(&mut self) -> Arc<Notice> {
        self.until(|event| match event {
            LinkEvent::NewNotice { notice } => Some(notice),
            LinkEvent::Up { .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Frame { .. }
            | LinkEvent::NewCrl { .. }
            | LinkEvent::Refused { .. } => None,
        })
        .await
    }

    pub(crate) async fn send(&self, peer: &str, frame: &'static [u8]) -> Result<(), SendError> {
        self.transport
            .send_wait(&id(peer), Class::Interactive, Bytes::from_static(frame))
            .await
    }
}

/// A hub with one good peer, and what must hold for them whatever a bad one does.
pub(crate) struct Pair {
    pub(crate) office: Office,
    pub(crate) hub: Node,
    good: Node,
}

pub(crate) const GOOD: &str = "cs-352047";
pub(crate) const BAD: &str = "cs-355011";

impl Pair {
    /// The hub accepts the good and the bad peer.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&Office, &mut TransportSettings)) -> Self {
        let office = Office::new();
        let mut settings = office.listening(HUB, &[GOOD, BAD]);
        change(&office, &mut settings);
        let mut hub = Node::start(settings);
        let mut good = Node::start(office.dialling(GOOD, HUB, hub.dial()));
        hub.up(GOOD).await;
        good.up(HUB).await;
        Self { office, hub, good }
    }

    /// The settings of the bad peer, as if it were a good one.
    pub(crate) fn bad(&self) -> TransportSettings {
        self.office.dialling(BAD, HUB, self.hub.dial())
    }

    /// The good peer gets a newer revocation list.
    pub(crate) async fn good_hears_list(&mut self) {
        assert!(matches!(self.good.next().await, LinkEvent::NewCrl { .. }));
    }

    /// The good peer has had no event since it came up, and frames still pass both ways.
    pub(crate) async fn undisturbed(&mut self) {
        assert!(
            self.good.events.try_recv().is_err(),
            "the good peer was disturbed"
        );
        self.good.send(HUB, b"still").await.unwrap();
        let (peer, frame) = self.hub.frame().await;
        assert_eq!((peer, frame.as_ref()), (id(GOOD), b"still".as_slice()));
        self.hub.send(GOOD, b"here").await.unwrap();
        assert!(
            matches!(self.good.next().await, LinkEvent::Frame { frame, .. } if frame.as_ref() == b"here")
        );
        assert!(
            self.hub
                .transport
                .peers()
                .iter()
                .any(|peer| peer.name == id(GOOD) && peer.up)
        );
    }
}

/// What was given to be kept.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<Vec<u8>>>>);

impl Kept {
    pub(crate) fn keeper(&self) -> juki_transport::KeepRevocationList {
        let lists = Arc::clone(&self.0);
        Arc::new(move |der| {
            lists.lock().unwrap().push(der.to_vec());
            Ok(())
        })
    }

    pub(crate) fn lists(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }
}
