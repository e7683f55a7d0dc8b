//! A peer with the keys of a node and manners of its own, in the node's place.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use juki_crypto::SystemRandomness;
use juki_dispatch::{OpenedFrame, Sessions};
use juki_domain::{ErrorCode, NodeId, NodeRole, ServiceId};
use juki_node::Keys;
use juki_runtime::{Clock as _, SystemClock};
use juki_topology::NodeConfig;
use juki_transport::{Class, Identity, LinkEvent, Transport, TransportSettings};
use juki_wire::{Flags, FrameKind, FrameParts, Header, MessageId, Priority, Refusal};
use prost::Message as _;
use tokio::sync::mpsc;

use crate::{Deployment, PATIENCE};

/// Longest frame that the peer itself would send: longer than anybody accepts.
const FRAME_BYTES_MAX: usize = 4 << 20;

/// Whose place the peer takes, with which certificate.
pub struct Seat {
    /// The node whose configuration and, where nothing else is said, keys it uses.
    pub node: &'static str,
    /// Another name, for a certificate of another node.
    pub name: Option<&'static str>,
    /// Another certificate.
    pub identity: Option<Identity>,
}

impl Seat {
    /// A node's place with the node's own keys.
    #[must_use]
    pub fn of(node: &'static str) -> Self {
        Self {
            node,
            name: None,
            identity: None,
        }
    }
}

/// The peer.
pub struct Hostile<'a> {
    deployment: &'a Deployment,
    transport: Transport,
    events: mpsc::Receiver<LinkEvent>,
    neighbour: NodeId,
    me: NodeId,
    sessions: Sessions,
    calendar_version: u32,
}

impl<'a> Hostile<'a> {
    /// Begins to dial the node's firewall.
    ///
    /// # Panics
    /// As every step of a test.
    #[must_use]
    pub fn sit(deployment: &'a Deployment, seat: Seat) -> Self {
        let folder = deployment.node(seat.node);
        let config = NodeConfig::parse(
            &fs::read_to_string(folder.join("node.toml")).unwrap(),
            "node.toml",
        )
        .unwrap();
        let me: NodeId = seat.node.parse().unwrap();
        let keys = Keys::read(&folder.join("keys"), &me, NodeRole::MunicipalCs).unwrap();
        let identity = seat.identity.unwrap_or_else(|| keys.identity.clone());
        let clock = Arc::new(SystemClock);
        let mut settings = TransportSettings::from_config(
            &config,
            &folder,
            identity,
            Arc::new(|_: &[u8]| Ok(())),
            clock,
        );
        settings.frame_bytes_max = FRAME_BYTES_MAX;
        if let Some(name) = seat.name {
            settings.node = name.parse().unwrap();
        }
        let (sender, events) = mpsc::channel(1024);
        let transport = deployment
            .ask(|| async { Transport::start(settings, sender) })
            .unwrap();
        let sessions = Sessions::new(
            me.clone(),
            keys.signing,
            keys.sealing,
            keys.directory,
            Arc::new(SystemRandomness),
            config.calendar.version,
        );
        let neighbour = config.peer[0].name.clone();
        Self {
            deployment,
            transport,
            events,
            neighbour,
            me,
            sessions,
            calendar_version: config.calendar.version,
        }
    }

    /// Waits until the link is up.
    ///
    /// # Panics
    /// Where it is not in time.
    pub fn link_up(&mut self) {
        self.hear("a link", |event| {
            matches!(event, LinkEvent::Up { .. }).then_some(())
        });
    }

    /// Waits until the neighbour refuses or breaks the link, and gives its code.
    ///
    /// # Panics
    /// Where it does neither in time.
    #[must_use]
    pub fn broken(&mut self) -> ErrorCode {
        self.hear("the end of the link", |event| match event {
            LinkEvent::Down { code, .. } => Some(*code),
            LinkEvent::Up { .. }
            | LinkEvent::Frame { .. }
            | LinkEvent::Refused { .. }
            | LinkEvent::NewCrl { .. }
            | LinkEvent::NewNotice { .. } => None,
        })
    }

    /// Sends bytes as a frame.
    ///
    /// # Panics
    /// Where the link is down.
    pub fn send(&self, frame: impl Into<Bytes>) {
        self.transport
            .send(&self.neighbour, Class::Interactive, frame.into())
            .unwrap();
    }

    /// Waits for the refusal of the message with this id: who refused and why.
    ///
    /// # Panics
    /// Where none comes.
    #[must_use]
    pub fn refusal(&mut self, id: MessageId) -> Refusal {
        self.hear("a refusal", |event| {
            let frame = FrameParts::decode(frame_of(event)?).ok()?;
            let fits = frame.header.kind == FrameKind::Refusal && frame.header.message_id == id;
            fits.then(|| Refusal::decode(frame.body).unwrap())
        })
    }

    /// A header as the node itself would write it, with a fresh message id.
    ///
    /// # Panics
    /// Never for names of nodes.
    #[must_use]
    pub fn header(&self, service: ServiceId, destination: &str) -> Header {
        Header {
            kind: FrameKind::Message,
            service,
            priority: Priority::Interactive,
            flags: Flags::default(),
            source: self.me.clone(),
            destination: destination.parse().unwrap(),
            calendar_version: self.calendar_version,
            message_id: MessageId(juki_crypto::random_array(&SystemRandomness)),
            session: [7; 16],
            sequence: 0,
        }
    }

    /// Sends a sealed message and gives the frame that its destination has taken: the first opening
    /// is reset, since it cannot know the destination's present run.
    ///
    /// # Panics
    /// Where no reset comes.
    #[must_use]
    pub fn say(
        &mut self,
        destination: &str,
        service: ServiceId,
        body: &[u8],
    ) -> (MessageId, Bytes) {
        let now_ms = SystemClock.now_ms();
        let to: NodeId = destination.parse().unwrap();
        let (id, frame) = self
            .sessions
            .seal(
                now_ms,
                &to,
                (service, Priority::Interactive),
                (None, false),
                body.to_vec(),
            )
            .unwrap();
        self.send(frame);
        let reset = self.hear("a reset", |event| {
            let frame = FrameParts::decode(frame_of(event)?).ok()?;
            (frame.header.kind == FrameKind::Reset).then_some(frame)
        });
        let OpenedFrame::Resend(frames) = self.sessions.open(now_ms, &reset) else {
            panic!("the reset was not understood")
        };
        let (_, _, frame) = frames.into_iter().next().unwrap();
        self.send(frame.clone());
        (id, frame)
    }

    fn hear<T>(&mut self, what: &str, mut look: impl FnMut(&LinkEvent) -> Option<T>) -> T {
        let began = Instant::now();
        let events = &mut self.events;
        loop {
            let left = PATIENCE
                .saturating_sub(began.elapsed())
                .max(Duration::from_millis(1));
            let event = self
                .deployment
                .ask(|| tokio::time::timeout(left, events.recv()));
            let event = event
                .unwrap_or_else(|_| panic!("{what}: not within {} s", PATIENCE.as_secs()))
                .unwrap();
            if let Some(found) = look(&event) {
                return found;
            }
        }
    }
}

impl Drop for Hostile<'_> {
    fn drop(&mut self) {
        self.deployment.ask(|| self.transport.shutdown());
    }
}

fn frame_of(event: &LinkEvent) -> Option<&Bytes> {
    match event {
        LinkEvent::Frame { frame, .. } => Some(frame),
        LinkEvent::Up { .. }
        | LinkEvent::Down { .. }
        | LinkEvent::Refused { .. }
        | LinkEvent::NewCrl { .. }
        | LinkEvent::NewNotice { .. } => None,
    }
}
