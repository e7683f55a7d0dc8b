//! Frames on links, and streams that break the rules.

use std::time::Duration;

use bytes::Bytes;
use juki_domain::ErrorCode;
use juki_transport::{Class, SendError};

use crate::office::{BAD, GOOD, HUB, Node, Office, Pair, id};
use crate::raw;

#[tokio::test]
async fn frames_pass_both_ways_in_both_classes_and_in_order() {
    let office = Office::new();
    let mut hub = Node::start(office.listening(HUB, &[GOOD]));
    let mut cs = Node::start(office.dialling(GOOD, HUB, hub.dial()));
    hub.up(GOOD).await;
    cs.up(HUB).await;
    for class in [Class::Interactive, Class::Bulk] {
        let sent: Vec<_> = (0..500u32)
            .map(|n| {
                let len = if n % 100 == 0 {
                    524_288
                } else {
                    usize::try_from(n * 37 % 9_000 + 4).unwrap()
                };
                let mut frame = n.to_be_bytes().to_vec();
                frame.resize(len, u8::try_from(n % 251).unwrap());
                Bytes::from(frame)
            })
            .collect();
        let (up, down) = (cs.transport.clone(), hub.transport.clone());
        let frames = sent.clone();
        let sending = tokio::spawn(async move {
            for frame in frames {
                up.send_wait(&id(HUB), class, frame.clone()).await.unwrap();
                down.send_wait(&id(GOOD), class, frame).await.unwrap();
            }
        });
        // Read alternately, since neither end may stop reading.
        for frame in &sent {
            assert_eq!(&hub.frame().await, &(id(GOOD), frame.clone()));
            assert_eq!(&cs.frame().await, &(id(HUB), frame.clone()));
        }
        sending.await.unwrap();
    }
}

#[tokio::test]
async fn sending_without_a_link_or_beyond_the_bounds_is_refused() {
    let office = Office::new();
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.frame_bytes_max = 1000;
    let hub = Node::start(settings);
    let frame = Bytes::from_static(b"frame");
    assert_eq!(
        hub.transport.send(&id(GOOD), Class::Bulk, frame.clone()),
        Err(SendError::NotConnected)
    );
    assert_eq!(
        hub.transport
            .send(&id("nobody"), Class::Bulk, frame.clone()),
        Err(SendError::NotConnected)
    );
    assert_eq!(
        hub.transport.send_wait(&id(GOOD), Class::Bulk, frame).await,
        Err(SendError::NotConnected)
    );
    assert_eq!(
        hub.transport
            .send(&id(GOOD), Class::Bulk, vec![0; 1001].into()),
        Err(SendError::TooLong)
    );
}

#[tokio::test]
async fn a_peer_that_reads_nothing_fills_its_queue_and_no_other() {
    let mut pair = Pair::start().await;
    let connection = raw::connect(
        raw::client_config(&pair.office.identity(BAD)),
        HUB,
        pair.hub.address(),
    )
    .await
    .unwrap();
    let _streams = raw::greet(&connection, BAD).await;
    pair.hub.up(BAD).await;
    let frame = Bytes::from(vec![7; 500_000]);
    let full = async {
        loop {
            match pair
                .hub
                .transport
                .send(&id(BAD), Class::Bulk, frame.clone())
            {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => return error,
            }
        }
    };
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(20), full).await,
        Ok(SendError::QueueFull)
    );
    assert_eq!(
        pair.hub
            .transport
            .send(&id(BAD), Class::Interactive, Bytes::from_static(b"urgent")),
        Ok(())
    );
    pair.undisturbed().await;
}

#[tokio::test]
async fn an_interactive_frame_reaches_a_peer_that_reads_no_bulk_frame() {
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
    while pair
        .hub
        .transport
        .send(&id(BAD), Class::Bulk, Bytes::from(vec![7; 500_000]))
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
    pair.hub.send(BAD, b"urgent").await.unwrap();
    let mut bytes = [0; 10];
    tokio::time::timeout(
        Duration::from_secs(20),
        streams.interactive.1.read_exact(&mut bytes),
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(&bytes, b"\0\0\0\x06urgent");
}

async fn broken_by(bytes: &[u8], finish: bool, bulk: bool) -> ErrorCode {
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
    let stream = if bulk {
        &mut streams.bulk.0
    } else {
        &mut streams.interactive.0
    };
    stream.write_all(bytes).await.unwrap();
    if finish {
        stream.finish().unwrap();
    }
    let code = raw::closed_with(&connection).await.unwrap();
    assert_eq!(pair.hub.refused().await, (Some(id(BAD)), code));
    assert_eq!(pair.hub.down(BAD).await, code);
    pair.undisturbed().await;
    code
}

#[tokio::test]
async fn an_oversized_frame_breaks_the_link_on_either_stream() {
    assert_eq!(
        broken_by(&524_289u32.to_be_bytes(), false, false).await,
        ErrorCode::FrameTooLong
    );
    assert_eq!(
        broken_by(&u32::MAX.to_be_bytes(), false, true).await,
        ErrorCode::FrameTooLong
    );
}

#[tokio::test]
async fn a_truncated_frame_breaks_the_link() {
    assert_eq!(
        broken_by(b"\0\0\0\x05four", true, false).await,
        ErrorCode::FrameTruncated
    );
    assert_eq!(
        broken_by(b"\0\0", true, true).await,
        ErrorCode::FrameTruncated
    );
    assert_eq!(
        broken_by(b"\0\0\0\0", false, false).await,
        ErrorCode::FrameTruncated
    );
}

#[tokio::test]
async fn garbage_on_the_control_stream_breaks_the_link() {
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
    streams
        .control
        .0
        .write_all(b"\0\0\0\x04\xff\xff\xff\xff")
        .await
        .unwrap();
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::FrameGarbage)
    );
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::FrameGarbage)
    );
    pair.undisturbed().await;
}
