//! What people at the agency's terminal ask, and what may be answered.

use juki_domain::ReasonClass;
use juki_node::EngineHandle;
use juki_services::query::{LocalAnswer, LocalAsk, Question, ShownRecord, local_ask};
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

/// Logs in and asks; none where the terminal stopped meanwhile.
pub(crate) async fn ask(
    handle: EngineHandle,
    login: local_ask::Kind,
    question: Question,
) -> Option<LocalAnswer> {
    let logged_in = call(&handle, login, String::new()).await?;
    if !logged_in.failure.is_empty() {
        return Some(logged_in);
    }
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

/// Whether a record is what the model last knew of a resident.
pub(crate) fn is_of(
    shown: &ShownRecord,
    resident: &Resident,
    towns: &[juki_domain::MunicipalityCode],
) -> bool {
    let Some((town, change)) = &resident.last else {
        return false;
    };
    let record = &change.record;
    towns.get(*town).map(|town| town.number()) == Some(shown.municipality)
        && shown.ended == (change.reason.class() == ReasonClass::Deletion)
        && shown.code == record.code.reveal()
        && shown.name == record.name.reveal()
        && shown.birth == record.birth.number()
        && shown.sex == record.sex as u32
        && shown.address == record.address.reveal()
        && shown.reason == change.reason as u32
        && shown.event_date == change.event_date.number()
}

const AFFAIR: &str = "war-bereaved-pension";
