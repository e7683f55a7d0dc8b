use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::SystemRandomness;

fn names() -> (NodeId, NodeId) {
    (
        "cs-352047".parse().unwrap(),
        "prefecture-35".parse().unwrap(),
    )
}

fn pair() -> (Session, Session, Opening) {
    let (me, peer) = names();
    let (sign, seal) = (
        SigningKey::generate(&SystemRandomness).unwrap(),
        SealingKey::generate().unwrap(),
    );
    let (initiator, opening) = Session::open(
        &SystemRandomness,
        (&me, &sign),
        (&peer, seal.public()),
        b"boot",
        5,
    )
    .unwrap();
    let responder =
        Session::accept(&opening, (&me, &sign.public()), (&peer, &seal), b"boot", 4).unwrap();
    (initiator, responder, opening)
}

#[test]
fn both_directions_open_and_nothing_opens_twice() {
    let (mut initiator, mut responder, _) = pair();
    let sequence = initiator.take_sequence();
    let body = initiator.seal(sequence, b"header", b"question");
    assert_eq!(
        responder.open_body(sequence, b"header", &body).unwrap(),
        b"question"
    );
    assert_eq!(
        responder.open_body(sequence, b"header", &body),
        Err(SealError::Replayed)
    );
    let sequence = responder.take_sequence();
    let body = responder.seal(sequence, b"header", b"answer");
    assert_eq!(
        initiator.open_body(sequence, b"header", &body).unwrap(),
        b"answer"
    );
    assert_eq!(
        responder.open_body(9, b"header", &body),
        Err(SealError::NotOpened)
    );
}

#[test]
fn a_changed_header_body_or_number_does_not_open_and_spoils_nothing() {
    let (mut initiator, mut responder, _) = pair();
    let sequence = initiator.take_sequence();
    let body = initiator.seal(sequence, b"header", b"question");
    assert_eq!(
        responder.open_body(sequence, b"Header", &body),
        Err(SealError::NotOpened)
    );
    assert_eq!(
        responder.open_body(sequence + 1, b"header", &body),
        Err(SealError::NotOpened)
    );
    let mut changed = body.clone();
    changed[3] ^= 1;
    assert_eq!(
        responder.open_body(sequence, b"header", &changed),
        Err(SealError::NotOpened)
    );
    assert!(responder.open_body(sequence, b"header", &body).is_ok());
}

#[test]
fn an_opening_serves_one_boot_one_pair_of_names_and_rising_counters() {
    let (me, peer) = names();
    let (sign, seal) = (
        SigningKey::generate(&SystemRandomness).unwrap(),
        SealingKey::generate().unwrap(),
    );
    let (_, opening) = Session::open(
        &SystemRandomness,
        (&me, &sign),
        (&peer, seal.public()),
        b"boot",
        5,
    )
    .unwrap();
    let accept = |opening: &Opening, source: &NodeId, boot: &[u8], before| {
        Session::accept(
            opening,
            (source, &sign.public()),
            (&peer, &seal),
            boot,
            before,
        )
        .map(|_| ())
    };
    assert_eq!(accept(&opening, &me, b"boot", 4), Ok(()));
    assert_eq!(accept(&opening, &me, b"next", 4), Err(SealError::Stale));
    assert_eq!(accept(&opening, &me, b"boot", 5), Err(SealError::Stale));
    assert_eq!(
        accept(&opening, &peer, b"boot", 4),
        Err(SealError::Signature)
    );
    let forged = Opening {
        counter: 9,
        ..opening
    };
    assert_eq!(accept(&forged, &me, b"boot", 4), Err(SealError::Signature));
}

proptest! {
    #[test]
    fn the_window_agrees_with_a_plain_set(numbers in proptest::collection::vec(0u64..3000, 1..400)) {
        let (mut window, mut seen, mut end) = (ReplayWindow::default(), BTreeSet::new(), 0u64);
        for number in numbers {
            let expected = !seen.contains(&number) && (number >= end || end - number <= ReplayWindow::SIZE);
            prop_assert_eq!(window.is_new(number), expected, "number {} end {}", number, end);
            if expected { window.mark(number); seen.insert(number); end = end.max(number + 1); }
        }
    }
}
