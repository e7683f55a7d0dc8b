//! Sections that contradict each other or the node's role.

use juki_domain::ErrorCode;
use juki_topology::NodeConfig;

use crate::examples::{ACCESS_POINT, CS, FIREWALL, check, refused};

#[test]
fn sections_of_other_roles_are_refused() {
    let unknown = ErrorCode::ConfigUnknownKey;
    let register = "[register]\nhttp = \"127.0.0.1:0\"\ntoken = \"t\"\n";
    let error = NodeConfig::parse(&format!("{FIREWALL}\n{register}"), "f").expect_err("refused");
    check(&error, unknown, 37, "register", "remove it");
    let rule = FIREWALL.split_once("[[rule]]").expect("a rule").1;
    let error = NodeConfig::parse(&format!("{CS}\n[[rule]]{rule}"), "f").expect_err("refused");
    check(&error, unknown, 26, "rule", "municipal-cs");
    let relay = ACCESS_POINT.split_once("[[relay]]").expect("a relay").1;
    let error = NodeConfig::parse(&format!("{CS}\n[[relay]]{relay}"), "f").expect_err("refused");
    check(&error, unknown, 26, "relay", "remove it");
    let error = refused(
        FIREWALL,
        "network = \"demo-1\"",
        "network = \"d\"\nmunicipality = \"352047\"",
    );
    check(&error, unknown, 5, "node.municipality", "firewall-proxy");
    let error = refused(
        FIREWALL,
        "network = \"demo-1\"",
        "network = \"d\"\npapers = \"p\"",
    );
    check(&error, unknown, 5, "node.papers", "firewall-proxy");
    let access = format!("{CS}\n[access]\nbody_per_min = 1\n");
    let error = NodeConfig::parse(&access, "f").expect_err("refused");
    check(&error, unknown, 26, "access", "municipal-cs");
    let card = "[card]\npkcs11_module = \"m\"\n";
    let error = NodeConfig::parse(&format!("{CS}\n{card}"), "f").expect_err("refused");
    check(&error, unknown, 26, "card", "municipal-cs");
    let text = ACCESS_POINT.split_once("[[relay]]").expect("a relay").0;
    let error = NodeConfig::parse(text, "f").expect_err("refused");
    assert_eq!(
        (error.code, error.key.as_str()),
        (ErrorCode::ConfigMissingKey, "relay")
    );
}

#[test]
fn names_stand_once() {
    let bad = ErrorCode::ConfigBadValue;
    let error = refused(
        FIREWALL,
        "name = \"fw-prefecture-35\"",
        "name = \"cs-352047\"",
    );
    check(&error, bad, 21, "peer.name", "keep one");
    let error = refused(CS, "name = \"fw-cs-352047\"", "name = \"cs-352047\"");
    check(&error, bad, 13, "peer.name", "this node itself");
    let error = refused(
        FIREWALL,
        "speaks_for = [\"prefecture-35\"]",
        "speaks_for = [\"cs-352047\"]",
    );
    check(
        &error,
        bad,
        24,
        "peer.speaks_for",
        "one peer speaks for one source",
    );
    let twice =
        format!("{FIREWALL}\n[[listen]]\ninterface = \"inside\"\naddress = \"127.0.0.1:0\"\n");
    let error = NodeConfig::parse(&twice, "f").expect_err("refused");
    check(&error, bad, 38, "listen.interface", "keep one");
    let twice = format!("{CS}\n[[route]]\nto = \"prefecture-35\"\nvia = \"fw-cs-352047\"\n");
    let error = NodeConfig::parse(&twice, "f").expect_err("refused");
    check(&error, bad, 27, "route.to", "keep one");
}

#[test]
fn peers_named_in_routes_and_rules_exist() {
    let bad = ErrorCode::ConfigBadValue;
    let error = refused(CS, "via = \"fw-cs-352047\"", "via = \"fw-cs-355011\"");
    check(
        &error,
        bad,
        20,
        "route.via",
        "add a [[peer]] named \"fw-cs-355011\"",
    );
    let error = refused(
        FIREWALL,
        "sources = [\"cs-352047\"]",
        "sources = [\"cs-355011\"]",
    );
    check(&error, bad, 34, "rule.sources", "add it to speaks_for");
    let error = refused(
        FIREWALL,
        "destinations = [\"prefecture-35\"]",
        "destinations = [\"national\"]",
    );
    check(&error, bad, 35, "rule.destinations", "add a [[route]]");
    let error = refused(FIREWALL, "to = \"line\"", "to = \"inside\"");
    check(&error, bad, 32, "rule.to", "another interface");
    let error = refused(FIREWALL, "sources = [\"cs-352047\"]", "sources = []");
    check(&error, bad, 34, "rule.sources", "is empty");
    let error = refused(
        FIREWALL,
        "[[listen]]\ninterface = \"inside\"",
        "[[listen]]\ninterface = \"line\"",
    );
    check(
        &error,
        ErrorCode::ConfigMissingKey,
        15,
        "peer.dial",
        "add dial or a [[listen]]",
    );
}

#[test]
fn numbers_have_bounds() {
    let bad = ErrorCode::ConfigBadValue;
    let error = refused(ACCESS_POINT, "loss = 0.01", "loss = 1.5");
    check(&error, bad, 15, "relay.loss", "0 to 1");
    let error = refused(ACCESS_POINT, "loss = 0.01", "mtu = 20");
    check(&error, bad, 15, "relay.mtu", "68");
    let limits = |line: &str| {
        NodeConfig::parse(&format!("{CS}\n[limits]\n{line}\n"), "f").expect_err("refused")
    };
    check(
        &limits("frame_bytes_max = 100"),
        bad,
        27,
        "limits.frame_bytes_max",
        "1024",
    );
    check(
        &limits("block_bytes_max = 524288"),
        bad,
        27,
        "limits.block_bytes_max",
        "less than",
    );
    check(
        &limits("receipt_timeout_ms = 0"),
        bad,
        27,
        "limits.receipt_timeout_ms",
        "10",
    );
    check(
        &limits("connecting_after_ms = 600001"),
        bad,
        27,
        "limits.connecting_after_ms",
        "600000",
    );
    check(
        &refused(CS, "version = 1", "version = 0"),
        bad,
        10,
        "calendar.version",
        "begin with 1",
    );
}

#[test]
fn keys_must_not_lie_in_the_data_folder_and_the_token_must_be_a_file_name() {
    let bad = ErrorCode::ConfigBadValue;
    let error = refused(
        CS,
        "network = \"demo-1\"",
        "network = \"d\"\nkeys = \"data/keys\"",
    );
    check(&error, bad, 5, "node.keys", "beside it");
    let error = refused(
        CS,
        "token = \"register.token\"",
        "token = \"../register.token\"",
    );
    check(&error, bad, 24, "register.token", "keys folder");
    let error = refused(
        CS,
        "municipality = \"352047\"",
        "municipality = \"352047\"\nprefecture = \"34\"",
    );
    check(&error, bad, 6, "node.prefecture", "write \"35\"");
}

#[test]
fn bad_lines_outages_and_shared_stretches_have_bounds() {
    let bad = ErrorCode::ConfigBadValue;
    let burst = "disturbance = { burst = { enter = 0.1, leave = 0.0 } }";
    let error = refused(ACCESS_POINT, "loss = 0.01", burst);
    assert_eq!(error.code(), bad);
    assert!(error.to_string().contains("leave is above 0"), "{error}");
    let outage = "schedule = { outages = [{ from_ms = 5, until_ms = 5 }] }";
    let error = refused(ACCESS_POINT, "loss = 0.01", outage);
    check(&error, bad, 15, "relay.schedule", "ends after it begins");
    for (segment, key, sentence) in [
        (
            "bandwidth_bps = 0\nqueue_bytes = 1\nlines = []",
            "bandwidth_bps",
            "is 0",
        ),
        (
            "bandwidth_bps = 1\nqueue_bytes = 99999999\nlines = []",
            "queue_bytes",
            "64 MiB",
        ),
        (
            "bandwidth_bps = 1\nqueue_bytes = 1\nlines = [\"cs-1\"]",
            "lines",
            "no [[relay]]",
        ),
        (
            "bandwidth_bps = 1\nqueue_bytes = 1\nlines = [\"cs-352047\", \"cs-352047\"]",
            "lines",
            "again",
        ),
    ] {
        let shared = format!("loss = 0.01\n[[segment]]\nname = \"uplink\"\n{segment}");
        let error = refused(ACCESS_POINT, "loss = 0.01", &shared);
        assert_eq!(error.code(), bad, "{error}");
        assert!(error.to_string().contains(sentence), "{key}: {error}");
    }
}
