//! Whose certificate is believed, and whose is not.

use std::time::{Duration, Instant};

use juki_domain::ErrorCode;
use juki_topology::{DialAddress, Interface};
use juki_transport::{Identity, LinkEvent, Transport, TransportError};

use crate::office::{BAD, GOOD, HUB, Node, Office, Pair, id, now_s};
use crate::raw;

/// The bad peer with this identity is refused on both sides with this code.
async fn refused_with(pair: &mut Pair, identity: Identity) -> ErrorCode {
    let mut settings = pair.bad();
    settings.identity = identity;
    let mut bad = Node::start(settings);
    let (_, code) = pair.hub.refused().await;
    assert_eq!(bad.down(HUB).await, code);
    let state = bad.transport.peers().remove(0);
    assert_eq!((state.up, state.code), (false, Some(code)));
    bad.transport.shutdown().await;
    pair.undisturbed().await;
    code
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let mut pair = Pair::start().await;
    let mut identity = Office::new().identity(BAD);
    // It knows the network's public certificates, but its own was signed by another.
    let ours = pair.office.identity(BAD);
    identity.roots = ours.roots;
    identity.issuing = ours.issuing;
    identity.revocation_list = ours.revocation_list;
    assert_eq!(
        refused_with(&mut pair, identity).await,
        ErrorCode::CertificateUnknownAuthority
    );
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let mut pair = Pair::start().await;
    let identity = pair
        .office
        .identity_between(BAD, "demo", now_s() - 7200, now_s() - 3600);
    assert_eq!(
        refused_with(&mut pair, identity).await,
        ErrorCode::CertificateExpired
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_is_refused() {
    let mut pair = Pair::start().await;
    let identity = pair
        .office
        .identity_between(BAD, "demo", now_s() + 3600, now_s() + 7200);
    assert_eq!(
        refused_with(&mut pair, identity).await,
        ErrorCode::CertificateExpired
    );
}

#[tokio::test]
async fn a_certificate_of_another_network_is_refused() {
    let mut pair = Pair::start().await;
    let identity = pair
        .office
        .identity_between(BAD, "other", now_s(), now_s() + 3600);
    let connection = raw::connect(raw::client_config(&identity), HUB, pair.hub.address())
        .await
        .unwrap();
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::CertificateOtherNode)
    );
    assert_eq!(
        pair.hub.refused().await,
        (None, ErrorCode::CertificateOtherNode)
    );
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let mut pair = Pair::start().await;
    let config = raw::anonymous_config(&pair.office.identity(BAD));
    if let Ok(connection) = raw::connect(config, HUB, pair.hub.address()).await {
        assert!(matches!(
            connection.closed().await,
            quinn::ConnectionError::ConnectionClosed(_)
        ));
    }
    assert_eq!(
        pair.hub.refused().await,
        (None, ErrorCode::CertificateUnknownAuthority)
    );
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_peer_that_is_not_named_is_refused() {
    let mut pair = Pair::start().await;
    let mut settings = pair.office.dialling("cs-355020", HUB, pair.hub.dial());
    settings.identity = pair.office.identity("cs-355020");
    let mut stranger = Node::start(settings);
    assert_eq!(
        pair.hub.refused().await,
        (Some(id("cs-355020")), ErrorCode::PeerNotNamed)
    );
    assert_eq!(stranger.down(HUB).await, ErrorCode::PeerNotNamed);
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_peer_named_on_another_side_or_dialled_by_us_is_refused() {
    for dialled in [false, true] {
        let mut pair = Pair::start_with(|_, settings| {
            let nowhere = "127.0.0.1:9".parse().unwrap();
            for peer in settings
                .peers
                .iter_mut()
                .filter(|peer| peer.name == id(BAD))
            {
                if dialled {
                    peer.dial = Some(DialAddress::Fixed(nowhere));
                } else {
                    peer.interface = Interface::Inside;
                }
            }
        })
        .await;
        let _bad = Node::start(pair.bad());
        assert_eq!(
            pair.hub.refused().await,
            (Some(id(BAD)), ErrorCode::PeerNotNamed)
        );
        pair.undisturbed().await;
    }
}

/// A dialler refuses a server with this identity.
async fn server_refused(office: &Office, server: Identity) -> ErrorCode {
    let endpoint = raw::server(&server);
    let address = endpoint.local_addr().unwrap();
    let waiting = tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let _ = incoming.await;
        }
    });
    let mut cs = Node::start(office.dialling(GOOD, HUB, DialAddress::Fixed(address)));
    let (peer, code) = cs.refused().await;
    assert_eq!(peer, Some(id(HUB)));
    assert_eq!(cs.down(HUB).await, code);
    waiting.abort();
    code
}

#[tokio::test]
async fn a_dialler_refuses_the_certificate_of_another_node() {
    let office = Office::new();
    assert_eq!(
        server_refused(&office, office.identity(BAD)).await,
        ErrorCode::CertificateOtherNode
    );
    let other = office.identity_between(HUB, "other", now_s(), now_s() + 60);
    assert_eq!(
        server_refused(&office, other).await,
        ErrorCode::CertificateOtherNode
    );
}

#[tokio::test]
async fn a_dialler_refuses_an_expired_server_and_one_of_an_unknown_authority() {
    let office = Office::new();
    let expired = office.identity_between(HUB, "demo", now_s() - 60, now_s() - 1);
    assert_eq!(
        server_refused(&office, expired).await,
        ErrorCode::CertificateExpired
    );
    assert_eq!(
        server_refused(&office, Office::new().identity(HUB)).await,
        ErrorCode::CertificateUnknownAuthority
    );
}

#[tokio::test]
async fn a_refusal_is_reported_once_however_often_it_is_tried() {
    let mut pair = Pair::start().await;
    let mut settings = pair.bad();
    settings.identity = pair
        .office
        .identity_between(BAD, "demo", now_s() - 7200, now_s() - 3600);
    let mut bad = Node::start(settings);
    for _ in 0..4 {
        assert_eq!(pair.hub.refused().await.1, ErrorCode::CertificateExpired);
    }
    assert!(matches!(
        bad.next().await,
        LinkEvent::Down {
            code: ErrorCode::CertificateExpired,
            ..
        }
    ));
    assert!(bad.events.try_recv().is_err());
}

#[tokio::test]
async fn a_link_is_broken_when_the_certificate_expires() {
    let mut pair = Pair::start().await;
    let mut settings = pair.bad();
    settings.identity = pair
        .office
        .identity_between(BAD, "demo", now_s() - 60, now_s() + 2);
    let mut bad = Node::start(settings);
    pair.hub.up(BAD).await;
    bad.up(HUB).await;
    let began = Instant::now();
    assert_eq!(pair.hub.down(BAD).await, ErrorCode::CertificateExpired);
    assert_eq!(bad.down(HUB).await, ErrorCode::CertificateExpired);
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::CertificateExpired),
        "it cannot come back either"
    );
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_node_does_not_start_with_anothers_certificate_or_a_foreign_list() {
    let office = Office::new();
    let start = |change: &dyn Fn(&mut juki_transport::TransportSettings)| {
        let mut settings = office.listening(HUB, &[GOOD]);
        change(&mut settings);
        Transport::start(settings, tokio::sync::mpsc::channel(1).0).map(|_| ())
    };
    assert!(start(&|_| {}).is_ok());
    assert!(matches!(
        start(&|settings| settings.identity = office.identity(GOOD)),
        Err(TransportError::OtherNode(_))
    ));
    assert!(matches!(
        start(&|settings| settings.network = "other".to_owned()),
        Err(TransportError::Identity(_))
    ));
    let foreign = Office::new().revocation_list(9, &[]);
    assert!(matches!(
        start(&|settings| settings.identity.revocation_list = foreign.clone()),
        Err(TransportError::RevocationList(_))
    ));
    assert!(matches!(
        start(&|settings| settings.identity.key = office.identity(GOOD).key),
        Err(TransportError::Tls(_))
    ));
}
