//! Checks of the machine: programs, clock, space.

use std::path::Path;

use juki_domain::{Lang, NodeRole};
use rustix::fs::statvfs;

use super::Finding;
use crate::command::up::{missing_programs, program_folder};
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::local_time::unix_now;
use crate::text;

pub(super) fn examine(lang: Lang) -> Result<Vec<Finding>, Failure> {
    let folder = program_folder()?;
    let place = folder.display().to_string();
    let missing = missing_programs(&folder, &NodeRole::ALL);
    let check = text::check_programs(lang);
    if missing.is_empty() {
        return Ok(vec![Finding::good(check, place, String::new())]);
    }
    let cause = text::programs_missing(lang, &place, &missing.join(", "));
    Ok(vec![Finding::bad(
        check,
        place,
        cause,
        text::build_programs(lang),
    )])
}

/// The machine's clock against the network's calendar.
pub(super) fn clock(deployment: &Deployment, lang: Lang) -> Finding {
    let calendar = deployment.network().calendar();
    let now = unix_now();
    let check = text::check_clock(lang);
    if now < calendar.anchor_unix_s {
        return Finding::bad(
            check,
            String::new(),
            text::clock_before_anchor(lang),
            text::set_clock(lang),
        );
    }
    match calendar.date_at(now) {
        Ok(date) => Finding::good(check, String::new(), text::date_is(lang, &date.to_string())),
        Err(_) => Finding::bad(
            check,
            String::new(),
            text::date_beyond(lang),
            text::set_clock(lang),
        ),
    }
}

/// Whether ledgers can go on growing.
pub(super) fn space(folder: &Path, lang: Lang) -> Finding {
    let check = text::check_space(lang);
    let place = folder.display().to_string();
    let free = match statvfs(folder) {
        Ok(numbers) => numbers.f_bavail.saturating_mul(numbers.f_frsize) / MEBIBYTE,
        Err(error) => {
            return Finding::doubtful(check, place, error.to_string(), text::make_space(lang));
        }
    };
    let cause = text::space_left(lang, free);
    match free {
        0..SPACE_BAD_MIB => Finding::bad(check, place, cause, text::make_space(lang)),
        SPACE_BAD_MIB..SPACE_DOUBTFUL_MIB => {
            Finding::doubtful(check, place, cause, text::make_space(lang))
        }
        SPACE_DOUBTFUL_MIB.. => Finding::good(check, place, cause),
    }
}

const MEBIBYTE: u64 = 1024 * 1024;
const SPACE_BAD_MIB: u64 = 64;
const SPACE_DOUBTFUL_MIB: u64 = 1024;
