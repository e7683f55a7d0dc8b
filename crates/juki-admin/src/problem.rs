//! Refusals for people and programs: problem documents (RFC 9457).

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use juki_domain::{ErrorCode, Fault, Lang};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::server::BODY_BYTES_MAX;

/// Why a request was refused, in the reader's language.
///
/// The detail must never hold a resident's code, name, birth date or address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable name of the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in one sentence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Why it happened, or what in the request it was.
    pub detail: String,
    /// The error code, such as `JKW-1001`.
    pub code: String,
    /// What the reader can do now.
    pub todo: String,
}

impl Problem {
    /// The problem that a code stands for.
    #[must_use]
    pub fn new(code: ErrorCode, lang: Lang) -> Self {
        let explanation = code.explain(lang);
        Self {
            kind: format!("urn:juki:problem:{}", code.code().to_ascii_lowercase()),
            title: explanation.what.to_owned(),
            status: status_of(code),
            detail: explanation.why.to_owned(),
            code: code.code().to_owned(),
            todo: explanation.todo.to_owned(),
        }
    }

    /// The same problem with a detail that names the place in the request.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same problem under another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The error code, where this program knows it.
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_code(&self.code)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

/// The language that a request asks for; English where it asks for none that is spoken here.
#[must_use]
pub fn accepted_lang(headers: &HeaderMap) -> Lang {
    let wanted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let weight = |name: &str| {
        wanted
            .split(',')
            .filter_map(|part| weight_of(part, name))
            .fold(0.0_f32, f32::max)
    };
    if weight("ja") > weight("en") {
        Lang::Ja
    } else {
        Lang::En
    }
}

fn weight_of(part: &str, name: &str) -> Option<f32> {
    let mut pieces = part.split(';');
    let tag = pieces.next()?.trim();
    let primary = tag.split('-').next()?;
    if !primary.eq_ignore_ascii_case(name) {
        return None;
    }
    let quality = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse().ok());
    Some(quality.unwrap_or(1.0))
}

/// A JSON body. What is too long or not of the expected form is refused with a [`Problem`].
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let lang = accepted_lang(request.headers());
        // Refused before a byte is asked for: whoever sends on into a closed connection may never read why.
        if request.body().size_hint().lower() > BODY_BYTES_MAX as u64 {
            return Err(Problem::new(ErrorCode::RequestTooLarge, lang));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Problem::new(ErrorCode::RequestTooLarge, lang))?;
        // The parser's message may quote a value of the body, which may be a person's: only the place is told.
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Problem::new(ErrorCode::ValueInvalid, lang).with_detail(match lang {
                Lang::Ja => format!("本文の {} 行 {} 桁", error.line(), error.column()),
                Lang::En => format!("the body, line {}, column {}", error.line(), error.column()),
            })
        })
    }
}

fn status_of(code: ErrorCode) -> u16 {
    if NOT_FOUND.contains(&code) {
        404
    } else if FORBIDDEN.contains(&code) {
        403
    } else if CONFLICT.contains(&code) {
        409
    } else if code == ErrorCode::RequestTooLarge {
        413
    } else if code == ErrorCode::AnswerTimeout {
        504
    } else {
        match code.fault() {
            Fault::Peer => 400,
            // What passes by itself is no breakdown.
            Fault::Us if code.retry() => 503,
            Fault::Us => 500,
            Fault::Network => 503,
        }
    }
}

const NOT_FOUND: [ErrorCode; 3] = [
    ErrorCode::ResidentUnknown,
    ErrorCode::ServiceUnknown,
    ErrorCode::NotRunning,
];

const FORBIDDEN: [ErrorCode; 13] = [
    ErrorCode::NotAuthorized,
    ErrorCode::PolicyNoRule,
    ErrorCode::SourceNotSpokenFor,
    ErrorCode::GrantMissing,
    ErrorCode::GrantExpired,
    ErrorCode::CardUnknown,
    ErrorCode::RequestMacWrong,
    ErrorCode::RoleNotAllowed,
    ErrorCode::PinWrong,
    ErrorCode::CardLocked,
    ErrorCode::NoLegalBasis,
    ErrorCode::BasisNotStarted,
    ErrorCode::KeysNotPermitted,
];

const CONFLICT: [ErrorCode; 7] = [
    ErrorCode::ImportRunning,
    ErrorCode::ResidentKnown,
    ErrorCode::RowContradicts,
    ErrorCode::ResidentGone,
    ErrorCode::KeyReused,
    ErrorCode::CertificateNotAtHand,
    ErrorCode::AlreadyRunning,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(text: &'static str) -> Lang {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
        accepted_lang(&headers)
    }

    #[test]
    fn the_language_with_the_higher_weight_is_taken() {
        assert_eq!(asking("ja-JP,ja;q=0.9,en;q=0.8"), Lang::Ja);
        assert_eq!(asking("en-GB,ja;q=0.5"), Lang::En);
        assert_eq!(asking("ja;q=0.2, en;q=0.1"), Lang::Ja);
        assert_eq!(asking("fr"), Lang::En);
        assert_eq!(accepted_lang(&HeaderMap::new()), Lang::En);
    }

    #[test]
    fn every_code_makes_a_problem_that_leads_back_to_it() {
        for code in ErrorCode::ALL.iter().copied() {
            for lang in [Lang::Ja, Lang::En] {
                let problem = Problem::new(code, lang);
                assert_eq!(problem.error_code(), Some(code));
                assert!(
                    (400..=599).contains(&problem.status),
                    "{code:?} has status {}",
                    problem.status
                );
                assert!(
                    !problem.title.is_empty()
                        && !problem.detail.is_empty()
                        && !problem.todo.is_empty()
                );
            }
        }
    }
}
