//! A firewall's policy as a file of its own.

use juki_domain::{ErrorCode, NodeId};
use juki_topology::{ConfigError, Network, NodeConfig, Watch};
use proptest::prelude::*;

fn node(name: &str) -> NodeId {
    name.parse().expect("a name")
}

/// The firewall of one municipality, and the text of its policy.
fn firewall() -> (NodeConfig, String) {
    let network = Network::demo(7, "demo", 1_700_000_000).expect("the demo");
    let config = network
        .node_config(&node("fw-cs-352047"))
        .expect("a configuration");
    let policy = config.policy_toml().expect("writable").expect("a policy");
    (config, policy)
}

fn refused(old: &str, new: &str) -> ConfigError {
    let (config, policy) = firewall();
    assert!(policy.contains(old), "{policy}");
    config
        .with_policy(&policy.replacen(old, new, 1), "policy.toml")
        .expect_err("refused")
}

#[track_caller]
fn check(error: &ConfigError, code: ErrorCode, key: &str, fix: &str) {
    assert_eq!((error.code, error.key.as_str()), (code, key), "{error}");
    assert!(
        error.file == "policy.toml" && error.line.is_some(),
        "{error}"
    );
    assert!(error.sentence.contains(fix), "{error}");
}

#[test]
fn a_derived_policy_says_each_rule_in_a_sentence_and_node_toml_has_none() {
    let (config, policy) = firewall();
    let node_toml = config.to_toml().expect("writable");
    assert!(node_toml.contains("policy = \"policy.toml\"") && !node_toml.contains("[[rule]]"));
    let first = "# Rule 1: line -> inside: journal, code-allocation, ";
    assert!(policy.contains(first), "{policy}");
    assert!(
        policy.contains("from prefecture-35 to cs-352047."),
        "{policy}"
    );
    assert_eq!(policy.matches("[[rule]]").count(), config.rule.len());
    let read = NodeConfig::parse(&node_toml, "node.toml").expect("readable");
    assert_eq!(read.rule, [], "without its policy it passes nothing");
    assert_eq!(
        read.with_policy(&policy, "policy.toml").expect("readable"),
        config
    );
}

#[test]
fn a_policy_with_every_limit_reads_back() {
    let (mut config, _) = firewall();
    config.rule[0].bytes_max = Some(4_096);
    config.rule[0].frames_per_s = Some(50);
    config.rule[0].burst_frames = Some(100);
    config.rule[0].bytes_per_s = Some(1_000_000);
    config.rule[1].hours = Some(
        "Mon-Fri 08:00-20:00, Sat 09:00-12:00"
            .parse()
            .expect("hours"),
    );
    config.watch = Watch {
        scan_combinations: 3,
        hours: Some("daily 06:00-24:00".parse().expect("hours")),
        ..Watch::default()
    };
    let policy = config.policy_toml().expect("writable").expect("a policy");
    assert!(policy.contains("hours = \"Mon-Fri 08:00-20:00, Sat 09:00-12:00\""));
    assert!(policy.contains("at most 4096 bytes, 50 frames/s, 1000000 bytes/s"));
    assert_eq!(
        config
            .with_policy(&policy, "policy.toml")
            .expect("readable"),
        config
    );
}

#[test]
fn rules_and_thresholds_stand_in_one_place() {
    let (config, policy) = firewall();
    let node_toml = config.to_toml().expect("writable");
    for (more, section) in [
        (policy.as_str(), "rule"),
        ("[watch]\nscan_combinations = 2\n", "watch"),
    ] {
        let error =
            NodeConfig::parse(&format!("{node_toml}\n{more}"), "node.toml").expect_err("refused");
        assert_eq!(error.code, ErrorCode::ConfigUnknownKey);
        assert_eq!(error.key, section);
        assert!(error.sentence.contains("into that file"), "{error}");
    }
    let inline = node_toml.replace("[firewall]\npolicy = \"policy.toml\"\n", "");
    let inline = NodeConfig::parse(&format!("{inline}\n{policy}"), "node.toml").expect("readable");
    assert_eq!(
        inline.rule, config.rule,
        "a small firewall may keep them in node.toml"
    );
}

#[test]
fn a_bad_policy_is_refused_at_its_line_with_the_fix() {
    let bad = ErrorCode::ConfigBadValue;
    let before = "services = [";
    let with = |more: &str| refused(before, &format!("{more}\n{before}"));
    check(
        &with("bytes_max = 63"),
        bad,
        "rule.bytes_max",
        "write 64 to 524288",
    );
    check(
        &with("bytes_max = 600000"),
        bad,
        "rule.bytes_max",
        "write 64 to 524288",
    );
    check(
        &with("frames_per_s = 0"),
        bad,
        "rule.frames_per_s",
        "write 1",
    );
    check(
        &with("burst_frames = 5"),
        bad,
        "rule.burst_frames",
        "frames_per_s",
    );
    check(
        &with("bytes_per_s = 10"),
        bad,
        "rule.bytes_per_s",
        "write 1000",
    );
    check(
        &with("hours = \"9 to 5\""),
        bad,
        "rule.hours",
        "Mon-Fri 08:00-20:00",
    );
    let unknown = ErrorCode::ConfigUnknownKey;
    check(&with("hour = \"daily\""), unknown, "rule.hour", "hours");
    let source = refused("\"prefecture-35\"", "\"cs-355011\"");
    check(&source, bad, "rule.sources", "add it to speaks_for");
    let watch = refused("# Policy", "[watch]\nwindow_s = 0\n# Policy");
    check(&watch, bad, "watch.window_s", "write 1 to 3600");
}

#[test]
fn limits_of_listeners_are_bounded() {
    let (config, _) = firewall();
    let text = config.to_toml().expect("writable");
    for (key, value) in [
        ("handshakes_max", "0"),
        ("handshakes_per_address_max", "65537"),
        ("handshakes_per_s", "0"),
        ("retry_from", "65537"),
        ("hello_timeout_ms", "99"),
        ("frame_timeout_ms", "600001"),
        ("frame_bytes_per_s_min", "0"),
        ("peer_frames_per_s", "0"),
        ("peer_bytes_per_s", "999"),
        ("peer_links_per_min", "0"),
        ("session_idle_s", "901"),
    ] {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{key} =")))
            .expect("written out");
        let wrong = text.replace(line, &format!("{key} = {value}"));
        let error = NodeConfig::parse(&wrong, "node.toml").expect_err("refused");
        assert_eq!(error.key, format!("limits.{key}"));
        assert!(error.sentence.contains("is out of bounds"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_policy_or_refused(text in "\\PC{0,200}", at in any::<prop::sample::Index>()) {
        let (config, policy) = firewall();
        let at = (0..=at.index(policy.len())).rev().find(|at| policy.is_char_boundary(*at)).unwrap_or(0);
        let (head, tail) = policy.split_at(at);
        let _ = config.with_policy(&text, "policy.toml");
        let _ = config.with_policy(&format!("{head}{text}{tail}"), "policy.toml");
    }
}
