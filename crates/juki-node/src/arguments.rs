//! The command line that all nodes share.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use juki_domain::Lang;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// The command line of a node.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit code: 0 stopped cleanly, 1 failed, 2 wrong usage or configuration.\n\nExample:\n  municipal-cs --config nodes/cs-352047/node.toml --check"
)]
pub struct Arguments {
    /// The node's configuration (node.toml)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Read and check the configuration and the keys, then end
    #[arg(long)]
    pub check: bool,
    /// How log lines are written to standard error
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "json")]
    pub log: LogFormat,
    /// Language of messages to people: ja or en [default: from LANG]
    #[arg(long, value_name = "LANG", value_parser = parse_lang)]
    pub lang: Option<Lang>,
}

impl Arguments {
    /// The language asked for, or that of the environment.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
            .unwrap_or_else(|| Lang::from_env_value(&std::env::var("LANG").unwrap_or_default()))
    }
}

fn parse_lang(text: &str) -> Result<Lang, String> {
    text.parse().map_err(|_| "ja or en".to_owned())
}
