//! What a rule asks beside its names, and what becomes of it under another policy.

use crate::fixture::{CS, FAR_FIREWALL, PREFECTURE, config, header, judge, node, nodes};
use juki_domain::{ErrorCode, ServiceId};
use juki_firewall::{Policy, PolicyChange, RefusedBy, Sample, Step, Verdict};
use juki_topology::NodeConfig;

const JOURNAL: ServiceId = ServiceId::Journal;

/// The municipality's rule with limits of its own.
fn limited(change: impl FnOnce(&mut juki_topology::Rule)) -> NodeConfig {
    let mut config = config();
    change(&mut config.rule[0]);
    config
}

fn up() -> juki_wire::Header {
    header(CS, PREFECTURE, JOURNAL)
}

/// How many of so many frames of some bytes pass at one time.
fn passed(policy: &mut Policy, now_ms: u64, frames: usize, bytes: usize) -> usize {
    let up = up();
    (0..frames)
        .filter(|_| {
            matches!(
                policy.judge(now_ms, &node(CS), &up, bytes),
                Verdict::Pass { .. }
            )
        })
        .count()
}

#[test]
fn a_rule_may_allow_less_than_its_service() {
    let small = limited(|rule| rule.bytes_max = Some(500));
    assert!(judge(&small, CS, &up(), 500).is_ok());
    let refused = Err((RefusedBy::Size(1), ErrorCode::FrameOverPolicySize));
    assert_eq!(judge(&small, CS, &up(), 501), refused);
    let down = header(PREFECTURE, CS, JOURNAL);
    assert!(
        judge(&small, FAR_FIREWALL, &down, 501).is_ok(),
        "another rule"
    );
}

#[test]
fn a_rule_holds_in_its_hours_alone() {
    // The calendar's base is a Tuesday and its day begins at second 1.
    let office = limited(|rule| rule.hours = Some("Tue 08:00-20:00".parse().unwrap()));
    let mut policy = Policy::new(&office).unwrap();
    let at = |hour: u64, second: u64| (1 + hour * 3_600 + second) * 1_000;
    assert_eq!(passed(&mut policy, at(7, 3_599), 1, 10), 0);
    assert_eq!(passed(&mut policy, at(8, 0), 1, 10), 1);
    assert_eq!(passed(&mut policy, at(19, 3_599), 1, 10), 1);
    let verdict = policy.judge(at(20, 0), &node(CS), &up(), 10);
    let hours = RefusedBy::Hours(1);
    assert_eq!(verdict, Verdict::refuse(hours));
    assert_eq!(hours.code(), ErrorCode::OutsideHours);
    assert_eq!(passed(&mut policy, at(24 + 8, 0), 1, 10), 0, "Wednesday");
    assert_eq!(passed(&mut policy, at(7 * 24 + 8, 0), 1, 10), 1);
}

#[test]
fn a_rules_own_rate_holds_for_it_alone() {
    let config = limited(|rule| {
        rule.frames_per_s = Some(10);
        rule.burst_frames = Some(20);
    });
    let mut policy = Policy::new(&config).unwrap();
    assert_eq!(passed(&mut policy, 1_000, 100, 10), 20);
    assert_eq!(passed(&mut policy, 2_000, 100, 10), 10);
    let codes = header(CS, PREFECTURE, ServiceId::CodeAllocation);
    let verdict = policy.judge(2_000, &node(CS), &codes, 10);
    assert!(matches!(verdict, Verdict::Pass { .. }), "another service");
}

#[test]
fn a_rules_bytes_are_counted_and_a_refused_frame_uses_none() {
    let mut config = limited(|rule| rule.bytes_per_s = Some(10_000));
    config.limits.frame_bytes_max = 4_000;
    let mut policy = Policy::new(&config).unwrap();
    assert_eq!(passed(&mut policy, 1_000, 10, 4_000), 2);
    assert_eq!(passed(&mut policy, 1_000, 10, 2_000), 1, "what is left");
    let verdict = policy.judge(1_000, &node(CS), &up(), 1);
    assert_eq!(verdict, Verdict::refuse(RefusedBy::Volume(1)));
    assert_eq!(passed(&mut policy, 1_400, 10, 4_000), 1);
}

#[test]
fn a_new_policy_gives_nobody_a_second_burst() {
    let config = limited(|rule| rule.frames_per_s = Some(5));
    let mut before = Policy::new(&config).unwrap();
    assert_eq!(passed(&mut before, 1_000, 10, 10), 5);
    let mut same = Policy::new(&config).unwrap();
    assert_eq!(same.succeed(&before), PolicyChange::default());
    assert_eq!(passed(&mut same, 1_000, 10, 10), 0);
    let passed_before: u64 = before
        .counters()
        .passed()
        .map(|(_, frames, _)| frames)
        .sum();
    let passed_after: u64 = same.counters().passed().map(|(_, frames, _)| frames).sum();
    assert_eq!((passed_before, passed_after), (5, 5), "totals go on");

    // Another rule before it changes its number, and what it has left goes with it.
    let mut moved = config.clone();
    moved.rule.reverse();
    let mut moved = Policy::new(&moved).unwrap();
    moved.succeed(&same);
    assert_eq!(passed(&mut moved, 1_000, 10, 10), 0);

    let raised = limited(|rule| rule.frames_per_s = Some(6));
    let mut raised = Policy::new(&raised).unwrap();
    let change = raised.succeed(&before);
    assert_eq!((change.changed, change.added, change.removed), (2, 0, 0));
    assert_eq!(
        passed(&mut raised, 1_000, 10, 10),
        6,
        "another limit begins anew"
    );
}

#[test]
fn a_change_counts_what_is_named_newly_and_no_more() {
    let before = Policy::new(&config()).unwrap();
    let mut other = config();
    other.rule[0].services = vec![JOURNAL, ServiceId::Query];
    let mut policy = Policy::new(&other).unwrap();
    let change = policy.succeed(&before);
    assert_eq!((change.added, change.removed, change.changed), (1, 1, 0));
}

#[test]
fn an_explanation_names_each_step_and_uses_up_nothing() {
    let config = limited(|rule| {
        rule.frames_per_s = Some(1);
        rule.hours = Some("daily 00:00-24:00".parse().unwrap());
    });
    let mut policy = Policy::new(&config).unwrap();
    let sample = Sample {
        peer: None,
        source: node(CS),
        destination: node(PREFECTURE),
        service: JOURNAL,
        bytes: 700,
    };
    for _ in 0..3 {
        let explained = policy.explain(1_000, &sample);
        assert_eq!(explained.verdict, Ok(node(FAR_FIREWALL)));
        assert!(matches!(&explained.held[0], Step::SpeaksFor { peer, .. } if *peer == node(CS)));
        assert!(matches!(explained.held[2], Step::Rule { rule: 1 }));
        assert_eq!(explained.code(), None);
    }
    assert_eq!(passed(&mut policy, 1_000, 2, 700), 1);
    let late = policy.explain(1_000, &sample);
    assert_eq!(late.verdict, Err(RefusedBy::Rate(1)));
    assert_eq!(late.held.len(), 5, "all but the last step held");
    let forged = Sample {
        source: nodes(&["national"])[0].clone(),
        ..sample
    };
    let explained = policy.explain(1_000, &forged);
    assert_eq!(explained.code(), Some(ErrorCode::SourceNotSpokenFor));
    assert!(explained.held.is_empty());
}
