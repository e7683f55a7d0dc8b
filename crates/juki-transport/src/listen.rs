//! The accepting side.

use std::sync::Arc;

use juki_domain::{ErrorCode, NodeId};
use juki_topology::Interface;
use quinn::{Connection, Endpoint, Incoming, ServerConfig};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

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
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            incoming = endpoint.accept() => {
                let Some(incoming) = incoming else { return };
                match Arc::clone(&handshakes).try_acquire_owned() {
                    Ok(permit) => { tasks.spawn(welcome(Arc::clone(&hub), interface, incoming, permit)); }
                    // Whoever is meant comes again; a flood gets nothing to hold on to.
                    Err(_) => incoming.refuse(),
                }
            }
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// The configuration of one handshake.
pub(crate) fn server_config(hub: &Hub, judge: Arc<Judge>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::with_crypto(Arc::new(hub.tls.server(judge)?));
    config.transport_config(Arc::new(transport_config(&hub.settings.timing, false)));
    config.max_incoming(HANDSHAKES_MAX);
    Ok(config)
}

async fn welcome(
    hub: Arc<Hub>,
    interface: Interface,
    incoming: Incoming,
    permit: OwnedSemaphorePermit,
) {
    let Some(connection) = shake_hands(&hub, interface, incoming).await else {
        return;
    };
    match admit(&hub, interface, &connection).await {
        Ok((slot, greeted)) => {
            drop(permit);
            link::run(&hub, &slot, &connection, greeted).await;
        }
        Err((peer, Broken::Refused(code))) => {
            note(&hub, interface, peer.as_ref(), code);
            hub.refuse(&connection, interface, peer, code).await;
        }
        Err((_, Broken::Gone)) => {}
    }
}

async fn shake_hands(hub: &Hub, interface: Interface, incoming: Incoming) -> Option<Connection> {
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
    let greeted = greet_as_listener(hub, connection, slot)
        .await
        .map_err(|broken| (Some(node), broken))?;
    Ok((Arc::clone(slot), greeted))
}

/// Connections that may be on their way at once per listener; a prefecture with all its
/// municipalities starting at once stays below.
const HANDSHAKES_MAX: usize = 128;
