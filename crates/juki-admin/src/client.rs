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
use juki_domain::Lang;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::client_error::ClientError;
use crate::file_body::FileBody;
use crate::lines::{JSON_LINES, LineCutter};

type SentBody = UnsyncBoxBody<Bytes, io::Error>;

/// A client of one admin socket. It keeps one connection and connects anew where that was closed.
#[derive(Debug)]
pub struct AdminClient {
    socket: PathBuf,
    lang: Lang,
    timeout: Duration,
    connection: Mutex<Option<SendRequest<SentBody>>>,
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
        let body = file_body(file).await?;
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

    /// `POST` of a file's bytes, answered line by line with JSON. The time limit is for each piece
    /// of the answer after the first, whose time is that of the file's way.
    ///
    /// # Errors
    /// [`ClientError`] of any kind, also what `each` refuses; `File` where the file cannot be opened.
    pub async fn post_file_lines(
        &self,
        path: &str,
        file: &Path,
        each: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let body = file_body(file).await?.boxed_unsync();
        self.lines((Method::POST, path), JSON_LINES, body, each)
            .await
    }

    /// `GET`, answered in lines of text of this media type.
    ///
    /// # Errors
    /// [`ClientError`] of any kind, also what `each` refuses.
    pub async fn get_lines(
        &self,
        path: &str,
        accept: &'static str,
        each: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let body = Full::default()
            .map_err(|never| match never {})
            .boxed_unsync();
        self.lines((Method::GET, path), accept, body, each).await
    }

    async fn lines(
        &self,
        (method, path): (Method, &str),
        accept: &'static str,
        body: SentBody,
        mut each: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let request = named(&method, path);
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::Broken {
            request: request.clone(),
            source,
        };
        let content = (method == Method::POST).then_some("application/octet-stream");
        let message = self.message((method, path), (Some(accept), content), body)?;
        let response = self.exchange(&request, message).await?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let collected = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let bytes = collected.map_err(broken)?.to_bytes();
            return Err(refusal(request, status, &bytes));
        }
        let mut cutter = LineCutter::default();
        loop {
            let frame = tokio::time::timeout(self.timeout, body.frame())
                .await
                .map_err(|_| ClientError::Timeout {
                    request: request.clone(),
                    seconds: self.timeout.as_secs(),
                })?;
            let Some(frame) = frame else {
                return Ok(());
            };
            let Ok(piece) = frame.map_err(|error| broken(error.into()))?.into_data() else {
                continue;
            };
            let mut result = Ok(());
            let fits = cutter.feed(&piece, |line| {
                if result.is_ok() && !line.is_empty() {
                    result = each(line);
                }
            });
            result?;
            if !fits {
                return Err(broken("a line without end".into()));
            }
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        content: Option<&'static str>,
        body: SentBody,
    ) -> Result<Bytes, ClientError> {
        let request = named(&method, path);
        let message = self.message((method, path), (None, content), body)?;
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

    fn message(
        &self,
        (method, path): (Method, &str),
        (accept, content): (Option<&'static str>, Option<&'static str>),
        body: SentBody,
    ) -> Result<Request<SentBody>, ClientError> {
        let request = named(&method, path);
        let lang = match self.lang {
            Lang::Ja => "ja",
            Lang::En => "en",
        };
        let mut builder = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT_LANGUAGE, lang);
        if let Some(accept) = accept {
            builder = builder.header(header::ACCEPT, accept);
        }
        if let Some(content) = content {
            builder = builder.header(header::CONTENT_TYPE, content);
        }
        builder.body(body).map_err(|source| ClientError::Broken {
            request,
            source: source.into(),
        })
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

async fn file_body(file: &Path) -> Result<FileBody, ClientError> {
    let opened = async {
        let opened = tokio::fs::File::open(file).await?;
        let length = opened.metadata().await?.len();
        Ok(FileBody::new(opened, length))
    };
    opened.await.map_err(|source| ClientError::File {
        path: file.to_owned(),
        source,
    })
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
