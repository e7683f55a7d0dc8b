//! Configurations that are accepted, and what happens to them with one change.

use juki_domain::ErrorCode;
use juki_topology::{ConfigError, NodeConfig};

pub(crate) const CS: &str = r#"[node]
name = "cs-352047"
role = "municipal-cs"
network = "demo-1"
municipality = "352047"

[calendar]
base = "2002-10-15"
anchor_unix_s = 1700000000
version = 1

[[peer]]
name = "fw-cs-352047"
interface = "inside"
dial = "file:../../run/fw-cs-352047.inside.addr"
speaks_for = ["prefecture-35"]

[[route]]
to = "prefecture-35"
via = "fw-cs-352047"

[register]
http = "127.0.0.1:0"
token = "register.token"
"#;

pub(crate) const FIREWALL: &str = r#"[node]
name = "fw-cs-352047"
role = "firewall-proxy"
network = "demo-1"

[calendar]
base = "2002-10-15"
anchor_unix_s = 1700000000
version = 1

[[listen]]
interface = "inside"
address = "127.0.0.1:0"

[[peer]]
name = "cs-352047"
interface = "inside"
speaks_for = ["cs-352047"]

[[peer]]
name = "fw-prefecture-35"
interface = "line"
dial = "127.0.0.1:4433"
speaks_for = ["prefecture-35"]

[[route]]
to = "prefecture-35"
via = "fw-prefecture-35"

[[rule]]
from = "inside"
to = "line"
services = ["journal"]
sources = ["cs-352047"]
destinations = ["prefecture-35"]
"#;

pub(crate) const ACCESS_POINT: &str = r#"[node]
name = "ap-35-1"
role = "access-point"
network = "demo-1"

[calendar]
base = "2002-10-15"
anchor_unix_s = 1700000000
version = 1

[[relay]]
name = "cs-352047"
listen = "127.0.0.1:0"
target = "file:../../run/fw-prefecture-35.line.addr"
loss = 0.01
"#;

/// The error of a text in which the one occurrence of `old` is replaced by `new`.
pub(crate) fn refused(text: &str, old: &str, new: &str) -> ConfigError {
    assert_eq!(text.matches(old).count(), 1, "{old} must stand once");
    NodeConfig::parse(&text.replace(old, new), "node.toml").expect_err("refused")
}

#[track_caller]
pub(crate) fn check(error: &ConfigError, code: ErrorCode, line: usize, key: &str, fix: &str) {
    assert_eq!(
        (error.code, error.line, error.key.as_str()),
        (code, Some(line), key),
        "{error}"
    );
    assert!(error.sentence.contains(fix), "{error}");
    assert!(error.to_string().starts_with(code.code()), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}
