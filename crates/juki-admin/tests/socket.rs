//! Server and client over a real Unix socket.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use juki_admin::{
    AdminClient, AdminProvider, BODY_BYTES_MAX, ClientError, Hop, JsonBody, NodeState, PeerReport,
    Problem, ServeError, StatusReport, base_router, serve,
};
use juki_domain::{ErrorCode, Lang};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[derive(Default)]
struct Node {
    stopped: AtomicBool,
    asked: AtomicUsize,
}

impl AdminProvider for Node {
    fn status(&self) -> StatusReport {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut report = StatusReport::new("cs-352012", "municipal-cs", NodeState::Connecting);
        report.peers.push(PeerReport {
            name: "fw-cs-352012".to_owned(),
            interface: "inside".to_owned(),
            ..PeerReport::default()
        });
        report.more.insert("codes_left".to_owned(), json!(7));
        report
    }

    fn metrics(&self) -> String {
        "juki_frames_total 3\n".to_owned()
    }

    fn trace(&self, message: [u8; 16]) -> Vec<Hop> {
        vec![Hop {
            node: "cs-352012".to_owned(),
            at_unix_us: u64::from(message[15]),
            from: "a".to_owned(),
            to: "b".to_owned(),
            service: "query".to_owned(),
            length: 9,
            verdict: "passed".to_owned(),
        }]
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

struct Served {
    socket: PathBuf,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

async fn start(folder: &Path, router: Router) -> Served {
    let socket = folder.join("admin.sock");
    let (stop, stopped) = oneshot::channel::<()>();
    let path = socket.clone();
    let task = tokio::spawn(async move {
        serve(&path, router, async {
            let _ended = stopped.await;
        })
        .await
    });
    for _ in 0..500 {
        if tokio::net::UnixStream::connect(&socket).await.is_ok() {
            return Served { socket, stop, task };
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the server did not come up");
}

#[tokio::test]
async fn a_node_is_asked_for_status_metrics_and_traces_and_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let node = Arc::new(Node::default());
    let served = start(
        folder.path(),
        base_router(Arc::clone(&node) as Arc<dyn AdminProvider>),
    )
    .await;
    let client = AdminClient::new(&served.socket);
    let status: StatusReport = client.get_json("/status").await.unwrap();
    assert_eq!(
        (status.node.as_str(), status.state, status.peers.len()),
        ("cs-352012", NodeState::Connecting, 1)
    );
    assert_eq!(status.more.get("codes_left"), Some(&json!(7)));
    assert_eq!(
        client.get_text("/metrics").await.unwrap(),
        "juki_frames_total 3\n"
    );
    let hops: Vec<Hop> = client
        .get_json(&format!("/trace/{}", "0b".repeat(16)))
        .await
        .unwrap();
    assert_eq!(hops.first().map(|hop| hop.at_unix_us), Some(11));
    let answer: Value = client.post_json("/stop", &json!({})).await.unwrap();
    assert_eq!(answer, json!({"stopping": true}));
    assert!(node.stopped.load(Ordering::SeqCst));
    served.stop.send(()).unwrap();
    served.task.await.unwrap().unwrap();
    assert!(!served.socket.exists(), "the socket is left behind");
}

#[tokio::test]
async fn the_socket_is_for_its_owner_only_and_replaces_a_stale_one() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "a dropped listener leaves its file");
    let served = start(folder.path(), base_router(Arc::new(Node::default()))).await;
    let metadata = std::fs::metadata(&served.socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let second = serve(&socket, Router::new(), std::future::pending())
        .await
        .unwrap_err();
    assert_eq!(second.code(), ErrorCode::AlreadyRunning);
    assert!(
        AdminClient::new(&socket).get_text("/metrics").await.is_ok(),
        "the first server goes on"
    );
}

#[tokio::test]
async fn refusals_are_problem_documents_in_the_language_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let served = start(folder.path(), base_router(Arc::new(Node::default()))).await;
    for lang in [Lang::Ja, Lang::En] {
        let client = AdminClient::new(&served.socket).with_lang(lang);
        for (path, code, status) in [
            ("/trace/12", ErrorCode::ValueInvalid, 400),
            ("/nothing", ErrorCode::ServiceUnknown, 404),
        ] {
            let error = client.get_json::<Value>(path).await.unwrap_err();
            assert_eq!(error.code(), code);
            let ClientError::Refused(problem) = error else {
                panic!("{path} was not refused with a problem: {error}")
            };
            assert_eq!(problem.status, status);
            assert_eq!(problem.title, code.explain(lang).what);
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_or_not_json_is_refused_without_quoting_it() {
    async fn echo(JsonBody(value): JsonBody<Vec<u32>>) -> axum::Json<Vec<u32>> {
        axum::Json(value)
    }
    let folder = tempfile::tempdir().unwrap();
    let router =
        base_router(Arc::new(Node::default())).merge(Router::new().route("/echo", post(echo)));
    let served = start(folder.path(), router).await;
    let client = AdminClient::new(&served.socket);
    assert_eq!(
        client
            .post_json::<_, Vec<u32>>("/echo", &[1, 2, 3])
            .await
            .unwrap(),
        [1, 2, 3]
    );
    let long = client
        .post_bytes::<Value>("/echo", Bytes::from(vec![b' '; BODY_BYTES_MAX + 1]))
        .await
        .unwrap_err();
    assert_eq!(long.code(), ErrorCode::RequestTooLarge);
    let wrong = client
        .post_json::<_, Value>("/echo", "Yamada Hanako")
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), ErrorCode::ValueInvalid);
    assert!(!wrong.to_string().contains("Hanako"));
    assert_eq!(
        client
            .post_json::<_, Vec<u32>>("/echo", &[4])
            .await
            .unwrap(),
        [4],
        "the client goes on after a refusal"
    );
}

#[tokio::test]
async fn a_file_is_streamed_whole() {
    async fn length(body: axum::body::Body) -> Result<axum::Json<Value>, Problem> {
        let bytes = axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|_| Problem::new(ErrorCode::RequestTooLarge, Lang::En))?;
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
        Ok(axum::Json(json!({"length": bytes.len(), "sum": sum})))
    }
    let folder = tempfile::tempdir().unwrap();
    let served = start(folder.path(), Router::new().route("/import", post(length))).await;
    let bytes: Vec<u8> = (0..3_000_001_u32)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, &bytes).unwrap();
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    let client = AdminClient::new(&served.socket);
    let answer: Value = client.post_file("/import", &file).await.unwrap();
    assert_eq!(answer, json!({"length": 3_000_001, "sum": sum}));
    std::fs::write(&file, b"").unwrap();
    assert_eq!(
        client.post_file::<Value>("/import", &file).await.unwrap(),
        json!({"length": 0, "sum": 0})
    );
    let missing = client
        .post_file::<Value>("/import", Path::new("/nonexistent/rows.csv"))
        .await
        .unwrap_err();
    assert!(matches!(missing, ClientError::File { .. }));
}

#[tokio::test]
async fn the_client_follows_a_restarted_server_and_names_what_is_wrong_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let node = Arc::new(Node::default());
    let served = start(
        folder.path(),
        base_router(Arc::clone(&node) as Arc<dyn AdminProvider>),
    )
    .await;
    let client = AdminClient::new(&served.socket);
    client.get_json::<StatusReport>("/status").await.unwrap();
    client.get_json::<StatusReport>("/status").await.unwrap();
    served.stop.send(()).unwrap();
    served.task.await.unwrap().unwrap();
    let gone = client
        .get_json::<StatusReport>("/status")
        .await
        .unwrap_err();
    assert_eq!(gone.code(), ErrorCode::NotRunning);
    assert!(gone.to_string().contains("admin.sock"));
    let _served = start(
        folder.path(),
        base_router(Arc::clone(&node) as Arc<dyn AdminProvider>),
    )
    .await;
    client.get_json::<StatusReport>("/status").await.unwrap();
    assert_eq!(node.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_in_a_timeout_and_the_next_one_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let router = Router::new()
        .route("/never", get(std::future::pending::<axum::Json<Value>>))
        .route("/now", get(|| async { axum::Json(json!("now")) }));
    let served = start(folder.path(), router).await;
    let client = AdminClient::new(&served.socket).with_timeout(Duration::from_millis(200));
    let late = client.get_json::<Value>("/never?name=x").await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::AnswerTimeout);
    assert!(!late.to_string().contains("name"));
    assert_eq!(
        client.get_json::<Value>("/now").await.unwrap(),
        json!("now")
    );
    // A request that never ends does not keep the server from stopping.
    let asked = tokio::spawn(async move { client.get_json::<Value>("/never").await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    served.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), served.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(asked.await.unwrap().is_err());
}
