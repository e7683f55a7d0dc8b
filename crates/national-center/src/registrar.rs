//! The registrar: signs revocation lists, the legal-basis table and what concerns operators' cards
//! with the online issuing key.

mod cards;
mod issuing;
mod legal_basis;
mod orders;
mod renewal;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_crypto::SigningKey;
use juki_domain::ErrorCode;
use juki_node::{EngineHandle, Prepared, StartError};
use juki_pki::{Authority, crl_next_update, crl_number, read_certificates, read_key};
use juki_services::orders::{REVOCATION, RevocationAct};
use prost::Message as _;
use serde::Deserialize;

/// How long a revocation list holds, in seconds: thirty days.
const LIST_VALID_S: u64 = 30 * 24 * 3600;

/// How long before its end a list is followed by the next, in seconds: ten days.
const LIST_RENEWED_S: u64 = 10 * 24 * 3600;

/// How often the list's age is looked at.
const LIST_CHECK: Duration = Duration::from_secs(3600);

/// Longest serial in hexadecimal digits (RFC 5280: 20 octets).
const SERIAL_HEX_MAX: usize = 40;

/// The registrar's key and its record of what it revoked.
pub(crate) struct Registrar {
    issuing: ArcSwap<Authority>,
    /// The same key, for what is signed in the network's own forms.
    signing: Arc<SigningKey>,
    record: PathBuf,
    /// When each list was issued: number and Unix second.
    lists: PathBuf,
    /// Every certificate that was issued by a renewal: serial, Unix second, node.
    certificates: PathBuf,
    first_cards: PathBuf,
}

/// What is to be revoked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    node: String,
    serial: String,
    /// The order that a system manager's card signed, in hexadecimal digits.
    act: String,
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
        let key = read_key(&prepared.secrets_folder().join("issuing.key")).map_err(wrong)?;
        let issuing = Authority::open(certificate, &key).map_err(wrong)?;
        let signing = SigningKey::from_pkcs8(&key)
            .map_err(|error| StartError::configuration(ErrorCode::ConfigBadValue, error))?;
        Ok(Self {
            issuing: ArcSwap::from_pointee(issuing),
            signing: Arc::new(signing),
            record: keys.join("revoked.tsv"),
            lists: keys.join("lists.tsv"),
            certificates: keys.join("renewed.tsv"),
            first_cards: keys.join("first-cards.bin"),
        })
    }

    fn issuing(&self) -> Arc<Authority> {
        self.issuing.load_full()
    }

    pub(crate) fn routes(self, handle: EngineHandle) -> Router {
        let cards = cards::routes(
            handle.clone(),
            Arc::clone(&self.signing),
            self.first_cards.clone(),
        );
        let shared = Shared {
            registrar: Arc::new(self),
            handle,
            turn: Arc::default(),
        };
        juki_runtime::spawn(renew_lists(shared.clone()));
        Router::new()
            .route("/pki/revoke", post(revoke))
            .route("/basis", post(legal_basis::publish))
            .route("/pki/lists", get(lists))
            .merge(renewal::routes())
            .merge(issuing::routes())
            .with_state(shared)
            .merge(cards)
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

    /// The list after the current one, with one certificate more where one is to be revoked.
    fn next_list(
        &self,
        current: &[u8],
        revocation: Option<&Revocation>,
        now_s: u64,
    ) -> Result<Vec<u8>, ErrorCode> {
        let mut revoked = self.revoked().map_err(|_| ErrorCode::DiskFailed)?;
        if let Some(revocation) = revocation {
            self.note(revocation, &mut revoked, now_s)?;
        }
        let number = crl_number(current).map_err(|error| error.code())? + 1;
        let list = self
            .issuing()
            .revocation_list(number, &revoked, now_s, now_s + LIST_VALID_S)
            .map_err(|error| error.code())?;
        append(&self.lists, &format!("{number}\t{now_s}\n")).map_err(|_| ErrorCode::DiskFailed)?;
        Ok(list)
    }

    /// Puts a certificate on record as revoked, if it is not yet.
    fn note(
        &self,
        revocation: &Revocation,
        revoked: &mut Vec<(Vec<u8>, u64)>,
        now_s: u64,
    ) -> Result<(), ErrorCode> {
        let serial = hex(&revocation.serial).ok_or(ErrorCode::ValueInvalid)?;
        if !revoked.iter().any(|(known, _)| *known == serial) {
            let node: String = revocation
                .node
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect();
            let line = format!("{}\t{now_s}\t{node}\n", text_of(&serial));
            append(&self.record, &line).map_err(|_| ErrorCode::DiskFailed)?;
            revoked.push((serial, now_s));
        }
        Ok(())
    }

    /// Number and time of every list issued here, oldest first.
    fn issued(&self) -> Vec<(u64, u64)> {
        let text = std::fs::read_to_string(&self.lists).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(number, at)| Some((number.parse().ok()?, at.parse().ok()?)))
            .collect()
    }
}

async fn revoke(
    State(shared): State<Shared>,
    headers: HeaderMap,
    JsonBody(revocation): JsonBody<Revocation>,
) -> Response {
    // Once the order is on record the list must be issued, whether or not anybody waits to hear of it.
    let revoking =
        juki_runtime::spawn(async move { revoke_as_ordered(&shared, &revocation).await });
    match revoking.await.unwrap_or(Err(ErrorCode::NotRunning)) {
        Ok(answer) => Json(answer).into_response(),
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

async fn revoke_as_ordered(
    shared: &Shared,
    revocation: &Revocation,
) -> Result<serde_json::Value, ErrorCode> {
    let act = RevocationAct {
        node: revocation.node.clone(),
        serial: hex(&revocation.serial).ok_or(ErrorCode::ValueInvalid)?,
    };
    let act = act.encode_to_vec();
    let by = orders::order(&shared.handle, REVOCATION, &revocation.act, act).await?;
    let number = issue(shared, Some(revocation)).await?;
    let node = &revocation.node;
    tracing::info!(event = "certificate.revoked", node, by, list = number);
    Ok(serde_json::json!({ "node": node, "by": by, "list": number }))
}

/// Issues the next list and puts it in force here, from where it reaches every node.
async fn issue(shared: &Shared, revocation: Option<&Revocation>) -> Result<u64, ErrorCode> {
    let _turn = shared.turn.lock().await;
    let transport = shared.handle.transport();
    let current = transport.revocation_list();
    let list = shared
        .registrar
        .next_list(&current, revocation, shared.unix_now())?;
    transport
        .install_crl(&list)
        .map_err(|_| ErrorCode::DiskFailed)?;
    crl_number(&list).map_err(|error| error.code())
}

/// Issues a list in time before the one in force ends: personal data waits for lists in time.
async fn renew_lists(shared: Shared) {
    loop {
        let current = shared.handle.transport().revocation_list();
        let end = crl_next_update(&current).unwrap_or(0);
        if end.saturating_sub(shared.unix_now()) < LIST_RENEWED_S {
            match issue(&shared, None).await {
                Ok(number) => tracing::info!(event = "revocation-list.renewed", list = number),
                Err(code) => {
                    tracing::error!(event = "revocation-list.not-renewed", code = code.code());
                }
            }
        }
        tokio::time::sleep(LIST_CHECK).await;
    }
}

impl Shared {
    /// The machine's clock in seconds since 1970.
    fn unix_now(&self) -> u64 {
        self.handle.prepared().machine.clock.now_ms() / 1000
    }
}

/// When each list was issued, for whoever asks since when a node lags.
async fn lists(State(shared): State<Shared>) -> Response {
    let lists: Vec<_> = shared
        .registrar
        .issued()
        .into_iter()
        .map(|(number, at)| serde_json::json!({ "number": number, "issued_unix_s": at }))
        .collect();
    Json(serde_json::json!({ "lists": lists })).into_response()
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

/// Bytes as lowercase hexadecimal digits.
fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    hex_of_length(text, SERIAL_HEX_MAX)
}

fn hex_of_length(text: &str, len_max: usize) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > len_max {
        return None;
    }
    bytes_of(text)
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
