//! The legal-basis table: a new one is read strictly, signed and put in force everywhere.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_crypto::{Notice, NoticeKind, sha256};
use juki_domain::{LegalBasisTable, Purpose};
use juki_node::EngineHandle;
use juki_services::orders::{BASIS, BasisAct};
use juki_transport::NoticeRefused;
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, orders, text_of};

/// What is to be put in force.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTable {
    /// The table's text.
    table: String,
    /// The order that a system manager's card signed, in hexadecimal digits.
    act: String,
}

/// `POST /basis`: signs the table under the next number and puts it in force here; it reaches every
/// other node by itself.
pub(super) async fn publish(
    State(shared): State<Shared>,
    headers: HeaderMap,
    JsonBody(new): JsonBody<NewTable>,
) -> Response {
    let _turn = shared.turn.lock().await;
    let lang = accepted_lang(&headers);
    let table = match LegalBasisTable::parse(&new.table) {
        Ok(table) => table,
        // It names line and column, and holds nothing of the text.
        Err(error) => {
            return Problem::new(error.code(), lang)
                .with_detail(error.to_string())
                .into_response();
        }
    };
    let before = in_force(&shared.handle);
    let number = before.as_ref().map_or(1, |(number, _)| number + 1);
    let body = new.table.into_bytes();
    let digest = sha256(&body).to_vec();
    let act = BasisAct {
        number,
        digest: digest.clone(),
    };
    let ordered = orders::order(&shared.handle, BASIS, &new.act, act.encode_to_vec()).await;
    let digest = text_of(&digest);
    let ordered = match ordered {
        Ok(by) => by,
        Err(code) => return Problem::new(code, lang).into_response(),
    };
    let notice = Notice::sign(
        NoticeKind::LegalBasis,
        number,
        body,
        &shared.registrar.signing,
    );
    match shared.handle.install_notice(&notice.encode()).await {
        Ok(()) => {}
        Err(error @ NoticeRefused::Keep { .. }) => {
            tracing::error!(event = "legal_basis.not_kept", %error);
        }
        Err(refused) => return Problem::new(refused.code(), lang).into_response(),
    }
    let changes = table.changes_since(before.as_ref().and_then(|(_, table)| table.as_ref()));
    tracing::info!(
        event = "legal_basis.published",
        number,
        digest,
        by = ordered
    );
    Json(json!({
        "number": number,
        "digest": digest,
        "by": ordered,
        "rows": table.all().len(),
        "added": purposes(&changes.added),
        "removed": purposes(&changes.removed),
        "changed": purposes(&changes.changed),
    }))
    .into_response()
}

/// The number in force at the registrar, with its table where it can be read.
fn in_force(handle: &EngineHandle) -> Option<(u64, Option<LegalBasisTable>)> {
    let notices = handle.transport().notices();
    let notice = notices
        .iter()
        .find(|notice| notice.kind == NoticeKind::LegalBasis)?;
    let table = std::str::from_utf8(&notice.body)
        .ok()
        .and_then(|text| LegalBasisTable::parse(text).ok());
    Some((notice.number, table))
}

fn purposes(purposes: &[Purpose<'_>]) -> Vec<Value> {
    let value = |purpose: &Purpose<'_>| json!({"body": purpose.body, "affair": purpose.affair});
    purposes.iter().map(value).collect()
}
