//! The accepting side.

use std::sync::Arc;
use std::time::Duration;

use juki_domain::{ErrorCode, NodeId};
use juki_topology::Interface;
use quinn::{Connection, Endpoint, Incoming, ServerConfig};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::admission::{Admission, Admitted, Begun, TurnedAway};
use crate::close_code::code_of_own_alert;
use crate::endpoint::transport_config;
use crate::greeting::{Greeted, greet_as_listener};
use crate::hub::Hub;
use crate::link::{self, peer_certificate};
use crate::peer_slot::PeerSlot;
use crate::streams::Broken;
use crate::tls::Judge;

/// Accepts connections on one endpoint until it is closed.
pub(crate) async fn listen(hub: Arc<Hub>, interface: Interface, endpoint: Endpoint) {
    let door = Arc::new(Admission::new(hub.settings.limits));
    let mut tasks = JoinSet::new();
    let mut report = tokio::time::interval(REPORT_EVERY);
    report.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unsaid: Vec<TurnedAway> = Vec::new();
    loop {
        tokio::select! {
            biased;
            _ = report.tick() => {
                for away in door.take_turned_away() {
                    match unsaid.iter_mut().find(|before| before.code == away.code) {
                        Some(before) => before.count = before.count.saturating_add(away.count),
                        None => unsaid.push(away),
                    }
                }
                unsaid.retain(|away| !hub.report_turned_away(interface, *away));
            }
            Some(_) = tasks.join_next() => {}
            incoming = endpoint.accept() => {
                let Some(incoming) = incoming else { return };
                let remote = incoming.remote_address();
                match door.ask(hub.now_ms(), remote, incoming.remote_address_validated()) {
                    Admitted::Begin(begun) => {
                        let hub = Arc::clone(&hub);
                        tasks.spawn(welcome(hub, Arc::clone(&door), interface, incoming, begun));
                    }
                    // Who has proved its address already cannot be asked to; it was let in above.
                    Admitted::ProveAddress => drop(incoming.retry()),
                    Admitted::Ignore => incoming.ignore(),
                }
            }
        }
    }
}

/// The configuration of one handshake.
pub(crate) fn server_config(hub: &Hub, judge: Arc<Judge>) -> Result<ServerConfig, rustls::Error> {
    let sockets = &hub.settings.sockets;
    let mut config = sockets.server_config(hub.tls.server(judge)?);
    config.transport_config(Arc::new(transport_config(&hub.settings.timing, false)));
    config.max_incoming(INCOMING_MAX);
    Ok(config)
}

async fn welcome(
    hub: Arc<Hub>,
    door: Arc<Admission>,
    interface: Interface,
    incoming: Incoming,
    begun: Begun,
) {
    let generation = hub.tls.generation();
    let Some(connection) = shake_hands(&hub, &door, interface, incoming).await else {
        return;
    };
    match admit(&hub, interface, &connection, generation).await {
        Ok((slot, greeted)) => {
            drop(begun);
            door.remember(slot.last_address(), connection.remote_address());
            link::run(&hub, &slot, &connection, greeted).await;
        }
        Err((peer, Broken::Refused(code))) => {
            note(&hub, interface, peer.as_ref(), code);
            hub.refuse(&connection, interface, peer, code).await;
        }
        Err((_, Broken::Gone)) => {}
    }
}

async fn shake_hands(
    hub: &Hub,
    door: &Admission,
    interface: Interface,
    incoming: Incoming,
) -> Option<Connection> {
    let remote = incoming.remote_address();
    let judge = hub.tls.judge();
    let config = match server_config(hub, Arc::clone(&judge)) {
        Ok(config) => Arc::new(config),
        Err(error) => {
            tracing::error!(event = "link.tls-unusable", %error);
            return None;
        }
    };
    let handshake = incoming.accept_with(config).ok()?;
    let result = tokio::time::timeout(hub.settings.timing.hello_timeout, handshake).await;
    if let Some(refusal) = judge.refusal() {
        note(hub, interface, refusal.peer.as_ref(), refusal.code);
        hub.report_refusal(interface, remote, refusal.peer, refusal.code)
            .await;
        return None;
    }
    match result {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            if let Some(code) = code_of_own_alert(&error) {
                hub.report_refusal(interface, remote, None, code).await;
            }
            tracing::debug!(event = "link.handshake-failed", %interface, %remote, %error);
            None
        }
        Err(_) => {
            door.note_unfinished(remote);
            tracing::debug!(event = "link.handshake-timeout", %interface, %remote);
            None
        }
    }
}

/// Notes at the peer that it was refused, for whoever asks why its link is down.
fn note(hub: &Hub, interface: Interface, peer: Option<&NodeId>, code: ErrorCode) {
    if let Some(slot) = peer.and_then(|peer| hub.accepted(peer, interface)) {
        slot.note_refusal(code);
    }
}

type Unwelcome = (Option<NodeId>, Broken);

/// Finds out who it is and greets, where the configuration names them on this side.
async fn admit(
    hub: &Hub,
    interface: Interface,
    connection: &Connection,
    generation: u64,
) -> Result<(Arc<PeerSlot>, Greeted), Unwelcome> {
    let certificate = peer_certificate(connection).ok_or((
        None,
        Broken::Refused(ErrorCode::CertificateUnknownAuthority),
    ))?;
    let node = juki_pki::node_of(&certificate, &hub.settings.network)
        .map_err(|_| (None, Broken::Refused(ErrorCode::CertificateOtherNode)))?;
    let slot = hub
        .accepted(&node, interface)
        .ok_or_else(|| (Some(node.clone()), Broken::Refused(ErrorCode::PeerNotNamed)))?;
    if !slot.may_begin(hub.now_ms()) {
        return Err((Some(node), Broken::Refused(ErrorCode::PeerTooOften)));
    }
    let greeted = greet_as_listener(hub, connection, slot, generation)
        .await
        .map_err(|broken| (Some(node), broken))?;
    Ok((Arc::clone(slot), greeted))
}

/// First packets that wait to be looked at, which happens as soon as this task runs.
const INCOMING_MAX: usize = 1_024;
/// How often those that were turned away are told.
const REPORT_EVERY: Duration = Duration::from_secs(1);
