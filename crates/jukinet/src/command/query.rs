//! `jukinet query`: an inquiry from an agency's terminal.

use std::io::{self, BufRead as _, Read as _};

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, NodeRole};
use serde::Serialize;
use serde_json::Value;

use crate::cli::QueryArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;

/// The body of `POST /query`.
#[derive(Debug, Serialize)]
struct Inquiry<'a> {
    affair: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    name_begins: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sex: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

pub(crate) async fn run(args: &QueryArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let terminal = deployment.only(NodeRole::AgencyTerminal, args.node.as_deref(), screen.lang)?;
    let code = match args.code.as_deref() {
        Some("-") => Some(first_line()?),
        Some(code) => Some(code.to_owned()),
        None => None,
    };
    let inquiry = Inquiry {
        affair: &args.affair,
        code,
        name: args.name.as_deref(),
        name_begins: args.name_begins,
        birth: args.birth.as_deref(),
        sex: args.sex.as_deref(),
        address: args.address.as_deref(),
        session: args.session.as_deref(),
    };
    let client = AdminClient::new(terminal.admin_socket()).with_lang(screen.lang);
    let answer: Value = client.post_json("/query", &inquiry).await?;
    screen.members(&answer);
    screen.document(&answer)?;
    // A refusal is an answer, but not the one that was asked for.
    Ok(
        if answer.get("outcome").and_then(Value::as_str) == Some("refused") {
            Outcome::NotHeld
        } else {
            Outcome::Held
        },
    )
}

/// The code from standard input: the command line is visible to every user of the machine.
fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line);
    read.map_err(|error| Failure::new(ErrorCode::CodeForm, error.to_string()))?;
    Ok(line.trim().to_owned())
}

const LINE_BYTES_MAX: u64 = 1024;
