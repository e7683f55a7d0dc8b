//! A deployment folder, and nodes on its admin sockets.

use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::{Json, Router};
use juki_admin::{AdminProvider, Hop, JsonBody, NodeState, StatusReport, base_router, serve};
use serde_json::{Value, json};

/// What the nodes were asked.
pub(crate) type Heard = Arc<Mutex<Vec<Value>>>;

pub(crate) struct Network {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) heard: Heard,
}

impl Network {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn net(&self) -> PathBuf {
        self.folder.path().join("net")
    }

    pub(crate) async fn serve(&self, node: &str, routes: Router<Heard>) {
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

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
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

    pub(crate) fn last_heard(&self) -> Value {
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

pub(crate) async fn keep(
    State(heard): State<Heard>,
    JsonBody(body): JsonBody<Value>,
) -> Json<Value> {
    heard.lock().unwrap().push(body);
    Json(json!({"done": {"at": "2002-10-15", "count": 2}}))
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) fn printed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}
