//! The legal-basis table of this node, as its keys folder and its admin API have it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use juki_crypto::{Notice, NoticeKind, sha256};
use juki_domain::{ErrorCode, LegalBasis, LegalBasisTable};
use juki_node::{EngineHandle, Prepared, StartError};
use serde_json::{Value, json};

/// Checks the table that the node was given with its keys. One that has none yet gets it from its
/// neighbour, and refuses everybody until then.
///
/// # Errors
/// [`StartError`] where the file is there and no table that this network's registrar signed.
pub fn check_basis(prepared: &Prepared) -> Result<(), StartError> {
    let name = format!("{}.notice", NoticeKind::LegalBasis.name());
    let Ok(bytes) = std::fs::read(prepared.keys_folder().join(&name)) else {
        return Ok(());
    };
    let wrong = |code, error: String| StartError::configuration(code, format!("{name}: {error}"));
    let notice = Notice::verify(&bytes, &crate::registrar(prepared)?)
        .map_err(|error| wrong(ErrorCode::NoticeInvalid, error.to_string()))?;
    table_of(&notice)
        .map(|_| ())
        .map_err(|error| wrong(ErrorCode::BasisMalformed, error))
}

/// `GET /basis`: the table in force here, row by row. `tables` are those that this node answers
/// under.
pub fn basis_routes(handle: EngineHandle, tables: &'static [&'static str]) -> Router {
    Router::new()
        .route("/basis", get(show))
        .with_state((handle, tables))
}

async fn show(State((handle, tables)): State<(EngineHandle, &'static [&'static str])>) -> Response {
    let notices = handle.transport().notices();
    let notice = notices
        .iter()
        .find(|notice| notice.kind == NoticeKind::LegalBasis);
    let Some((notice, table)) = notice.and_then(|notice| Some((notice, table_of(notice).ok()?)))
    else {
        return Json(json!({"number": 0, "digest": "", "rows": []})).into_response();
    };
    let rows = table.all().iter().map(|row| row_json(row, tables));
    Json(json!({
        "number": notice.number,
        "digest": hex(&sha256(&notice.body)),
        "rows": rows.collect::<Vec<_>>(),
    }))
    .into_response()
}

fn row_json(row: &LegalBasis, tables: &[&str]) -> Value {
    json!({
        "body": row.body,
        "affair": row.affair,
        "table": row.table,
        "starts": row.starts.map(|day| day.to_string()),
        "keys": row.keys.name(),
        "items": row.items.numbers().collect::<Vec<_>>(),
        "fuzzy": row.fuzzy,
        "operator_per_min": row.operator_per_min,
        "body_per_min": row.body_per_min,
        "body_ja": row.body_ja,
        "statute_ja": row.statute_ja,
        "affair_ja": row.affair_ja,
        "answered_here": tables.contains(&row.table.as_str()),
    })
}

fn table_of(notice: &Notice) -> Result<LegalBasisTable, String> {
    let text = std::str::from_utf8(&notice.body).map_err(|error| error.to_string())?;
    LegalBasisTable::parse(text).map_err(|error| error.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
