//! The tool: makes a network, runs its programs, watches and examines it.
//!
//! It drives nodes as processes and over their admin APIs; it links no node.

mod cli;
mod command;
mod deployment;
mod failure;
mod hexadecimal;
mod live_network;
mod local_time;
mod policy_seal;
mod screen;
mod supervisor;
mod text;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use juki_domain::Lang;

use crate::cli::Cli;
use crate::failure::Outcome;
use crate::screen::{Screen, write_error};

/// Runs the command line of this process.
///
/// Exit codes: 0 where all checks of the command held, 1 where it failed, 2 for wrong usage or configuration.
#[must_use]
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().collect();
    let help_lang = wanted_lang(&arguments);
    let cli = cli::definition(help_lang)
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; a closed output leaves nowhere to report to.
            let _closed = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let screen = Screen {
        lang: cli.lang.unwrap_or(help_lang),
        json: cli.json,
        quiet: false,
    };
    match command::run(cli.command, screen) {
        Ok(Outcome::Held) => ExitCode::SUCCESS,
        Ok(Outcome::NotHeld) => ExitCode::FAILURE,
        Err(failure) => {
            write_error(&failure.explained(screen.lang));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The language of help: asked for on the command line, else that of the environment.
fn wanted_lang(arguments: &[OsString]) -> Lang {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(word) = words.next() {
        let value = if word == "--lang" {
            words.next()
        } else {
            word.strip_prefix("--lang=")
        };
        if let Some(lang) = value.and_then(|value| value.parse().ok()) {
            return lang;
        }
    }
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    Lang::from_env_value(&named.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_on_the_command_line_goes_before_the_environment() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(wanted_lang(&words("jukinet --lang ja --help")), Lang::Ja);
        assert_eq!(wanted_lang(&words("jukinet status --lang=ja")), Lang::Ja);
        assert_eq!(wanted_lang(&words("jukinet status --lang=en")), Lang::En);
    }
}
