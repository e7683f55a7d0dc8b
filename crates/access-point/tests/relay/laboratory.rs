//! Lines that share a stretch, that are bad, that are written down, and a relay that starts again.

use std::time::Duration;

use access_point::AccessPoint;
use juki_line::{Disturbance, LineSettings};
use juki_topology::NodeConfig;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout};

use crate::world::{PATIENCE, Upper, World, announce, config, relay_address};

/// Two lines that share a stretch of 400 kbit/s.
const SHARED: &str = r#"
    [node]
    name = "ap-35-1"
    role = "access-point"
    network = "demo-1"
    [calendar]
    base = "2002-10-15"
    anchor_unix_s = 0
    version = 1
    [[relay]]
    name = "cs-352047"
    listen = "127.0.0.1:0"
    target = "file:target.addr"
    [[relay]]
    name = "cs-355011"
    listen = "127.0.0.1:0"
    target = "file:target.addr"
    [[segment]]
    name = "uplink"
    bandwidth_bps = 400000
    queue_bytes = 65536
    lines = ["cs-352047", "cs-355011"]
"#;

#[tokio::test]
async fn a_line_that_asks_a_little_is_served_beside_one_that_asks_for_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let upper = Upper::start().await;
    announce(folder.path(), upper.address);
    let config = NodeConfig::parse(SHARED, "node.toml").expect("a configuration");
    let access_point = AccessPoint::start(&config, folder.path())
        .await
        .expect("started");
    let mut ends = Vec::new();
    for (_, address) in access_point.bound() {
        let end = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
        end.connect(*address).await.expect("connected");
        ends.push(end);
    }
    // 40 packets of 1,000 bytes with their headers take 800 ms of the stretch.
    for _ in 0..40 {
        ends[0].send(&[1; 972]).await.expect("sent");
    }
    let start = Instant::now();
    let mut buffer = [0; 2_000];
    for _ in 0..3 {
        ends[1].send(&[2; 100]).await.expect("sent");
        let heard = timeout(PATIENCE, ends[1].recv(&mut buffer)).await;
        assert_eq!(heard.expect("in time").expect("received"), 100);
    }
    // Each waits for one packet of the other at most on either way: 20 ms twice, and its own time.
    let small = start.elapsed();
    assert!(small < Duration::from_millis(400), "{small:?}");
    for _ in 0..40 {
        let heard = timeout(PATIENCE, ends[0].recv(&mut buffer)).await;
        heard.expect("in time").expect("received");
    }
    let all = start.elapsed();
    assert!(
        all > Duration::from_millis(700),
        "the stretch has its bandwidth: {all:?}"
    );
    access_point.stop().await;
}

#[tokio::test]
async fn a_bad_line_doubles_and_damages_what_it_carries() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"find the target").await;
    let settings = LineSettings {
        disturbance: Disturbance {
            duplicate: 1.0,
            corrupt: 1.0,
            ..Disturbance::default()
        },
        ..LineSettings::UNSHAPED
    };
    let control = world.access_point.control();
    control
        .set("cs-352047", Some(juki_line::Direction::Upward), settings)
        .expect("known");
    world.lower.send(&[0; 64]).await.expect("sent");
    let mut bits = Vec::new();
    for _ in 0..2 {
        let mut buffer = [0; 128];
        let heard = timeout(PATIENCE, world.lower.recv(&mut buffer)).await;
        let length = heard.expect("in time").expect("received");
        bits.push(
            buffer[..length]
                .iter()
                .map(|byte| byte.count_ones())
                .sum::<u32>(),
        );
    }
    assert_eq!(bits, [1, 1]);
    let upward = world.status().upward.counters.line;
    assert_eq!((upward.duplicated, upward.corrupted), (1, 1));
}

#[tokio::test]
async fn a_relay_that_starts_again_is_where_it_was() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"before").await;
    let World {
        access_point,
        folder,
        lower,
    } = world;
    let before = relay_address(&access_point);
    access_point.stop().await;
    let access_point = AccessPoint::start(&config(), folder.path())
        .await
        .expect("started");
    assert_eq!(relay_address(&access_point), before);
    let world = World {
        access_point,
        folder,
        lower,
    };
    world.echo_eventually().await;
}

#[tokio::test]
async fn a_capture_holds_what_passed_in_both_directions() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"find the target").await;
    let path = world.folder.path().join("line.pcap");
    let control = world.access_point.control();
    control.capture("cs-352047", &path, 1 << 20).expect("begun");
    world.echo(b"written down").await;
    assert_eq!(world.status().capture.expect("a capture").datagrams, 2);
    control.end_capture("cs-352047").expect("known");
    world.echo(b"not any more").await;
    let bytes = std::fs::read(&path).expect("a file");
    let mut payloads = Vec::new();
    let mut rest = &bytes[24..];
    while rest.len() >= 16 {
        let length = u32::from_le_bytes(rest[8..12].try_into().expect("four")) as usize;
        let packet = &rest[16..16 + length];
        payloads.push(packet[28..].to_vec());
        rest = &rest[16 + length..];
    }
    assert_eq!(
        payloads,
        [b"written down".to_vec(), b"written down".to_vec()]
    );
}
