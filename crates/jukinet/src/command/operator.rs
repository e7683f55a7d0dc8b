//! `jukinet operator`: operators, their cards and sessions.

mod acts;
mod ledger;
pub(crate) mod pin;

use std::fs;
use std::path::PathBuf;

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, Lang, NodeRole};
use juki_services::cards::ActKind;
use serde_json::{Value, json};

use crate::cli::{LoginArgs, LogoutArgs, OperatorCommand};
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

use self::pin::pin_of;

pub(crate) use self::acts::{CARD_MANAGER, SYSTEM_MANAGER, Signer, sign};

pub(crate) async fn run(command: &OperatorCommand, screen: Screen) -> Ending {
    match command {
        OperatorCommand::Login(args) => login(args, screen).await,
        OperatorCommand::Logout(args) => logout(args, screen).await,
        OperatorCommand::Pin(args) => pin::change(args, screen),
        OperatorCommand::Enrol(args) => acts::enrol(args, screen).await,
        OperatorCommand::Lend(args) => acts::act(ActKind::Lend, args, screen).await,
        OperatorCommand::Return(args) => acts::act(ActKind::Return, args, screen).await,
        OperatorCommand::Lost(args) => acts::act(ActKind::Lost, args, screen).await,
        OperatorCommand::Revoke(args) => acts::revoke(args, screen).await,
        OperatorCommand::Unlock(args) => acts::unlock(args, screen).await,
        OperatorCommand::Inspect(args) => acts::act(ActKind::Inspect, args, screen).await,
        OperatorCommand::Ledger(args) => ledger::show(args, screen).await,
    }
}

/// Logs an operator in: the terminal unlocks the card and signs a grant with it.
async fn login(args: &LoginArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let terminal = deployment.only(NodeRole::AgencyTerminal, args.node.as_deref(), screen.lang)?;
    let body = match (&args.card, &args.token) {
        (_, Some(token)) => {
            let beside = deployment.cards().join(token);
            let pin = pin_of(args.pin_file.as_deref(), &beside, screen.lang)?;
            json!({"token": token, "pkcs11": args.pkcs11, "pin": pin})
        }
        (card, None) => {
            let card = card.as_deref().unwrap_or_default();
            let card = card_file(&deployment, card, screen.lang)?;
            let pin = pin_of(args.pin_file.as_deref(), &card, screen.lang)?;
            json!({"card": card.display().to_string(), "pin": pin})
        }
    };
    let client = AdminClient::new(terminal.admin_socket()).with_lang(screen.lang);
    let answer: Value = client.post_json("/operator/login", &body).await?;
    tell_login(&answer, terminal.name.as_str(), screen);
    screen.document(&answer)?;
    Ok(Outcome::Held)
}

/// Ends a session.
async fn logout(args: &LogoutArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let terminal = deployment.only(NodeRole::AgencyTerminal, args.node.as_deref(), screen.lang)?;
    let client = AdminClient::new(terminal.admin_socket()).with_lang(screen.lang);
    let body = json!({ "session": args.session });
    let answer: Value = client.post_json("/operator/logout", &body).await?;
    screen.line(text::operators::logged_out(
        screen.lang,
        terminal.name.as_str(),
    ));
    screen.document(&answer)?;
    Ok(Outcome::Held)
}

/// Who logged in, and what the law asks of them.
fn tell_login(answer: &Value, terminal: &str, screen: Screen) {
    screen.line(text::logged_in(screen.lang, terminal));
    let mut members = answer.clone();
    let duties = members
        .as_object_mut()
        .and_then(|members| members.remove("duties"));
    screen.members(&members);
    let duties = duties.as_ref().and_then(Value::as_array);
    for duty in duties.into_iter().flatten().filter_map(Value::as_str) {
        screen.line(format!("・{duty}"));
    }
}

/// The card file's absolute path: a file as it stands, or a name in the folder of cards.
fn card_file(deployment: &Deployment, card: &str, lang: Lang) -> Result<PathBuf, Failure> {
    let named = deployment.cards().join(format!("{card}.{CARD_ENDING}"));
    let found = [PathBuf::from(card), named]
        .into_iter()
        .find(|path| path.is_file());
    if let Some(path) = found.and_then(|path| path.canonicalize().ok()) {
        return Ok(path);
    }
    let cards = fs::read_dir(deployment.cards())
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let mut names: Vec<String> = cards
        .filter(|path| path.extension().is_some_and(|ending| ending == CARD_ENDING))
        .filter_map(|path| {
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .collect();
    names.sort();
    Err(Failure::new(
        ErrorCode::CardUnknown,
        text::no_card(lang, card, &names.join(", ")),
    ))
}

/// How card files end.
pub(crate) const CARD_ENDING: &str = "card";

/// How the demo's PIN files end.
pub(crate) const PIN_ENDING: &str = "pin";
