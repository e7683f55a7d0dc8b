//! Renewal of nodes' certificates.
//!
//! A node is known by its first key, which the directory names: a request for a certificate has to be
//! signed with it, whatever key the certificate is for. A node whose last certificate was revoked gets
//! no other.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_crypto::SIGNATURE_LEN;
use juki_domain::{ErrorCode, NodeId};
use juki_pki::{RENEWAL_CONTEXT, not_after_of, read_request, serial_of};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Registrar, Shared, append, hex, hex_of_length, text_of};

/// What a node asks for, as its admin API made it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Renewal {
    node: String,
    /// PKCS#10 as hexadecimal DER.
    request: String,
    /// The node's signature over it, hexadecimal.
    signature: String,
    /// How many days the certificate is to be valid; two years where it does not say.
    #[serde(default)]
    days: Option<u64>,
}

/// The routes of renewal.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/pki/renew", axum::routing::post(renew))
}

async fn renew(
    State(shared): State<Shared>,
    headers: HeaderMap,
    JsonBody(renewal): JsonBody<Renewal>,
) -> Response {
    // Beside revocations: what is issued must not be judged by a record that is being written.
    let _turn = shared.turn.lock().await;
    match shared.issue(&renewal, shared.unix_now()) {
        Ok(answer) => Json(answer).into_response(),
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

impl Shared {
    fn issue(&self, renewal: &Renewal, now_s: u64) -> Result<Value, ErrorCode> {
        let not_own = ErrorCode::RenewalNotTheNodes;
        let prepared = self.handle.prepared();
        let node: NodeId = renewal.node.parse().map_err(|_| not_own)?;
        let entry = prepared.keys.directory.entry(&node).ok_or(not_own)?;
        let request = hex_of_length(&renewal.request, REQUEST_HEX_MAX).ok_or(not_own)?;
        let signature = hex_of_length(&renewal.signature, 2 * SIGNATURE_LEN).ok_or(not_own)?;
        entry
            .signing
            .verify(RENEWAL_CONTEXT, &request, &signature)
            .map_err(|_| not_own)?;
        let network = &prepared.config.node.network;
        let (named, key) = read_request(&request, network).map_err(|_| not_own)?;
        if named != node {
            return Err(not_own);
        }
        let registrar = &self.registrar;
        if registrar.is_last_revoked(&node)? {
            return Err(ErrorCode::RenewalOfRevoked);
        }
        let days = renewal.days.unwrap_or(DAYS_MAX).clamp(1, DAYS_MAX);
        let issuing = registrar.issuing();
        let certificate = issuing
            .issue_node(&node, network, &key, now_s, now_s + days * DAY_S)
            .map_err(|error| error.code())?;
        let serial = serial_of(&certificate).map_err(|error| error.code())?;
        let serial = text_of(&serial);
        let line = format!("{serial}\t{now_s}\t{node}\n");
        append(&registrar.certificates, &line).map_err(|_| ErrorCode::DiskFailed)?;
        tracing::info!(event = "certificate.renewed", %node, serial);
        Ok(json!({
            "node": node.as_str(),
            "serial": serial,
            "valid_until_unix_s": not_after_of(&certificate).unwrap_or(0),
            "chain": [text_of(&certificate), text_of(issuing.certificate())],
        }))
    }
}

impl Registrar {
    /// Whether the certificate that this node was given last is revoked.
    fn is_last_revoked(&self, node: &NodeId) -> Result<bool, ErrorCode> {
        let given = self.lines(&self.certificates)?;
        Ok(is_last_revoked(&given, &self.lines(&self.record)?, node))
    }

    fn lines(&self, path: &std::path::Path) -> Result<Vec<Line>, ErrorCode> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(|_| ErrorCode::DiskFailed)?,
        };
        Ok(text.lines().filter_map(Line::parse).collect())
    }
}

/// A certificate on record: given or revoked.
struct Line {
    serial: Vec<u8>,
    node: String,
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let (serial, _at, node) = (columns.next()?, columns.next()?, columns.next()?);
        Some(Self {
            serial: hex(serial)?,
            node: node.to_owned(),
        })
    }
}

/// A certificate is known by its serial, whoever its revocation says that it was of. The first one
/// stands in no record: of a node that was never given another, any revocation is that of the first.
fn is_last_revoked(given: &[Line], revoked: &[Line], node: &NodeId) -> bool {
    let last = given.iter().rev().find(|line| line.node == node.as_str());
    revoked.iter().any(|line| match last {
        Some(last) => line.serial == last.serial,
        None => line.node == node.as_str(),
    })
}

const DAY_S: u64 = 24 * 3600;
/// Two years, as a new deployment's certificates have.
const DAYS_MAX: u64 = 2 * 365;
const REQUEST_HEX_MAX: usize = 2 * juki_pki::CERTIFICATE_BYTES_MAX;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<Line> {
        text.iter().filter_map(|line| Line::parse(line)).collect()
    }

    #[test]
    fn the_last_certificate_is_revoked_by_its_serial_however_that_is_written() {
        let node: NodeId = "cs-352047".parse().unwrap();
        let given = lines(&["0aff\t1\tcs-352047", "0b00\t2\tcs-352047", "0c\t3\tother"]);
        for (revoked, is) in [
            (&["0B00\t5\tcs-352047"][..], true),
            (&["0b00\t5\tsomebody"], true),
            (&["0aff\t5\tcs-352047"], false),
            (&["0c\t5\tcs-352047"], false),
            (&[], false),
        ] {
            assert_eq!(is_last_revoked(&given, &lines(revoked), &node), is);
        }
        let first = lines(&["77\t1\tcs-352047"]);
        assert!(is_last_revoked(&[], &first, &node));
        assert!(!is_last_revoked(&[], &lines(&["77\t1\tother"]), &node));
    }
}
