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

use crate::cli::AuditCommand;
use crate::failure::Ending;
use crate::screen::Screen;

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
