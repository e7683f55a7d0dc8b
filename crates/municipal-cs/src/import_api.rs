//! `POST /v1/import`, `POST /v1/reconcile`: files of the register over a connection.

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use juki_admin::{JSON_LINES, Problem, accepted_lang, accepts_json_lines, lines_response};
use juki_domain::{CivilDate, ErrorCode};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use crate::api::item_detail;
use crate::import::{self, Outlet, Piece, Plan, Source};
use crate::reconcile;
use crate::register::Register;

/// Pieces of a body that wait for the disk.
const PIECES_MAX: usize = 8;

#[derive(Deserialize)]
pub(crate) struct ImportQuery {
    initial_date: Option<String>,
    /// Whether the lines of the answer tell the rows' codes.
    codes: Option<bool>,
}

/// Takes a file in and answers with its report, or line by line where the client wants that.
pub(crate) async fn import(
    State(register): State<Register>,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let lang = accepted_lang(&headers);
    let initial = query
        .initial_date
        .as_deref()
        .unwrap_or(import::FIRST_PHASE_DAY);
    let Ok(initial_date) = CivilDate::parse_japanese(initial) else {
        return Problem::new(ErrorCode::DateInvalid, lang)
            .with_detail(item_detail("initial_date", lang))
            .into_response();
    };
    if query.initial_date.is_some() && initial_date > register.today() {
        return Problem::new(ErrorCode::DateOutOfBounds, lang)
            .with_detail(item_detail("initial_date", lang))
            .into_response();
    }
    let turn = match register.imports().try_turn() {
        Ok(turn) => turn,
        Err(code) => return Problem::new(code, lang).into_response(),
    };
    let (outlet, lines) = if accepts_json_lines(&headers) {
        let (outlet, lines) = import::lines(lang, query.codes.unwrap_or(true));
        (Outlet::Lines(outlet), Some(lines))
    } else {
        (Outlet::Report, None)
    };
    let (pieces, source) = mpsc::channel(PIECES_MAX);
    let (passed, passes) = oneshot::channel();
    let plan = Plan {
        initial_date,
        patient: false,
    };
    let running = import::start(register, turn, Source::Pieces(source), plan, outlet, passed);
    pump(body, pieces).await;
    match (passes.await, lines) {
        (Ok(()), Some(lines)) => return lines_response(JSON_LINES, lines),
        (Ok(()), None) | (Err(_), _) => {}
    }
    match running.await {
        Ok(Ok(report)) => Json(report).into_response(),
        Ok(Err(failure)) => failure.problem(lang).into_response(),
        Err(_) => Problem::new(ErrorCode::LineDown, lang).into_response(),
    }
}

/// Compares a full export with what this server holds, and answers line by line.
pub(crate) async fn compare(
    State(register): State<Register>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let lang = accepted_lang(&headers);
    let turn = match register.imports().try_turn() {
        Ok(turn) => turn,
        Err(code) => return Problem::new(code, lang).into_response(),
    };
    let (outlet, lines) = import::lines(lang, false);
    let (pieces, source) = mpsc::channel(PIECES_MAX);
    let (passed, passes) = oneshot::channel();
    let running = reconcile::start(register, turn, Source::Pieces(source), outlet, passed);
    pump(body, pieces).await;
    if passes.await.is_ok() {
        return lines_response(JSON_LINES, lines);
    }
    match running.await {
        Ok(Err(failure)) => failure.problem(lang).into_response(),
        Ok(Ok(())) | Err(_) => Problem::new(ErrorCode::LineDown, lang).into_response(),
    }
}

/// Passes a body on. One that is refused in the middle is still read to its end: whoever sends into
/// a closed connection may never read why.
async fn pump(mut body: Body, pieces: mpsc::Sender<Piece>) {
    let mut wanted = true;
    while let Some(frame) = body.frame().await {
        // The receiver finds out by the missing end.
        let Ok(frame) = frame else { return };
        if let Ok(bytes) = frame.into_data()
            && wanted
        {
            wanted = pieces.send(Piece::Bytes(bytes)).await.is_ok();
        }
    }
    // A receiver that is gone has said why.
    let _ = pieces.send(Piece::End).await;
}
