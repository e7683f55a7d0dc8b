//! What an operator has before them: one question and its answer, or a prompt.

mod answer;
mod arguments;
mod console;
mod failure;
mod japanese;
mod pin;
mod prompt;
mod terminal;
mod text;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use juki_domain::{Lang, NodeRole};

use crate::AgencyTerminal;
use arguments::{TerminalArguments, definition, wanted_lang};
use console::{Console, StandardConsole};
use failure::Failure;
use prompt::Prompt;
use terminal::{Asked, Inquiry, Terminal};

/// Runs the program: the node where nothing is asked, else the operator's question or prompt.
///
/// Exit codes: 0 stopped cleanly or answered, 1 failed or refused, 2 wrong usage or configuration.
#[must_use]
pub fn run() -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    let help_lang = wanted_lang(&words);
    let arguments = definition(help_lang)
        .try_get_matches_from(words)
        .and_then(|matches| TerminalArguments::from_arg_matches(&matches));
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no failures; a closed output leaves nowhere to report to.
            let _closed = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if !arguments.is_operators() {
        return juki_node::run_with::<AgencyTerminal>(&arguments.node);
    }
    let lang = arguments.node.lang.unwrap_or(help_lang);
    let socket = match juki_node::admin_socket(&arguments.node.config, NodeRole::AgencyTerminal) {
        Ok(socket) => socket,
        Err(error) => return error.say(lang),
    };
    let mut console = StandardConsole;
    let ended = Terminal::new(&socket, lang)
        .and_then(|terminal| serve(&arguments, &terminal, &mut console, lang));
    match ended {
        Ok(code) => code,
        Err(failure) => {
            console.complain(&failure.explained(lang));
            ExitCode::FAILURE
        }
    }
}

fn serve(
    arguments: &TerminalArguments,
    terminal: &Terminal,
    console: &mut impl Console,
    lang: Lang,
) -> Result<ExitCode, Failure> {
    let json = arguments.json;
    let has_question = arguments.prompt || arguments.asks();
    if let Some(card) = &arguments.login {
        let pin = pin::of(arguments.pin_file.as_deref(), console, lang)?;
        let answer = terminal.log_in(card, &pin)?;
        // Where a question follows, its answer is the one object.
        if !json || !has_question {
            console.say(&answer::of_login(&answer, lang, json));
        }
    }
    if arguments.prompt {
        Prompt::new(arguments, terminal, console, lang).run()?;
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(affair), true) = (&arguments.affair, arguments.asks()) else {
        return Ok(ExitCode::SUCCESS);
    };
    let inquiry = Inquiry {
        affair: affair.clone(),
        asked: asked(arguments, console, lang)?,
    };
    let answer = terminal.ask(&inquiry)?;
    console.say(&answer::of_inquiry(&answer, lang, json));
    Ok(if answer::is_answered(&answer) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn asked(
    arguments: &TerminalArguments,
    console: &mut impl Console,
    lang: Lang,
) -> Result<Asked, Failure> {
    let item = |item: &Option<String>| item.clone().unwrap_or_default();
    match arguments.code.as_deref() {
        // The command line is visible to every user of the machine.
        Some("-") => Ok(Asked::Code(
            console.expect_line(&text::ask_code(lang), lang)?,
        )),
        Some(code) => Ok(Asked::Code(code.to_owned())),
        None => Ok(Asked::Items {
            name: item(&arguments.name),
            birth: item(&arguments.birth),
            sex: item(&arguments.sex),
            address: item(&arguments.address),
        }),
    }
}

#[cfg(test)]
mod tests;
