//! UDP sockets, and QUIC endpoints on them.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use aws_lc_rs::{digest, hkdf, hmac};
use juki_crypto::{Randomness, SystemRandomness, random_array};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    AsyncUdpSocket, ClientConfig, ConnectionId, Endpoint, EndpointConfig, IdleTimeout, Runtime,
    ServerConfig, TokioRuntime, TransportConfig, VarInt,
};

use crate::settings::{Identity, Timing};

/// Binds a socket for an address.
type Bind = dyn Fn(SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> + Send + Sync;

/// Where a transport's sockets, timers and tasks come from: the system, or a simulated network.
#[derive(Clone)]
pub struct Sockets {
    runtime: Arc<dyn Runtime>,
    bind: Arc<Bind>,
    /// Where ids and keys that QUIC draws come from; the system where there is none.
    randomness: Option<Arc<dyn Randomness>>,
}

impl Sockets {
    /// Real UDP sockets on the tokio runtime that starts the transport.
    #[must_use]
    pub fn system() -> Self {
        Self {
            runtime: Arc::new(TokioRuntime),
            bind: Arc::new(bind_system),
            randomness: None,
        }
    }

    /// Sockets of another make. All that QUIC draws comes from `randomness`, so that a simulated
    /// network sends the same datagrams whenever it draws the same bytes.
    #[must_use]
    pub fn new(
        runtime: Arc<dyn Runtime>,
        bind: Arc<Bind>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            runtime,
            bind,
            randomness: Some(randomness),
        }
    }

    /// The configuration of a dialled connection.
    pub(crate) fn client_config(&self, crypto: QuicClientConfig) -> ClientConfig {
        let mut config = ClientConfig::new(Arc::new(crypto));
        if let Some(randomness) = &self.randomness {
            let randomness = Arc::clone(randomness);
            config.initial_dst_cid_provider(Arc::new(move || {
                ConnectionId::new(&random_array::<INITIAL_ID_LEN>(randomness.as_ref()))
            }));
        }
        config
    }

    /// The configuration of an accepted connection.
    pub(crate) fn server_config(&self, crypto: QuicServerConfig) -> ServerConfig {
        let Some(randomness) = &self.randomness else {
            return ServerConfig::with_crypto(Arc::new(crypto));
        };
        let key = random_array::<32>(randomness.as_ref());
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&key);
        ServerConfig::new(Arc::new(crypto), Arc::new(key))
    }

    pub(crate) fn endpoint(
        &self,
        address: SocketAddr,
        mut config: EndpointConfig,
        server: Option<ServerConfig>,
    ) -> io::Result<Endpoint> {
        if let Some(randomness) = &self.randomness {
            config.rng_seed(Some(random_array(randomness.as_ref())));
            let randomness = Arc::clone(randomness);
            config.cid_generator(move || Box::new(RandomIds(Arc::clone(&randomness))));
        }
        Endpoint::new_with_abstract_socket(
            config,
            server,
            (self.bind)(address)?,
            Arc::clone(&self.runtime),
        )
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sockets(..)")
    }
}

/// An endpoint whose resets of forgotten connections are believed: the key of the resets is the
/// node's own, so a node that was restarted tells its old peers at once instead of letting them wait
/// for their idle timeout.
pub(crate) fn endpoint_config(identity: &Identity) -> EndpointConfig {
    let mut seed = digest::Context::new(&digest::SHA256);
    seed.update(b"juki stateless reset\0");
    seed.update(&identity.reset_seed);
    let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(
        hmac::HMAC_SHA256,
        seed.finish().as_ref(),
    )));
    config.cid_generator(|| Box::new(RandomIds(Arc::new(SystemRandomness))));
    config
}

/// How both ends of a link behave.
pub(crate) fn transport_config(timing: &Timing, dials: bool) -> TransportConfig {
    let mut config = TransportConfig::default();
    config.initial_rtt(timing.initial_rtt);
    config.max_idle_timeout(IdleTimeout::try_from(timing.idle_timeout).ok());
    // One side's probe and its answer keep both sides awake.
    config.keep_alive_interval(dials.then_some(timing.keep_alive));
    // Below the send window, so that bulk frames nobody reads never block interactive ones.
    config.stream_receive_window(VarInt::from_u32(STREAM_WINDOW));
    config.max_concurrent_bidi_streams(VarInt::from_u32(if dials { 0 } else { STREAMS }));
    config.max_concurrent_uni_streams(VarInt::from_u32(0));
    config.datagram_receive_buffer_size(None);
    config
}

fn bind_system(address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    let socket = UdpSocket::bind(address)?;
    // The system may grant less; a burst then costs retransmissions, nothing else.
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, SOCKET_BUFFER_BYTES);
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(&socket, SOCKET_BUFFER_BYTES);
    TokioRuntime.wrap_udp_socket(socket)
}

/// Connection ids that any run of this node accepts: quinn's own drop packets with ids of an
/// earlier run, which then could not be answered by a reset.
struct RandomIds(Arc<dyn Randomness>);

impl quinn::ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&random_array::<ID_LEN>(self.0.as_ref()))
    }

    fn cid_len(&self) -> usize {
        ID_LEN
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}

const ID_LEN: usize = 8;
/// As long as quinn's own.
const INITIAL_ID_LEN: usize = 20;
const STREAMS: u32 = 3;
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
