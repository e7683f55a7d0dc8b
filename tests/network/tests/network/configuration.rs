//! Configurations that are refused: one message, with file, key and what to do.

use std::fs;

use network::Deployment;

/// What is wrong, the text that is replaced, by what, the code, and the key or file that is named.
const CASES: [(&str, &str, &str, &str, &str); 7] = [
    (
        "an unknown key",
        "[limits]",
        "[limits]\nframe_bytes_maximum = 5",
        "JKC-1002",
        "frame_bytes_maximum",
    ),
    (
        "a missing key",
        "anchor_unix_s",
        "# anchor_unix_s",
        "JKC-1003",
        "anchor_unix_s",
    ),
    (
        "a key of another role",
        "[limits]",
        "[[rule]]\nfrom = \"line\"\nto = \"inside\"\nservices = []\nsources = []\ndestinations = []\n[limits]",
        "JKC-1002",
        "rule",
    ),
    (
        "another role",
        "role = \"municipal-cs\"",
        "role = \"national-center\"",
        "JKC-",
        "role",
    ),
    (
        "no role at all",
        "role = \"municipal-cs\"",
        "role = \"mainframe\"",
        "JKC-1004",
        "role",
    ),
    ("no TOML", "[node]", "[node", "JKC-1005", "node.toml"),
    (
        "a bad value",
        "base = \"2002-10-15\"",
        "base = \"2002-13-15\"",
        "JKC-1004",
        "base",
    ),
];

#[test]
fn a_wrong_configuration_ends_the_node_with_2_and_names_file_key_and_remedy() {
    let net = Deployment::made();
    let path = net.node("cs-352047").join("node.toml");
    let good = fs::read_to_string(&path).unwrap();
    for (what, old, new, code, key) in CASES {
        let text = good.replacen(old, new, 1);
        assert_ne!(text, good, "{what}");
        fs::write(&path, text).unwrap();
        let refused = net.refuses("municipal-cs", &path);
        let said = refused.text();
        assert_eq!(refused.code(), Some(2), "{what}: {said}");
        assert!(
            said.contains(code) && said.contains(key) && said.contains("node.toml"),
            "{what}: {said}"
        );
        assert!(
            said.contains("do: ") && said.lines().count() <= 8 && !said.contains("panicked"),
            "{what}: {said}"
        );
    }
    fs::write(&path, good).unwrap();
    let other = net.refuses("national-center", &path);
    assert!(
        other.code() == Some(2) && other.text().contains("municipal-cs"),
        "{}",
        other.text()
    );
    let none = net.refuses("municipal-cs", &path.with_file_name("none.toml"));
    assert!(
        none.code() == Some(2)
            && none.text().contains("JKC-1001")
            && none.text().contains("none.toml"),
        "{}",
        none.text()
    );
    assert!(net.processes().is_empty());
}
