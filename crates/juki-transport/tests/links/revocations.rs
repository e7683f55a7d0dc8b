//! Revocation lists: in force at once, passed on to everybody.

use std::sync::Arc;
use std::time::Duration;

use juki_domain::ErrorCode;
use juki_topology::{DialAddress, Interface};
use juki_transport::{InstallError, Listener, PeerSettings};

use crate::office::{BAD, GOOD, HUB, Kept, Node, Office, Pair, id, now_s};
use crate::raw;

#[tokio::test]
async fn a_node_revoked_before_it_dials_is_refused() {
    let mut pair = Pair::start().await;
    let settings = pair.bad();
    pair.hub
        .transport
        .install_crl(&pair.office.revocation_list(2, &[&settings.identity]))
        .unwrap();
    let mut bad = Node::start(settings);
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::CertificateRevoked)
    );
    assert_eq!(bad.down(HUB).await, ErrorCode::CertificateRevoked);
    // The good peer hears of the new list and of nothing else.
    pair.good_hears_list().await;
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_node_revoked_while_its_link_is_up_loses_it_and_cannot_come_back() {
    let mut pair = Pair::start().await;
    let settings = pair.bad();
    let list = pair.office.revocation_list(2, &[&settings.identity]);
    let mut bad = Node::start(settings);
    pair.hub.up(BAD).await;
    bad.up(HUB).await;
    pair.hub.transport.install_crl(&list).unwrap();
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::CertificateRevoked)
    );
    assert_eq!(pair.hub.down(BAD).await, ErrorCode::CertificateRevoked);
    assert_eq!(bad.down(HUB).await, ErrorCode::CertificateRevoked);
    for _ in 0..3 {
        assert_eq!(
            pair.hub.refused().await,
            (Some(id(BAD)), ErrorCode::CertificateRevoked)
        );
    }
    assert!(
        pair.hub
            .transport
            .peers()
            .iter()
            .any(|peer| peer.name == id(BAD) && !peer.up)
    );
    pair.good_hears_list().await;
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_client_is_given_no_ticket() {
    let mut pair = Pair::start().await;
    let (config, tickets) = raw::counting_config(&pair.office.identity(BAD));
    let connection = raw::connect(config, HUB, pair.hub.address()).await.unwrap();
    let mut streams = raw::greet(&connection, BAD).await;
    pair.hub.up(BAD).await;
    // A round trip after the handshake, any ticket would have come.
    pair.hub.send(BAD, b"frame").await.unwrap();
    streams.interactive.1.read_exact(&mut [0; 9]).await.unwrap();
    assert_eq!(tickets.given(), 0);
}

#[tokio::test]
async fn a_revoked_client_cannot_come_back_by_resuming_its_session() {
    let mut pair = Pair::start().await;
    let identity = pair.office.identity(BAD);
    // One configuration keeps whatever tickets it is given.
    let config = raw::client_config(&identity);
    let connection = raw::connect(config.clone(), HUB, pair.hub.address())
        .await
        .unwrap();
    let _streams = raw::greet(&connection, BAD).await;
    pair.hub.up(BAD).await;
    pair.hub
        .transport
        .install_crl(&pair.office.revocation_list(2, &[&identity]))
        .unwrap();
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::CertificateRevoked)
    );
    assert_eq!(pair.hub.down(BAD).await, ErrorCode::CertificateRevoked);
    if let Ok(again) = raw::connect(config, HUB, pair.hub.address()).await {
        // TLS 1.3 lets the client believe for a moment; the server's alert follows.
        assert!(
            matches!(again.closed().await, quinn::ConnectionError::ConnectionClosed(close) if u64::from(close.error_code) == 0x100 + 44)
        );
    }
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::CertificateRevoked)
    );
}

#[tokio::test]
async fn a_dialler_refuses_a_revoked_server_and_leaves_one_revoked_meanwhile() {
    let office = Office::new();
    let mut hub = Node::start(office.listening(HUB, &[GOOD, BAD]));
    let first = office.dialling(GOOD, HUB, hub.dial());
    let hub_identity = office.listening(HUB, &[]).identity;
    hub.transport.shutdown().await;

    let mut settings = office.listening(HUB, &[GOOD, BAD]);
    settings.identity = hub_identity.clone();
    hub = Node::start(settings);
    let list = office.revocation_list(5, &[&hub_identity]);
    let mut cs = Node::start(juki_transport::TransportSettings {
        peers: office.dialling(GOOD, HUB, hub.dial()).peers,
        ..first
    });
    cs.up(HUB).await;
    cs.transport.install_crl(&list).unwrap();
    assert_eq!(cs.down(HUB).await, ErrorCode::CertificateRevoked);

    let mut late = office.dialling(BAD, HUB, hub.dial());
    late.identity.revocation_list = list;
    let mut late = Node::start(late);
    assert_eq!(
        late.refused().await,
        (Some(id(HUB)), ErrorCode::CertificateRevoked)
    );
}

/// fw-cs dials the prefecture, which dials the national center.
struct Chain {
    office: Office,
    national: Node,
    prefecture: Node,
    cs: Node,
    kept: Kept,
}

async fn chain() -> Chain {
    let office = Office::new();
    let mut national = Node::start(office.listening("national", &[HUB]));
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.peers.push(PeerSettings {
        name: id("national"),
        interface: Interface::NationalLine,
        dial: Some(national.dial()),
        line_bps: 0,
    });
    let mut prefecture = Node::start(settings);
    let kept = Kept::default();
    let mut settings = office.dialling(GOOD, HUB, prefecture.dial());
    settings.keep_revocation_list = kept.keeper();
    let mut cs = Node::start(settings);
    national.up(HUB).await;
    // The two links come up in either order.
    cs.up(HUB).await;
    while !prefecture.transport.peers().iter().all(|peer| peer.up) {
        prefecture.next().await;
    }
    Chain {
        office,
        national,
        prefecture,
        cs,
        kept,
    }
}

#[tokio::test]
async fn a_new_list_reaches_the_peers_peer_downward_and_upward() {
    let mut chain = chain().await;
    let second = chain.office.revocation_list(2, &[]);
    chain.national.transport.install_crl(&second).unwrap();
    assert_eq!(chain.prefecture.new_list().await, second);
    assert_eq!(chain.cs.new_list().await, second);
    assert_eq!(chain.cs.transport.revocation_list(), second);
    assert_eq!(chain.kept.lists(), [second]);

    let third = chain.office.revocation_list(3, &[]);
    chain.cs.transport.install_crl(&third).unwrap();
    assert_eq!(chain.national.new_list().await, third);
    assert_eq!(chain.kept.lists().len(), 2);
}

#[tokio::test]
async fn whoever_has_the_older_list_gets_the_newer_after_hello() {
    let office = Office::new();
    let newer = office.revocation_list(9, &[]);
    for hub_has_it in [true, false] {
        let mut settings = office.listening(HUB, &[GOOD]);
        if hub_has_it {
            settings.identity.revocation_list.clone_from(&newer);
        }
        let mut hub = Node::start(settings);
        let mut settings = office.dialling(GOOD, HUB, hub.dial());
        if !hub_has_it {
            settings.identity.revocation_list.clone_from(&newer);
        }
        let mut cs = Node::start(settings);
        let receiver = if hub_has_it { &mut cs } else { &mut hub };
        assert_eq!(receiver.new_list().await, newer);
    }
}

#[tokio::test]
async fn a_list_that_is_old_or_not_the_registrars_is_not_installed() {
    let office = Office::new();
    let kept = Kept::default();
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.identity.revocation_list = office.revocation_list(5, &[]);
    settings.keep_revocation_list = kept.keeper();
    let hub = Node::start(settings);
    let install = |der: &[u8]| hub.transport.install_crl(der);
    assert!(matches!(
        install(&office.revocation_list(4, &[])),
        Err(InstallError::NotNewer(5))
    ));
    assert!(matches!(
        install(&office.revocation_list(5, &[])),
        Err(InstallError::NotNewer(5))
    ));
    assert!(matches!(
        install(&Office::new().revocation_list(6, &[])),
        Err(InstallError::Invalid(_))
    ));
    assert!(matches!(install(b"garbage"), Err(InstallError::Invalid(_))));
    assert!(kept.lists().is_empty());
    install(&office.revocation_list(6, &[])).unwrap();
    assert_eq!(kept.lists().len(), 1);
}

#[tokio::test]
async fn a_forged_list_from_a_peer_breaks_its_link_and_no_other() {
    let mut pair = Pair::start().await;
    let connection = raw::connect(
        raw::client_config(&pair.office.identity(BAD)),
        HUB,
        pair.hub.address(),
    )
    .await
    .unwrap();
    let mut streams = raw::greet(&connection, BAD).await;
    pair.hub.up(BAD).await;
    let list = Office::new().revocation_list(100, &[]);
    let update = juki_wire::hello::control::Kind::Revocation(juki_wire::RevocationUpdate { list });
    streams
        .control
        .0
        .write_all(&raw::control(update))
        .await
        .unwrap();
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::CertificateUnknownAuthority)
    );
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::CertificateUnknownAuthority)
    );
    pair.undisturbed().await;
}

#[tokio::test]
async fn an_expired_list_is_told_and_blocks_no_hello() {
    let office = Office::new();
    let old = office
        .issuing
        .revocation_list(1, &[], now_s() - 7200, now_s() - 3600)
        .unwrap();
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.identity.revocation_list.clone_from(&old);
    let mut hub = Node::start(settings);
    assert!(hub.transport.revocation_expired(now_s()));
    assert!(!hub.transport.revocation_expired(now_s() - 3601));
    let mut settings = office.dialling(GOOD, HUB, hub.dial());
    settings.identity.revocation_list = old;
    let mut cs = Node::start(settings);
    hub.up(GOOD).await;
    cs.up(HUB).await;
    // A newer list heals it over the very link.
    cs.transport
        .install_crl(&office.revocation_list(2, &[]))
        .unwrap();
    hub.new_list().await;
    assert!(!hub.transport.revocation_expired(now_s()));
}

#[tokio::test]
async fn a_list_that_cannot_be_kept_is_in_force_nevertheless() {
    let office = Office::new();
    let mut settings = office.listening(HUB, &[BAD]);
    settings.keep_revocation_list = Arc::new(|_| Err(std::io::ErrorKind::StorageFull.into()));
    settings.listeners = vec![Listener {
        interface: Interface::Line,
        address: "127.0.0.1:0".parse().unwrap(),
        announce: None,
    }];
    let mut hub = Node::start(settings);
    let bad = office.dialling(BAD, HUB, DialAddress::Fixed(hub.address()));
    let list = office.revocation_list(2, &[&bad.identity]);
    assert!(matches!(
        hub.transport.install_crl(&list),
        Err(InstallError::Keep(_))
    ));
    let _bad = Node::start(bad);
    let refused = tokio::time::timeout(Duration::from_secs(20), hub.refused())
        .await
        .unwrap();
    assert_eq!(refused, (Some(id(BAD)), ErrorCode::CertificateRevoked));
}
