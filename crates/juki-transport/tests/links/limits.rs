//! What a listener takes, and what becomes of those who ask for more.

use std::net::SocketAddr;
use std::time::Duration;

use juki_domain::ErrorCode;
use juki_transport::{LinkEvent, initials};

use crate::office::{BAD, HUB, Node, Office, Pair, id};
use crate::raw;

#[tokio::test]
async fn a_storm_of_sixty_peers_that_come_back_at_once_is_let_in() {
    let office = Office::new();
    let names: Vec<String> = (0..60)
        .map(|at| format!("cs-{:06}", 350_000 + at))
        .collect();
    let accepted: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut settings = office.listening(HUB, &accepted);
    settings.timing.hello_timeout = Duration::from_secs(10);
    let mut hub = Node::start(settings);
    // All of them dial before the hub looks at its events for the first time.
    let peers: Vec<Node> = names
        .iter()
        .map(|name| Node::start(office.dialling(name, HUB, hub.dial())))
        .collect();
    let mut up = 0;
    while up < names.len() {
        match hub.next().await {
            LinkEvent::Up { .. } => up += 1,
            LinkEvent::Refused { code, .. } => panic!("{} for an honest peer", code.code()),
            LinkEvent::Down { peer, code } => panic!("{peer} went down: {}", code.code()),
            LinkEvent::Frame { .. } | LinkEvent::NewCrl { .. } | LinkEvent::NewNotice { .. } => {}
        }
    }
    drop(peers);
}

#[tokio::test]
async fn a_flood_of_first_packets_is_turned_away_and_told_by_number() {
    let mut pair = Pair::start_with(|_, settings| {
        settings.limits.handshakes_per_s = 10;
        settings.limits.retry_from = 5;
    })
    .await;
    let flood = initials::make(400).await.unwrap();
    send_all(&flood, pair.hub.address(), 8).await;
    let turned_away = pair
        .hub
        .until(|event| match event {
            LinkEvent::Refused {
                code: ErrorCode::ListenerBusy,
                count,
                ..
            } => Some(count),
            LinkEvent::Refused { .. }
            | LinkEvent::Up { .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Frame { .. }
            | LinkEvent::NewCrl { .. }
            | LinkEvent::NewNotice { .. } => None,
        })
        .await;
    assert!((100..=400).contains(&turned_away), "{turned_away} of 400");
    pair.undisturbed().await;
    // A peer that was not there before comes in beside what the flood has left open.
    let _late = Node::start(pair.bad());
    pair.hub.up(BAD).await;
}

#[tokio::test]
async fn handshakes_that_are_not_completed_are_cut_and_told() {
    let mut pair = Pair::start_with(|_, settings| {
        settings.timing.hello_timeout = Duration::from_millis(300);
    })
    .await;
    let flood = initials::make(8).await.unwrap();
    send_all(&flood, pair.hub.address(), 8).await;
    let mut cut = 0;
    while cut < 8 {
        cut += pair
            .hub
            .until(|event| match event {
                LinkEvent::Refused { code, count, .. } => Some((code, count)),
                LinkEvent::Up { .. }
                | LinkEvent::Down { .. }
                | LinkEvent::Frame { .. }
                | LinkEvent::NewCrl { .. }
                | LinkEvent::NewNotice { .. } => None,
            })
            .await
            .1;
    }
    assert_eq!(cut, 8);
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_frame_that_trickles_is_cut_with_a_code_of_its_own() {
    let mut pair = Pair::start_with(|_, settings| {
        settings.limits.frame_timeout = Duration::from_millis(400);
        settings.limits.frame_bytes_per_s_min = 1_000_000;
    })
    .await;
    let config = raw::client_config(&pair.office.identity(BAD));
    let connection = raw::connect(config, HUB, pair.hub.address()).await.unwrap();
    let mut bad = raw::greet(&connection, BAD).await;
    // A frame of 60,000 bytes, one byte at a time.
    bad.interactive
        .0
        .write_all(&60_000u32.to_be_bytes())
        .await
        .unwrap();
    let trickle = async {
        loop {
            if bad.interactive.0.write_all(b"x").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), trickle)
        .await
        .expect("cut in time");
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::FrameTooSlow)
    );
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::FrameTooSlow)
    );
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_peer_ahead_of_its_pace_waits_and_loses_nothing() {
    let mut pair = Pair::start_with(|_, settings| {
        settings.limits.peer_frames_per_s = 200;
    })
    .await;
    let bad = Node::start(pair.bad());
    pair.hub.up(BAD).await;
    let sent = async {
        for _ in 0..300 {
            while bad.send(HUB, b"one of many").await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    let mut came = 0;
    let taken = async {
        while came < 300 {
            let (peer, frame) = pair.hub.frame().await;
            assert_eq!((peer, frame.as_ref()), (id(BAD), b"one of many".as_slice()));
            came += 1;
        }
    };
    tokio::join!(sent, taken);
    pair.undisturbed().await;
}

#[tokio::test]
async fn a_peer_that_opens_link_after_link_is_refused() {
    let mut pair = Pair::start_with(|_, settings| {
        settings.limits.peer_links_per_min = 6;
    })
    .await;
    let config = raw::client_config(&pair.office.identity(BAD));
    let mut codes = Vec::new();
    for _ in 0..4 {
        let connection = raw::connect(config.clone(), HUB, pair.hub.address())
            .await
            .unwrap();
        let _control = raw::say(&connection, raw::hello("another")).await;
        codes.push(raw::closed_with(&connection).await.unwrap());
    }
    let other = ErrorCode::CertificateOtherNode;
    assert_eq!(codes, [other, other, other, ErrorCode::PeerTooOften]);
    while pair.hub.refused().await.1 != ErrorCode::PeerTooOften {}
    pair.undisturbed().await;
}

/// Sends every packet once, from so many sockets in turn.
async fn send_all(packets: &[initials::Initial], to: SocketAddr, sockets: usize) {
    let mut bound = Vec::new();
    for _ in 0..sockets {
        bound.push(tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap());
    }
    for (packet, socket) in packets.iter().zip(bound.iter().cycle()) {
        socket.send_to(packet, to).await.unwrap();
    }
}
