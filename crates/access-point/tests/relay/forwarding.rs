//! What is forwarded, to whom and from whom.

use std::path::Path;
use std::time::Duration;

use access_point::AccessPoint;
use juki_line::LineSettings;
use juki_topology::NodeConfig;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::world::{PATIENCE, World};

#[tokio::test]
async fn datagrams_pass_both_ways_and_are_counted() {
    let world = World::start().await;
    let upper = world.upper().await;
    for len in [1, 100, 1_472] {
        world.echo(&vec![7; len]).await;
    }
    let status = world.status();
    assert_eq!(
        (
            status.upward.counters.line.delivered,
            status.downward.counters.line.delivered
        ),
        (3, 3)
    );
    assert_eq!(status.upward.counters.line.delivered_bytes, 1_573);
    assert_eq!((status.clients, status.undeliverable), (1, 0));
    assert_eq!(status.target, Some(upper.address));
}

#[tokio::test]
async fn the_bound_address_is_announced() {
    let world = World::start().await;
    let text = std::fs::read_to_string(world.folder.path().join("relay.addr")).expect("announced");
    let (name, address) = &world.access_point.bound()[0];
    assert_eq!((name.as_str(), text), ("cs-352047", format!("{address}\n")));
    assert_eq!(world.status().listen, *address);
}

#[tokio::test]
async fn clients_do_not_hear_each_other() {
    let world = World::start().await;
    let _upper = world.upper().await;
    let other = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
    other
        .connect(world.access_point.bound()[0].1)
        .await
        .expect("connected");
    world.echo(b"mine").await;
    other.send(b"other").await.expect("sent");
    let mut buffer = [0; 16];
    let len = timeout(PATIENCE, other.recv(&mut buffer))
        .await
        .expect("in time")
        .expect("received");
    assert_eq!(&buffer[..len], b"other");
    assert!(world.hears_nothing().await);
    assert_eq!(world.status().clients, 2);
}

#[tokio::test]
async fn more_than_64_senders_are_refused_and_the_first_ones_go_on() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"first").await;
    let mut others = Vec::new();
    for _ in 0..64 {
        let other = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
        other
            .send_to(b"x", world.access_point.bound()[0].1)
            .await
            .expect("sent");
        others.push(other);
    }
    world.echo(b"still here").await;
    assert_eq!(
        (world.status().clients, world.status().undeliverable),
        (64, 1)
    );
}

#[tokio::test]
async fn a_sender_that_was_silent_for_long_is_forgotten_and_welcome_again() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"once").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(20)).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.status().clients, 1, "twenty seconds are not long");
    tokio::time::advance(Duration::from_secs(20)).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.status().clients, 0);
    tokio::time::resume();
    world.echo(b"again").await;
    assert_eq!(world.status().clients, 1);
}

#[tokio::test]
async fn a_target_that_comes_later_is_found() {
    let world = World::start().await;
    world.lower.send(b"too early").await.expect("sent");
    assert!(world.hears_nothing().await);
    assert_eq!(
        (world.status().undeliverable, world.status().target),
        (1, None)
    );
    let _upper = world.upper().await;
    world.echo_eventually().await;
}

#[tokio::test]
async fn a_target_that_restarts_at_a_new_address_is_followed() {
    let world = World::start().await;
    for settings in [
        LineSettings::UNSHAPED,
        LineSettings::preset("fibre").expect("named"),
    ] {
        world
            .access_point
            .control()
            .set("cs-352047", None, settings)
            .expect("known");
        let first = world.upper().await;
        world.echo_eventually().await;
        first.stop().await;
        let second = world.upper().await;
        // A refusal tells the relay to look again at once and not only after a second.
        let found = world.echo_eventually().await;
        assert!(found < Duration::from_millis(500), "{found:?}");
        assert_eq!(
            (world.status().target, world.status().clients),
            (Some(second.address), 1)
        );
        second.stop().await;
    }
}

#[tokio::test]
async fn the_status_is_one_flat_object_per_direction() {
    let world = World::start().await;
    let json = serde_json::to_value(world.status()).expect("serialisable");
    assert_eq!(json["name"], "cs-352047");
    assert_eq!(json["up"], true);
    assert_eq!(json["upward"]["delivered"], 0);
    assert_eq!(json["upward"]["dropped_cut"], 0);
    assert_eq!(json["upward"]["settings"]["bandwidth_bps"], 0);
}

#[tokio::test]
async fn after_the_stop_nothing_is_forwarded() {
    let world = World::start().await;
    let upper = world.upper().await;
    world.echo(b"before").await;
    let World {
        access_point,
        lower,
        ..
    } = world;
    let address = access_point.bound()[0].1;
    access_point.stop().await;
    // The relay's port is free again.
    drop(UdpSocket::bind(address).await.expect("free"));
    drop(lower);
    upper.stop().await;
}

#[tokio::test]
async fn another_role_does_not_start() {
    let text = "[node]\nname = \"fw\"\nrole = \"firewall-proxy\"\nnetwork = \"n\"\n\
                [calendar]\nbase = \"2002-10-15\"\nanchor_unix_s = 0\nversion = 1\n";
    let config = NodeConfig::parse(text, "node.toml").expect("a configuration");
    let error = AccessPoint::start(&config, Path::new("/nowhere"))
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
