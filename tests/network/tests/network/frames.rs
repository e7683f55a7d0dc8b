//! A node that is what it says it is and sends what it may not.

use juki_domain::{ErrorCode, ServiceId};
use juki_wire::FRAME_BYTES_MAX;
use network::{Deployment, Hostile, Seat, firewall_codes, security_notes, until};

const OWN: &str = "cs-355011";
const FIREWALL: &str = "fw-cs-355011";

/// A network in which the place of one communication server is free.
fn without_own() -> Deployment {
    let net = Deployment::made();
    let _up = net
        .jukinet(&["up", "net", "--detach", "--except", OWN])
        .held();
    until("the other nodes", || {
        let rows = net.status();
        rows.iter()
            .all(|row| row["state"] == "ready" || row["node"] == OWN)
            .then_some(())
    });
    net
}

/// The node itself takes its place back, and everything works.
fn own_again(net: &Deployment) {
    let config = net.node(OWN).join("node.toml");
    let _own = net.start("municipal-cs", &["--config", config.to_str().unwrap()]);
    until("the node in its own place", || {
        net.report(OWN)
            .filter(|report| report.peers.iter().all(|peer| peer.up))
    });
    net.passes(OWN, "own-again");
}

fn refused(net: &Deployment, code: ErrorCode) -> u64 {
    net.report(FIREWALL)
        .and_then(|report| report.more["refused"][code.code()].as_u64())
        .unwrap_or(0)
}

#[test]
fn frames_that_cannot_be_read_are_refused_each_with_its_code_and_nothing_else_is_disturbed() {
    let net = without_own();
    let mut peer = Hostile::sit(&net, Seat::of(OWN));
    peer.link_up();
    let good = peer
        .header(ServiceId::Journal, "prefecture-35")
        .frame(b"body")
        .unwrap();
    let with = |at: usize, value: u8| {
        let mut frame = good.to_vec();
        frame[at] = value;
        frame
    };
    let cases = [
        (ErrorCode::FrameTruncated, good[..good.len() - 1].to_vec()),
        (ErrorCode::FrameTooLong, [good.as_ref(), b"more"].concat()),
        (ErrorCode::FrameVersion, with(0, 9)),
        (ErrorCode::FrameGarbage, with(1, 77)),
        (ErrorCode::ServiceUnknown, with(2, 200)),
    ];
    for (code, frame) in cases.clone() {
        peer.send(frame);
        until(code.code(), || (refused(&net, code) == 1).then_some(()));
        net.passes("cs-352047", &format!("beside-{}", code.code()));
    }
    assert!(
        net.metrics(FIREWALL)
            .contains("juki_frames_refused_total{error_code=\"JKW-1003\"} 1")
    );
    drop(peer);
    own_again(&net);
    net.down();
    net.is_quiet();
    let recorded = firewall_codes(&net, FIREWALL);
    for (code, _) in cases {
        assert!(
            recorded.iter().any(|recorded| recorded == code.code()),
            "{code} is not on record: {recorded:?}"
        );
    }
}

#[test]
fn a_frame_over_the_limit_breaks_the_link_and_the_link_comes_back() {
    let net = without_own();
    let mut peer = Hostile::sit(&net, Seat::of(OWN));
    peer.link_up();
    peer.send(vec![1; FRAME_BYTES_MAX + 1]);
    assert_eq!(peer.broken(), ErrorCode::FrameTooLong);
    net.passes("cs-352047", "beside-the-break");
    peer.link_up();
    drop(peer);
    own_again(&net);
    net.down();
    net.is_quiet();
    assert!(firewall_codes(&net, FIREWALL).contains(&"JKW-1002".to_owned()));
}

#[test]
fn frames_against_the_policy_are_refused_where_they_enter_and_recorded() {
    let net = without_own();
    let mut peer = Hostile::sit(&net, Seat::of(OWN));
    peer.link_up();
    let mut for_another = peer.header(ServiceId::Journal, "prefecture-35");
    for_another.source = "cs-352047".parse().unwrap();
    let not_named = peer.header(ServiceId::Query, "prefecture-35");
    let nowhere = peer.header(ServiceId::Journal, "national");
    let cases = [
        (ErrorCode::SourceNotSpokenFor, for_another),
        (ErrorCode::PolicyNoRule, not_named),
        (ErrorCode::NoRoute, nowhere),
    ];
    for (code, header) in &cases {
        peer.send(header.frame(&[5; 64]).unwrap());
        let refusal = peer.refusal(header.message_id);
        assert_eq!(
            (refusal.node.as_str(), refusal.code.as_str()),
            (FIREWALL, code.code())
        );
        assert_eq!(refused(&net, *code), 1);
    }
    net.passes("cs-352047", "beside-the-policy");
    drop(peer);
    own_again(&net);
    net.down();
    net.is_quiet();
    let recorded = firewall_codes(&net, FIREWALL);
    for (code, _) in &cases {
        assert!(
            recorded.iter().any(|recorded| recorded == code.code()),
            "{code} is not on record: {recorded:?}"
        );
    }
    assert!(
        security_notes(&net, "prefecture-35")
            .iter()
            .all(|note| note.source != "cs-355011"),
        "what was refused went on"
    );
}

#[test]
fn a_frame_that_comes_twice_is_taken_once_and_its_repetition_recorded() {
    let net = without_own();
    let mut peer = Hostile::sit(&net, Seat::of(OWN));
    peer.link_up();
    let (id, frame) = peer.say("prefecture-35", ServiceId::Journal, b"\x08\xbb\xaa\x15");
    peer.send(frame.clone());
    let refusal = peer.refusal(id);
    assert_eq!(
        (refusal.node.as_str(), refusal.code.as_str()),
        ("prefecture-35", "JKE-1002")
    );
    // One flipped bit of the sealed body is noticed too.
    let mut altered = frame.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    peer.send(altered);
    let refusal = peer.refusal(id);
    assert!(
        ["JKE-1002", "JKE-1003"].contains(&refusal.code.as_str()),
        "{}",
        refusal.code
    );
    net.passes("cs-352047", "beside-the-replay");
    drop(peer);
    own_again(&net);
    net.down();
    net.is_quiet();
    let notes = security_notes(&net, "prefecture-35");
    let replayed = notes.iter().find(|note| note.code == "JKE-1002").unwrap();
    assert_eq!(
        (replayed.source.as_str(), replayed.message_id.as_str()),
        (OWN, id.to_string().as_str())
    );
}
