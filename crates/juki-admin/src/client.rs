//! The client: one kept connection to a node's admin socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use juki_domain::{ErrorCode, Lang};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::file_body::FileBody;
use crate::problem::Problem;

type SentBody = UnsyncBoxBody<Bytes, io::Error>;

/// A client of one admin socket. It keeps one connection and connects anew where that was closed.
#[derive(Debug)]
pub struct AdminClient {
    socket: PathBuf,
    lang: Lang,
    timeout: Duration,
    connection: Mutex<Option<SendRequest<SentBody>>>,
}

/// A request over the admin socket did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket.
    #[error("nobody answers on {socket}")]
    NotReachable {
        /// The socket's path.
        socket: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The answer did not come in time.
    #[error("no answer to {request} within {seconds} s")]
    Timeout {
        /// Method and path.
        request: String,
        /// The time limit in seconds.
        seconds: u64,
    },
    /// The node refused and says why.
    #[error("{} {}: {}", .0.code, .0.title, .0.detail)]
    Refused(Box<Problem>),
    /// The node answered with an error status and no problem document.
    #[error("{request} was answered with status {status}")]
    Status {
        /// Method and path.
        request: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection broke in the middle.
    #[error("the connection broke during {request}")]
    Broken {
        /// Method and path.
        request: String,
        /// What HTTP said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is not what was expected.
    #[error("the answer to {request} is not of the expected form")]
    Malformed {
        /// Method and path.
        request: String,
        /// Where the form differs.
        #[source]
        source: serde_json::Error,
    },
    /// The file to send cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// The file's path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ClientError {
    /// The code to report this under.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotReachable { .. } => ErrorCode::NotRunning,
            Self::Timeout { .. } => ErrorCode::AnswerTimeout,
            Self::Refused(problem) => problem.error_code().unwrap_or(ErrorCode::CheckFailed),
            Self::Broken { .. } => ErrorCode::LineDown,
            Self::File { .. } => ErrorCode::DiskFailed,
            Self::Status { .. } | Self::Malformed { .. } => ErrorCode::CheckFailed,
        }
    }
}

impl AdminClient {
    /// A client of the socket at this path. It connects with the first request.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            lang: Lang::En,
            timeout: TIMEOUT_DEFAULT,
            connection: Mutex::new(None),
        }
    }

    /// The same client, asking for refusals in this language.
    #[must_use]
    pub fn with_lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// The same client with this time limit for a whole request; the default is 30 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The socket's path.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// `GET`, answered with JSON.
    ///
    /// # Errors
    /// [`ClientError`] of any kind.
    pub async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let bytes = self
            .ask(
                Method::GET,
                path,
                None,
                Full::default()
                    .map_err(|never| match never {})
                    .boxed_unsync(),
            )
            .await?;
        parse(&Method::GET, path, &bytes)
    }

    /// `GET`, answered with text; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// [`ClientError`] of any kind but `Malformed`.
    pub async fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let bytes = self
            .ask(
                Method::GET,
                path,
                None,
                Full::default()
                    .map_err(|never| match never {})
                    .boxed_unsync(),
            )
            .await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// `POST` of a JSON body, answered with JSON; an empty answer reads as `null`.
    ///
    /// # Errors
    /// [`ClientError`] of any kind.
    pub async fn post_json<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|source| ClientError::Malformed {
            request: named(&Method::POST, path),
            source,
        })?;
        let body = Full::new(Bytes::from(body))
            .map_err(|never| match never {})
            .boxed_unsync();
        let bytes = self
            .ask(Method::POST, path, Some("application/json"), body)
            .await?;
        parse(&Method::POST, path, &bytes)
    }

    /// `POST` of bytes, answered with JSON.
    ///
    /// # Errors
    /// [`ClientError`] of any kind.
    pub async fn post_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let body = Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync();
        let bytes = self
            .ask(Method::POST, path, Some("application/octet-stream"), body)
            .await?;
        parse(&Method::POST, path, &bytes)
    }

    /// `POST` of a file's bytes, read while they are sent, answered with JSON.
    ///
    /// # Errors
    /// [`ClientError`] of any kind; `File` where the file cannot be opened.
    pub async fn post_file<T: DeserializeOwned>(
        &self,
        path: &str,
        file: &Path,
    ) -> Result<T, ClientError> {
        let opened = async {
            let opened = tokio::fs::File::open(file).await?;
            let length = opened.metadata().await?.len();
            Ok(FileBody::new(opened, length))
        };
        let body = opened.await.map_err(|source| ClientError::File {
            path: file.to_owned(),
            source,
        })?;
        let bytes = self
            .ask(
                Method::POST,
                path,
                Some("application/octet-stream"),
                body.boxed_unsync(),
            )
            .await?;
        parse(&Method::POST, path, &bytes)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        content: Option<&'static str>,
        body: SentBody,
    ) -> Result<Bytes, ClientError> {
        let request = named(&method, path);
        let mut builder = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(
                header::ACCEPT_LANGUAGE,
                match self.lang {
                    Lang::Ja => "ja",
                    Lang::En => "en",
                },
            );
        if let Some(content) = content {
            builder = builder.header(header::CONTENT_TYPE, content);
        }
        let message = builder.body(body).map_err(|source| ClientError::Broken {
            request: request.clone(),
            source: source.into(),
        })?;
        let exchange = async {
            let response = self.exchange(&request, message).await?;
            let status = response.status();
            let bytes = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|source| ClientError::Broken {
                    request: request.clone(),
                    source,
                })?
                .to_bytes();
            Ok((status, bytes))
        };
        let seconds = self.timeout.as_secs();
        let (status, bytes) = tokio::time::timeout(self.timeout, exchange)
            .await
            .map_err(|_| ClientError::Timeout {
                request: request.clone(),
                seconds,
            })??;
        if status.is_success() {
            Ok(bytes)
        } else {
            Err(refusal(request, status, &bytes))
        }
    }

    async fn exchange(
        &self,
        name: &str,
        message: Request<SentBody>,
    ) -> Result<Response<hyper::body::Incoming>, ClientError> {
        // The lock is kept for the exchange: one connection carries one request at a time. A cancelled
        // request drops the connection, since its answer would be taken for the next one's.
        let mut kept = self.connection.lock().await;
        let broken = |source: hyper::Error| ClientError::Broken {
            request: name.to_owned(),
            source: source.into(),
        };
        let mut message = message;
        if let Some(mut sender) = kept.take()
            && sender.ready().await.is_ok()
        {
            match sender.try_send_request(message).await {
                Ok(response) => {
                    *kept = Some(sender);
                    return Ok(response);
                }
                // The server had closed the idle connection: nothing was sent, so it is asked again.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => message = unsent,
                    None => return Err(broken(error.into_error())),
                },
            }
        }
        let mut sender = self.connect().await?;
        let response = sender.send_request(message).await.map_err(broken)?;
        *kept = Some(sender);
        Ok(response)
    }

    async fn connect(&self) -> Result<SendRequest<SentBody>, ClientError> {
        let unreachable = |source| ClientError::NotReachable {
            socket: self.socket.clone(),
            source,
        };
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(unreachable)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(io::Error::other(error)))?;
        // The task ends with the connection, which ends when the sender is dropped.
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn refusal(request: String, status: StatusCode, bytes: &[u8]) -> ClientError {
    match serde_json::from_slice(bytes) {
        Ok(problem) => ClientError::Refused(Box::new(problem)),
        Err(_) => ClientError::Status {
            request,
            status: status.as_u16(),
        },
    }
}

fn parse<T: DeserializeOwned>(method: &Method, path: &str, bytes: &[u8]) -> Result<T, ClientError> {
    let bytes = if bytes.is_empty() { b"null" } else { bytes };
    serde_json::from_slice(bytes).map_err(|source| ClientError::Malformed {
        request: named(method, path),
        source,
    })
}

/// Method and path without its query, which may hold what a person asked for.
fn named(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    format!("{method} {path}")
}

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// A longer answer is a fault of the node.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
