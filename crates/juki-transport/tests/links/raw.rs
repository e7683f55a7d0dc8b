//! Peers that speak QUIC and TLS as they should, and the hop protocol as they like.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use juki_domain::ErrorCode;
use juki_transport::Identity;
use juki_wire::hello::control::Kind;
use juki_wire::{Control, Hello, VERSION};
use prost::Message as _;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use quinn::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use quinn::rustls::{self, NamedGroup, RootCertStore};
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, ServerConfig,
};

use crate::office::{NETWORK, id};

fn roots(identity: &Identity) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for root in &identity.roots {
        roots.add(CertificateDer::from(root.clone())).unwrap();
    }
    Arc::new(roots)
}

fn chain(identity: &Identity) -> Vec<CertificateDer<'static>> {
    identity
        .chain
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect()
}

fn key(identity: &Identity) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.to_vec()))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A client that would use tickets if it were given any.
pub(crate) fn client_config(identity: &Identity) -> ClientConfig {
    client_config_with(identity, Resumption::in_memory_sessions(8))
}

/// A client that counts the tickets it is given.
pub(crate) fn counting_config(identity: &Identity) -> (ClientConfig, Arc<Tickets>) {
    let tickets = Arc::new(Tickets::default());
    (
        client_config_with(identity, Resumption::store(Arc::clone(&tickets) as _)),
        tickets,
    )
}

fn client_config_with(identity: &Identity, resumption: Resumption) -> ClientConfig {
    let mut tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots(identity))
        .with_client_auth_cert(chain(identity), key(identity))
        .unwrap();
    tls.alpn_protocols = vec![b"juki/1".to_vec()];
    tls.resumption = resumption;
    tls.enable_early_data = true;
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

/// Counts tickets and forgets them.
#[derive(Debug, Default)]
pub(crate) struct Tickets(AtomicUsize);

impl Tickets {
    pub(crate) fn given(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// A client that shows no certificate.
pub(crate) fn anonymous_config(identity: &Identity) -> ClientConfig {
    let mut tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots(identity))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"juki/1".to_vec()];
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

/// The client's side of TLS; the server may judge otherwise a moment later.
pub(crate) async fn connect(
    config: ClientConfig,
    server: &str,
    address: SocketAddr,
) -> Result<Connection, ConnectionError> {
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let name = juki_pki::node_dns_name(&id(server), NETWORK).unwrap();
    endpoint.connect_with(config, address, &name).unwrap().await
}

/// A server that accepts whoever comes.
pub(crate) fn server(identity: &Identity) -> Endpoint {
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain(identity), key(identity))
        .unwrap();
    tls.alpn_protocols = vec![b"juki/1".to_vec()];
    let config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap()
}

pub(crate) fn hello(node: &str) -> Hello {
    Hello {
        version: VERSION,
        node: node.to_owned(),
        network: NETWORK.to_owned(),
        calendar_version: 1,
        civil_date: 20_021_015,
        revocation_number: 1,
        clock_ms: 0,
        program: String::new(),
        notices: Vec::new(),
        takes_over: false,
    }
}

pub(crate) fn control(kind: Kind) -> Vec<u8> {
    let message = Control { kind: Some(kind) }.encode_to_vec();
    [
        &u32::try_from(message.len()).unwrap().to_be_bytes(),
        message.as_slice(),
    ]
    .concat()
}

/// Opens a stream with these first bytes.
pub(crate) async fn open(connection: &Connection, bytes: &[u8]) -> (SendStream, RecvStream) {
    let (mut send, receive) = connection.open_bi().await.unwrap();
    send.write_all(bytes).await.unwrap();
    (send, receive)
}

/// Says this hello on a control stream.
pub(crate) async fn say(connection: &Connection, hello: Hello) -> (SendStream, RecvStream) {
    open(
        connection,
        &[&[0], control(Kind::Hello(hello)).as_slice()].concat(),
    )
    .await
}

/// A proper hello and the two streams of frames.
pub(crate) struct Streams {
    pub(crate) control: (SendStream, RecvStream),
    pub(crate) interactive: (SendStream, RecvStream),
    pub(crate) bulk: (SendStream, RecvStream),
}

pub(crate) async fn greet(connection: &Connection, node: &str) -> Streams {
    let mut control = say(connection, hello(node)).await;
    let mut length = [0; 4];
    control.1.read_exact(&mut length).await.unwrap();
    let mut ack = vec![0; u32::from_be_bytes(length) as usize];
    control.1.read_exact(&mut ack).await.unwrap();
    assert!(matches!(
        Control::decode(ack.as_slice()).unwrap().kind,
        Some(Kind::HelloAck(_))
    ));
    Streams {
        control,
        interactive: open(connection, &[1]).await,
        bulk: open(connection, &[2]).await,
    }
}

/// The error code with which the other side closes the connection; its reason must say the same.
pub(crate) async fn closed_with(connection: &Connection) -> Option<ErrorCode> {
    match connection.closed().await {
        ConnectionError::ApplicationClosed(close) => {
            let code = ErrorCode::from_code(std::str::from_utf8(&close.reason).unwrap());
            let number = close.error_code.into_inner();
            let digits = code.map(|code| {
                code.code()
                    .split_once('-')
                    .unwrap()
                    .1
                    .parse::<u64>()
                    .unwrap()
            });
            assert_eq!(digits, Some(number % 10_000));
            code
        }
        ConnectionError::ConnectionClosed(_)
        | ConnectionError::VersionMismatch
        | ConnectionError::TransportError(_)
        | ConnectionError::Reset
        | ConnectionError::TimedOut
        | ConnectionError::LocallyClosed
        | ConnectionError::CidsExhausted => None,
    }
}
