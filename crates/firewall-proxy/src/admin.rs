//! The admin API of a firewall: its policy, and what it would do.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_domain::{ErrorCode, Lang, NodeId};
use juki_firewall::Sample;
use serde::Deserialize;
use serde_json::json;

use crate::ProxyHandle;
use crate::desk::civil_ms;
use crate::explained;
use crate::orders::ReloadBy;

/// `GET /firewall`, `POST /firewall/reload`, `POST /firewall/explain`, `GET /monitor/alerts`.
pub(crate) fn router(handle: ProxyHandle) -> Router {
    Router::new()
        .route("/firewall", get(report))
        .route("/firewall/reload", post(reload))
        .route("/firewall/explain", post(explain))
        .route("/monitor/alerts", get(alerts))
        .with_state(Arc::new(handle))
}

/// A frame that somebody asks about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    source: String,
    destination: String,
    service: String,
    #[serde(default)]
    peer: Option<String>,
    #[serde(default = "Question::bytes_default")]
    bytes: usize,
    /// The network's civil time; without it now.
    #[serde(default)]
    at: Option<String>,
}

impl Question {
    fn bytes_default() -> usize {
        1_000
    }

    fn sample(&self) -> Option<Sample> {
        let node = |text: &str| text.parse::<NodeId>().ok();
        Some(Sample {
            peer: match &self.peer {
                Some(peer) => Some(node(peer)?),
                None => None,
            },
            source: node(&self.source)?,
            destination: node(&self.destination)?,
            service: self.service.parse().ok()?,
            bytes: self.bytes,
        })
    }
}

async fn report(State(handle): State<Arc<ProxyHandle>>, headers: HeaderMap) -> Response {
    match handle.policy_report().await {
        Some(report) => axum::Json(report).into_response(),
        None => ended(&headers),
    }
}

async fn alerts(State(handle): State<Arc<ProxyHandle>>, headers: HeaderMap) -> Response {
    match handle.alerts().await {
        Some(answer) => axum::Json(juki_node::monitor_report(&answer)).into_response(),
        None => ended(&headers),
    }
}

async fn reload(State(handle): State<Arc<ProxyHandle>>, headers: HeaderMap) -> Response {
    match handle.reload(ReloadBy::Admin).await {
        Ok(change) => axum::Json(json!({
            "added": change.added,
            "removed": change.removed,
            "changed": change.changed,
        }))
        .into_response(),
        Err(error) => Problem::new(ErrorCode::PolicyNotTaken, accepted_lang(&headers))
            .with_status(422)
            .with_detail(&error.sentence)
            .into_response(),
    }
}

async fn explain(
    State(handle): State<Arc<ProxyHandle>>,
    headers: HeaderMap,
    JsonBody(question): JsonBody<Question>,
) -> Response {
    let lang = accepted_lang(&headers);
    let now_ms = match &question.at {
        None => Some(None),
        Some(text) => civil_ms(handle.config(), text).map(Some),
    };
    let (Some(sample), Some(now_ms)) = (question.sample(), now_ms) else {
        let detail = match lang {
            Lang::Ja => {
                "source と destination はノード名、service は業務名、at は 2002-10-15T09:30 の形です"
            }
            Lang::En => {
                "source and destination are nodes' names, service is a service's, at is like 2002-10-15T09:30"
            }
        };
        return Problem::new(ErrorCode::ValueInvalid, lang)
            .with_detail(detail)
            .into_response();
    };
    match handle.explain(sample.clone(), now_ms).await {
        Some(explanation) => {
            axum::Json(explained::document(&sample, &explanation, lang)).into_response()
        }
        None => ended(&headers),
    }
}

/// The forwarder is ending, and with it the node.
fn ended(headers: &HeaderMap) -> Response {
    Problem::new(ErrorCode::LineDown, accepted_lang(headers))
        .with_status(503)
        .into_response()
}
