//! What every bare node has: its links, its routes, and frames of a given length.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use juki_crypto::{SystemRandomness, random_array};
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_runtime::SystemClock;
use juki_topology::NodeConfig;
use juki_transport::{Class, Identity, LinkEvent, Transport, TransportSettings};
use juki_wire::{Flags, FrameKind, Header, MessageId, Priority};
use tokio::sync::mpsc;

use crate::failure::Failure;

const EVENTS_MAX: usize = 1024;

/// One node's links.
pub(in crate::command::bench) struct Office {
    pub(super) config: NodeConfig,
    transport: Transport,
}

impl Office {
    /// Opens the links of a node's configuration.
    pub(in crate::command::bench) fn open(
        config: NodeConfig,
        folder: &Path,
    ) -> Result<(Arc<Self>, mpsc::Receiver<LinkEvent>), Failure> {
        let identity = Identity::read(&folder.join(&config.node.keys))
            .map_err(|error| Failure::new(error.code(), error.to_string()))?;
        let settings = TransportSettings::from_config(
            &config,
            folder,
            identity,
            Arc::new(|_| Ok(())),
            Arc::new(SystemClock),
        );
        let (events, taken) = mpsc::channel(EVENTS_MAX);
        let transport = Transport::start(settings, events)
            .map_err(|error| Failure::new(error.code(), error.to_string()))?;
        Ok((Arc::new(Self { config, transport }), taken))
    }

    pub(in crate::command::bench) async fn up(&self) {
        self.transport.dialled_up(0).await;
    }

    /// The node that answers this one: the first that its firewall speaks for.
    pub(super) fn above(&self) -> Result<NodeId, Failure> {
        let first = self.config.peer.first();
        first
            .and_then(|peer| peer.speaks_for.first())
            .cloned()
            .ok_or_else(|| Failure::new(ErrorCode::ConfigMissingKey, "peer".to_owned()))
    }

    /// Passes a frame on towards its destination.
    pub(in crate::command::bench) fn pass(&self, header: &Header, frame: Bytes) {
        let class = match header.priority {
            Priority::Interactive => Class::Interactive,
            Priority::Bulk => Class::Bulk,
        };
        if let Some(peer) = self.config.next_hop(&header.destination) {
            // A line that is down ends the benchmark by its missing answers.
            let _ = self.transport.send(&peer.name, class, frame);
        }
    }

    /// Sends a frame of this length, header included.
    pub(super) fn send(&self, to: &NodeId, about: &About, length: usize) {
        let header = Header {
            kind: FrameKind::Message,
            service: about.service,
            priority: about.priority,
            flags: Flags::default(),
            source: self.config.node.name.clone(),
            destination: to.clone(),
            calendar_version: 1,
            message_id: about.message,
            session: [0; 16],
            sequence: about.number,
        };
        let bare = header.frame(&[]).map_or(0, |frame| frame.len());
        if let Ok(frame) = header.frame(&vec![0; length.saturating_sub(bare)]) {
            self.pass(&header, frame);
        }
    }
}

/// What a frame is about.
pub(super) struct About {
    pub(super) service: ServiceId,
    pub(super) priority: Priority,
    pub(super) message: MessageId,
    /// How many entries it carries or confirms.
    pub(super) number: u64,
}

impl About {
    pub(super) fn question(message: MessageId) -> Self {
        Self {
            service: ServiceId::Query,
            priority: Priority::Interactive,
            message,
            number: 1,
        }
    }

    pub(super) fn journal(number: u64) -> Self {
        Self {
            service: ServiceId::Journal,
            priority: Priority::Bulk,
            message: new_message(),
            number,
        }
    }
}

pub(in crate::command::bench) fn new_message() -> MessageId {
    MessageId(random_array(&SystemRandomness))
}
