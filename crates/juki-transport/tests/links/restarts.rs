//! Nodes that stop, are killed, move and come back.

use std::time::{Duration, Instant};

use juki_domain::ErrorCode;
use juki_topology::{DialAddress, Interface};
use juki_transport::{LinkEvent, Listener, Timing};

use crate::office::{GOOD, HUB, Node, Office, announced, id};

fn patient() -> Timing {
    // So long that a test which waits for it fails.
    Timing {
        idle_timeout: Duration::from_secs(120),
        dial_timeout: Duration::from_secs(60),
        ..Timing::default()
    }
}

#[tokio::test]
async fn a_peer_that_stops_says_so_at_once() {
    let office = Office::new();
    let mut hub = Node::start(office.listening(HUB, &[GOOD]));
    let mut settings = office.dialling(GOOD, HUB, hub.dial());
    settings.timing = patient();
    let mut cs = Node::start(settings);
    hub.up(GOOD).await;
    cs.up(HUB).await;
    let began = Instant::now();
    hub.transport.shutdown().await;
    assert_eq!(cs.down(HUB).await, ErrorCode::LineDown);
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(matches!(
        cs.send(HUB, b"frame").await,
        Err(juki_transport::SendError::NotConnected)
    ));
}

#[tokio::test]
async fn each_side_knows_what_the_other_said_and_how_often_it_came_back() {
    let office = Office::new();
    let mut hub = Node::start(office.listening(HUB, &[GOOD]));
    for ups in 1..=2 {
        let mut cs = Node::start(office.dialling(GOOD, HUB, hub.dial()));
        hub.up(GOOD).await;
        cs.up(HUB).await;
        cs.transport.dialled_up(0).await;
        let (above, below) = (&cs.transport.peers()[0], &hub.transport.peers()[0]);
        assert_eq!((above.ups, below.ups), (1, ups));
        assert_eq!(above.address, Some(hub.address()));
        for said in [above, below].map(|peer| peer.said.clone().unwrap()) {
            assert_eq!((said.wire, said.calendar_version), (1, 1));
            assert!(!said.program.is_empty());
            assert!(said.clock_ahead_ms.unwrap().abs() < 60_000);
        }
        cs.transport.shutdown().await;
        assert_eq!(hub.down(GOOD).await, ErrorCode::LineDown);
    }
}

#[tokio::test]
async fn a_dialler_waits_for_its_peer_and_follows_it_to_another_address() {
    let office = Office::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/prefecture-35.line.addr");
    let mut settings = office.dialling(GOOD, HUB, announced(&path));
    settings.timing = patient();
    let mut cs = Node::start(settings);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), cs.events.recv())
            .await
            .is_err(),
        "no peer, no event"
    );
    for _ in 0..2 {
        // Killed without a word: its runtime goes, no close is sent.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut settings = office.listening(HUB, &[GOOD]);
        settings.timing = patient();
        settings.listeners = vec![Listener {
            interface: Interface::Line,
            address: "127.0.0.1:0".parse().unwrap(),
            announce: Some(path.clone()),
        }];
        let hub = {
            let _inside = runtime.enter();
            Node::start(settings)
        };
        let began = Instant::now();
        cs.up(HUB).await;
        assert!(began.elapsed() < Duration::from_secs(5));
        runtime.shutdown_background();
        drop(hub);
    }
}

#[tokio::test]
async fn a_peer_killed_and_restarted_at_its_address_is_back_long_before_the_idle_timeout() {
    let office = Office::new();
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.timing = patient();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let hub = {
        let _inside = runtime.enter();
        Node::start(settings.clone())
    };
    let address = hub.address();
    let mut dialling = office.dialling(GOOD, HUB, DialAddress::Fixed(address));
    dialling.timing = patient();
    let mut cs = Node::start(dialling);
    cs.up(HUB).await;
    runtime.shutdown_background();
    drop(hub);
    while std::net::UdpSocket::bind(address).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    settings.listeners[0].address = address;
    let mut hub = Node::start(settings);
    let began = Instant::now();
    // The next probe is answered by a reset that the dialler believes.
    assert_eq!(cs.down(HUB).await, ErrorCode::LineDown);
    cs.up(HUB).await;
    hub.up(GOOD).await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_newer_connection_of_the_same_peer_replaces_the_older() {
    let office = Office::new();
    let mut hub = Node::start(office.listening(HUB, &[GOOD]));
    let settings = office.dialling(GOOD, HUB, hub.dial());
    let mut older = Node::start(settings.clone());
    older.up(HUB).await;
    hub.up(GOOD).await;
    let mut newer = Node::start(settings);
    newer.up(HUB).await;
    assert!(matches!(
        hub.next().await,
        LinkEvent::Down {
            code: ErrorCode::LineDown,
            ..
        }
    ));
    assert!(matches!(hub.next().await, LinkEvent::Up { .. }));
    assert_eq!(older.down(HUB).await, ErrorCode::LineDown);
    older.transport.shutdown().await;
    newer.send(HUB, b"newer").await.unwrap();
    let _ = hub
        .until(|event| {
            matches!(event, LinkEvent::Frame { frame, .. } if frame.as_ref() == b"newer")
                .then_some(())
        })
        .await;
    assert_eq!(hub.transport.peers()[0].name, id(GOOD));
}
