//! The issuing authority's certificate under another root, during a roll-over.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_domain::ErrorCode;
use juki_pki::{
    Authority, is_issued_by, read_certificates, read_key, serial_of, write_certificates,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, hex_of_length};

/// The certificate as hexadecimal DER.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issuing {
    certificate: String,
}

/// The routes of the issuing authority.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/pki/issuing", axum::routing::post(replace))
}

async fn replace(
    State(shared): State<Shared>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Issuing>,
) -> Response {
    let _turn = shared.turn.lock().await;
    match shared.replace_issuing(&body) {
        Ok(answer) => Json(answer).into_response(),
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

impl Shared {
    /// The same key under a root that this node believes: everything signed before stays good.
    fn replace_issuing(&self, body: &Issuing) -> Result<Value, ErrorCode> {
        let not_signed = ErrorCode::RootsNotSigned;
        let certificate =
            hex_of_length(&body.certificate, CERTIFICATE_HEX_MAX).ok_or(not_signed)?;
        let prepared = self.handle.prepared();
        let keys = prepared.keys_folder();
        let roots = read_certificates(&keys.join("root.crt")).map_err(|error| error.code())?;
        if !roots.iter().any(|root| is_issued_by(&certificate, root)) {
            return Err(not_signed);
        }
        let key = read_key(&prepared.secrets_folder().join("issuing.key"))
            .map_err(|error| error.code())?;
        let issuing = Authority::open(&certificate, &key).map_err(|_| not_signed)?;
        write_certificates(
            &keys.join("issuing.crt"),
            std::slice::from_ref(&certificate),
        )
        .map_err(|_| ErrorCode::DiskFailed)?;
        self.registrar.issuing.store(Arc::new(issuing));
        tracing::info!(event = "issuing-authority.replaced");
        let serial = serial_of(&certificate).map_err(|error| error.code())?;
        let serial: String = serial.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(json!({ "serial": serial }))
    }
}

const CERTIFICATE_HEX_MAX: usize = 2 * juki_pki::CERTIFICATE_BYTES_MAX;
