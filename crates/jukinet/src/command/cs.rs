//! `jukinet cs`: a communication server, driven as its existing register would.

mod codes;
pub(crate) mod import;
pub(crate) mod output;

use juki_admin::AdminClient;
use juki_crypto::{SystemRandomness, random_array};
use juki_domain::{CivilDate, ErrorCode, NodeRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::{ChangeArgs, CsAction, CsArgs, StateArgs};
use crate::deployment::Deployment;
use crate::failure::{Ending, Outcome};
use crate::hexadecimal::hex;
use crate::local_time::unix_now;
use crate::screen::Screen;
use crate::text;

/// The answer to `GET /v1/changes/{key}`; the resident's code in it is for the register alone.
#[derive(Debug, Serialize, Deserialize)]
struct ChangeState {
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// The body of `POST /v1/changes`.
#[derive(Debug, Serialize)]
struct ChangeReport<'a> {
    key: &'a str,
    resident: &'a str,
    reason: &'a str,
    event_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sex: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterpart: Option<&'a str>,
}

pub(crate) async fn run(args: &CsArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let place = deployment.only(NodeRole::MunicipalCs, Some(&args.node), screen.lang)?;
    let client = AdminClient::new(place.admin_socket()).with_lang(screen.lang);
    match &args.action {
        CsAction::Import(args) => import::run(client, args, screen).await,
        CsAction::Codes(args) => codes::run(client, args, screen).await,
        CsAction::Change(change) => report_change(&client, &deployment, change, screen).await,
        CsAction::State(state) => show_state(&client, state, screen).await,
    }
}

async fn report_change(
    client: &AdminClient,
    deployment: &Deployment,
    args: &ChangeArgs,
    screen: Screen,
) -> Ending {
    let drawn = hex(&random_array::<16>(&SystemRandomness));
    let today = || deployment.network().calendar().date_at(unix_now()).ok();
    let report = ChangeReport {
        key: args.key.as_deref().unwrap_or(&drawn),
        resident: &args.resident,
        reason: &args.reason,
        event_date: args
            .event_date
            .or_else(today)
            .as_ref()
            .map(CivilDate::to_string)
            .unwrap_or_default(),
        name: args.name.as_deref(),
        birth: args.birth.as_deref(),
        sex: args.sex.as_deref(),
        address: args.address.as_deref(),
        certificate: args.certificate.as_deref(),
        counterpart: args.counterpart.as_deref(),
    };
    if args.key.is_none() {
        screen.line(text::change_key(screen.lang, report.key));
    }
    let answer: Value = client.post_json("/v1/changes", &report).await?;
    screen.members(&answer);
    screen.document(&answer)?;
    Ok(Outcome::Held)
}

async fn show_state(client: &AdminClient, args: &StateArgs, screen: Screen) -> Ending {
    let path = format!("/v1/changes/{}", path_segment(&args.key));
    let state: ChangeState = client.get_json(&path).await?;
    let lang = screen.lang;
    screen.line(text::change_outcome(lang, &args.key, &state.outcome));
    if let Some(reached) = &state.state {
        let reached = match reached.as_str() {
            "at-cs" => text::change_at_cs(lang),
            "at-prefecture" => text::change_at_prefecture(lang),
            "at-national" => text::change_at_national(lang),
            other => other.to_owned(),
        };
        screen.line(text::change_reached(lang, &reached));
    }
    if let Some(seq) = state.seq {
        screen.line(text::change_number(lang, seq));
    }
    if let Some(code) = &state.code {
        let explained = ErrorCode::from_code(code).map(|code| code.explain(lang));
        let what = explained.map_or("", |explained| explained.what);
        screen.line(format!("{code} {what}").trim_end());
    }
    screen.document(&state)?;
    match state.outcome.as_str() {
        "accepted" | "duplicate" => Ok(Outcome::Held),
        _ => Ok(Outcome::NotHeld),
    }
}

/// Text as one segment of a path: all but letters and digits in percent form.
fn path_segment(text: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_leave_its_path_segment() {
        assert_eq!(path_segment("0000123"), "0000123");
        assert_eq!(path_segment("../a?b"), "%2E%2E%2Fa%3Fb");
    }

    #[test]
    fn a_change_carries_only_what_was_given() {
        let report = ChangeReport {
            key: "k",
            resident: "1",
            reason: "death",
            event_date: "2002-10-15".to_owned(),
            name: None,
            birth: None,
            sex: None,
            address: None,
            certificate: None,
            counterpart: None,
        };
        let value = serde_json::to_value(&report).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"key": "k", "resident": "1", "reason": "death", "event_date": "2002-10-15"})
        );
    }
}
