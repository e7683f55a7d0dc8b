//! What all tasks of one transport share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use juki_domain::{ErrorCode, NodeId};
use juki_topology::Interface;
use juki_wire::{Hello, VERSION};
use quinn::{Connection, Endpoint};
use tokio::sync::{mpsc, watch};

use crate::admission::TurnedAway;
use crate::close_code::close_number;
use crate::event::LinkEvent;
use crate::notices::Notices;
use crate::peer_slot::PeerSlot;
use crate::settings::TransportSettings;
use crate::tls::Tls;
use crate::trust::Trust;

pub(crate) struct Hub {
    pub(crate) settings: TransportSettings,
    pub(crate) trust: Arc<Trust>,
    pub(crate) notices: Notices,
    pub(crate) tls: Tls,
    pub(crate) peers: Vec<Arc<PeerSlot>>,
    by_name: HashMap<NodeId, Arc<PeerSlot>>,
    pub(crate) events: mpsc::Sender<LinkEvent>,
    /// Tells that some link came up or went down.
    pub(crate) turns: watch::Sender<()>,
    /// Tells the generation of this node's certificate whenever it has a new one.
    pub(crate) renewals: watch::Sender<u64>,
    /// Links that another one has taken over from and that have not ended yet.
    pub(crate) draining: AtomicUsize,
    endpoints: Mutex<Vec<Endpoint>>,
}

impl Hub {
    pub(crate) fn new(
        settings: TransportSettings,
        (trust, notices): (Arc<Trust>, Notices),
        tls: Tls,
        events: mpsc::Sender<LinkEvent>,
    ) -> Self {
        let now_ms = settings.clock.now_ms();
        let peers: Vec<_> = settings
            .peers
            .iter()
            .map(|peer| Arc::new(PeerSlot::new(peer.clone(), &settings.limits, now_ms)))
            .collect();
        let by_name = peers
            .iter()
            .map(|slot| (slot.settings.name.clone(), Arc::clone(slot)))
            .collect();
        Self {
            settings,
            trust,
            notices,
            tls,
            peers,
            by_name,
            events,
            turns: watch::Sender::new(()),
            renewals: watch::Sender::new(0),
            draining: AtomicUsize::new(0),
            endpoints: Mutex::new(Vec::new()),
        }
    }

    /// The peer of this name.
    pub(crate) fn peer(&self, name: &NodeId) -> Option<&Arc<PeerSlot>> {
        self.by_name.get(name)
    }

    /// The peer that may dial us on this side.
    pub(crate) fn accepted(&self, name: &NodeId, interface: Interface) -> Option<&Arc<PeerSlot>> {
        self.peer(name)
            .filter(|slot| slot.settings.interface == interface && slot.settings.dial.is_none())
    }

    /// What this node says of itself now.
    pub(crate) fn hello(&self) -> Hello {
        let calendar = &self.settings.calendar;
        Hello {
            version: VERSION,
            node: self.settings.node.to_string(),
            network: self.settings.network.clone(),
            calendar_version: calendar.version,
            civil_date: calendar.civil_date(self.now_ms()).number(),
            revocation_number: self.trust.current().list.number,
            clock_ms: self.now_ms(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            notices: self.notices.numbers(),
            takes_over: false,
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.settings.clock.now_ms()
    }

    /// Reports, waiting while the receiver is busy. A receiver that is gone has stopped listening.
    pub(crate) async fn emit(&self, event: LinkEvent) {
        let _ = self.events.send(event).await;
    }

    /// Closes a connection over what the peer is or sent, and reports it.
    pub(crate) async fn refuse(
        &self,
        connection: &Connection,
        interface: Interface,
        peer: Option<NodeId>,
        code: ErrorCode,
    ) {
        close(connection, code);
        self.report_refusal(interface, connection.remote_address(), peer, code)
            .await;
    }

    pub(crate) async fn report_refusal(
        &self,
        interface: Interface,
        remote: SocketAddr,
        peer: Option<NodeId>,
        code: ErrorCode,
    ) {
        let name = peer.as_ref().map_or("unknown", NodeId::as_str);
        tracing::warn!(event = "link.refused", %interface, %remote, peer = name, code = code.code());
        self.emit(LinkEvent::Refused {
            interface,
            remote,
            peer,
            code,
            count: 1,
        })
        .await;
    }

    /// Reports those that were turned away, unless the receiver is busy; then they are told later.
    pub(crate) fn report_turned_away(&self, interface: Interface, away: TurnedAway) -> bool {
        let TurnedAway {
            code,
            count,
            remote,
        } = away;
        let event = LinkEvent::Refused {
            interface,
            remote,
            peer: None,
            code,
            count,
        };
        let told = self.events.try_send(event).is_ok();
        if told {
            tracing::warn!(event = "links.turned-away", %interface, %remote, code = code.code(), count);
        }
        told
    }

    /// Remembers an endpoint, to be closed when the transport stops.
    pub(crate) fn add_endpoint(&self, endpoint: &Endpoint) {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(endpoint.clone());
    }

    /// All endpoints, whose sockets are then held by nobody else but their connections.
    pub(crate) fn take_endpoints(&self) -> Vec<Endpoint> {
        std::mem::take(
            &mut *self
                .endpoints
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// Closes a connection with an error code.
pub(crate) fn close(connection: &Connection, code: ErrorCode) {
    connection.close(close_number(code), code.code().as_bytes());
}
