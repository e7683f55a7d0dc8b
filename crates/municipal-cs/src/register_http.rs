//! The register's HTTP interface on loopback, behind a bearer token.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use juki_admin::{Problem, accepted_lang};
use juki_crypto::DigestKey;
use juki_domain::ErrorCode;
use juki_node::{Prepared, StartError, Stop};
use tokio::net::TcpListener;

use crate::api;
use crate::register::Register;

/// Longest token in bytes.
const TOKEN_LEN_MAX: usize = 256;

/// The running interface.
pub(crate) struct RegisterHttp {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl RegisterHttp {
    /// The bearer token that the register must show, where the node has the interface.
    pub(crate) fn token(prepared: &Prepared) -> Result<Option<String>, StartError> {
        let Some(register) = &prepared.config.register else {
            return Ok(None);
        };
        let path = prepared.secrets_folder().join(&register.token);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            StartError::configuration(
                ErrorCode::ConfigUnreadable,
                format!("{}: {error}", path.display()),
            )
        })?;
        let token = text.trim().to_owned();
        if token.is_empty() || token.len() > TOKEN_LEN_MAX {
            return Err(StartError::configuration(
                ErrorCode::ConfigBadValue,
                format!("{}: 1 to {TOKEN_LEN_MAX} bytes", path.display()),
            ));
        }
        Ok(Some(token))
    }

    /// Binds and serves, where the configuration has a `[register]` section.
    pub(crate) async fn start(
        prepared: &Prepared,
        register: Register,
        stop: Stop,
    ) -> Result<Option<Self>, StartError> {
        let (Some(section), Some(token)) = (&prepared.config.register, Self::token(prepared)?)
        else {
            return Ok(None);
        };
        if !section.http.ip().is_loopback() {
            return Err(StartError::configuration(
                ErrorCode::ConfigBadValue,
                "register.http: only a loopback address, since the interface is not encrypted",
            ));
        }
        let listener = TcpListener::bind(section.http)
            .await
            .map_err(|error| StartError::failed(ErrorCode::LineDown, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::failed(ErrorCode::LineDown, error))?;
        if let Some(announce) = &section.announce {
            write_address(&prepared.folder.join(announce), address)
                .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
        }
        let router = guarded(api::routes(register), &token);
        let task = tokio::spawn(async move {
            let served = axum::serve(listener, router)
                .with_graceful_shutdown(async move { stop.asked().await })
                .await;
            if let Err(error) = served {
                tracing::error!(event = "register_http.failed", %error);
            }
        });
        Ok(Some(Self { address, task }))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening; requests that wait for the ledger are answered by the engine's end.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // An aborted task ends with an error that says only that.
        let _ = self.task.await;
    }
}

fn guarded(router: Router, token: &str) -> Router {
    let expected: Arc<str> = format!("Bearer {token}").into();
    router.layer(from_fn_with_state(expected, demand_token))
}

async fn demand_token(State(expected): State<Arc<str>>, request: Request, next: Next) -> Response {
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .map_or(&[][..], |value| value.as_bytes());
    // Compared through a keyed digest, so that the time taken says nothing about the token.
    let key = DigestKey::new(&[0; 32]);
    if key.fits(shown, &key.digest(expected.as_bytes())) {
        return next.run(request).await;
    }
    Problem::new(ErrorCode::NotAuthorized, accepted_lang(request.headers()))
        .with_status(401)
        .into_response()
}

fn write_address(path: &Path, address: SocketAddr) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, format!("{address}\n"))?;
    std::fs::rename(fresh, path)
}
