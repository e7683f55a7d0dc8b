//! An operator of written lines and a terminal of written answers.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use juki_admin::{AdminSocket, JsonBody, Problem, accepted_lang};
use juki_domain::{ErrorCode, Lang};
use serde_json::{Value, json};

use super::{ONE, parsed};
use crate::desk::console::Console;
use crate::desk::failure::Failure;
use crate::desk::serve;
use crate::desk::terminal::Terminal;

/// An operator whose lines are written beforehand.
#[derive(Default)]
pub(super) struct Script {
    pub(super) lines: VecDeque<String>,
    pub(super) said: String,
    pub(super) complained: String,
}

impl Script {
    pub(super) fn of(lines: &str) -> Self {
        Self {
            lines: lines.lines().map(str::to_owned).collect(),
            ..Self::default()
        }
    }
}

impl Console for Script {
    fn line(&mut self, _prompt: &str) -> io::Result<Option<String>> {
        Ok(self.lines.pop_front())
    }

    fn secret(&mut self, prompt: &str) -> io::Result<Option<String>> {
        self.line(prompt)
    }

    fn say(&mut self, text: &str) {
        self.said.push_str(text);
        self.said.push('\n');
    }

    fn complain(&mut self, text: &str) {
        self.complained.push_str(text);
        self.complained.push('\n');
    }
}

type Heard = Arc<Mutex<Vec<Value>>>;

/// A terminal that answers what the test wants, on a socket of its own.
pub(super) struct Node {
    folder: tempfile::TempDir,
    pub(super) heard: Heard,
}

impl Node {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let heard = Heard::default();
        let router = Router::new()
            .route("/operator/login", post(login))
            .route(
                "/operator/logout",
                post(|| async { Json(json!({"logged_out": true})) }),
            )
            .route("/query", post(query))
            .with_state(Arc::clone(&heard));
        let (bound, is_bound) = std::sync::mpsc::channel();
        let socket = folder.path().join("admin.sock");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let socket = AdminSocket::bind(&socket).await.unwrap();
                bound.send(()).unwrap();
                socket.serve(router, std::future::pending()).await
            })
        });
        is_bound.recv().unwrap();
        std::fs::write(folder.path().join("a.card"), "card").unwrap();
        std::fs::write(folder.path().join("a.pin"), "2468\n").unwrap();
        Self { folder, heard }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn run(
        &self,
        rest: &str,
        console: &mut Script,
        lang: Lang,
    ) -> Result<ExitCode, Failure> {
        let arguments = parsed(&format!("{ONE} {rest}")).unwrap();
        assert!(arguments.is_operators());
        let terminal = Terminal::new(&self.path("admin.sock"), lang)?;
        serve(&arguments, &terminal, console, lang)
    }

    pub(super) fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap().clone()
    }
}

async fn login(State(heard): State<Heard>, headers: HeaderMap, body: JsonBody<Value>) -> Response {
    heard.lock().unwrap().push(body.0.clone());
    if body.0["pin"] == "2468" {
        Json(json!({"operator": "op-1", "card": "c-1", "until_unix_s": 4_000_000_000_u64}))
            .into_response()
    } else {
        Problem::new(ErrorCode::PinWrong, accepted_lang(&headers)).into_response()
    }
}

async fn query(State(heard): State<Heard>, headers: HeaderMap, body: JsonBody<Value>) -> Response {
    heard.lock().unwrap().push(body.0.clone());
    let record = json!({"code": "91234567893", "name": "山田　花子", "birth": "1970-01-02", "sex": "female", "address": "山口県萩市",
        "municipality": "352047", "change": {"reason": "birth", "date": "1970-01-02", "previous_code": null, "ended": false}});
    let answer = match body.0["affair"].as_str().unwrap() {
        "match" => json!({"outcome": "match", "message_id": "ab", "record": record}),
        "refused" => {
            json!({"outcome": "refused", "message_id": "ab", "code": "JKA-1101", "what": "no basis", "why": "w", "todo": "t", "starts": null})
        }
        "cut" => return Problem::new(ErrorCode::LineDown, accepted_lang(&headers)).into_response(),
        outcome => json!({"outcome": outcome, "message_id": "ab"}),
    };
    Json(answer).into_response()
}
