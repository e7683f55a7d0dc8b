//! Networks whose parts do not fit each other.

use juki_domain::ErrorCode;
use juki_topology::{ConfigError, Network};

fn network_refused(old: &str, new: &str) -> ConfigError {
    let text = Network::demo(1, "demo-1", 0)
        .expect("demo")
        .to_toml()
        .expect("writable");
    assert!(text.contains(old), "{text}");
    Network::parse(&text.replacen(old, new, 1), "network.toml").expect_err("refused")
}

#[test]
fn a_network_whose_parts_do_not_fit_is_refused() {
    let by = |old, new| {
        let error = network_refused(old, new);
        assert!(error.line.is_some(), "{error}");
        (error.code, error.key, error.sentence)
    };
    let bad = ErrorCode::ConfigBadValue;
    let is = |found: (ErrorCode, String, String), key: &str, fix: &str| {
        assert_eq!((found.0, found.1.as_str()), (bad, key), "{}", found.2);
        assert!(found.2.contains(fix), "{}", found.2);
    };
    is(
        by("line = \"unshaped\"", "line = \"56k\""),
        "prefecture.line",
        "64k",
    );
    is(
        by("access_point = \"ap-35-1\"", "access_point = \"ap-x\""),
        "prefecture.access_point",
        "add",
    );
    is(
        by("code = \"355011\"", "code = \"352047\""),
        "municipality.code",
        "stands twice",
    );
    is(
        by("code = \"35\"", "code = \"34\""),
        "municipality.code",
        "add a [[prefecture]]",
    );
    is(
        by("body = \"mhlw\"", "body = \"MHLW\""),
        "agency.body",
        "a-z",
    );
    is(
        by("name = \"ap-35-1\"", "name = \"national\""),
        "prefecture.access_point",
        "add",
    );
    is(
        by("label = \"山口県\"", "label = \"\""),
        "prefecture.label",
        "1 to 64",
    );
    let twice = "[[access_point]]\nname = \"ap-35-2\"\nlabel = \"x\"\n\n[[prefecture]]";
    is(
        by("[[prefecture]]", twice),
        "access_point.name",
        "has no line",
    );
    let error = network_refused("seed = 1", "sead = 1");
    assert_eq!(
        (error.code, error.key.as_str()),
        (ErrorCode::ConfigUnknownKey, "network.sead")
    );
}
