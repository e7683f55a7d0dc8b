//! Texts, keys and values that cannot be read.

use juki_domain::ErrorCode;
use juki_topology::{Limits, Network, NodeConfig};
use proptest::prelude::*;

use crate::examples::{ACCESS_POINT, CS, FIREWALL, check, refused};

#[test]
fn the_examples_are_accepted_with_defaults() {
    let cs = NodeConfig::parse(CS, "node.toml").expect("accepted");
    assert_eq!(cs.limits, Limits::default());
    assert_eq!(
        (cs.limits.frame_bytes_max, cs.limits.block_bytes_max),
        (524_288, 262_144)
    );
    assert_eq!(
        (cs.node.data.to_str(), cs.node.keys.to_str()),
        (Some("data"), Some("keys"))
    );
    NodeConfig::parse(FIREWALL, "node.toml").expect("accepted");
    let access_point = NodeConfig::parse(ACCESS_POINT, "node.toml").expect("accepted");
    let line = access_point.relay[0].line_settings();
    assert_eq!(
        (line.bandwidth_bps, line.loss, line.mtu),
        (0, 0.01, u16::MAX)
    );
}

#[test]
fn a_text_that_is_not_toml_is_told_its_line() {
    let error = refused(CS, "role = \"municipal-cs\"", "role = municipal cs");
    check(&error, ErrorCode::ConfigNotToml, 3, "", "is not TOML");
    let error = refused(CS, "[register]", "[register");
    check(&error, ErrorCode::ConfigNotToml, 22, "", "is not TOML");
}

#[test]
fn an_unknown_key_is_told_the_nearest_known_one() {
    let unknown = ErrorCode::ConfigUnknownKey;
    let error = refused(CS, "http =", "htttp =");
    check(&error, unknown, 23, "register.htttp", "did you mean http?");
    let error = refused(FIREWALL, "address =", "adress =");
    check(
        &error,
        unknown,
        13,
        "listen.adress",
        "did you mean address?",
    );
    let error = refused(CS, "[[route]]", "[[rout]]");
    check(&error, unknown, 18, "rout", "did you mean route?");
    let error = refused(CS, "anchor_unix_s =", "zodiac =");
    check(&error, unknown, 9, "calendar.zodiac", "remove it");
}

#[test]
fn a_missing_key_is_named_with_its_section() {
    let missing = ErrorCode::ConfigMissingKey;
    let error = refused(CS, "via = \"fw-cs-352047\"\n", "");
    check(&error, missing, 18, "route.via", "via");
    let error = refused(CS, "speaks_for = [\"prefecture-35\"]\n", "");
    check(&error, missing, 12, "peer.speaks_for", "speaks_for");
    let error = refused(CS, "municipality = \"352047\"\n", "");
    check(
        &error,
        missing,
        1,
        "node.municipality",
        "municipal-cs needs it",
    );
    let text = CS.split("[calendar]").next().expect("a first part");
    let error = NodeConfig::parse(text, "node.toml").expect_err("refused");
    assert_eq!(
        (error.code, error.key.as_str()),
        (missing, "calendar"),
        "{error}"
    );
    assert_eq!(error.line, None);
    assert!(error.sentence.contains("[calendar]"), "{error}");
}

#[test]
fn a_bad_value_is_named_with_what_would_do() {
    let bad = ErrorCode::ConfigBadValue;
    let error = refused(CS, "\"municipal-cs\"", "\"cs\"");
    check(
        &error,
        bad,
        3,
        "node.role",
        "municipal-cs, prefecture-server",
    );
    let error = refused(CS, "municipality = \"352047\"", "municipality = \"352048\"");
    check(&error, bad, 5, "node.municipality", "check digit");
    let error = refused(CS, "\"2002-10-15\"", "\"2002-13-15\"");
    check(&error, bad, 8, "calendar.base", "YYYY-MM-DD");
    let error = refused(CS, "anchor_unix_s = 1700000000", "anchor_unix_s = -1");
    check(&error, bad, 9, "calendar.anchor_unix_s", "-1");
    let error = refused(CS, "interface = \"inside\"", "interface = \"outside\"");
    check(&error, bad, 14, "peer.interface", "national-line");
    let error = refused(FIREWALL, "\"127.0.0.1:4433\"", "\"national:4433\"");
    check(&error, bad, 23, "peer.dial", "file:PATH or IP:PORT");
    let error = refused(
        FIREWALL,
        "[\"journal\"]",
        "[\n  \"journal\",\n  \"juornal\",\n]",
    );
    check(&error, bad, 35, "rule.services", "code-allocation");
}

#[test]
fn a_huge_text_is_refused_unread() {
    let error = NodeConfig::parse(&"#".repeat(2 << 20), "node.toml").expect_err("refused");
    assert_eq!(error.code, ErrorCode::ConfigUnreadable);
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        prop_assert!(NodeConfig::parse(&text, "f").is_err());
        prop_assert!(Network::parse(&text, "f").is_err());
    }

    #[test]
    fn a_damaged_configuration_never_panics_and_errors_stay_one_line(
        start in 0..CS.len(),
        len in 0..40_usize,
        insert in "[ -~\n]{0,12}",
    ) {
        let end = (start + len).min(CS.len());
        let text = format!("{}{insert}{}", &CS[..start], &CS[end..]);
        if let Err(error) = NodeConfig::parse(&text, "node.toml") {
            prop_assert_eq!(error.to_string().lines().count(), 1);
            prop_assert!(error.to_string().chars().count() < 1_000);
        }
    }
}
