//! A communication server, driven as an existing register would.

use std::fs;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::network::{Heard, Network, keep, printed, said};

#[tokio::test]
async fn a_file_is_imported_and_its_rejected_rows_are_shown() {
    async fn import(State(heard): State<Heard>, RawQuery(query): RawQuery, body: Body) -> String {
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        heard
            .lock()
            .unwrap()
            .push(json!({"query": query, "bytes": bytes.len()}));
        let reject = json!({"line": 7, "code": "JKI-2005", "column": "生年月日"});
        let report = json!({"rows": 9, "accepted": 8, "rejected": 1, "rejects": [reject]});
        [
            json!({"progress": {"bytes": 1_000_000, "bytes_total": 2_000_000, "rows": 4}}),
            json!({"code": {"resident": "1", "code": "98765432103"}}),
            json!({"reject": reject}),
            json!({"report": report}),
        ]
        .map(|line| format!("{line}\n"))
        .concat()
    }
    let network = Network::new();
    network
        .serve("cs-352047", Router::new().route("/v1/import", post(import)))
        .await;
    fs::write(
        network.folder.path().join("rows.csv"),
        vec![b'x'; 2_000_000],
    )
    .unwrap();
    let cs = [
        "cs",
        "net",
        "cs-352047",
        "import",
        "rows.csv",
        "--initial-date",
        "2002-08-05",
    ];
    let output = network.run(&cs).await;
    assert_eq!(
        output.status.code(),
        Some(1),
        "a rejected row is a check that did not hold"
    );
    assert!(
        said(&output).contains("8 taken in, 1 rejected") && said(&output).contains("生年月日"),
        "{}",
        said(&output)
    );
    assert_eq!(
        network.last_heard(),
        json!({"query": "codes=false&initial_date=2002-08-05", "bytes": 2_000_000})
    );
    assert!(said(&output).contains("50 % (4 rows)"), "{}", said(&output));
    let files = ["--json", "--rejects", "rejects.csv", "--codes", "codes.csv"];
    let output = network.run(&[&cs[..], &files].concat()).await;
    assert_eq!(printed(&output)["rejects"][0]["line"], 7);
    let read = |name: &str| fs::read_to_string(network.folder.path().join(name)).unwrap();
    assert!(read("rejects.csv").contains("7,JKI-2005,生年月日,"));
    assert_eq!(
        read("codes.csv"),
        "宛名番号,住民票コード\r\n1,98765432103\r\n"
    );
}

#[tokio::test]
async fn a_change_is_reported_with_a_key_and_the_networks_date() {
    let network = Network::new();
    network
        .serve("cs-352047", Router::new().route("/v1/changes", post(keep)))
        .await;
    let change = [
        "cs",
        "net",
        "cs-352047",
        "change",
        "--resident",
        "12",
        "--reason",
        "death",
    ];
    let output = network.run(&change).await;
    assert!(
        output.status.success() && said(&output).contains("done.count  2"),
        "{}",
        said(&output)
    );
    let heard = network.last_heard();
    assert_eq!(
        (heard["resident"].as_str(), heard["event_date"].as_str()),
        (Some("12"), Some("2002-10-15"))
    );
    assert_eq!(heard["key"].as_str().unwrap().len(), 32);
    assert!(said(&output).contains(heard["key"].as_str().unwrap()));
    network
        .run(&[&change[..], &["--key", "k-1", "--event-date", "2002-10-01"]].concat())
        .await;
    assert_eq!(
        network.last_heard(),
        json!({"key": "k-1", "resident": "12", "reason": "death", "event_date": "2002-10-01"})
    );
}

#[tokio::test]
async fn a_changes_state_is_shown_without_the_residents_code() {
    async fn state(Path(key): Path<String>) -> Json<Value> {
        let known = json!({"key": key, "outcome": "accepted", "state": "at-prefecture", "seq": 12, "resident_code": "91234567893"});
        Json(if key == "k/1" {
            known
        } else {
            json!({"key": key, "outcome": "unknown"})
        })
    }
    let network = Network::new();
    network
        .serve(
            "cs-352047",
            Router::new().route("/v1/changes/{key}", get(state)),
        )
        .await;
    let cs = ["cs", "net", "cs-352047", "state"];
    let output = network.run(&[&cs[..], &["k/1"]].concat()).await;
    let text = said(&output);
    assert!(
        output.status.success() && !text.contains("91234567893"),
        "{text}"
    );
    assert!(
        text.contains("accepted") && text.contains("at-prefecture") && text.contains("12"),
        "{text}"
    );
    let output = network.run(&[&cs[..], &["k/1", "--json"]].concat()).await;
    assert_eq!(
        printed(&output),
        json!({"outcome": "accepted", "state": "at-prefecture", "seq": 12})
    );
    let output = network.run(&[&cs[..], &["k-2"]].concat()).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}
