//! What is said of certificates and revocation lists.

use axum::routing::post;
use axum::{Json, Router};
use juki_pki::{Authority, read_certificates, read_key, serial_of, write_revocation_list};
use serde_json::json;

use crate::network::{Heard, Network, printed, said};

#[tokio::test]
async fn certificates_of_nodes_that_do_not_run_are_told_from_their_files() {
    let network = Network::new();
    // The registrar revokes one node's certificate, and one node alone hears of it.
    let keys = |node: &str| network.net().join("nodes").join(node).join("keys");
    let center = keys("national");
    let certificate = read_certificates(&center.join("issuing.crt")).unwrap();
    let key = read_key(&center.join("issuing.key")).unwrap();
    let issuing = Authority::open(&certificate[0], &key).unwrap();
    let revoked = read_certificates(&keys("cs-355011").join("node.crt")).unwrap();
    let revoked = (serial_of(&revoked[0]).unwrap(), 1_790_000_000);
    let list = issuing
        .revocation_list(2, &[revoked], 1_790_000_000, 4_000_000_000)
        .unwrap();
    write_revocation_list(&center.join("revocation.crl"), &list).unwrap();

    let output = network.run(&["pki", "status", "net", "--json"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let status = printed(&output);
    assert_eq!(status["list"], 2);
    let nodes = status["nodes"].as_array().unwrap();
    let row = |name: &str| nodes.iter().find(|row| row["node"] == name).unwrap();
    assert_eq!(row("national")["list"], 2);
    assert!(row("national").get("not_informed_since_unix_s").is_none());
    assert_eq!(row("national")["class"], "valid");
    assert_eq!(row("national")["answers"], false);
    assert_eq!(row("cs-355011")["class"], "revoked");
    assert_eq!(row("cs-352047")["list"], 1);
    assert_eq!(
        row("cs-352047")["not_informed_since_unix_s"],
        1_790_000_000_u64
    );
    assert!(
        nodes
            .iter()
            .all(|row| row["days_left"].as_u64() > Some(700))
    );
    assert!(!nodes.iter().any(|row| row["node"] == "ap-35-1"));

    let shown = said(&network.run(&["pki", "status", "net"]).await);
    assert!(
        shown.contains("not yet informed since 2026-09-21")
            && shown.contains("The newest revocation list is 2."),
        "{shown}"
    );
}

#[tokio::test]
async fn whoever_was_not_told_of_a_revocation_is_named() {
    let network = Network::new();
    let revoke = post(|| async { Json(json!({"node": "cs-355011", "list": 2})) });
    let routes: Router<Heard> = Router::new().route("/pki/revoke", revoke);
    network.serve("national", routes).await;
    let output = network
        .run(&["pki", "revoke", "net", "cs-355011", "--json"])
        .await;
    let late = printed(&output)["not_informed"].clone();
    let late: Vec<&str> = late
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    // The nodes do not run, and the one that was revoked is told nothing.
    assert!(late.contains(&"cs-352047") && late.contains(&"fw-cs-355011"));
    assert!(!late.contains(&"cs-355011"));
}
