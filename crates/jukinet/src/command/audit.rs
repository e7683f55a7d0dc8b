//! `jukinet audit`: evidence.

pub(crate) mod analyse;
mod export;
mod html;
mod ledgers;
mod places;
mod purge;
mod requests;
mod search;
mod supply;
mod traffic;
mod verify;

use crate::cli::{AuditCommand, VerifyArgs};
use crate::failure::Ending;
use crate::screen::Screen;

/// Verifies ledgers for another command, which says what came of it.
pub(crate) fn verify_quietly(args: &VerifyArgs, screen: Screen) -> Ending {
    verify::verify(args, screen.silent())
}

/// Runs one command on evidence.
pub(crate) fn run(action: AuditCommand, screen: Screen) -> Ending {
    match action {
        AuditCommand::Verify(args) => verify::verify(&args, screen),
        AuditCommand::Search(args) => search::run(&args, screen),
        AuditCommand::Export(args) => export::run(&args, screen),
        AuditCommand::Supply(args) => supply::run(&args, screen),
        AuditCommand::Traffic(args) => traffic::run(&args, screen),
        AuditCommand::Analyse(args) => analyse::run(&args, screen),
        AuditCommand::Purge(args) => purge::purge(&args, screen),
    }
}
