//! Each rule of the policy, one refusal at a time.

use crate::fixture::{
    CS, FAR_FIREWALL, OTHER_CS, PREFECTURE, config, header, judge, node, nodes, peer, route,
};
use juki_domain::{ErrorCode, ServiceId};
use juki_firewall::{Policy, PolicyError, RefusedBy, Verdict};
use juki_topology::{Interface, NodeConfig, Route, Rule};
use juki_wire::{FrameKind, Header};

#[test]
fn a_named_frame_passes_to_the_peer_of_its_route() {
    assert_eq!(
        judge(
            &config(),
            CS,
            &header(CS, PREFECTURE, ServiceId::Journal),
            1000
        ),
        Ok(FAR_FIREWALL.to_owned())
    );
    assert_eq!(
        judge(
            &config(),
            FAR_FIREWALL,
            &header(PREFECTURE, CS, ServiceId::CodeAllocation),
            1000
        ),
        Ok(CS.to_owned())
    );
}

#[test]
fn without_rules_nothing_passes() {
    let empty = NodeConfig {
        rule: Vec::new(),
        ..config()
    };
    let refused = Err((RefusedBy::DenyByDefault, ErrorCode::PolicyNoRule));
    assert_eq!(
        judge(&empty, CS, &header(CS, PREFECTURE, ServiceId::Journal), 10),
        refused
    );
}

#[test]
fn a_service_that_no_rule_names_is_refused() {
    let refused = Err((RefusedBy::DenyByDefault, ErrorCode::PolicyNoRule));
    assert_eq!(
        judge(&config(), CS, &header(CS, PREFECTURE, ServiceId::Query), 10),
        refused
    );
    assert_eq!(
        judge(
            &config(),
            CS,
            &header(CS, "national", ServiceId::Journal),
            10
        ),
        refused,
        "an unknown destination"
    );
    assert_eq!(
        judge(&config(), CS, &header(CS, OTHER_CS, ServiceId::Journal), 10),
        refused,
        "a known destination without a rule"
    );
}

#[test]
fn a_rule_for_the_other_direction_does_not_help() {
    let reversed = NodeConfig {
        rule: config().rule.into_iter().skip(1).collect(),
        ..config()
    };
    let refused = Err((RefusedBy::DenyByDefault, ErrorCode::PolicyNoRule));
    assert_eq!(
        judge(
            &reversed,
            CS,
            &header(CS, PREFECTURE, ServiceId::Journal),
            10
        ),
        refused
    );
}

#[test]
fn a_peer_cannot_speak_for_a_source_that_it_is_not_given() {
    let refused = Err((RefusedBy::SpeaksFor, ErrorCode::SourceNotSpokenFor));
    assert_eq!(
        judge(
            &config(),
            FAR_FIREWALL,
            &header(CS, PREFECTURE, ServiceId::Journal),
            10
        ),
        refused,
        "the source is inside"
    );
    assert_eq!(
        judge(
            &config(),
            CS,
            &header(PREFECTURE, CS, ServiceId::Journal),
            10
        ),
        refused,
        "the source is outside"
    );
    assert_eq!(
        judge(
            &config(),
            CS,
            &header("nobody", PREFECTURE, ServiceId::Journal),
            10
        ),
        refused,
        "a source without a name here"
    );
    assert_eq!(
        judge(
            &config(),
            "stranger",
            &header(CS, PREFECTURE, ServiceId::Journal),
            10
        ),
        refused,
        "a peer without a name here"
    );
}

#[test]
fn a_destination_without_a_route_is_refused() {
    let route = vec![route(CS, CS)];
    let refused = Err((RefusedBy::Route, ErrorCode::NoRoute));
    assert_eq!(
        judge(
            &NodeConfig { route, ..config() },
            CS,
            &header(CS, PREFECTURE, ServiceId::Journal),
            10
        ),
        refused
    );
}

#[test]
fn a_frame_never_goes_back_to_the_peer_it_came_from() {
    let mut reflecting = config();
    reflecting.rule.push(Rule {
        services: vec![ServiceId::Journal],
        sources: nodes(&[PREFECTURE]),
        destinations: nodes(&[OTHER_CS]),
        ..Rule::new(Interface::Line, Interface::Line)
    });
    let refused = Err((RefusedBy::Route, ErrorCode::NoRoute));
    assert_eq!(
        judge(
            &reflecting,
            FAR_FIREWALL,
            &header(PREFECTURE, OTHER_CS, ServiceId::Journal),
            10
        ),
        refused
    );
}

#[test]
fn a_refused_refusal_is_not_answered() {
    let of = |kind| Header {
        kind,
        ..header(CS, PREFECTURE, ServiceId::Journal)
    };
    assert!(Verdict::is_answered(&of(FrameKind::Message)));
    assert!(!Verdict::is_answered(&of(FrameKind::Refusal)));
    assert!(!Verdict::is_answered(&of(FrameKind::Reset)));
}

#[test]
fn counters_tell_what_passed_and_what_was_refused() {
    let mut policy = Policy::new(&config()).unwrap();
    let _ = policy.judge(
        0,
        &node(CS),
        &header(CS, PREFECTURE, ServiceId::Journal),
        300,
    );
    let _ = policy.judge(
        0,
        &node(CS),
        &header(CS, PREFECTURE, ServiceId::Journal),
        400,
    );
    let _ = policy.judge(0, &node(CS), &header(CS, PREFECTURE, ServiceId::Query), 400);
    let _ = policy.judge(
        0,
        &node(CS),
        &header(OTHER_CS, PREFECTURE, ServiceId::Query),
        400,
    );
    let passed: Vec<_> = policy
        .counters()
        .passed()
        .filter(|(_, frames, _)| *frames > 0)
        .collect();
    assert_eq!(passed, [(ServiceId::Journal, 2, 700)]);
    let refused: Vec<_> = policy
        .counters()
        .refused()
        .filter(|(_, frames)| *frames > 0)
        .collect();
    assert_eq!(
        refused,
        [
            (ErrorCode::PolicyNoRule, 1),
            (ErrorCode::SourceNotSpokenFor, 1)
        ]
    );
}

#[test]
fn every_refusal_text_names_its_rule() {
    let texts = [
        RefusedBy::SpeaksFor,
        RefusedBy::Route,
        RefusedBy::DenyByDefault,
        RefusedBy::Size(3),
        RefusedBy::Rate(4),
    ]
    .map(|rule| rule.to_string());
    assert_eq!(
        texts,
        [
            "speaks-for",
            "route",
            "deny-by-default",
            "rule 3: frame size",
            "rule 4: frame rate"
        ]
    );
}

#[test]
fn contradictory_rules_make_no_policy() {
    let error = |config: &NodeConfig| Policy::new(config).map(|_| ()).unwrap_err();
    let mut twice = config();
    twice.peer.push(peer(FAR_FIREWALL, Interface::Inside, &[]));
    assert_eq!(error(&twice), PolicyError::PeerTwice(node(FAR_FIREWALL)));
    let with_route = |to: &str, via: &str| {
        let mut changed = config();
        changed.route.push(route(to, via));
        error(&changed)
    };
    assert_eq!(
        with_route("national", "fw-national"),
        PolicyError::RouteOverStranger(node("fw-national"))
    );
    assert_eq!(
        with_route(Route::ANY, CS),
        PolicyError::RouteTwice("*".to_owned())
    );
    assert_eq!(
        with_route(CS, FAR_FIREWALL),
        PolicyError::RouteTwice(CS.to_owned())
    );
    assert_eq!(
        with_route("No Name", FAR_FIREWALL),
        PolicyError::RouteToNobody("No Name".to_owned())
    );
    let many: Vec<_> = (0..300).map(|n| node(&format!("n{n}"))).collect();
    let mut huge = config();
    huge.rule[0] = Rule {
        sources: many.clone(),
        destinations: many,
        ..huge.rule[0].clone()
    };
    assert_eq!(error(&huge), PolicyError::TooMany("combinations"));
    assert_eq!(error(&huge).code(), ErrorCode::ConfigBadValue);
}
