//! First packets of connections that nobody means to complete, as a flood sends them: for tests and
//! measurements of what a listener stands.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, ClientConfig, Endpoint, EndpointConfig, TokioRuntime, UdpPoller};
use rustls::RootCertStore;

/// One first packet, with a whole ClientHello in it.
pub type Initial = Bytes;

/// Makes so many first packets, each of a connection of its own; at most 65,536. Must be called
/// within a tokio runtime.
///
/// # Errors
/// Where the TLS library or the runtime refuses.
pub async fn make(count: usize) -> io::Result<Vec<Initial>> {
    let caught = Arc::new(Caught::default());
    let endpoint = Endpoint::new_with_abstract_socket(
        EndpointConfig::default(),
        None,
        Arc::clone(&caught) as Arc<dyn AsyncUdpSocket>,
        Arc::new(TokioRuntime),
    )?;
    let config = client()?;
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let count = count.min(COUNT_MAX);
    let mut open = Vec::new();
    while caught.len() < count {
        let connecting = endpoint
            .connect_with(config.clone(), nowhere, "nobody.invalid")
            .map_err(io::Error::other)?;
        open.push(connecting);
        // The connection's task sends when it is its turn.
        while caught.len() < open.len() {
            tokio::task::yield_now().await;
        }
    }
    Ok(caught.take(count))
}

fn client() -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    tls.alpn_protocols = vec![crate::tls::ALPN.to_vec()];
    let tls = QuicClientConfig::try_from(tls).map_err(io::Error::other)?;
    Ok(ClientConfig::new(Arc::new(tls)))
}

/// A socket that keeps what is sent and receives nothing.
#[derive(Default)]
struct Caught(Mutex<Vec<Initial>>);

impl Caught {
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take(&self, count: usize) -> Vec<Initial> {
        let mut caught = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        caught.truncate(count);
        std::mem::take(&mut *caught)
    }
}

impl fmt::Debug for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caught(..)")
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncUdpSocket for Caught {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let mut caught = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        caught.push(Bytes::copy_from_slice(transmit.contents));
        Ok(())
    }

    fn poll_recv(
        &self,
        _: &mut Context<'_>,
        _: &mut [IoSliceMut<'_>],
        _: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok((Ipv4Addr::LOCALHOST, 0).into())
    }
}

const COUNT_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn first_packets_are_whole_and_each_of_its_own_connection() {
        let packets = make(20).await.unwrap();
        assert_eq!(packets.len(), 20);
        let mut ids = std::collections::BTreeSet::new();
        for packet in &packets {
            // Long header, type Initial, padded to what a server answers to (RFC 9000 14.1).
            assert_eq!(packet[0] & 0xf0, 0xc0);
            assert!(packet.len() >= 1_200, "{}", packet.len());
            ids.insert(packet[5..15].to_vec());
        }
        assert_eq!(ids.len(), 20);
    }
}
