//! Logging in and out.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
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
use juki_smartcard::Pkcs11Card;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex, Semaphore};

use super::{call, problem};
use crate::duties::duties;
use crate::operator::{LoggedIn, LoginRefused, Presented};

/// Log-ins that wait for their turn or have it: as many as a terminal has sessions.
static WAITING: Semaphore = Semaphore::const_new(256);

/// Cards that are tried at once: each takes 64 MiB, and a core for some tenths of a second.
static UNLOCKING: Semaphore = Semaphore::const_new(4);

/// One try at a time for each card; a few cards share a lock.
static TRIES: [Mutex<()>; 64] = [const { Mutex::const_new(()) }; 64];

fn tries_of(serial: &str) -> &'static Mutex<()> {
    let mut hasher = DefaultHasher::new();
    serial.hash(&mut hasher);
    let [first, ..] = hasher.finish().to_be_bytes();
    TRIES
        .get(usize::from(first) % TRIES.len())
        .unwrap_or(&TRIES[0])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// A card file.
    card: Option<PathBuf>,
    /// The label of a token, in place of a file.
    token: Option<String>,
    /// The module that the operator means; it must be the one that the configuration names.
    pkcs11: Option<PathBuf>,
    pin: String,
}

pub(super) async fn login(
    State(handle): State<EngineHandle>,
    headers: HeaderMap,
    JsonBody(login): JsonBody<Login>,
) -> Response {
    let lang = accepted_lang(&headers);
    // Clients that ask and hang up must not queue tries without end.
    let Ok(place) = WAITING.try_acquire() else {
        return Problem::new(ErrorCode::RateExceeded, lang).into_response();
    };
    // A try goes on record even where nobody waits for its outcome.
    let beginning = tokio::spawn(async move {
        let _place = place;
        begin(&handle, login).await
    });
    match beginning.await.unwrap_or(Err(ErrorCode::NotRunning)) {
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
    let pin = login.pin;
    let presented = match (login.card, login.token) {
        (Some(card), None) => blocking(move || Presented::file(&card, registrar)).await?,
        (None, Some(token)) => {
            let module = module(handle, login.pkcs11)?;
            let pins = pins_folder(handle)?;
            blocking(move || Presented::token(&module, &token, &pins, registrar)).await?
        }
        (Some(_), Some(_)) | (None, None) => return Err(ErrorCode::ValueInvalid),
    };
    let presented = presented.map_err(|refused| refused.code)?;
    let at_hand = presented.at_hand();
    // From the question whether a card may be tried until a wrong PIN is on record, nobody else tries
    // it. Nobody closes the turns.
    let _card = tries_of(&at_hand.serial).lock().await;
    let _turn = UNLOCKING.acquire().await;
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

/// The module that the configuration names. A request cannot make the terminal load another library.
fn module(handle: &EngineHandle, meant: Option<PathBuf>) -> Result<PathBuf, ErrorCode> {
    let configured = handle.prepared().config.card.as_ref();
    let module = configured.map(|reader| reader.pkcs11_module.clone());
    module
        .filter(|module| meant.is_none_or(|meant| meant == *module))
        .ok_or(ErrorCode::CardModule)
}

/// Where wrong PINs of tokens are counted.
fn pins_folder(handle: &EngineHandle) -> Result<PathBuf, ErrorCode> {
    let folder = handle.prepared().data().join("tokens");
    std::fs::create_dir_all(&folder).map_err(|_| ErrorCode::DiskFailed)?;
    Ok(folder)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unlocking {
    card: String,
    /// The registrar's unlocking, in hexadecimal digits.
    unlocking: String,
}

/// Gives a token its tries back: a card file takes its unlocking itself.
pub(super) async fn unlock(
    State(handle): State<EngineHandle>,
    headers: HeaderMap,
    JsonBody(unlocking): JsonBody<Unlocking>,
) -> Response {
    let card = unlocking.card.clone();
    match accept(&handle, unlocking).await {
        Ok(()) => Json(json!({"card": card})).into_response(),
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

async fn accept(handle: &EngineHandle, unlocking: Unlocking) -> Result<(), ErrorCode> {
    let registrar = handle.prepared().keys.directory.registrar;
    let registrar = registrar.ok_or(ErrorCode::UnlockNotFitting)?;
    let folder = pins_folder(handle)?;
    let bytes = bytes_of(&unlocking.unlocking).ok_or(ErrorCode::UnlockNotFitting)?;
    let accepted = blocking(move || {
        Pkcs11Card::accept_unlocking(&folder, &unlocking.card, &bytes, &registrar)
    });
    accepted.await?.map_err(|error| error.code())
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if text.len() > UNLOCKING_HEX_MAX || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

const UNLOCKING_HEX_MAX: usize = 2048;

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
