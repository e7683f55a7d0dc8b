//! What a running supervisor can be asked over its socket.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_admin::{Problem, accepted_lang};
use juki_domain::ErrorCode;
use serde_json::json;

use super::{SupervisedNode, SupervisorHandle};

/// `GET /nodes`, `POST /down`, `POST /restart/{node}`.
pub(crate) fn router(handle: SupervisorHandle) -> Router {
    Router::new()
        .route("/nodes", get(nodes))
        .route("/down", post(down))
        .route("/restart/{node}", post(restart))
        .fallback(unknown_path)
        .with_state(handle)
}

async fn nodes(State(handle): State<SupervisorHandle>) -> Json<Vec<SupervisedNode>> {
    Json(handle.nodes())
}

async fn down(State(handle): State<SupervisorHandle>) -> Response {
    handle.stop();
    (StatusCode::ACCEPTED, Json(json!({"stopping": true}))).into_response()
}

async fn restart(
    State(handle): State<SupervisorHandle>,
    Path(node): Path<String>,
    headers: HeaderMap,
) -> Response {
    if handle.restart(&node) {
        (StatusCode::ACCEPTED, Json(json!({"restarting": node}))).into_response()
    } else {
        Problem::new(ErrorCode::NotRunning, accepted_lang(&headers))
            .with_detail(node)
            .into_response()
    }
}

async fn unknown_path(headers: HeaderMap) -> Problem {
    Problem::new(ErrorCode::ServiceUnknown, accepted_lang(&headers)).with_status(404)
}
