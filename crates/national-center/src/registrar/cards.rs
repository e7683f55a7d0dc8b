//! The registrar's desk for operators' cards.
//!
//! What is done is durable in the ledger first; then certificates and lists are signed. A list that
//! a crash kept from being signed is signed at the next start.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_access::{CardList, ListedFor, Role, SignedAct, UnlockGrant};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_crypto::{Notice, NoticeKind, SigningKey};
use juki_domain::{CivilDate, ErrorCode};
use juki_node::EngineHandle;
use juki_services::cards::{
    ActKind, CardRow, CardsAnswer, CardsAsk, FirstCards, PageAsk, SERVICE, cards_ask,
};
use juki_transport::NoticeRefused;
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use super::{bytes_of, text_of};

/// Longest act in hexadecimal digits: far more than an enrolment needs.
const ACT_HEX_MAX: usize = 16 * 1024;

#[derive(Clone)]
struct Desk {
    handle: EngineHandle,
    signing: Arc<SigningKey>,
    first_cards: Arc<PathBuf>,
    /// Whether the cards that were made with the network are in the ledger.
    begun: Arc<OnceCell<()>>,
    /// One list at a time: two at once would take the same number.
    turn: Arc<Mutex<()>>,
}

/// `POST /cards/act`, `GET /cards`.
pub(super) fn routes(
    handle: EngineHandle,
    signing: Arc<SigningKey>,
    first_cards: PathBuf,
) -> Router {
    let desk = Desk {
        handle,
        signing,
        first_cards: Arc::new(first_cards),
        begun: Arc::default(),
        turn: Arc::default(),
    };
    let starting = desk.clone();
    juki_runtime::spawn(async move {
        if let Err(code) = starting.begin().await {
            tracing::error!(event = "cards.not_begun", code = code.code());
        }
    });
    Router::new()
        .route("/cards/act", post(act))
        .route("/cards", get(ledger))
        .with_state(desk)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    /// The signed act, in hexadecimal digits.
    act: String,
}

async fn act(
    State(desk): State<Desk>,
    headers: HeaderMap,
    JsonBody(act): JsonBody<Act>,
) -> Response {
    // Once an act is on record its list must be signed, whether or not anybody waits to hear of it.
    let doing = juki_runtime::spawn(async move { desk.act(&act.act).await });
    match doing.await.unwrap_or(Err(ErrorCode::NotRunning)) {
        Ok(done) => Json(done).into_response(),
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    after: String,
}

async fn ledger(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Query(page): Query<Page>,
) -> Response {
    match desk.page(page.after).await {
        Ok(rows) => Json(rows).into_response(),
        Err(code) => Problem::new(code, accepted_lang(&headers)).into_response(),
    }
}

impl Desk {
    /// Enters the first cards, and signs a list that is missing or has to be another.
    async fn begin(&self) -> Result<(), ErrorCode> {
        self.begun
            .get_or_try_init(|| async {
                let file = Arc::clone(&self.first_cards);
                let read = tokio::task::spawn_blocking(move || std::fs::read(file.as_ref())).await;
                if let Ok(Ok(bytes)) = read {
                    let first =
                        FirstCards::decode(bytes.as_slice()).map_err(|_| ErrorCode::CardDamaged)?;
                    self.ask(cards_ask::Kind::Enter(first)).await?;
                }
                self.publish().await.map(|_| ())
            })
            .await
            .map(|_| ())
    }

    async fn act(&self, hex: &str) -> Result<Value, ErrorCode> {
        self.begin().await?;
        if hex.len() > ACT_HEX_MAX {
            return Err(ErrorCode::ActInvalid);
        }
        let bytes = bytes_of(hex).ok_or(ErrorCode::ActInvalid)?;
        let signed = SignedAct::decode(bytes.as_slice()).map_err(|_| ErrorCode::ActInvalid)?;
        let answer = self.ask(cards_ask::Kind::Act(signed)).await;
        // After a refusal too: an act that is refused because it was done may be one whose list
        // could not be signed.
        let list = self.publish().await;
        let row = answer?.card.ok_or(ErrorCode::FrameGarbage)?;
        let list = list?;
        let kind = row
            .acts
            .last()
            .and_then(|line| ActKind::from_number(line.kind));
        tracing::info!(
            event = "card.acted",
            act = kind.map(ActKind::name),
            card = row.serial,
            list
        );
        let mut done = row_json(&row);
        if let Some(members) = done.as_object_mut() {
            members.insert("list".to_owned(), list.into());
            if kind == Some(ActKind::Enrol) {
                let certificate = row.certificate().signed(&self.signing).encode_to_vec();
                members.insert("certificate".to_owned(), text_of(&certificate).into());
            }
            if kind == Some(ActKind::Unlock) {
                let grant = UnlockGrant::sign(&row.serial, row.unlockings, &self.signing);
                let grant = text_of(&grant.encode_to_vec());
                members.insert("unlocking".to_owned(), grant.into());
            }
        }
        Ok(done)
    }

    async fn page(&self, after: String) -> Result<Vec<Value>, ErrorCode> {
        self.begin().await?;
        let answer = self.ask(cards_ask::Kind::Page(PageAsk { after })).await?;
        Ok(answer.page.iter().map(row_json).collect())
    }

    /// Signs the list of cards that may not be used and puts it in force, where it is not in force
    /// already; gives its number.
    async fn publish(&self) -> Result<u64, ErrorCode> {
        let _turn = self.turn.lock().await;
        let body = self.ask(cards_ask::Kind::List(true)).await?.list;
        let in_force = self
            .handle
            .transport()
            .notices()
            .into_iter()
            .find(|notice| notice.kind == NoticeKind::CardList);
        let (number, before) = in_force.map_or((0, CardList::default().encode()), |notice| {
            (notice.number, notice.body.clone())
        });
        if before == body {
            return Ok(number);
        }
        let notice = Notice::sign(NoticeKind::CardList, number + 1, body, &self.signing);
        match self.handle.install_notice(&notice.encode()).await {
            Ok(()) => Ok(number + 1),
            Err(error @ NoticeRefused::Keep { .. }) => {
                tracing::error!(event = "card_list.not_kept", %error);
                Ok(number + 1)
            }
            Err(error) => Err(error.code()),
        }
    }

    async fn ask(&self, kind: cards_ask::Kind) -> Result<CardsAnswer, ErrorCode> {
        let request = CardsAsk { kind: Some(kind) }.encode_to_vec();
        let answer = self
            .handle
            .call(SERVICE, request)
            .await
            .map_err(|_| ErrorCode::NotRunning)?;
        let answer = CardsAnswer::decode(answer.as_slice()).map_err(|_| ErrorCode::FrameGarbage)?;
        match answer.failure.as_str() {
            "" => Ok(answer),
            code => Err(ErrorCode::from_code(code).unwrap_or(ErrorCode::FrameGarbage)),
        }
    }
}

fn row_json(row: &CardRow) -> Value {
    let roles: Vec<&str> = row
        .roles
        .iter()
        .filter_map(|role| Role::from_number(*role))
        .map(Role::name)
        .collect();
    let acts: Vec<Value> = row
        .acts
        .iter()
        .map(|line| {
            json!({
                "act": ActKind::from_number(line.kind).map(ActKind::name),
                "at_unix_ms": line.at_ms,
                "date": CivilDate::from_number(line.civil_date).ok().map(|date| date.to_string()),
                "by": line.by,
                "note": line.note,
            })
        })
        .collect();
    json!({
        "card": row.serial,
        "operator": row.operator,
        "body": row.body,
        "roles": roles,
        "state": row.listed().map_or("lent", ListedFor::name),
        "since_unix_s": row.since_s,
        "valid_until_unix_s": row.valid_until_s,
        "unlockings": row.unlockings,
        "acts": acts,
    })
}
