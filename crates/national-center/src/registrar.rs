//! The registrar: signs revocation lists and the legal-basis table with the online issuing key.

mod legal_basis;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_crypto::SigningKey;
use juki_domain::ErrorCode;
use juki_node::{EngineHandle, Prepared, StartError};
use juki_pki::{Authority, crl_number, read_certificates, read_key};
use serde::Deserialize;

/// How long a revocation list holds, in seconds: thirty days.
const LIST_VALID_S: u64 = 30 * 24 * 3600;

/// Longest serial in hexadecimal digits (RFC 5280: 20 octets).
const SERIAL_HEX_MAX: usize = 40;

/// The registrar's key and its record of what it revoked.
pub(crate) struct Registrar {
    issuing: Authority,
    signing: SigningKey,
    record: PathBuf,
}

/// What is to be revoked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    node: String,
    serial: String,
}

#[derive(Clone)]
struct Shared {
    registrar: Arc<Registrar>,
    handle: EngineHandle,
    /// One list at a time: two at once would take the same number.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Registrar {
    pub(crate) fn open(prepared: &Prepared) -> Result<Self, StartError> {
        let keys = prepared.keys_folder();
        let wrong = |error: juki_pki::PkiError| StartError::configuration(error.code(), error);
        let certificates = read_certificates(&keys.join("issuing.crt")).map_err(wrong)?;
        let certificate = certificates.first().ok_or_else(|| {
            StartError::missing("issuing.crt: the issuing authority's certificate")
        })?;
        let key = read_key(&keys.join("issuing.key")).map_err(wrong)?;
        let issuing = Authority::open(certificate, &key).map_err(wrong)?;
        let signing = SigningKey::from_pkcs8(&key).map_err(|error| {
            StartError::configuration(ErrorCode::ConfigBadValue, format!("issuing.key: {error}"))
        })?;
        Ok(Self {
            issuing,
            signing,
            record: keys.join("revoked.tsv"),
        })
    }

    pub(crate) fn routes(self, handle: EngineHandle) -> Router {
        let shared = Shared {
            registrar: Arc::new(self),
            handle,
            turn: Arc::default(),
        };
        Router::new()
            .route("/pki/revoke", post(revoke))
            .route("/basis", post(legal_basis::publish))
            .with_state(shared)
    }

    /// What was revoked so far: serial and time, from the record beside the keys.
    fn revoked(&self) -> std::io::Result<Vec<(Vec<u8>, u64)>> {
        let text = match std::fs::read_to_string(&self.record) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        Ok(text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(serial, rest)| {
                Some((hex(serial)?, rest.split('\t').next()?.parse().ok()?))
            })
            .collect())
    }

    fn next_list(
        &self,
        current: &[u8],
        revocation: &Revocation,
        now_s: u64,
    ) -> Result<Vec<u8>, ErrorCode> {
        let serial = hex(&revocation.serial).ok_or(ErrorCode::ValueInvalid)?;
        let mut revoked = self.revoked().map_err(|_| ErrorCode::DiskFailed)?;
        if !revoked.iter().any(|(known, _)| *known == serial) {
            let node: String = revocation
                .node
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect();
            let line = format!("{}\t{now_s}\t{node}\n", revocation.serial);
            append(&self.record, &line).map_err(|_| ErrorCode::DiskFailed)?;
            revoked.push((serial, now_s));
        }
        let number = crl_number(current).map_err(|error| error.code())? + 1;
        self.issuing
            .revocation_list(number, &revoked, now_s, now_s + LIST_VALID_S)
            .map_err(|error| error.code())
    }
}

async fn revoke(
    State(shared): State<Shared>,
    headers: HeaderMap,
    JsonBody(revocation): JsonBody<Revocation>,
) -> Response {
    let _turn = shared.turn.lock().await;
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let transport = shared.handle.transport();
    let made = shared
        .registrar
        .next_list(&transport.revocation_list(), &revocation, now_s);
    let installed = made.and_then(|list| {
        transport
            .install_crl(&list)
            .map_err(|_| ErrorCode::DiskFailed)
            .map(|()| list)
    });
    match installed {
        Ok(list) => {
            let number = crl_number(&list).unwrap_or(0);
            tracing::info!(
                event = "certificate.revoked",
                node = revocation.node,
                list = number
            );
            Json(serde_json::json!({ "node": revocation.node, "list": number })).into_response()
        }
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

fn append(path: &std::path::Path, line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty()
        || text.len() > SERIAL_HEX_MAX
        || !text.len().is_multiple_of(2)
        || !text.is_ascii()
    {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
