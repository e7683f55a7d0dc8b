//! `jukinet man`: manual pages, made from the command line's definition.

use std::fs;

use serde_json::json;

use crate::cli::{ManArgs, definition};
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

pub(crate) fn run(args: &ManArgs, screen: Screen) -> Ending {
    fs::create_dir_all(&args.dir).map_err(|error| Failure::file(&args.dir, &error))?;
    clap_mangen::generate_to(definition(screen.lang), &args.dir)
        .map_err(|error| Failure::file(&args.dir, &error))?;
    let pages = fs::read_dir(&args.dir).map_err(|error| Failure::file(&args.dir, &error))?;
    let count = pages
        .filter_map(Result::ok)
        .filter(|page| page.path().extension().is_some_and(|end| end == "1"))
        .count();
    screen.line(text::pages_written(
        screen.lang,
        count,
        &args.dir.display().to_string(),
    ));
    screen.document(&json!({"pages": count}))?;
    Ok(Outcome::Held)
}
