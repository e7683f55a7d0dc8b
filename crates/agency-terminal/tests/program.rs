//! The program as an operator runs it, over an admin socket that this test serves.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use axum::routing::post;
use axum::{Json, Router};
use juki_admin::AdminSocket;
use serde_json::{Value, json};

const CONFIG: &str = r#"
[node]
name = "agency-mhlw"
role = "agency-terminal"
network = "demo-1"
body = "mhlw"
[calendar]
base = "2002-10-15"
anchor_unix_s = 0
version = 1
[[peer]]
name = "fw-agency-mhlw"
interface = "inside"
dial = "127.0.0.1:9"
speaks_for = ["national"]
"#;

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_agency-terminal"))
        .args(arguments)
        .current_dir(folder)
        .env("LANG", "C")
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env_remove("JUKINET_PIN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads no input may have ended already.
    let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with a configuration and a node behind it; the node ends with the test's process.
fn served() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("node.toml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("a.card"), "card").unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let socket = folder.path().join("data/admin.sock");
    let routes = Router::new()
        .route(
            "/operator/login",
            post(|Json(body): Json<Value>| async move {
                Json(json!({"operator": "op-1", "pin_length": body.get("pin").and_then(Value::as_str).map(str::len)}))
            }),
        )
        .route(
            "/query",
            post(|Json(body): Json<Value>| async move {
                Json(json!({"outcome": "no-match", "message_id": "ab", "asked": body}))
            }),
        );
    let (bound, is_bound) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let socket = AdminSocket::bind(&socket).await.unwrap();
            bound.send(()).unwrap();
            socket.serve(routes, std::future::pending()).await
        })
    });
    is_bound.recv().unwrap();
    folder
}

#[test]
fn help_is_in_both_languages_and_wrong_use_ends_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let english = run(folder.path(), &["--help"], "");
    assert!(english.status.success() && out(&english).contains("Examples:"));
    let japanese = run(folder.path(), &["--help", "--lang", "ja"], "");
    assert!(out(&japanese).contains("例:") && out(&japanese).contains("住民票コード"));
    assert_eq!(run(folder.path(), &[], "").status.code(), Some(2));
    let nowhere = ["--config", "no.toml", "--affair", "x", "--code", "1"];
    let output = run(folder.path(), &nowhere, "");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("no.toml"), "{}", err(&output));
}

#[test]
fn one_question_is_asked_of_the_running_node() {
    let folder = served();
    let question = [
        "--config",
        "node.toml",
        "--affair",
        "x",
        "--code",
        "-",
        "--json",
    ];
    let output = run(folder.path(), &question, "91234567893\n");
    assert!(output.status.success(), "{}", err(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        answer["asked"],
        json!({"affair": "x", "code": "91234567893"})
    );
    std::fs::remove_file(folder.path().join("data/admin.sock")).unwrap();
    let output = run(folder.path(), &question, "91234567893\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output.stdout.is_empty() && err(&output).starts_with("JKN-"),
        "{}",
        err(&output)
    );
    assert!(!err(&output).contains("91234567893"));
}

#[test]
fn a_prompt_takes_its_lines_from_a_pipe() {
    let folder = served();
    let prompt = ["--config", "node.toml", "--prompt", "--lang", "ja"];
    let lines = "login a.card\n2468\naffair x\nitems\n山田　花子\n昭和45年1月2日\n女\n山口県萩市\n";
    let output = run(folder.path(), &prompt, lines);
    assert!(output.status.success(), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("op-1") && said.contains("該当なし"), "{said}");
    assert!(
        !said.contains("2468") && err(&output).is_empty(),
        "{}",
        err(&output)
    );
}
