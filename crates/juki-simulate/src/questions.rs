//! What people at the agency's terminal ask, and what may be answered.

use std::sync::{Arc, Mutex, PoisonError};

use juki_domain::{MunicipalityCode, ReasonClass};
use juki_node::EngineHandle;
use juki_services::query::{Answered, LocalAnswer, LocalAsk, Question, ShownRecord, local_ask};
use prost::Message as _;

use crate::model::Resident;

/// A question by code.
pub(crate) fn by_code(code: &str) -> Question {
    Question {
        affair: AFFAIR.to_owned(),
        code: code.to_owned(),
        ..Question::default()
    }
}

/// A question by the four items.
pub(crate) fn by_items(resident: &Resident) -> Question {
    Question {
        affair: AFFAIR.to_owned(),
        name: resident.name.reveal().to_owned(),
        birth: resident.birth.number(),
        sex: resident.sex as u32,
        address: resident.address.reveal().to_owned(),
        ..Question::default()
    }
}

/// The session that the terminal's operator has, if any.
pub(crate) type Session = Arc<Mutex<Option<String>>>;

/// Asks in the operator's session, or logs in first; none where the terminal stopped meanwhile.
pub(crate) async fn ask(
    handle: EngineHandle,
    login: local_ask::Kind,
    session: Session,
    question: Question,
) -> Option<LocalAnswer> {
    let held = || session.lock().unwrap_or_else(PoisonError::into_inner);
    let known = held().clone();
    if let Some(token) = known {
        let answer = call(&handle, local_ask::Kind::Ask(question.clone()), token).await?;
        let is_answered = |told: &Answered| told.refusal.is_empty();
        if answer.answered.as_ref().is_some_and(is_answered) {
            return Some(answer);
        }
        // Its session or its grant has ended, as they do; or it fails again below.
        *held() = None;
    }
    let logged_in = call(&handle, login, String::new()).await?;
    if !logged_in.failure.is_empty() {
        return Some(logged_in);
    }
    *held() = Some(logged_in.session.clone());
    call(&handle, local_ask::Kind::Ask(question), logged_in.session).await
}

async fn call(
    handle: &EngineHandle,
    kind: local_ask::Kind,
    session: String,
) -> Option<LocalAnswer> {
    let request = LocalAsk {
        kind: Some(kind),
        session,
    };
    let answer = handle.call("query", request.encode_to_vec()).await.ok()?;
    LocalAnswer::decode(answer.as_slice()).ok()
}

/// In what a record differs from what the model last knew of a resident: the names of the items.
pub(crate) fn differences(
    shown: &ShownRecord,
    resident: &Resident,
    towns: &[MunicipalityCode],
) -> Vec<&'static str> {
    let Some((town, change)) = &resident.last else {
        return vec!["everything"];
    };
    let record = &change.record;
    let town = towns.get(*town).map(|town| town.number());
    let ended = change.reason.class() == ReasonClass::Deletion;
    let items = [
        ("municipality", town == Some(shown.municipality)),
        ("ended", shown.ended == ended),
        ("code", shown.code == record.code.reveal()),
        ("name", shown.name == record.name.reveal()),
        ("birth", shown.birth == record.birth.number()),
        ("sex", shown.sex == record.sex as u32),
        ("address", shown.address == record.address.reveal()),
        ("reason", shown.reason == change.reason as u32),
        ("event date", shown.event_date == change.event_date.number()),
    ];
    let wrong = items.into_iter().filter(|(_, is_right)| !is_right);
    wrong.map(|(name, _)| name).collect()
}

const AFFAIR: &str = "war-bereaved-pension";
