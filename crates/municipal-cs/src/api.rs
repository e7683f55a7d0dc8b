//! The register's routes, the same on the admin socket and on loopback HTTP.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_domain::Lang;

use crate::change_json::{ChangeJson, ChangeState};
use crate::register::{Register, refusal};
use crate::{codes_api, import_api};

/// `POST /v1/changes`, `GET /v1/changes/{key}`, `POST /v1/import`,
/// `POST /v1/reconcile`, `GET /v1/codes`.
pub(crate) fn routes(register: Register) -> Router {
    Router::new()
        .route("/v1/changes", post(submit))
        .route("/v1/changes/{key}", get(state))
        .route(
            "/v1/reconcile",
            post(import_api::compare).layer(axum::extract::DefaultBodyLimit::disable()),
        )
        .route("/v1/codes", get(codes_api::codes))
        .route(
            "/v1/import",
            post(import_api::import).layer(axum::extract::DefaultBodyLimit::disable()),
        )
        .with_state(register)
}

async fn submit(
    State(register): State<Register>,
    headers: HeaderMap,
    JsonBody(change): JsonBody<ChangeJson>,
) -> Response {
    let lang = accepted_lang(&headers);
    let request = match change.request(register.today()) {
        Ok(request) => request,
        Err(wrong) => {
            return Problem::new(wrong.code, lang)
                .with_detail(item_detail(wrong.item, lang))
                .into_response();
        }
    };
    let submitted = match register.submit(&change.key, &request).await {
        Ok(submitted) => register.settled(submitted).await,
        Err(code) => Err(code),
    };
    match submitted {
        Ok(registered) => match refusal(&registered) {
            Some(code) => Problem::new(code, lang).into_response(),
            None => Json(ChangeState::of(&change.key, &registered)).into_response(),
        },
        Err(code) => Problem::new(code, lang).into_response(),
    }
}

async fn state(
    State(register): State<Register>,
    headers: HeaderMap,
    Path(key): Path<String>,
) -> Response {
    match register.state(&key).await {
        Ok(registered) => Json(ChangeState::of(&key, &registered)).into_response(),
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

/// Names the item of a request that is wrong.
pub(crate) fn item_detail(item: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("項目 {item}"),
        Lang::En => format!("item {item}"),
    }
}
