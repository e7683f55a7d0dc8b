//! A node's side of its certificate's renewal, on its admin API.
//!
//! `POST /pki/request` makes a new key, which never leaves the node, and a request for its
//! certificate; `POST /pki/install` takes the certificate and shows it in every handshake from then
//! on. The request is signed with the node's first key, by which the registrar knows it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_crypto::Directory;
use juki_domain::ErrorCode;
use juki_pki::{
    RENEWAL_CONTEXT, ROOTS_CONTEXT, generate_key, key_of, public_key_of, read_certificates,
    request_certificate, roots_message, serial_of, write_certificates, write_notice,
};
use juki_transport::Transport;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::Prepared;
use crate::keys::root_keys;

/// The routes of a node's certificate.
pub fn pki_routes(prepared: Arc<Prepared>, transport: Transport) -> Router {
    let desk = Arc::new(Desk {
        prepared,
        transport,
        pending: Mutex::new(None),
    });
    Router::new()
        .route("/pki/request", post(request))
        .route("/pki/install", post(install))
        .route("/pki/roots", post(roots))
        .with_state(desk)
}

struct Desk {
    prepared: Arc<Prepared>,
    transport: Transport,
    /// The key that a certificate was requested for.
    pending: Mutex<Option<Zeroizing<Vec<u8>>>>,
}

/// A certificate and the issuing authority's, as hexadecimal DER.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    chain: Vec<String>,
}

/// Which roots are to be believed from now on, on the word of one that is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Roots {
    /// Certificates as hexadecimal DER.
    roots: Vec<String>,
    /// The signature of a root that is believed now, hexadecimal.
    signature: String,
    /// The directory signed by one of the new roots, where that is not so already.
    #[serde(default)]
    directory: Option<String>,
}

async fn roots(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Roots>,
) -> Response {
    answer(desk.replace_roots(&body), &headers)
}

async fn request(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    answer(desk.request(), &headers)
}

async fn install(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Chain>,
) -> Response {
    answer(desk.install(&body), &headers)
}

fn answer(result: Result<Value, ErrorCode>, headers: &HeaderMap) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(code) => Problem::new(code, accepted_lang(headers)).into_response(),
    }
}

impl Desk {
    fn request(&self) -> Result<Value, ErrorCode> {
        let section = &self.prepared.config.node;
        let key = generate_key().map_err(|error| error.code())?;
        let request = request_certificate(&section.name, &section.network, &key)
            .map_err(|error| error.code())?;
        let signature = self.prepared.keys.signing.sign(RENEWAL_CONTEXT, &request);
        *self.pending() = Some(key);
        Ok(json!({
            "node": section.name.as_str(),
            "request": to_hex(&request),
            "signature": to_hex(&signature),
        }))
    }

    fn install(&self, body: &Chain) -> Result<Value, ErrorCode> {
        let not_fitting = ErrorCode::RenewalNotFitting;
        if body.chain.len() != CHAIN_LEN {
            return Err(not_fitting);
        }
        let chain: Option<Vec<Vec<u8>>> = body.chain.iter().map(|text| from_hex(text)).collect();
        let chain = chain.ok_or(not_fitting)?;
        let own = chain.first().map_or(&[][..], Vec::as_slice);
        let mut pending = self.pending();
        let key = pending.as_ref().ok_or(not_fitting)?;
        let public = public_key_of(key).map_err(|_| not_fitting)?;
        if !key_of(own).is_ok_and(|key| key == public) {
            return Err(not_fitting);
        }
        // Believed here first: what this node would refuse must not lie in its folder.
        self.transport.renew(key, &chain).map_err(|error| {
            tracing::warn!(event = "certificate.not_installed", %error);
            not_fitting
        })?;
        let kept = juki_pki::write_link_key(&self.prepared.keys_folder(), key, &chain);
        *pending = None;
        drop(pending);
        let serial = to_hex(&serial_of(own).unwrap_or_default());
        tracing::info!(event = "certificate.installed", serial);
        kept.map_err(|error| {
            tracing::error!(event = "certificate.not_kept", code = error.code().code(), %error);
            ErrorCode::DiskFailed
        })?;
        Ok(json!({ "serial": serial }))
    }

    fn replace_roots(&self, body: &Roots) -> Result<Value, ErrorCode> {
        let not_signed = ErrorCode::RootsNotSigned;
        if !(1..=ROOTS_MAX).contains(&body.roots.len()) {
            return Err(not_signed);
        }
        let roots: Option<Vec<Vec<u8>>> = body.roots.iter().map(|text| from_hex(text)).collect();
        let roots = roots.ok_or(not_signed)?;
        let signature = from_hex(&body.signature).ok_or(not_signed)?;
        // One after the other: two at once could leave files of both.
        let _turn = self.pending();
        let folder = self.prepared.keys_folder();
        let believed = read_certificates(&folder.join("root.crt")).map_err(|error| error.code())?;
        let message = roots_message(&roots);
        let signed = root_keys(&believed)
            .into_iter()
            .flatten()
            .any(|root| root.verify(ROOTS_CONTEXT, &message, &signature).is_ok());
        if !signed {
            return Err(not_signed);
        }
        let directory = self.directory(body.directory.as_deref(), &roots)?;
        self.transport.replace_roots(&roots).map_err(|error| {
            tracing::warn!(event = "roots.not_installed", %error);
            error.code()
        })?;
        // A stop between the two leaves a directory of the new root beside both, which fits.
        let kept = write_notice(&folder.join("directory.bin"), &directory)
            .and_then(|()| write_certificates(&folder.join("root.crt"), &roots));
        tracing::info!(event = "roots.installed", roots = roots.len());
        kept.map_err(|error| {
            tracing::error!(event = "roots.not_kept", code = error.code().code(), %error);
            ErrorCode::DiskFailed
        })?;
        Ok(json!({ "roots": roots.len() }))
    }

    /// The bytes of the directory that is to lie beside these roots: it is signed by one of them and
    /// names this node as before.
    fn directory(&self, given: Option<&str>, roots: &[Vec<u8>]) -> Result<Vec<u8>, ErrorCode> {
        let lock_out = ErrorCode::RootsLockOut;
        let bytes = match given {
            Some(text) if text.len() <= DIRECTORY_HEX_MAX => hex(text).ok_or(lock_out)?,
            Some(_) => return Err(lock_out),
            None => std::fs::read(self.prepared.keys_folder().join("directory.bin"))
                .map_err(|_| ErrorCode::ConfigUnreadable)?,
        };
        let keys = root_keys(roots).ok_or(ErrorCode::RootsNotSigned)?;
        let read = keys
            .iter()
            .find_map(|root| Directory::verify(&bytes, root).ok());
        let (now, node) = (
            &self.prepared.keys.directory,
            &self.prepared.config.node.name,
        );
        let is_same = read.is_some_and(|read| {
            read.registrar == now.registrar && read.entry(node) == now.entry(node)
        });
        if is_same { Ok(bytes) } else { Err(lock_out) }
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Option<Zeroizing<Vec<u8>>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes of a hexadecimal text of bounded length.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() > HEX_MAX {
        return None;
    }
    hex(text)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// The one that is believed and the one that is to come.
const ROOTS_MAX: usize = 2;
/// Below the length of a request's body; a prefecture's directory has some 200 kB.
const DIRECTORY_HEX_MAX: usize = 1_000_000;
/// The node's certificate and the issuing authority's.
const CHAIN_LEN: usize = 2;
const HEX_MAX: usize = 2 * juki_pki::CERTIFICATE_BYTES_MAX;
