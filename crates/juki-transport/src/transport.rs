//! The transport of one node.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use juki_crypto::Notice;
use juki_domain::{ErrorCode, NodeId};
use juki_pki::PkiError;
use juki_topology::Interface;
use quinn::Endpoint;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::address_file::announce;
use crate::close_code::STOPPING;
use crate::dial::dial;
use crate::endpoint::endpoint_config;
use crate::event::{Class, LinkEvent, PeerState, SendError};
use crate::hub::Hub;
use crate::listen::{listen, server_config};
use crate::notices::{NoticeRefused, Notices};
use crate::settings::{Listener, TransportSettings};
use crate::tls::Tls;
use crate::trust::{InstallError, Trust};

/// Why a transport did not start.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The own certificate or a peer's name does not fit this network.
    #[error("the node's certificate or a peer's name does not fit network and node")]
    Identity(#[source] PkiError),
    /// The own certificate is another node's.
    #[error("the certificate is that of node {0}")]
    OtherNode(NodeId),
    /// The revocation list at hand cannot be used.
    #[error("the revocation list cannot be used")]
    RevocationList(#[source] InstallError),
    /// The TLS library refused key or certificates.
    #[error("key and certificates cannot be used together")]
    Tls(#[source] rustls::Error),
    /// An address cannot be bound.
    #[error("{address} cannot be bound for {interface}")]
    Bind {
        /// The own side.
        interface: Interface,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A bound address cannot be announced.
    #[error("{} cannot be written", .path.display())]
    Announce {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl TransportError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Identity(error) => error.code(),
            Self::OtherNode(_) => ErrorCode::CertificateOtherNode,
            Self::RevocationList(error) => error.code(),
            Self::Tls(_) | Self::Bind { .. } => ErrorCode::ConfigBadValue,
            Self::Announce { .. } => ErrorCode::DiskFailed,
        }
    }
}

/// The links of one node. Clones share them; they live until [`Transport::shutdown`].
#[derive(Clone)]
pub struct Transport {
    hub: Arc<Hub>,
    bound: Arc<[(Interface, SocketAddr)]>,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Transport {
    /// Binds all listeners, writes their announce files and begins to dial. What happens on the
    /// links is sent to `events`; while that channel is full, the links are not read.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`TransportError`]; nothing stays bound then.
    pub fn start(
        settings: TransportSettings,
        events: mpsc::Sender<LinkEvent>,
    ) -> Result<Self, TransportError> {
        check_owner(&settings.identity.chain, &settings.node, &settings.network)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let identity = &settings.identity;
        let trust = Trust::new(
            Arc::clone(&provider),
            identity,
            Arc::clone(&settings.keep_revocation_list),
        );
        let trust = Arc::new(trust.map_err(TransportError::RevocationList)?);
        let tls = Tls::new(
            provider,
            identity,
            &settings.network,
            Arc::clone(&trust),
            Arc::clone(&settings.clock),
        );
        let notices = Notices::new(&identity.issuing, settings.notices.clone());
        let notices = notices.map_err(TransportError::Identity)?;
        let hub = Arc::new(Hub::new(
            settings,
            (trust, notices),
            tls.map_err(TransportError::Tls)?,
            events,
        ));

        let mut endpoints = Vec::new();
        for listener in &hub.settings.listeners {
            endpoints.push((listener, bind(&hub, listener)?));
        }
        let mut tasks = JoinSet::new();
        let mut bound = Vec::new();
        for (listener, (endpoint, address)) in endpoints {
            hub.add_endpoint(&endpoint);
            bound.push((listener.interface, address));
            tasks.spawn(listen(Arc::clone(&hub), listener.interface, endpoint));
            if let Some(path) = &listener.announce {
                announce(path, address).map_err(|source| TransportError::Announce {
                    path: path.clone(),
                    source,
                })?;
            }
        }
        for slot in &hub.peers {
            if let Some(address) = &slot.settings.dial {
                let name = juki_pki::node_dns_name(&slot.name, &hub.settings.network)
                    .map_err(TransportError::Identity)?;
                tasks.spawn(dial(
                    Arc::clone(&hub),
                    Arc::clone(slot),
                    address.clone(),
                    name,
                ));
            }
        }
        Ok(Self {
            hub,
            bound: bound.into(),
            tasks: Arc::new(Mutex::new(tasks)),
        })
    }

    /// The bound address of each listener.
    #[must_use]
    pub fn bound(&self) -> &[(Interface, SocketAddr)] {
        &self.bound
    }

    /// Hands a frame to the link to a peer without waiting.
    ///
    /// A frame taken here is lost where the link goes down before the peer has it.
    ///
    /// # Errors
    /// [`SendError`]; the frame was not taken.
    pub fn send(&self, peer: &NodeId, class: Class, frame: Bytes) -> Result<(), SendError> {
        self.check_len(&frame)?;
        self.hub
            .peer(peer)
            .ok_or(SendError::NotConnected)?
            .try_send(class, frame)
    }

    /// Hands a frame to the link to a peer, waiting while its queue is full.
    ///
    /// # Errors
    /// [`SendError::NotConnected`], also where the link goes down meanwhile, or
    /// [`SendError::TooLong`].
    pub async fn send_wait(
        &self,
        peer: &NodeId,
        class: Class,
        frame: Bytes,
    ) -> Result<(), SendError> {
        self.check_len(&frame)?;
        let queue = self
            .hub
            .peer(peer)
            .ok_or(SendError::NotConnected)?
            .queue(class)?;
        queue.send(frame).await.map_err(|_| SendError::NotConnected)
    }

    /// Puts a newer revocation list (DER) in force: keeps it, closes the links of nodes that it
    /// revokes, and passes it on to every peer.
    ///
    /// # Errors
    /// [`InstallError`]; with [`InstallError::Keep`] the list is in force nevertheless.
    pub fn install_crl(&self, der: &[u8]) -> Result<(), InstallError> {
        self.hub.trust.install(der)
    }

    /// The revocation list in force (DER).
    #[must_use]
    pub fn revocation_list(&self) -> Bytes {
        self.hub.trust.current().der.clone()
    }

    /// Shows another certificate in every handshake from now on, and has each link followed by a new
    /// one with it; what is under way has `drain_max` to arrive. `chain` is the node's certificate, then the issuing
    /// authority's, as DER.
    ///
    /// # Errors
    /// [`TransportError`] where the certificate is another node's, is not believed by this node itself
    /// or does not belong to the key; nothing has changed then.
    pub fn renew(&self, key: &[u8], chain: &[Vec<u8>]) -> Result<(), TransportError> {
        let hub = &self.hub;
        check_owner(chain, &hub.settings.node, &hub.settings.network)?;
        hub.trust
            .believes(chain, hub.tls.now())
            .map_err(TransportError::Tls)?;
        let generation = hub.tls.replace(key, chain).map_err(TransportError::Tls)?;
        hub.renewals.send_replace(generation);
        Ok(())
    }

    /// How many connections were made with an earlier certificate of this node, or are ending because
    /// another has taken over.
    #[must_use]
    pub fn links_to_renew(&self) -> usize {
        let generation = self.hub.tls.generation();
        let old = self.hub.peers.iter().filter(|slot| {
            let live = slot.live();
            live.as_ref()
                .is_some_and(|link| link.generation < generation)
        });
        old.count() + self.hub.draining.load(Ordering::Relaxed)
    }

    /// Believes in certificates under these roots (DER) from now on, and under no others. Links stay
    /// as they are.
    ///
    /// # Errors
    /// [`InstallError::Invalid`] where one is no certificate or there is none,
    /// [`InstallError::LocksOut`] where this node's own certificate is under none of them; nothing has
    /// changed then.
    pub fn replace_roots(&self, roots: &[Vec<u8>]) -> Result<(), InstallError> {
        let tls = &self.hub.tls;
        self.hub.trust.replace_roots(roots, &tls.chain(), tls.now())
    }

    /// The certificate (DER) that this node shows in handshakes.
    #[must_use]
    pub fn certificate(&self) -> Vec<u8> {
        self.hub.tls.certificate()
    }

    /// Number of the revocation list in force.
    #[must_use]
    pub fn revocation_number(&self) -> u64 {
        self.hub.trust.current().list.number
    }

    /// Puts a newer notice in force, keeps it and passes it on to every peer.
    ///
    /// # Errors
    /// [`NoticeRefused`]; with [`NoticeRefused::Keep`] the notice is in force nevertheless.
    pub fn install_notice(&self, bytes: &[u8]) -> Result<Arc<Notice>, NoticeRefused> {
        self.hub.notices.install(bytes)
    }

    /// The notices in force, one of each kind at most.
    #[must_use]
    pub fn notices(&self) -> Vec<Arc<Notice>> {
        self.hub.notices.in_force()
    }

    /// Whether the revocation list in force is past its time at this Unix second. Links stay up
    /// then, but personal data must wait for a newer list.
    #[must_use]
    pub fn revocation_expired(&self, now_s: u64) -> bool {
        now_s > self.hub.trust.current().list.next_update
    }

    /// How the link to each configured peer stands, in the order of the configuration.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerState> {
        self.hub.peers.iter().map(|slot| slot.state()).collect()
    }

    /// Waits until the link to every dialled peer is up, or was a moment ago (see
    /// [`PeerState::holds`]).
    pub async fn dialled_up(&self, grace_ms: u64) {
        let mut turns = self.hub.turns.subscribe();
        let hold = || {
            let now_ms = self.hub.now_ms();
            let dialled = self
                .hub
                .peers
                .iter()
                .filter(|slot| slot.settings.dial.is_some());
            dialled
                .map(|slot| slot.state())
                .all(|peer| peer.holds(now_ms, grace_ms))
        };
        while !hold() {
            // The sender lives as long as the hub.
            let _alive = turns.changed().await;
        }
    }

    /// Closes all links and listeners; returns when the peers have been told, or after half a
    /// second. No event comes after that; frames still queued are lost.
    pub async fn shutdown(&self) {
        let endpoints = self.hub.take_endpoints();
        for endpoint in &endpoints {
            endpoint.close(STOPPING, b"stopping");
        }
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        let told = async {
            for endpoint in &endpoints {
                endpoint.wait_idle().await;
            }
        };
        let _ = tokio::time::timeout(SHUTDOWN_MAX, told).await;
    }

    fn check_len(&self, frame: &Bytes) -> Result<(), SendError> {
        if frame.len() > self.hub.settings.frame_bytes_max {
            Err(SendError::TooLong)
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport")
            .field("node", &self.hub.settings.node)
            .finish_non_exhaustive()
    }
}

fn check_owner(chain: &[Vec<u8>], owner: &NodeId, network: &str) -> Result<(), TransportError> {
    let own = chain.first().map_or(&[][..], Vec::as_slice);
    let node = juki_pki::node_of(own, network).map_err(TransportError::Identity)?;
    if node == *owner {
        Ok(())
    } else {
        Err(TransportError::OtherNode(node))
    }
}

fn bind(hub: &Hub, listener: &Listener) -> Result<(Endpoint, SocketAddr), TransportError> {
    let server = server_config(hub, hub.tls.judge()).map_err(TransportError::Tls)?;
    let failed = |source| TransportError::Bind {
        interface: listener.interface,
        address: listener.address,
        source,
    };
    let config = endpoint_config(&hub.settings.identity);
    let endpoint = hub
        .settings
        .sockets
        .endpoint(listener.address, config, Some(server))
        .map_err(failed)?;
    let address = endpoint.local_addr().map_err(failed)?;
    Ok((endpoint, address))
}

const SHUTDOWN_MAX: Duration = Duration::from_millis(500);
