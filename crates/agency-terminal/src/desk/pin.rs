//! Where the PIN comes from.

use std::env;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use juki_domain::{ErrorCode, Lang};

use super::console::{Console, read_line};
use super::failure::Failure;
use super::text;

/// The environment variable that may hold the PIN.
const VARIABLE: &str = "JUKINET_PIN";

/// The PIN: from the named file, the environment, or the operator's hand.
///
/// # Errors
/// [`Failure`] where the file cannot be read or nothing was typed.
pub(crate) fn of(
    file: Option<&Path>,
    console: &mut impl Console,
    lang: Lang,
) -> Result<String, Failure> {
    if let Some(path) = file {
        let read = File::open(path).and_then(|file| read_line(&mut BufReader::new(file)));
        return match read {
            Ok(pin) => Ok(pin.unwrap_or_default()),
            Err(error) => Err(Failure::new(
                ErrorCode::DiskFailed,
                format!("{}: {error}", path.display()),
            )),
        };
    }
    match env::var(VARIABLE) {
        Ok(pin) => Ok(pin.trim().to_owned()),
        Err(_) => console.expect_secret(&text::ask_pin(lang), lang),
    }
}
