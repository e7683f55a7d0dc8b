//! PINs: where they come from, how they are drawn, and `operator pin`.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use juki_crypto::{Randomness as _, SystemRandomness};
use juki_domain::{ErrorCode, Lang};
use juki_smartcard::{CardError, SoftCard};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::{PIN_ENDING, card_file};
use crate::cli::PinArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

/// Puts a PIN of the operator's own choice in place of the old one.
pub(super) fn change(args: &PinArgs, screen: Screen) -> Ending {
    let lang = screen.lang;
    let deployment = Deployment::open(&args.dir)?;
    let path = card_file(&deployment, &args.card, lang)?;
    let old = pin_of(args.pin_file.as_deref(), &path, lang)?;
    let new = new_pin_of(args.new_pin_file.as_deref(), lang)?;
    let card = SoftCard::open(&path).map_err(|error| refused(&error, &path, lang))?;
    card.change_pin(&old, &new)
        .map_err(|error| refused(&error, &path, lang))?;
    // The file of the temporary PIN would only mislead from now on.
    let beside = path.with_extension(PIN_ENDING);
    let is_old = fs::read_to_string(&beside).is_ok_and(|text| text.trim() == old);
    if is_old {
        fs::remove_file(&beside).map_err(|error| Failure::file(&beside, &error))?;
    }
    screen.line(text::operators::pin_changed(lang, card.serial()));
    screen.document(&json!({"card": card.serial(), "operator": card.operator()}))?;
    Ok(Outcome::Held)
}

/// A card's refusal, with the tries that are left.
pub(super) fn refused(error: &CardError, card: &Path, lang: Lang) -> Failure {
    let path = card.display();
    let detail = match error {
        CardError::PinWrong { left } => {
            format!("{path}: {}", text::operators::tries_left(lang, *left))
        }
        CardError::Io(source) => format!("{path}: {source}"),
        CardError::PinForm
        | CardError::Locked
        | CardError::PinTemporary
        | CardError::PinTooSimple
        | CardError::UnlockNotFitting
        | CardError::Damaged => path.to_string(),
        CardError::Contents(_) | CardError::Module(_) => format!("{path}: {error}"),
    };
    Failure::new(error.code(), detail)
}

/// Six random digits, each as likely as any other.
pub(crate) fn drawn() -> String {
    let mut pin = String::new();
    while pin.len() < PIN_DIGITS {
        let mut byte = [0; 1];
        SystemRandomness.fill(&mut byte);
        let [byte] = byte;
        // 250 is the largest multiple of ten that a byte holds: above it, some digits would come more often.
        if byte < 250 {
            pin.push(char::from(b'0' + byte % 10));
        }
    }
    pin
}

/// A token's PIN: from the named file, the environment or the keyboard.
pub(super) fn token_pin_of(file: Option<&Path>, lang: Lang) -> Result<String, Failure> {
    let pin = match (file, std::env::var("JUKINET_TOKEN_PIN")) {
        (Some(path), _) => fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?,
        (None, Ok(pin)) => pin,
        (None, Err(_)) => typed(&text::operators::enter_token_pin(lang))
            .map_err(|error| Failure::new(ErrorCode::PinWrong, error.to_string()))?,
    };
    Ok(pin.trim().to_owned())
}

/// The new PIN: from the named file, the environment, or twice the same from the keyboard.
fn new_pin_of(file: Option<&Path>, lang: Lang) -> Result<String, Failure> {
    let pin = match (file, std::env::var("JUKINET_NEW_PIN")) {
        (Some(path), _) => fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?,
        (None, Ok(pin)) => pin,
        (None, Err(_)) => {
            let ask = |asked: &str| {
                typed(asked).map_err(|error| Failure::new(ErrorCode::PinWrong, error.to_string()))
            };
            let first = ask(&text::operators::enter_new_pin(lang))?;
            let again = ask(&text::operators::enter_again(lang))?;
            if first.trim() != again.trim() {
                return Err(Failure::new(
                    ErrorCode::PinWrong,
                    text::operators::not_the_same(lang),
                ));
            }
            first
        }
    };
    Ok(pin.trim().to_owned())
}

/// The PIN: from the named file, the environment, the demo's file beside the card, or the keyboard.
pub(super) fn pin_of(file: Option<&Path>, card: &Path, lang: Lang) -> Result<String, Failure> {
    let beside = card.with_extension(PIN_ENDING);
    let from_file =
        |path: &Path| fs::read_to_string(path).map_err(|error| Failure::file(path, &error));
    let pin = match (file, std::env::var("JUKINET_PIN")) {
        (Some(path), _) => from_file(path)?,
        (None, Ok(pin)) => pin,
        (None, Err(_)) if beside.is_file() => from_file(&beside)?,
        (None, Err(_)) => typed(&text::enter_pin(lang))
            .map_err(|error| Failure::new(ErrorCode::PinWrong, error.to_string()))?,
    };
    Ok(pin.trim().to_owned())
}

/// Reads the PIN from standard input; on a terminal without showing it.
fn typed(asked: &str) -> io::Result<String> {
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
    prompt.write_all(asked.as_bytes())?;
    prompt.flush()?;
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
    let read = stdin.lock().take(PIN_BYTES_MAX).read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
    prompt.write_all(b"\n")?;
    read.map(|_| line)
}

const PIN_BYTES_MAX: u64 = 256;
const PIN_DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_six_digits_and_is_drawn_anew() {
        let pins: std::collections::BTreeSet<String> = (0..50).map(|_| drawn()).collect();
        assert!(
            pins.iter()
                .all(|pin| pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()))
        );
        assert!(pins.len() > 45);
    }
}
