//! Logging in and out.

use std::path::PathBuf;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_domain::{ErrorCode, Lang};
use juki_node::EngineHandle;
use juki_services::query::{CardAtHand, LocalAnswer, WrongPin, local_ask};
use serde::Deserialize;
use serde_json::json;

use super::{call, problem};
use crate::duties::duties;
use crate::operator::{LoggedIn, LoginRefused, Presented};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    card: PathBuf,
    pin: String,
}

pub(super) async fn login(
    State(handle): State<EngineHandle>,
    headers: HeaderMap,
    JsonBody(login): JsonBody<Login>,
) -> Response {
    let lang = accepted_lang(&headers);
    match begin(&handle, login).await {
        Ok((logged_in, session)) => {
            tracing::info!(
                event = "operator.logged_in",
                operator = logged_in.operator,
                card = logged_in.card
            );
            Json(json!({
                "operator": logged_in.operator,
                "card": logged_in.card,
                "session": session,
                "until_unix_s": logged_in.until_s,
                "duties": duties(lang),
            }))
            .into_response()
        }
        Err(code) => {
            tracing::warn!(event = "operator.refused", code = code.code());
            Problem::new(code, lang).into_response()
        }
    }
}

/// A card that may be tried, its PIN, a grant, a session.
async fn begin(handle: &EngineHandle, login: Login) -> Result<(LoggedIn, String), ErrorCode> {
    let terminal = handle.prepared().config.node.name.to_string();
    let registrar = handle.prepared().keys.directory.registrar;
    let Login { card, pin } = login;
    let presented = blocking(move || Presented::file(&card, registrar))
        .await?
        .map_err(|refused| refused.code)?;
    let at_hand = presented.at_hand();
    done(
        call(
            handle,
            String::new(),
            local_ask::Kind::Admit(at_hand.clone()),
        )
        .await?,
    )?;
    let logged_in = match blocking(move || presented.log_in(&terminal, &pin)).await? {
        Ok(logged_in) => logged_in,
        Err(refused) => return Err(record_wrong_pin(handle, at_hand, refused).await),
    };
    let kind = local_ask::Kind::Login(logged_in.authorisation.clone());
    let answer = done(call(handle, String::new(), kind).await?)?;
    Ok((logged_in, answer.session))
}

/// A wrong PIN goes on record before anybody hears of it.
async fn record_wrong_pin(
    handle: &EngineHandle,
    card: CardAtHand,
    refused: LoginRefused,
) -> ErrorCode {
    let Some(left) = refused.tries_left else {
        return refused.code;
    };
    let wrong = WrongPin {
        card: Some(card),
        left: u32::from(left),
    };
    match call(handle, String::new(), local_ask::Kind::WrongPin(wrong)).await {
        Ok(_) => refused.code,
        Err(code) => code,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ErrorCode> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ErrorCode::CardDamaged)
}

fn done(answer: LocalAnswer) -> Result<LocalAnswer, ErrorCode> {
    if answer.failure.is_empty() {
        return Ok(answer);
    }
    Err(ErrorCode::from_code(&answer.failure).unwrap_or(ErrorCode::FrameGarbage))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Logout {
    /// Which session; without it the one that began last.
    session: Option<String>,
}

pub(super) async fn logout(
    State(handle): State<EngineHandle>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let lang: Lang = accepted_lang(&headers);
    // Whoever has but one session need not say which.
    let logout = match body.as_ref() {
        b"" => Ok(Logout::default()),
        body => serde_json::from_slice::<Logout>(body),
    };
    let Ok(logout) = logout else {
        return Problem::new(ErrorCode::ValueInvalid, lang).into_response();
    };
    let session = logout.session.unwrap_or_default();
    match call(&handle, session, local_ask::Kind::Logout(true)).await {
        Ok(answer) if answer.failure.is_empty() => {
            Json(json!({"logged_out": true})).into_response()
        }
        Ok(answer) => problem(&answer, lang),
        Err(code) => Problem::new(code, lang).into_response(),
    }
}
