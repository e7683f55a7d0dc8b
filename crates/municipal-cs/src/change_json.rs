//! Changes as the register's interfaces write them in JSON.

use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, CivilDate, ErrorCode, MunicipalityCode,
    PersonName, RegisterNumber, Sex,
};
use juki_services::registration::{Registered, RegistrationOutcome};
use serde::{Deserialize, Serialize};

/// One change, as `POST /v1/changes` takes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeJson {
    pub(crate) key: String,
    resident: String,
    reason: String,
    event_date: String,
    name: Option<String>,
    birth: Option<String>,
    sex: Option<String>,
    address: Option<String>,
    certificate: Option<String>,
    counterpart: Option<String>,
}

/// An item that is not what it should be: its name and the code.
pub(crate) struct WrongItem {
    pub(crate) item: &'static str,
    pub(crate) code: ErrorCode,
}

impl ChangeJson {
    pub(crate) fn request(&self, today: CivilDate) -> Result<ChangeRequest, WrongItem> {
        let request = self.parse()?;
        match request.date_out_of_bounds(today) {
            Some(item) => Err(WrongItem {
                item,
                code: ErrorCode::DateOutOfBounds,
            }),
            None => Ok(request),
        }
    }

    fn parse(&self) -> Result<ChangeRequest, WrongItem> {
        let wrong = |item| move |code| WrongItem { item, code };
        let reason: ChangeReason = self.reason.parse().map_err(|_| WrongItem {
            item: "reason",
            code: ErrorCode::ReasonUnknown,
        })?;
        Ok(ChangeRequest {
            resident: RegisterNumber::parse(&self.resident)
                .map_err(|e| e.code())
                .map_err(wrong("resident"))?,
            reason,
            event_date: CivilDate::parse_japanese(&self.event_date)
                .map_err(|e| e.code())
                .map_err(wrong("event_date"))?,
            name: self
                .name
                .as_deref()
                .map(PersonName::parse)
                .transpose()
                .map_err(|e| e.code())
                .map_err(wrong("name"))?,
            birth: self
                .birth
                .as_deref()
                .map(BirthDate::parse_japanese)
                .transpose()
                .map_err(|e| e.code())
                .map_err(wrong("birth"))?,
            sex: self
                .sex
                .as_deref()
                .map(|text| sex(text).ok_or(ErrorCode::ValueInvalid))
                .transpose()
                .map_err(wrong("sex"))?,
            address: self
                .address
                .as_deref()
                .map(Address::parse)
                .transpose()
                .map_err(|e| e.code())
                .map_err(wrong("address"))?,
            certificate: self.certificate.clone().filter(|number| !number.is_empty()),
            counterpart: self
                .counterpart
                .as_deref()
                .map(str::parse::<MunicipalityCode>)
                .transpose()
                .map_err(|e| e.code())
                .map_err(wrong("counterpart"))?,
        })
    }
}

fn sex(text: &str) -> Option<Sex> {
    match text {
        "男" | "1" | "male" | "m" => Some(Sex::Male),
        "女" | "2" | "female" | "f" => Some(Sex::Female),
        _ => None,
    }
}

/// What became of a change.
#[derive(Serialize)]
pub(crate) struct ChangeState {
    pub(crate) key: String,
    /// `accepted`, `duplicate`, `refused` or `unknown`.
    pub(crate) outcome: &'static str,
    /// `at-cs`, `at-prefecture` or `at-national`; absent where nothing is journalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
    /// Number in the municipality's journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<u64>,
    /// The resident record code, for the register that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resident_code: Option<String>,
    /// The code of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
}

impl ChangeState {
    pub(crate) fn of(key: &str, registered: &Registered) -> Self {
        let is = |outcome: RegistrationOutcome| registered.outcome == outcome as u32;
        let outcome = if is(RegistrationOutcome::Accepted) {
            "accepted"
        } else if is(RegistrationOutcome::Duplicate) {
            "duplicate"
        } else if is(RegistrationOutcome::Unknown) {
            "unknown"
        } else {
            "refused"
        };
        let journalled = registered.seq > 0;
        let state = match (registered.at_national, registered.at_prefecture) {
            (true, _) => "at-national",
            (false, true) => "at-prefecture",
            (false, false) => "at-cs",
        };
        Self {
            key: key.to_owned(),
            outcome,
            state: journalled.then_some(state),
            seq: journalled.then_some(registered.seq),
            resident_code: (!registered.code.is_empty()).then(|| registered.code.clone()),
            code: (!registered.refusal.is_empty()).then(|| registered.refusal.clone()),
        }
    }
}
