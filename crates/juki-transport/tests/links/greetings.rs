//! Hello, its answer, and those who do not say it.

use juki_domain::ErrorCode;
use juki_topology::{DialAddress, Interface};
use juki_transport::LinkEvent;
use juki_wire::hello::control::Kind;
use juki_wire::{Hello, HelloAck};

use crate::office::{BAD, GOOD, HUB, Node, Office, Pair, calendar, id};
use crate::raw;

async fn refused_after(hello: Hello) -> ErrorCode {
    let mut pair = Pair::start().await;
    let connection = raw::connect(
        raw::client_config(&pair.office.identity(BAD)),
        HUB,
        pair.hub.address(),
    )
    .await
    .unwrap();
    let _control = raw::say(&connection, hello).await;
    let code = raw::closed_with(&connection).await.unwrap();
    assert_eq!(pair.hub.refused().await, (Some(id(BAD)), code));
    pair.undisturbed().await;
    code
}

#[tokio::test]
async fn a_hello_of_another_network_is_refused() {
    let hello = Hello {
        network: "other".to_owned(),
        ..raw::hello(BAD)
    };
    assert_eq!(refused_after(hello).await, ErrorCode::HelloFailed);
}

#[tokio::test]
async fn a_hello_of_another_node_than_the_certificates_is_refused() {
    assert_eq!(
        refused_after(raw::hello(GOOD)).await,
        ErrorCode::CertificateOtherNode
    );
}

#[tokio::test]
async fn a_hello_of_another_version_is_refused() {
    assert_eq!(
        refused_after(Hello {
            version: 99,
            ..raw::hello(BAD)
        })
        .await,
        ErrorCode::FrameVersion
    );
}

#[tokio::test]
async fn garbage_silence_and_excess_instead_of_hello_are_refused() {
    let garbage: [&[u8]; 5] = [
        b"\0\0\0\0\x04\xff\xff\xff\xff",
        b"\x07",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\x10\0\0",
        b"\0\0\0\0\0",
    ];
    for bytes in garbage {
        let mut pair = Pair::start().await;
        let connection = raw::connect(
            raw::client_config(&pair.office.identity(BAD)),
            HUB,
            pair.hub.address(),
        )
        .await
        .unwrap();
        let _stream = raw::open(&connection, bytes).await;
        assert_eq!(
            raw::closed_with(&connection).await,
            Some(ErrorCode::HelloFailed),
            "{bytes:?}"
        );
        assert_eq!(
            pair.hub.refused().await,
            (Some(id(BAD)), ErrorCode::HelloFailed)
        );
        pair.undisturbed().await;
    }
    let mut pair = Pair::start().await;
    let connection = raw::connect(
        raw::client_config(&pair.office.identity(BAD)),
        HUB,
        pair.hub.address(),
    )
    .await
    .unwrap();
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::HandshakeTooSlow),
        "silence"
    );
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::HandshakeTooSlow)
    );
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_dialler_counts_the_link_as_up_only_after_the_answer() {
    let office = Office::new();
    let silent = raw::server(&office.identity(HUB));
    let mut cs =
        Node::start(office.dialling(GOOD, HUB, DialAddress::Fixed(silent.local_addr().unwrap())));
    let connection = silent.accept().await.unwrap().await.unwrap();
    // The handshake is done and nobody answers the hello.
    assert!(matches!(
        cs.next().await,
        LinkEvent::Refused { interface: Interface::Line, peer: Some(peer), code: ErrorCode::HandshakeTooSlow, .. } if peer == id(HUB)
    ));
    assert!(matches!(
        cs.next().await,
        LinkEvent::Down {
            code: ErrorCode::HandshakeTooSlow,
            ..
        }
    ));
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::HandshakeTooSlow)
    );
    assert!(!cs.transport.peers()[0].up);
}

#[tokio::test]
async fn a_dialler_refuses_an_answer_of_another_node() {
    let office = Office::new();
    let server = raw::server(&office.identity(HUB));
    let mut cs =
        Node::start(office.dialling(GOOD, HUB, DialAddress::Fixed(server.local_addr().unwrap())));
    let connection = server.accept().await.unwrap().await.unwrap();
    let (mut send, _receive) = connection.accept_bi().await.unwrap();
    let ack = Kind::HelloAck(HelloAck {
        hello: Some(raw::hello(BAD)),
    });
    send.write_all(&raw::control(ack)).await.unwrap();
    assert_eq!(
        cs.refused().await,
        (Some(id(HUB)), ErrorCode::CertificateOtherNode)
    );
}

#[tokio::test]
async fn calendars_more_than_a_day_apart_are_reported_and_the_link_stays_up() {
    let office = Office::new();
    for (date, apart) in [
        ("2002-10-15", false),
        ("2002-10-16", false),
        ("2002-10-17", true),
        ("2002-10-12", true),
    ] {
        let mut hub = Node::start(office.listening(HUB, &[GOOD]));
        let mut settings = office.dialling(GOOD, HUB, hub.dial());
        settings.calendar = calendar(date);
        let mut cs = Node::start(settings);
        assert_eq!(
            (hub.up(GOOD).await, cs.up(HUB).await),
            (apart, apart),
            "{date}"
        );
        cs.send(HUB, b"frame").await.unwrap();
        assert_eq!(hub.frame().await.1.as_ref(), b"frame");
    }
}
