//! The server: HTTP/1 on a Unix socket.

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use juki_domain::{ErrorCode, Lang};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use crate::api::{Hop, StatusReport};
use crate::problem::{Problem, accepted_lang};

/// Longest body that a route takes where it sets no limit of its own, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What a node tells about itself. The calls run on the server's threads and must not block.
pub trait AdminProvider: Send + Sync + 'static {
    /// The node's state now.
    fn status(&self) -> StatusReport;

    /// All metrics in Prometheus' text form.
    fn metrics(&self) -> String;

    /// What the node remembers of a message; empty where it remembers nothing.
    fn trace(&self, message: [u8; 16]) -> Vec<Hop>;

    /// Asks the node to stop; it ends some time after the answer.
    fn stop(&self);
}

/// The admin socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process answers on this socket.
    #[error("another process serves {0}")]
    InUse(PathBuf),
    /// The path is longer than a Unix socket's name may be.
    #[error("{0} is too long for a Unix socket: use a folder with a shorter path")]
    PathTooLong(PathBuf),
    /// The socket cannot be made or used.
    #[error("the socket {path} cannot be served")]
    Io {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ServeError {
    /// The code to report this under.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InUse(_) => ErrorCode::AlreadyRunning,
            Self::PathTooLong(_) => ErrorCode::ConfigBadValue,
            Self::Io { .. } => ErrorCode::DiskFailed,
        }
    }
}

/// The routes that every node has: `GET /status`, `GET /metrics`, `GET /trace/{id}`, `POST /stop`.
///
/// Anything else is answered with a [`Problem`].
pub fn base_router(provider: Arc<dyn AdminProvider>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .route("/trace/{id}", get(trace))
        .route("/stop", post(stop))
        .fallback(unknown_path)
        .with_state(provider)
}

/// A bound admin socket of mode 0600: clients can connect, and wait until it is served.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Binds the socket. A socket file that nobody answers on is replaced.
    ///
    /// # Errors
    /// [`ServeError`] where another process serves the socket or the system refuses it.
    pub async fn bind(path: &Path) -> Result<Self, ServeError> {
        if path.as_os_str().len() > PATH_LEN_MAX {
            return Err(ServeError::PathTooLong(path.to_owned()));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(ServeError::InUse(path.to_owned()));
        }
        // Bound under another name first: nobody can connect before the mode is set.
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let made = || {
            match std::fs::remove_file(&fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let listener = UnixListener::bind(&fresh)?;
            std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
            std::fs::rename(&fresh, path)?;
            Ok(listener)
        };
        let listener = made().map_err(|source| ServeError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Serves the routes until `shutdown` resolves; removes the socket at the end.
    ///
    /// Bodies are limited to [`BODY_BYTES_MAX`] unless a route sets its own limit. Requests in work at the
    /// shutdown get two seconds to end.
    ///
    /// # Errors
    /// [`ServeError::Io`] where the system ends it.
    pub async fn serve<F>(self, router: Router, shutdown: F) -> Result<(), ServeError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { listener, path } = self;
        let router = router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
        let stopping = Arc::new(Notify::new());
        let told = Arc::clone(&stopping);
        let served = axum::serve(listener, router).with_graceful_shutdown(async move {
            shutdown.await;
            told.notify_one();
        });
        let ended = tokio::select! {
            ended = served => ended,
            () = async {
                stopping.notified().await;
                tokio::time::sleep(GRACE).await;
            } => Ok(()),
        };
        // A successor may have made a new socket only after this one stopped answering, so this name is still ours.
        let removed = std::fs::remove_file(&path);
        ended
            .and(removed)
            .map_err(|source| ServeError::Io { path, source })
    }
}

/// Binds an [`AdminSocket`] and serves the routes on it until `shutdown` resolves.
///
/// # Errors
/// As [`AdminSocket::bind`] and [`AdminSocket::serve`].
pub async fn serve<F>(path: &Path, router: Router, shutdown: F) -> Result<(), ServeError>
where
    F: Future<Output = ()> + Send + 'static,
{
    AdminSocket::bind(path).await?.serve(router, shutdown).await
}

async fn status(State(provider): State<Arc<dyn AdminProvider>>) -> axum::Json<StatusReport> {
    axum::Json(provider.status())
}

async fn metrics(State(provider): State<Arc<dyn AdminProvider>>) -> impl IntoResponse {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        provider.metrics(),
    )
}

async fn trace(
    State(provider): State<Arc<dyn AdminProvider>>,
    UrlPath(id): UrlPath<String>,
    headers: HeaderMap,
) -> Response {
    match message_id(&id) {
        Some(message) => axum::Json(provider.trace(message)).into_response(),
        None => {
            let lang = accepted_lang(&headers);
            let detail = match lang {
                Lang::Ja => "メッセージ番号は 16 進数 32 桁です",
                Lang::En => "a message id is 32 hexadecimal digits",
            };
            Problem::new(ErrorCode::ValueInvalid, lang)
                .with_detail(detail)
                .into_response()
        }
    }
}

async fn stop(State(provider): State<Arc<dyn AdminProvider>>) -> impl IntoResponse {
    provider.stop();
    (
        StatusCode::ACCEPTED,
        axum::Json(serde_json::json!({"stopping": true})),
    )
}

async fn unknown_path(headers: HeaderMap) -> Problem {
    let lang = accepted_lang(&headers);
    let detail = match lang {
        Lang::Ja => "このノードの管理 API にそのパスはありません",
        Lang::En => "this node's admin API has no such path",
    };
    Problem::new(ErrorCode::ServiceUnknown, lang)
        .with_status(404)
        .with_detail(detail)
}

fn message_id(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

/// How long requests in work may take after the shutdown was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// The kernel takes 107 bytes; four are for the temporary name.
const PATH_LEN_MAX: usize = 103;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_exactly_32_hexadecimal_digits() {
        assert_eq!(
            message_id("000102030405060708090a0b0c0d0e0f"),
            Some([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
        );
        assert_eq!(message_id("+00102030405060708090a0b0c0d0e0f"), None);
        assert_eq!(message_id("00"), None);
        assert_eq!(message_id("g00102030405060708090a0b0c0d0e0f"), None);
    }
}
