//! Lines that are down, slow, far or narrow.

use std::time::{Duration, Instant};

use access_point::ControlError;
use juki_line::LineSettings;
use tokio::time::timeout;

use crate::world::{PATIENCE, World};

#[tokio::test]
async fn a_line_that_is_down_drops_everything_and_a_mended_one_carries_again() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"before").await;
    let control = world.access_point.control();
    control.down("cs-352047", None).expect("known");
    for _ in 0..10 {
        world.lower.send(b"lost").await.expect("sent");
    }
    assert!(world.hears_nothing().await);
    let status = world.status();
    assert!(!status.up);
    assert_eq!(
        (
            status.upward.counters.line.dropped_down,
            status.upward.counters.line.delivered
        ),
        (10, 1)
    );
    control.up("cs-352047", None).expect("known");
    world.echo(b"after").await;
}

#[tokio::test]
async fn a_cut_loses_what_is_on_its_way() {
    let world = World::start().await;
    let _upper = world.upper().await;
    let control = world.access_point.control();
    let delayed = LineSettings {
        delay_us: 100_000,
        ..LineSettings::UNSHAPED
    };
    control.set("cs-352047", None, delayed).expect("known");
    world.lower.send(b"on its way").await.expect("sent");
    while world.status().upward.counters.line.delivered == 0 {
        tokio::task::yield_now().await;
    }
    control.down("cs-352047", None).expect("known");
    control.up("cs-352047", None).expect("known");
    assert!(world.hears_nothing().await);
    let upward = world.status().upward;
    assert_eq!(
        (upward.counters.dropped_cut, upward.counters.line.delivered),
        (1, 0)
    );
}

#[tokio::test]
async fn a_slow_line_takes_its_time() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"find the target").await;
    let settings = LineSettings {
        bandwidth_bps: 1_000_000,
        queue_bytes: 65_536,
        mtu: 1_500,
        ..LineSettings::UNSHAPED
    };
    world
        .access_point
        .control()
        .set("cs-352047", None, settings)
        .expect("known");
    let start = Instant::now();
    let payload = [7; 972];
    for _ in 0..50 {
        world.lower.send(&payload).await.expect("sent");
    }
    let mut buffer = [0; 2_000];
    for _ in 0..50 {
        timeout(PATIENCE, world.lower.recv(&mut buffer))
            .await
            .expect("in time")
            .expect("received");
    }
    // 50 x 8,000 bits up take 400 ms, the last one 8 ms more down.
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(400), "{elapsed:?}");
    assert!(elapsed < Duration::from_millis(600), "{elapsed:?}");
}

#[tokio::test]
async fn delay_holds_in_each_direction() {
    let world = World::start().await;
    let _upper = world.upper().await;
    world.echo(b"find the target").await;
    let settings = LineSettings {
        delay_us: 40_000,
        ..LineSettings::UNSHAPED
    };
    world
        .access_point
        .control()
        .set("cs-352047", None, settings)
        .expect("known");
    let there_and_back = world.echo(b"slowly").await;
    assert!(
        there_and_back >= Duration::from_millis(80),
        "{there_and_back:?}"
    );
    assert!(
        there_and_back < Duration::from_millis(180),
        "{there_and_back:?}"
    );
}

#[tokio::test]
async fn a_datagram_beyond_the_mtu_is_dropped() {
    let world = World::start().await;
    let _upper = world.upper().await;
    let settings = LineSettings {
        mtu: 1_228,
        ..LineSettings::UNSHAPED
    };
    world
        .access_point
        .control()
        .set("cs-352047", None, settings)
        .expect("known");
    world.echo(&[7; 1_200]).await;
    world.lower.send(&[7; 1_201]).await.expect("sent");
    assert!(world.hears_nothing().await);
    assert_eq!(world.status().upward.counters.line.dropped_too_long, 1);
}

#[tokio::test]
async fn unknown_lines_and_odd_numbers_are_refused() {
    let world = World::start().await;
    let control = world.access_point.control();
    let unknown = ControlError::UnknownLine("cs-355011".to_owned());
    assert_eq!(control.down("cs-355011", None), Err(unknown));
    let odd = LineSettings {
        loss: 2.0,
        ..LineSettings::UNSHAPED
    };
    assert!(matches!(
        control.set("cs-352047", None, odd),
        Err(ControlError::Settings(_))
    ));
    assert_eq!(world.status().upward.settings, LineSettings::UNSHAPED);
}
