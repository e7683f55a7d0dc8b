//! The register's interface on loopback HTTP.

use std::fs;
use std::process::Command;

use network::Deployment;

/// Status and body of a `curl`.
fn curl(arguments: &[&str]) -> (String, String) {
    let output = Command::new("curl")
        .args(["-sS", "-w", "\n%{http_code}"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

#[test]
fn http_wants_its_token_and_a_body_within_bounds() {
    let net = Deployment::up();
    // From here on codes are in stock.
    net.passes("cs-352047", "first");
    let address = fs::read_to_string(net.net().join("run/cs-352047.register.addr")).unwrap();
    let token = fs::read_to_string(net.node("cs-352047").join("keys/register.token")).unwrap();
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let url = format!("http://{}/v1/changes", address.trim());
    let change = r#"{"key":"k","resident":"H-1","reason":"birth","event_date":"2002-10-15","name":"検査　次郎","birth":"2002-10-15","sex":"male","address":"山口県萩市大字江向3番地"}"#;
    let json = "Content-Type: application/json";
    for wrong in [
        vec![],
        vec!["-H", "Authorization: Bearer wrong"],
        vec!["-H", "Authorization: Basic eDp5"],
    ] {
        let (status, body) = curl(&[&["-H", json, "-d", change, &url], wrong.as_slice()].concat());
        assert!(
            status == "401" && body.contains("JKR-3008"),
            "{status} {body}"
        );
    }
    let large = net.folder().join("large.json");
    fs::write(&large, vec![b' '; 9 << 20]).unwrap();
    let (status, body) = curl(&[
        "-H",
        &bearer,
        "-H",
        json,
        "--data-binary",
        &format!("@{}", large.display()),
        &url,
    ]);
    assert!(
        status == "413" && body.contains("JKR-3007"),
        "{status} {body}"
    );
    let (status, body) = curl(&["-H", &bearer, "-H", json, "-d", "{\"key\": 5", &url]);
    assert!(
        status == "400" && body.contains("JKI-2005") && body.contains("line 1"),
        "{status} {body}"
    );
    let (status, body) = curl(&[
        "-H",
        &bearer,
        "-H",
        json,
        "-d",
        &change.replace("birth\",\"event", "party\",\"event"),
        &url,
    ]);
    assert!(
        status == "400" && body.contains("JKD-1007"),
        "{status} {body}"
    );
    let (status, body) = curl(&["-H", &bearer, "-H", json, "-d", change, &url]);
    assert!(
        status == "200" && body.contains("accepted"),
        "{status} {body}"
    );
    net.settles(2);
}
