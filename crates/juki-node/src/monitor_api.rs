//! What a node's admin API says of alerts and neighbours.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use juki_admin::{Problem, accepted_lang};
use juki_domain::{ErrorCode, ServiceId};
use juki_incident::{Alert, MonitorAnswer, MonitorQuestion};
use prost::Message as _;
use serde_json::{Value, json};

use crate::EngineHandle;

/// Alerts of one answer at most.
const LIST_MAX: u32 = 1_000;

/// `GET /monitor/alerts`.
pub(crate) fn router(handle: EngineHandle) -> Router {
    Router::new()
        .route("/monitor/alerts", get(alerts))
        .with_state(handle)
}

async fn alerts(State(handle): State<EngineHandle>, headers: HeaderMap) -> Response {
    let question = MonitorQuestion { limit: LIST_MAX };
    let asked = handle
        .call(ServiceId::Monitor.name(), question.encode_to_vec())
        .await;
    let answer = asked
        .ok()
        .and_then(|body| MonitorAnswer::decode(body.as_slice()).ok());
    match answer {
        Some(answer) => axum::Json(monitor_report(&answer)).into_response(),
        None => Problem::new(ErrorCode::LineDown, accepted_lang(&headers))
            .with_status(503)
            .into_response(),
    }
}

/// What a node knows of alerts and neighbours, as JSON.
#[must_use]
pub fn monitor_report(answer: &MonitorAnswer) -> Value {
    let alerts = answer.alerts.iter().filter_map(|listed| {
        let alert = listed.alert.as_ref()?;
        Some(alert_row(alert, listed.entry))
    });
    let neighbours = answer
        .neighbours
        .iter()
        .map(|kept| json!({"node": kept.node, "seq": kept.seq, "kept_unix_ms": kept.kept_ms}));
    json!({
        "alerts": alerts.collect::<Vec<_>>(),
        "passed": answer.passed,
        "lost": answer.lost,
        "neighbours": neighbours.collect::<Vec<_>>(),
    })
}

/// One alert as JSON; `entry` is its number in the ledger of the node that says so.
#[must_use]
pub fn alert_row(alert: &Alert, entry: u64) -> Value {
    json!({
        "node": alert.node,
        "at_unix_ms": alert.at_ms,
        "kind": alert.kind,
        "level": alert.level,
        "count": alert.count,
        "service": alert.service,
        "peer": alert.peer,
        "code": alert.code,
        "evidence": alert.evidence,
        "entry": entry,
    })
}
