//! `jukinet operator`: operators of an agency's terminal.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, Lang, NodeRole};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Value, json};

use crate::cli::LoginArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

/// Logs an operator in: the terminal unlocks the card and signs a grant with it.
pub(crate) async fn login(args: &LoginArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let terminal = deployment.only(NodeRole::AgencyTerminal, args.node.as_deref(), screen.lang)?;
    let card = card_file(&deployment, &args.card, screen.lang)?;
    let pin = pin_of(args.pin_file.as_deref(), &card, screen.lang)?;
    let client = AdminClient::new(terminal.admin_socket()).with_lang(screen.lang);
    let body = json!({"card": card.display().to_string(), "pin": pin});
    let answer: Value = client.post_json("/operator/login", &body).await?;
    screen.line(text::logged_in(screen.lang, terminal.name.as_str()));
    screen.members(&answer);
    screen.document(&answer)?;
    Ok(Outcome::Held)
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

/// The PIN: from the named file, the environment, the demo's file beside the card, or the keyboard.
fn pin_of(file: Option<&Path>, card: &Path, lang: Lang) -> Result<String, Failure> {
    let beside = card.with_extension(PIN_ENDING);
    let from_file =
        |path: &Path| fs::read_to_string(path).map_err(|error| Failure::file(path, &error));
    let pin = match (file, std::env::var("JUKINET_PIN")) {
        (Some(path), _) => from_file(path)?,
        (None, Ok(pin)) => pin,
        (None, Err(_)) if beside.is_file() => from_file(&beside)?,
        (None, Err(_)) => {
            typed_pin(lang).map_err(|error| Failure::new(ErrorCode::PinWrong, error.to_string()))?
        }
    };
    Ok(pin.trim().to_owned())
}

/// Reads the PIN from standard input; on a terminal without showing it.
fn typed_pin(lang: Lang) -> io::Result<String> {
    let stdin = io::stdin();
    let mut line = String::new();
    if !stdin.is_terminal() {
        stdin.lock().take(PIN_BYTES_MAX).read_line(&mut line)?;
        return Ok(line);
    }
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    let mut prompt = io::stderr();
    prompt.write_all(text::enter_pin(lang).as_bytes())?;
    prompt.flush()?;
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
    let read = stdin.lock().take(PIN_BYTES_MAX).read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
    prompt.write_all(b"\n")?;
    read.map(|_| line)
}

/// How card files end.
pub(crate) const CARD_ENDING: &str = "card";

/// How the demo's PIN files end.
pub(crate) const PIN_ENDING: &str = "pin";

const PIN_BYTES_MAX: u64 = 256;
