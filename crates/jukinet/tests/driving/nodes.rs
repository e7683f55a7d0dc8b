//! Lines, traces and states of nodes.

use std::fs;

use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_admin::JsonBody;
use serde_json::{Value, json};

use crate::network::{Heard, Network, printed, said};

fn line(up: bool) -> Value {
    let way = |up: bool| json!({"up": up, "settings": {"bandwidth_bps": 64_000, "delay_us": 7, "loss": 0.0, "mtu": 1500}, "delivered": 3});
    json!({"name": "cs-352047", "up": up, "upward": way(true), "downward": way(up)})
}

async fn change(
    State(heard): State<Heard>,
    RawQuery(query): RawQuery,
    body: JsonBody<Value>,
) -> Json<Value> {
    let asked = json!({"query": query, "body": body.0});
    heard.lock().unwrap().push(asked);
    Json(line(false))
}

/// A network whose access point has one line.
async fn with_a_line() -> Network {
    let network = Network::new();
    let routes = Router::new()
        .route("/lines", get(|| async { Json(json!([line(true)])) }))
        .route("/lines/cs-352047", post(change))
        .route("/lines/cs-352047/down", post(change));
    let folders = fs::read_dir(network.net().join("nodes")).unwrap();
    let mut names = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let point = names.find(|name| name.starts_with("ap-")).unwrap();
    network.serve(&point, routes).await;
    network
}

#[tokio::test]
async fn a_line_is_changed_in_the_direction_that_was_named_and_in_both_without_a_name() {
    let network = with_a_line().await;
    let down = ["line", "net", "down", "cs-352047"];
    let output = network
        .run(&[&down[..], &["--direction", "downward"]].concat())
        .await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        network.last_heard(),
        json!({"query": "direction=downward", "body": {}})
    );
    let table = said(&output);
    let state = |way: &str| {
        table
            .lines()
            .find(|line| line.contains(way))
            .unwrap()
            .to_owned()
    };
    assert!(
        state("upward").contains(" up ") && state("downward").contains(" down "),
        "{table}"
    );
    network.run(&down).await;
    assert_eq!(network.last_heard(), json!({"query": null, "body": {}}));
    let set = [
        "line",
        "net",
        "set",
        "cs-352047",
        "--loss",
        "0.5",
        "--direction",
        "upward",
    ];
    network.run(&set).await;
    assert_eq!(
        network.last_heard(),
        json!({"query": "direction=upward", "body": {"loss": 0.5}})
    );
}

#[tokio::test]
async fn lines_are_listed_whole_and_an_unknown_one_is_wrong_use() {
    let network = with_a_line().await;
    let output = network.run(&["line", "net", "list", "--json"]).await;
    assert_eq!(
        printed(&output),
        json!([line(true)]),
        "nothing that the access point says is left out"
    );
    assert_eq!(
        network
            .run(&["line", "net", "down", "cs-355011"])
            .await
            .status
            .code(),
        Some(2)
    );
}

#[tokio::test]
async fn a_trace_is_in_the_order_of_time_and_names_the_silent_nodes() {
    let network = Network::new();
    network.serve("national", Router::new()).await;
    network.serve("fw-national", Router::new()).await;
    let output = network
        .run(&["trace", "net", &"AB".repeat(16), "--json"])
        .await;
    assert!(output.status.success(), "{}", said(&output));
    let nodes: Vec<Value> = printed(&output)
        .as_array()
        .unwrap()
        .iter()
        .map(|hop| hop["node"].clone())
        .collect();
    assert_eq!(nodes, ["fw-national", "national"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("cs-352047"));
    assert_eq!(
        network
            .run(&["trace", "net", &"00".repeat(16)])
            .await
            .status
            .code(),
        Some(1)
    );
}

#[tokio::test]
async fn a_node_that_runs_without_a_supervisor_is_seen_with_its_own_word() {
    let network = Network::new();
    network
        .serve(
            "prefecture-35",
            Router::new().route("/unused", get(|| async {})),
        )
        .await;
    let rows = printed(&network.run(&["status", "net", "--json"]).await);
    let row = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["node"] == "prefecture-35")
        .unwrap()
        .clone();
    assert_eq!(
        (row["state"].as_str(), row["behind"].as_u64()),
        (Some("connecting"), Some(3))
    );
    assert_eq!(row["pid"].as_u64(), Some(u64::from(std::process::id())));
    let members: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "address",
            "behind",
            "data",
            "kind",
            "log",
            "node",
            "pid",
            "rss_bytes",
            "state"
        ]
    );
}
