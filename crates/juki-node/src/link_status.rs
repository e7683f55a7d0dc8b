//! What a node says of its links.

use juki_admin::{NodeState, PeerReport, StatusReport};
use juki_domain::ErrorCode;
use juki_transport::{PeerState, Transport};
use juki_wire::VERSION;

use crate::Prepared;

/// The part of a node's status that its links make: its state, its peers, what it says of itself to
/// them (`calendar_version`, `civil_date`, `version`, `wire`), its own certificate
/// (`certificate_serial`, `certificate_not_after_unix_s`), how many links still have an earlier one
/// (`links_to_renew`) and the number of the revocation list that
/// it judges by (`revocation_list`).
///
/// The state does not follow every cut of a link: a link that was up counts as down only after
/// `limits.connecting_after_ms`. The peer's own report shows each.
#[must_use]
pub fn link_status(prepared: &Prepared, transport: &Transport) -> StatusReport {
    let peers = transport.peers();
    let now_ms = prepared.machine.clock.now_ms();
    let grace_ms = prepared.config.limits.connecting_after_ms;
    let mut dialled = peers.iter().filter(|peer| peer.dialled);
    let state = if dialled.all(|peer| peer.holds(now_ms, grace_ms)) {
        NodeState::Ready
    } else {
        NodeState::Connecting
    };
    let section = &prepared.config.node;
    let mut status = StatusReport::new(section.name.as_str(), section.role.program(), state);
    status.peers = peers.into_iter().map(report).collect();
    let calendar = &prepared.config.calendar;
    let date = calendar.date_at(now_ms / 1000);
    let certificate = transport.certificate();
    let serial = juki_pki::serial_of(&certificate).unwrap_or_default();
    let serial: String = serial.iter().map(|byte| format!("{byte:02x}")).collect();
    let not_after = juki_pki::not_after_of(&certificate).unwrap_or(0);
    let own = [
        ("calendar_version", calendar.version.into()),
        ("certificate_not_after_unix_s", not_after.into()),
        ("certificate_serial", serial.into()),
        ("links_to_renew", transport.links_to_renew().into()),
        ("revocation_list", transport.revocation_number().into()),
        ("civil_date", date.map_or(0, |date| date.number()).into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("wire", VERSION.into()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    status.more.extend(own);
    status
}

/// Waits until every dialled peer is up, or was a moment ago: what the state `ready` means.
pub async fn peers_up(prepared: &Prepared, transport: &Transport) {
    transport
        .dialled_up(prepared.config.limits.connecting_after_ms)
        .await;
}

fn report(peer: PeerState) -> PeerReport {
    let said = peer.said;
    PeerReport {
        name: peer.name.to_string(),
        interface: peer.interface.name().to_owned(),
        up: peer.up,
        dialled: peer.dialled,
        since_unix_s: peer.since_ms / 1000,
        reconnects: peer.ups.saturating_sub(1),
        refusals: peer.refusals,
        last_error: peer
            .code
            .map(ErrorCode::code)
            .unwrap_or_default()
            .to_owned(),
        address: peer
            .address
            .map(|address| address.to_string())
            .unwrap_or_default(),
        clock_ahead_ms: said.as_ref().and_then(|said| said.clock_ahead_ms),
        calendar_version: said.as_ref().map_or(0, |said| said.calendar_version),
        civil_date: said.as_ref().map_or(0, |said| said.civil_date),
        wire: said.as_ref().map_or(0, |said| said.wire),
        version: said.map(|said| said.program).unwrap_or_default(),
    }
}
