//! `jukinet completions`: completion scripts, made from the command line's definition.

use std::io::{self, Write as _};

use crate::cli::{CompletionsArgs, definition};
use crate::failure::{Ending, Outcome};
use crate::screen::Screen;

pub(crate) fn run(args: &CompletionsArgs, screen: Screen) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut definition(screen.lang),
        "jukinet",
        &mut script,
    );
    // A reader that went away (`| head`) has what it wanted.
    let _closed = io::stdout().write_all(&script);
    Ok(Outcome::Held)
}
