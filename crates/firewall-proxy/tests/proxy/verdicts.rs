//! What becomes of a frame.

use bytes::Bytes;
use juki_domain::ServiceId;
use juki_wire::{FrameKind, Priority};
use serde_json::json;

use crate::office::{CS, FAR, FIREWALL, OTHER_CS, PREFECTURE, World, frame, header, id};

#[tokio::test]
async fn a_frame_that_a_rule_names_passes_unchanged_both_ways() {
    let mut world = World::start().await;
    let up = frame(&header(CS, PREFECTURE, ServiceId::Journal, 1));
    world.cs.send(up.clone()).await;
    assert_eq!(world.far.frame().await, up);
    let down = frame(&header(PREFECTURE, CS, ServiceId::Journal, 2));
    world.far.send(down.clone()).await;
    assert_eq!(world.cs.frame().await, down);

    let bytes = up.len() + down.len();
    let status = world.proxy.handle().status();
    assert_eq!(
        status.more["passed"]["journal"],
        json!({"frames": 2, "bytes": bytes})
    );
    assert_eq!(status.more["refused"], json!({}));
    let hops = world.proxy.handle().trace([1; 16]);
    assert_eq!(hops.len(), 1);
    assert_eq!(
        (
            hops[0].from.as_str(),
            hops[0].to.as_str(),
            hops[0].verdict.as_str()
        ),
        (CS, FAR, "passed")
    );
}

#[tokio::test]
async fn bulk_frames_pass_as_well() {
    let mut world = World::start().await;
    let mut bulk = header(CS, PREFECTURE, ServiceId::Journal, 1);
    bulk.priority = Priority::Bulk;
    let long = bulk.frame(&vec![7; 262_144]).unwrap();
    world.cs.send(long.clone()).await;
    assert_eq!(world.far.frame().await, long);
}

#[tokio::test]
async fn a_frame_that_no_rule_names_comes_back_as_a_refusal() {
    let mut world = World::start().await;
    let asked = header(CS, PREFECTURE, ServiceId::Query, 3);
    world.cs.send(frame(&asked)).await;
    let (answer, refusal) = world.cs.refusal().await;
    assert_eq!(
        (refusal.code.as_str(), refusal.rule.as_str()),
        ("JKP-1001", "deny-by-default")
    );
    assert_eq!(
        (answer.source, answer.destination, answer.message_id),
        (id(PREFECTURE), id(CS), asked.message_id)
    );
    assert_eq!(world.refused("JKP-1001"), 1);
    assert_eq!(world.proxy.handle().trace([3; 16])[0].verdict, "JKP-1001");

    // Nothing of it reached the far side: the next frame there is the one sent now.
    let good = frame(&header(CS, PREFECTURE, ServiceId::Journal, 4));
    world.cs.send(good.clone()).await;
    assert_eq!(world.far.frame().await, good);
}

#[tokio::test]
async fn a_source_that_the_peer_does_not_speak_for_is_refused() {
    let mut world = World::start().await;
    world
        .cs
        .send(frame(&header(OTHER_CS, PREFECTURE, ServiceId::Journal, 5)))
        .await;
    let (_, refusal) = world.cs.refusal().await;
    assert_eq!(
        (refusal.code.as_str(), refusal.rule.as_str()),
        ("JKP-1002", "speaks-for")
    );
    // Nor does the line's side speak for a server inside.
    world
        .far
        .send(frame(&header(CS, CS, ServiceId::Journal, 6)))
        .await;
    assert_eq!(world.far.refusal().await.1.code, "JKP-1002");
}

#[tokio::test]
async fn a_frame_for_a_line_that_is_down_is_refused_and_passes_again_when_it_is_up() {
    let mut world = World::start().await;
    world.lose_far().await;
    let asked = header(CS, PREFECTURE, ServiceId::Journal, 7);
    world.cs.send(frame(&asked)).await;
    let (answer, refusal) = world.cs.refusal().await;
    assert_eq!(
        (
            refusal.code.as_str(),
            refusal.rule.as_str(),
            refusal.node.as_str()
        ),
        ("JKL-2001", "line", FIREWALL)
    );
    assert_eq!(answer.message_id, asked.message_id);
    assert_eq!(world.refused("JKL-2001"), 1);
    let status = world.proxy.handle().status();
    assert_eq!(status.more["passed"]["journal"]["frames"], json!(0));

    world.return_far().await;
    let again = frame(&asked);
    world.cs.send(again.clone()).await;
    assert_eq!(world.far.frame().await, again);
}

#[tokio::test]
async fn a_refused_refusal_is_answered_by_nobody() {
    let mut world = World::start().await;
    let mut refusal = header(CS, PREFECTURE, ServiceId::Query, 8);
    refusal.kind = FrameKind::Refusal;
    world.cs.send(frame(&refusal)).await;
    world
        .until(|status| status.more["refused"]["JKP-1001"] == json!(1))
        .await;
    // Frames of one class come in order: an answer would have come before this one's.
    world
        .cs
        .send(frame(&header(CS, PREFECTURE, ServiceId::Query, 9)))
        .await;
    assert_eq!(world.cs.refusal().await.0.message_id.0, [9; 16]);
}

#[tokio::test]
async fn garbage_is_counted_and_the_link_goes_on() {
    let mut world = World::start().await;
    let good = frame(&header(CS, PREFECTURE, ServiceId::Journal, 10));
    let cut = good.slice(..good.len() - 1);
    for garbage in [
        Bytes::from_static(b"\xff"),
        Bytes::from(vec![0xa5; 4_000]),
        cut,
    ] {
        world.cs.send(garbage).await;
    }
    world.cs.send(good.clone()).await;
    assert_eq!(world.far.frame().await, good);
    let status = world.proxy.handle().status();
    assert_eq!(
        status.more["refused"],
        json!({"JKW-1001": 2, "JKW-1003": 1})
    );
    assert!(status.peers.iter().all(|peer| peer.up));
}
