//! Commands that drive nodes, against admin sockets that this test serves.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_admin::{
    AdminProvider, Hop, JsonBody, NodeState, Problem, StatusReport, base_router, serve,
};
use juki_domain::{ErrorCode, Lang};
use serde_json::{Value, json};

/// What the nodes were asked.
type Heard = Arc<Mutex<Vec<Value>>>;

struct Network {
    folder: tempfile::TempDir,
    heard: Heard,
}

impl Network {
    fn new() -> Self {
        let network = Self {
            folder: tempfile::tempdir().unwrap(),
            heard: Heard::default(),
        };
        let made = std::process::Command::new(env!("CARGO_BIN_EXE_jukinet"))
            .args(["new"])
            .arg(network.net())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
        network
    }

    fn net(&self) -> PathBuf {
        self.folder.path().join("net")
    }

    async fn serve(&self, node: &str, routes: Router<Heard>) {
        let socket = self.net().join("nodes").join(node).join("data/admin.sock");
        let provider: Arc<dyn AdminProvider> = Arc::new(Node(node.to_owned()));
        let routes = routes
            .with_state(Arc::clone(&self.heard))
            .merge(base_router(provider));
        let path = socket.clone();
        tokio::spawn(async move { serve(&path, routes, std::future::pending()).await });
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_jukinet"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("LANG", "C")
            .env_remove("LC_ALL")
            .env_remove("JUKINET_PIN");
        command
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .unwrap()
    }

    fn last_heard(&self) -> Value {
        self.heard.lock().unwrap().last().cloned().unwrap()
    }
}

struct Node(String);

impl AdminProvider for Node {
    fn status(&self) -> StatusReport {
        StatusReport {
            behind: 3,
            ..StatusReport::new(self.0.as_str(), "any", NodeState::Connecting)
        }
    }

    fn metrics(&self) -> String {
        String::new()
    }

    fn trace(&self, message: [u8; 16]) -> Vec<Hop> {
        let at_unix_us = if self.0 == "national" {
            2_000_000
        } else {
            1_000_000
        };
        if message == [0xab; 16] {
            let (from, to) = ("a".to_owned(), "b".to_owned());
            vec![Hop {
                node: self.0.clone(),
                at_unix_us,
                from,
                to,
                service: "query".to_owned(),
                length: 9,
                verdict: "passed".to_owned(),
            }]
        } else {
            Vec::new()
        }
    }

    fn stop(&self) {}
}

async fn keep(State(heard): State<Heard>, JsonBody(body): JsonBody<Value>) -> Json<Value> {
    heard.lock().unwrap().push(body);
    Json(json!({"done": {"at": "2002-10-15", "count": 2}}))
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn printed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

#[tokio::test]
async fn a_file_is_imported_and_its_rejected_rows_are_shown() {
    async fn import(
        State(heard): State<Heard>,
        RawQuery(query): RawQuery,
        body: Body,
    ) -> Json<Value> {
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        heard
            .lock()
            .unwrap()
            .push(json!({"query": query, "bytes": bytes.len()}));
        let rejects = json!([{"line": 7, "code": "JKI-2005", "column": "生年月日"}]);
        Json(json!({"rows": 9, "accepted": 8, "rejected": 1, "rejects": rejects}))
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
        json!({"query": "initial_date=2002-08-05", "bytes": 2_000_000})
    );
    let output = network.run(&[&cs[..], &["--json"]].concat()).await;
    assert_eq!(printed(&output)["rejects"][0]["line"], 7);
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
async fn an_operator_logs_in_with_the_card_of_the_folder_and_asks() {
    let network = Network::new();
    let routes = Router::new()
        .route("/operator/login", post(keep))
        .route("/query", post(keep));
    network.serve("agency-mhlw", routes).await;
    let output = network
        .run(&[
            "operator",
            "login",
            "net",
            "--card",
            "agency-mhlw",
            "--json",
        ])
        .await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(printed(&output)["done"]["count"], 2);
    let heard = network.last_heard();
    let card = network
        .net()
        .join("cards/agency-mhlw.card")
        .canonicalize()
        .unwrap();
    assert_eq!(Path::new(heard["card"].as_str().unwrap()), card);
    assert_eq!(
        heard["pin"],
        fs::read_to_string(card.with_extension("pin")).unwrap()
    );
    network
        .run(&[
            "query",
            "net",
            "--affair",
            "war-bereaved-pension",
            "--code",
            "91234567893",
        ])
        .await;
    assert_eq!(
        network.last_heard(),
        json!({"affair": "war-bereaved-pension", "code": "91234567893"})
    );
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_in_the_readers_language() {
    async fn refuse(headers: axum::http::HeaderMap) -> Problem {
        Problem::new(ErrorCode::NoLegalBasis, juki_admin::accepted_lang(&headers))
    }
    let network = Network::new();
    network
        .serve("agency-mhlw", Router::new().route("/query", post(refuse)))
        .await;
    for (lang, name) in [(Lang::Ja, "ja"), (Lang::En, "en")] {
        let output = network
            .run(&[
                "query", "net", "--affair", "x", "--code", "1", "--lang", name,
            ])
            .await;
        assert_eq!(output.status.code(), Some(1));
        let explanation = ErrorCode::NoLegalBasis.explain(lang);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            error.starts_with("JKA-1101 ") && error.contains(explanation.todo),
            "{error}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_certificate_is_revoked_at_the_national_center_and_only_of_a_known_node() {
    let network = Network::new();
    network
        .serve("national", Router::new().route("/pki/revoke", post(keep)))
        .await;
    let output = network.run(&["pki", "revoke", "net", "cs-355011"]).await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(network.last_heard(), json!({"node": "cs-355011"}));
    assert_eq!(
        network
            .run(&["pki", "revoke", "net", "cs-999999"])
            .await
            .status
            .code(),
        Some(2)
    );
    assert_eq!(network.heard.lock().unwrap().len(), 1);
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
