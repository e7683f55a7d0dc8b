//! UDP sockets, and QUIC endpoints on them.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use quinn::{
    AsyncUdpSocket, Endpoint, EndpointConfig, IdleTimeout, Runtime, ServerConfig, TokioRuntime,
    TransportConfig, VarInt,
};

use crate::settings::{Identity, Timing};

/// Binds a socket for an address.
type Bind = dyn Fn(SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> + Send + Sync;

/// Where a transport's sockets, timers and tasks come from: the system, or a simulated network.
#[derive(Clone)]
pub struct Sockets {
    runtime: Arc<dyn Runtime>,
    bind: Arc<Bind>,
}

impl Sockets {
    /// Real UDP sockets on the tokio runtime that starts the transport.
    #[must_use]
    pub fn system() -> Self {
        Self {
            runtime: Arc::new(TokioRuntime),
            bind: Arc::new(bind_system),
        }
    }

    /// Sockets of another make.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>, bind: Arc<Bind>) -> Self {
        Self { runtime, bind }
    }

    pub(crate) fn endpoint(
        &self,
        address: SocketAddr,
        config: EndpointConfig,
        server: Option<ServerConfig>,
    ) -> io::Result<Endpoint> {
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
    config.cid_generator(|| Box::new(RandomIds));
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
struct RandomIds;

impl quinn::ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> quinn::ConnectionId {
        let mut bytes = [0; ID_LEN];
        // An id repeated for want of randomness is noticed by the endpoint and drawn again.
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        quinn::ConnectionId::new(&bytes)
    }

    fn cid_len(&self) -> usize {
        ID_LEN
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}

const ID_LEN: usize = 8;
const STREAMS: u32 = 3;
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
