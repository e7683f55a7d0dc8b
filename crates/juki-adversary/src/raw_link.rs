//! Bytes over an authenticated connection: TLS as it should be, the rest by hand.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use juki_domain::{ErrorCode, NodeId};
use juki_transport::Identity;
use juki_wire::hello::control::Kind;
use juki_wire::{Control, Hello};
use prost::Message as _;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use quinn::rustls::{self, RootCertStore};
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, TransportConfig,
    VarInt,
};
use tokio::sync::mpsc;

use crate::Fault;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The error code that the other side gave, or that its TLS alert stands for.
    pub code: Option<ErrorCode>,
    /// What the QUIC library says.
    pub how: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{code}: {}", self.how),
            None => f.write_str(&self.how),
        }
    }
}

/// A connection with nothing said on it.
pub struct RawConnection {
    connection: Connection,
    _endpoint: Endpoint,
}

/// A greeted connection: frames go out by hand and come in whole.
pub struct RawLink {
    connection: RawConnection,
    _control: SendStream,
    interactive: SendStream,
    bulk: SendStream,
    frames: mpsc::Receiver<Bytes>,
}

/// Dials a listener with a stolen identity, expecting the certificate of `server`.
///
/// # Errors
/// How the connection ended, or why none could be begun.
pub async fn connect(
    identity: &Identity,
    network: &str,
    server: &NodeId,
    address: SocketAddr,
) -> Result<RawConnection, Fault> {
    let endpoint = Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into()).map_err(Fault::refused)?;
    let name = juki_pki::node_dns_name(server, network).map_err(Fault::refused)?;
    let connecting = endpoint
        .connect_with(client(identity)?, address, &name)
        .map_err(Fault::refused)?;
    let connection = connecting
        .await
        .map_err(|error| Fault::Ended(ended(&error)))?;
    Ok(RawConnection {
        connection,
        _endpoint: endpoint,
    })
}

impl RawConnection {
    /// Opens a stream and writes these bytes, which need not be a whole of anything.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn open(&self, bytes: &[u8]) -> Result<(SendStream, RecvStream), Fault> {
        let ended = |error: ConnectionError| Fault::Ended(ended(&error));
        let (mut send, receive) = self.connection.open_bi().await.map_err(ended)?;
        match send.write_all(bytes).await {
            Ok(()) => Ok((send, receive)),
            Err(_) => Err(Fault::Ended(self.ended().await)),
        }
    }

    /// Says hello and opens the two streams of frames.
    ///
    /// # Errors
    /// How the connection ended, for example since the certificate was refused.
    pub async fn greet(self, hello: Hello) -> Result<RawLink, Fault> {
        let (control, mut answer) = self.open(&greeting(hello)).await?;
        if read_one(&mut answer).await.is_none() {
            return Err(Fault::Ended(self.ended().await));
        }
        // What else the neighbour says of revocation and notices is of no interest.
        tokio::spawn(async move { while read_one(&mut answer).await.is_some() {} });
        let (sender, frames) = mpsc::channel(FRAMES_MAX);
        let mut halves = Vec::new();
        for tag in [1, 2] {
            let (send, mut receive) = self.open(&[tag]).await?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while let Some(frame) = read_one(&mut receive).await {
                    if sender.send(frame).await.is_err() {
                        return;
                    }
                }
            });
            halves.push(send);
        }
        let (Some(bulk), Some(interactive)) = (halves.pop(), halves.pop()) else {
            return Err(Fault::Missing("a stream".to_owned()));
        };
        Ok(RawLink {
            connection: self,
            _control: control,
            interactive,
            bulk,
            frames,
        })
    }

    /// Waits until the connection ends, and says how.
    pub async fn ended(&self) -> Ended {
        ended(&self.connection.closed().await)
    }
}

impl RawLink {
    /// Writes bytes on the stream of interactive frames, without a length.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match self.interactive.write_all(bytes).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Fault::Ended(self.connection.ended().await)),
        }
    }

    /// Sends one frame, its length before it, on the stream that its priority says.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), Fault> {
        // Offset 3 of a frame is its priority; 2 is bulk (docs/wire.md).
        let stream = match frame.get(3) {
            Some(2) => &mut self.bulk,
            _ => &mut self.interactive,
        };
        match stream.write_all(&framed(frame)).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Fault::Ended(self.connection.ended().await)),
        }
    }

    /// The next frame that comes in.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn next_frame(&mut self) -> Result<Bytes, Fault> {
        match self.frames.recv().await {
            Some(frame) => Ok(frame),
            None => Err(Fault::Ended(self.connection.ended().await)),
        }
    }

    /// The connection under the link.
    #[must_use]
    pub fn connection(&self) -> &RawConnection {
        &self.connection
    }
}

/// The first bytes of the control stream: its tag, then a hello.
pub(crate) fn greeting(hello: Hello) -> Vec<u8> {
    let message = Control {
        kind: Some(Kind::Hello(hello)),
    };
    [&[0], framed(&message.encode_to_vec()).as_slice()].concat()
}

/// A length as u32 in network order, then the bytes.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

async fn read_one(stream: &mut RecvStream) -> Option<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    if length > MESSAGE_BYTES_MAX {
        return None;
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.ok()?;
    Some(bytes.into())
}

fn client(identity: &Identity) -> Result<ClientConfig, Fault> {
    let mut roots = RootCertStore::empty();
    for root in &identity.roots {
        roots
            .add(CertificateDer::from(root.clone()))
            .map_err(Fault::refused)?;
    }
    let chain = identity
        .chain
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.to_vec()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(Fault::refused)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(Fault::refused)?;
    tls.alpn_protocols = vec![b"juki/1".to_vec()];
    // It would take tickets and send early data if it were let.
    tls.enable_early_data = true;
    let tls = QuicClientConfig::try_from(tls).map_err(Fault::refused)?;
    let mut config = ClientConfig::new(Arc::new(tls));
    let mut transport = TransportConfig::default();
    transport.keep_alive_interval(Some(Duration::from_secs(2)));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

fn ended(error: &ConnectionError) -> Ended {
    let code = match error {
        ConnectionError::ApplicationClosed(close) => std::str::from_utf8(&close.reason)
            .ok()
            .and_then(ErrorCode::from_code)
            .or_else(|| code_of_number(close.error_code)),
        ConnectionError::ConnectionClosed(close) => code_of_alert(close.error_code.into()),
        ConnectionError::TransportError(error) => code_of_alert(error.code.into()),
        ConnectionError::VersionMismatch
        | ConnectionError::Reset
        | ConnectionError::TimedOut
        | ConnectionError::LocallyClosed
        | ConnectionError::CidsExhausted => None,
    };
    Ended {
        code,
        how: error.to_string(),
    }
}

/// The letter of a family times 10,000, then the digits (docs/wire.md, "Close codes").
fn code_of_number(number: VarInt) -> Option<ErrorCode> {
    let number = u32::try_from(number.into_inner()).ok()?;
    let letter = char::from_u32(number / 10_000).filter(char::is_ascii_uppercase)?;
    ErrorCode::from_code(&format!("JK{letter}-{:04}", number % 10_000))
}

/// TLS alerts travel as transport errors 0x100 to 0x1ff (RFC 9001 4.8).
fn code_of_alert(number: u64) -> Option<ErrorCode> {
    Some(match number.checked_sub(0x100)? {
        44 => ErrorCode::CertificateRevoked,
        45 => ErrorCode::CertificateExpired,
        48 | 51 | 116 => ErrorCode::CertificateUnknownAuthority,
        42 => ErrorCode::CertificateOtherNode,
        0..=0xff => ErrorCode::HelloFailed,
        _ => return None,
    })
}

const FRAMES_MAX: usize = 1_024;
const MESSAGE_BYTES_MAX: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_and_alerts_are_read_as_the_codes_they_stand_for() {
        assert_eq!(
            code_of_number(VarInt::from_u32(841_003)),
            Some(ErrorCode::CertificateRevoked)
        );
        assert_eq!(code_of_number(VarInt::from_u32(0)), None);
        assert_eq!(code_of_alert(0x12c), Some(ErrorCode::CertificateRevoked));
        assert_eq!(code_of_alert(0x0a), None);
        assert_eq!(code_of_alert(0x900), None);
    }
}
