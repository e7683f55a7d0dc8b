//! The terminal's routes: log in, ask, log out.

mod login;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_audit::Outcome;
use juki_domain::{
    BirthDate, ChangeReason, CivilDate, ErrorCode, Lang, MunicipalityCode, RecordItem, RecordItems,
    Sex,
};
use juki_node::EngineHandle;
use juki_services::query::{Answered, LocalAnswer, LocalAsk, Question, ShownRecord, local_ask};
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Value, json};

const SERVICE: &str = "query";

/// `POST /operator/login`, `POST /operator/logout`, `POST /operator/unlock`, `POST /query`.
pub(crate) fn routes(handle: EngineHandle) -> Router {
    Router::new()
        .route("/operator/login", post(login::login))
        .route("/operator/logout", post(login::logout))
        .route("/operator/unlock", post(login::unlock))
        .route("/query", post(query))
        .with_state(handle)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    affair: String,
    code: Option<String>,
    name: Option<String>,
    #[serde(default)]
    name_begins: bool,
    birth: Option<String>,
    sex: Option<String>,
    address: Option<String>,
    /// In which session; without it in the one that began last.
    session: Option<String>,
}

impl Query {
    fn question(self) -> Result<Question, ErrorCode> {
        let birth = self
            .birth
            .as_deref()
            .map(BirthDate::parse_japanese)
            .transpose()
            .map_err(|error| error.code())?;
        let sex = match self.sex.as_deref() {
            None => 0,
            Some("男" | "1" | "male" | "m") => Sex::Male as u32,
            Some("女" | "2" | "female" | "f") => Sex::Female as u32,
            Some(_) => return Err(ErrorCode::ValueInvalid),
        };
        Ok(Question {
            affair: self.affair,
            code: self.code.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            name_begins: self.name_begins,
            birth: birth.map_or(0, |birth| birth.number()),
            sex,
            address: self.address.unwrap_or_default(),
            nonce: Vec::new(),
        })
    }
}

async fn query(
    State(handle): State<EngineHandle>,
    headers: HeaderMap,
    JsonBody(query): JsonBody<Query>,
) -> Response {
    let lang = accepted_lang(&headers);
    let session = query.session.clone().unwrap_or_default();
    let question = match query.question() {
        Ok(question) => question,
        Err(code) => return Problem::new(code, lang).into_response(),
    };
    match call(&handle, session, local_ask::Kind::Ask(question)).await {
        Ok(LocalAnswer {
            answered: Some(answered),
            message_id,
            ..
        }) => Json(answer_json(&answered, &message_id, lang)).into_response(),
        Ok(answer) => problem(&answer, lang),
        Err(code) => Problem::new(code, lang).into_response(),
    }
}

async fn call(
    handle: &EngineHandle,
    session: String,
    kind: local_ask::Kind,
) -> Result<LocalAnswer, ErrorCode> {
    let request = LocalAsk {
        kind: Some(kind),
        session,
    }
    .encode_to_vec();
    let answer = handle
        .call(SERVICE, request)
        .await
        .map_err(|_| ErrorCode::LineDown)?;
    LocalAnswer::decode(answer.as_slice()).map_err(|_| ErrorCode::FrameGarbage)
}

fn problem(answer: &LocalAnswer, lang: Lang) -> Response {
    let code = ErrorCode::from_code(&answer.failure).unwrap_or(ErrorCode::LineDown);
    let problem = Problem::new(code, lang);
    if answer.refused_by.is_empty() {
        return problem.into_response();
    }
    let detail = match lang {
        Lang::Ja => format!(
            "{} が拒否しました(メッセージ {})",
            answer.refused_by, answer.message_id
        ),
        Lang::En => format!(
            "{} refused it (message {})",
            answer.refused_by, answer.message_id
        ),
    };
    problem.with_detail(detail).into_response()
}

fn answer_json(answered: &Answered, message_id: &str, lang: Lang) -> Value {
    let is = |outcome: Outcome| answered.outcome == outcome as u32;
    if is(Outcome::Match) {
        return json!({"outcome": "match", "message_id": message_id, "record": answered.record.as_ref().map(|record| record_json(record, lang))});
    }
    if is(Outcome::NoMatch) {
        return json!({"outcome": "no-match", "message_id": message_id});
    }
    if is(Outcome::Several) {
        return json!({"outcome": "several", "message_id": message_id});
    }
    let code = ErrorCode::from_code(&answered.refusal);
    let explained = code.map(|code| code.explain(lang));
    let starts = CivilDate::from_number(answered.starts)
        .ok()
        .map(|date| date.to_string());
    json!({
        "outcome": "refused",
        "message_id": message_id,
        "code": answered.refusal,
        "what": explained.map(|explained| explained.what),
        "why": explained.map(|explained| explained.why),
        "todo": explained.map(|explained| explained.todo),
        "starts": starts,
        "ask_again_s": (answered.ask_again_ms > 0).then(|| answered.ask_again_ms.div_ceil(1_000)),
    })
}

fn record_json(record: &ShownRecord, lang: Lang) -> Value {
    let reason = u8::try_from(record.reason)
        .ok()
        .and_then(ChangeReason::from_number);
    let reason = reason.map(|reason| {
        if lang == Lang::Ja {
            reason.ja()
        } else {
            reason.name()
        }
    });
    let sex = u8::try_from(record.sex).ok().and_then(Sex::from_number);
    let has = |item| RecordItems::from_bits(record.items).is_some_and(|items| items.has(item));
    let text = |item, text: &str| (has(item) && !text.is_empty()).then(|| text.to_owned());
    let mut shown = json!({
        "items": RecordItems::from_bits(record.items).map(|items| items.numbers().collect::<Vec<_>>()),
        "code": text(RecordItem::Code, &record.code),
        "name": text(RecordItem::Name, &record.name),
        "birth": BirthDate::from_number(record.birth).map(|birth| birth.reveal()).ok(),
        "sex": sex.map(|sex| if lang == Lang::Ja { sex.ja() } else if sex == Sex::Male { "male" } else { "female" }),
        "address": text(RecordItem::Address, &record.address),
        "municipality": MunicipalityCode::from_number(record.municipality).map(|code| code.to_string()).ok(),
        "change": has(RecordItem::ChangeInformation).then(|| json!({
            "reason": reason,
            "date": CivilDate::from_number(record.event_date).map(|date| date.to_string()).ok(),
            "previous_code": (!record.previous_code.is_empty()).then_some(&record.previous_code),
            "ended": record.ended,
        })),
    });
    // What the affair may not see has no name here either.
    if let Some(members) = shown.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    shown
}
