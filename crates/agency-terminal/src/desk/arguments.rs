//! The command line: the node's own arguments and the operator's.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};
use juki_domain::Lang;

use super::japanese::in_japanese;

/// The command line of the terminal.
#[derive(Debug, Parser)]
#[command(name = "agency-terminal", version, max_term_width = 110)]
#[command(group(clap::ArgGroup::new("question").args(["code", "name", "prompt"])))]
pub(crate) struct TerminalArguments {
    #[command(flatten)]
    pub(crate) node: juki_node::Arguments,

    /// Ask the running terminal: the affair that the law permits the inquiry for
    #[arg(
        long,
        value_name = "AFFAIR",
        requires = "question",
        conflicts_with = "check"
    )]
    pub(crate) affair: Option<String>,
    /// Resident record code; - reads it from standard input
    #[arg(long, requires = "affair", conflicts_with_all = ["birth", "sex", "address"])]
    pub(crate) code: Option<String>,
    /// Family name and given name
    #[arg(long, requires_all = ["affair", "birth", "sex", "address"])]
    pub(crate) name: Option<String>,
    /// Birth date
    #[arg(long, value_name = "DATE", requires = "name")]
    pub(crate) birth: Option<String>,
    /// Sex
    #[arg(long, value_name = "male|female", requires = "name")]
    pub(crate) sex: Option<String>,
    /// Address
    #[arg(long, requires = "name")]
    pub(crate) address: Option<String>,
    /// Log in first with this operator's card file
    #[arg(long, value_name = "CARD", conflicts_with = "check")]
    pub(crate) login: Option<PathBuf>,
    /// File with the PIN; without it JUKINET_PIN or the keyboard
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// Ask at a prompt: log in, choose an affair, ask, log out
    #[arg(long, conflicts_with = "check")]
    pub(crate) prompt: bool,
    /// Print one JSON object for each answer and nothing else on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

impl TerminalArguments {
    /// Whether an operator asks the running node, in place of running it.
    pub(crate) fn is_operators(&self) -> bool {
        self.prompt || self.login.is_some() || self.asks()
    }

    /// Whether one question is asked.
    pub(crate) fn asks(&self) -> bool {
        self.code.is_some() || self.name.is_some()
    }
}

/// The definition of the command line, with help in this language.
pub(crate) fn definition(lang: Lang) -> clap::Command {
    // The node's arguments bring a description of their own, which is of every node.
    let command = TerminalArguments::command()
        .about(ABOUT)
        .long_about(None)
        .after_help(EXAMPLES);
    match lang {
        Lang::En => command,
        Lang::Ja => in_japanese(command),
    }
}

/// The language of help: asked for on the command line, else that of the environment.
pub(crate) fn wanted_lang(words: &[OsString]) -> Lang {
    let mut words = words.iter().filter_map(|word| word.to_str());
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

const ABOUT: &str =
    "Terminal of a body that receives identity records: runs the node, or asks the running one";

const EXAMPLES: &str = "Examples:
  agency-terminal --config nodes/agency-mhlw/node.toml
  agency-terminal --config nodes/agency-mhlw/node.toml --login cards/agency-mhlw.card --pin-file cards/agency-mhlw.pin
  agency-terminal --config nodes/agency-mhlw/node.toml --affair war-bereaved-pension --code 91234567891
  agency-terminal --config nodes/agency-mhlw/node.toml --affair war-bereaved-pension --code - --json < code.txt
  agency-terminal --config nodes/agency-mhlw/node.toml --affair war-bereaved-pension --name '山田　花子' --birth 1970-01-02 --sex female --address '山口県萩市大字江向510番地'
  agency-terminal --config nodes/agency-mhlw/node.toml --prompt

Exit code: 0 stopped cleanly or answered (match, no match, several), 1 failed or refused, 2 wrong usage or configuration.";
