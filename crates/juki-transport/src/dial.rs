//! The dialling side.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use juki_domain::ErrorCode;
use juki_topology::DialAddress;
use quinn::{Connection, Endpoint};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::address_file::resolve;
use crate::close_code::code_of_error;
use crate::endpoint::{endpoint_config, transport_config};
use crate::event::LinkEvent;
use crate::greeting::{Greeted, greet_as_dialler};
use crate::hub::{Hub, close};
use crate::link::{self, Ended};
use crate::peer_slot::PeerSlot;
use crate::streams::Broken;

/// Dials one peer again and again, for as long as the transport lives.
pub(crate) async fn dial(
    hub: Arc<Hub>,
    slot: Arc<PeerSlot>,
    address: DialAddress,
    server_name: String,
) {
    let mut dialler = Dialler {
        hub,
        slot,
        dial: address,
        server_name,
        endpoint: None,
    };
    let timing = dialler.hub.settings.timing;
    let mut pause = timing.retry_first;
    loop {
        match dialler.attempt().await {
            Attempt::WasUp => pause = timing.retry_first,
            Attempt::Absent => {
                dialler.announced().await;
                pause = timing.retry_first;
                continue;
            }
            Attempt::Failed(code) => dialler.report_failure(code).await,
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(timing.retry_max);
    }
}

struct Dialler {
    hub: Arc<Hub>,
    slot: Arc<PeerSlot>,
    dial: DialAddress,
    server_name: String,
    endpoint: Option<Endpoint>,
}

enum Attempt {
    /// The link came up and went down again, which has been reported.
    WasUp,
    /// The peer has not announced itself.
    Absent,
    Failed(ErrorCode),
}

impl Dialler {
    async fn attempt(&mut self) -> Attempt {
        let Some(address) = resolve(&self.dial) else {
            return Attempt::Absent;
        };
        self.slot.note_address(address);
        let endpoint = match self.endpoint_for(address) {
            Ok(endpoint) => endpoint,
            Err(code) => return Attempt::Failed(code),
        };
        let mut wanted = Wanted::new(&self.hub, &self.slot);
        let first = tokio::select! {
            biased;
            greeted = self.greeted(&endpoint, address, false) => greeted,
            // The peer was restarted: what waits for its old address waits in vain.
            () = moved(&self.hub, &self.dial, address) => return Attempt::Failed(ErrorCode::LineDown),
        };
        let (mut connection, greeted) = match first {
            Ok(first) => first,
            Err(code) => return Attempt::Failed(code),
        };
        // Dropped with what drains in it when the link is down.
        let mut links = JoinSet::new();
        self.run(&mut links, &connection, greeted);
        loop {
            tokio::select! {
                biased;
                ended = links.join_next() => match ended {
                    Some(Ok(Ended::Drained)) => {}
                    // The older one broke while the newer was on its way: that one is the link now.
                    Some(Ok(Ended::Down(gone))) if gone != connection.stable_id() => {}
                    Some(Ok(Ended::Down(_)) | Err(_)) | None => return Attempt::WasUp,
                },
                () = moved(&self.hub, &self.dial, address) => {
                    close(&connection, ErrorCode::LineDown);
                    while let Some(Ok(Ended::Drained)) = links.join_next().await {}
                    return Attempt::WasUp;
                }
                () = wanted.another() => match self.greeted(&endpoint, address, true).await {
                    Ok((next, greeted)) => {
                        self.run(&mut links, &next, greeted);
                        connection = next;
                    }
                    Err(code) => {
                        tracing::warn!(event = "link.not-renewed", peer = %self.slot.name, code = code.code());
                        wanted.again();
                    }
                },
            }
        }
    }

    /// Runs a greeted connection as the link.
    fn run(&self, links: &mut JoinSet<Ended>, connection: &Connection, greeted: Greeted) {
        let (hub, slot) = (Arc::clone(&self.hub), Arc::clone(&self.slot));
        let connection = connection.clone();
        links.spawn(async move { link::run(&hub, &slot, &connection, greeted).await });
    }

    /// A connection with the peer's hello.
    async fn greeted(
        &self,
        endpoint: &Endpoint,
        address: SocketAddr,
        takes_over: bool,
    ) -> Result<(Connection, Greeted), ErrorCode> {
        let generation = self.hub.tls.generation();
        let connection = self.connect(endpoint, address).await?;
        let (hub, slot) = (&self.hub, &self.slot);
        match greet_as_dialler(hub, &connection, slot, (takes_over, generation)).await {
            Ok(greeted) => Ok((connection, greeted)),
            Err(Broken::Refused(code)) => {
                close(&connection, code);
                self.report_refusal(connection.remote_address(), code).await;
                Err(code)
            }
            Err(Broken::Gone) => Err(connection
                .close_reason()
                .map_or(ErrorCode::LineDown, |error| code_of_error(&error))),
        }
    }

    /// Waits until the peer has announced itself. A peer that is being started comes at any moment, so
    /// it is looked for often at first.
    async fn announced(&self) {
        let timing = self.hub.settings.timing;
        let mut looks = 0_u32;
        while resolve(&self.dial).is_none() {
            let pause = if looks < EAGER_LOOKS {
                timing.announce_check
            } else {
                timing.address_check
            };
            tokio::time::sleep(pause).await;
            looks = looks.saturating_add(1);
        }
    }

    async fn connect(
        &self,
        endpoint: &Endpoint,
        address: SocketAddr,
    ) -> Result<Connection, ErrorCode> {
        let judge = self.hub.tls.judge();
        let tls = self
            .hub
            .tls
            .client(Arc::clone(&judge))
            .map_err(|_| ErrorCode::HelloFailed)?;
        let mut config = self.hub.settings.sockets.client_config(tls);
        config.transport_config(Arc::new(transport_config(&self.hub.settings.timing, true)));
        let connecting = endpoint
            .connect_with(config, address, &self.server_name)
            .map_err(|_| ErrorCode::LineDown)?;
        let result = tokio::time::timeout(self.hub.settings.timing.dial_timeout, connecting).await;
        if let Some(refusal) = judge.refusal() {
            self.slot.count_refusal();
            self.report_refusal(address, refusal.code).await;
            return Err(refusal.code);
        }
        match result {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(code_of_error(&error)),
            Err(_) => Err(ErrorCode::LineDown),
        }
    }

    /// One socket per dialled peer, of the family of its address.
    fn endpoint_for(&mut self, address: SocketAddr) -> Result<Endpoint, ErrorCode> {
        let fits = |endpoint: &&Endpoint| {
            endpoint
                .local_addr()
                .is_ok_and(|own| own.is_ipv4() == address.is_ipv4())
        };
        if let Some(endpoint) = self.endpoint.as_ref().filter(fits) {
            return Ok(endpoint.clone());
        }
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let settings = &self.hub.settings;
        let endpoint = settings
            .sockets
            .endpoint(any, endpoint_config(&settings.identity), None)
            .map_err(|error| {
                tracing::error!(event = "link.socket-failed", peer = %self.slot.name, %error);
                ErrorCode::LineDown
            })?;
        self.hub.add_endpoint(&endpoint);
        self.endpoint = Some(endpoint.clone());
        Ok(endpoint)
    }

    /// Once per reason: dialling goes on for as long as the reason lasts.
    async fn report_refusal(&self, remote: SocketAddr, code: ErrorCode) {
        if self.slot.state().code != Some(code) {
            let name = self.slot.settings.name.clone();
            self.hub
                .report_refusal(self.slot.settings.interface, remote, Some(name), code)
                .await;
        }
    }

    async fn report_failure(&self, code: ErrorCode) {
        tracing::debug!(event = "link.dial-failed", peer = %self.slot.name, code = code.code());
        // A peer that is not there yet is the ordinary beginning of every day.
        if self.slot.note_failure(code) && code != ErrorCode::LineDown {
            self.hub
                .emit(LinkEvent::Down {
                    peer: Arc::clone(&self.slot.name),
                    code,
                })
                .await;
        }
    }
}

/// When another connection is wanted beside the one that is up: one of the two ends has a new
/// certificate.
struct Wanted {
    renewals: watch::Receiver<u64>,
    anew: watch::Receiver<()>,
    /// No sooner than that.
    not_before: Instant,
    is_wanted: bool,
    pause: Duration,
}

impl Wanted {
    fn new(hub: &Hub, slot: &PeerSlot) -> Self {
        Self {
            renewals: hub.renewals.subscribe(),
            anew: slot.anew.subscribe(),
            not_before: Instant::now(),
            is_wanted: false,
            pause: hub.settings.timing.retry_max,
        }
    }

    /// Returns when another one is wanted; a peer that asks again and again is heard now and then.
    async fn another(&mut self) {
        if !self.is_wanted {
            let changed = tokio::select! {
                biased;
                changed = self.renewals.changed() => changed,
                changed = self.anew.changed() => changed,
            };
            if changed.is_err() {
                std::future::pending::<()>().await;
            }
            self.is_wanted = true;
        }
        tokio::time::sleep_until(self.not_before).await;
        self.is_wanted = false;
        self.not_before = Instant::now() + self.pause;
        self.renewals.mark_unchanged();
        self.anew.mark_unchanged();
    }

    /// The one that was wanted did not come about.
    fn again(&mut self) {
        self.is_wanted = true;
    }
}

/// With the usual pause of 20 ms the first ten seconds: as long as the start of a whole prefecture may take.
const EAGER_LOOKS: u32 = 500;

/// Returns when the peer has announced another address.
async fn moved(hub: &Hub, dial: &DialAddress, address: SocketAddr) {
    if matches!(dial, DialAddress::Fixed(_)) {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(hub.settings.timing.address_check).await;
        if resolve(dial).is_some_and(|now| now != address) {
            return;
        }
    }
}
