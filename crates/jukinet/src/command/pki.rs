//! `jukinet pki`: certificates of a running network.

mod lists;
mod revoke;
mod roll_ca;
mod rotate;
mod status;

use crate::cli::PkiCommand;
use crate::failure::{Ending, Failure};
use crate::hexadecimal::hex;
use crate::screen::Screen;

pub(crate) use lists::{Holder, holders, informed_of, reports};
pub(crate) use revoke::{bring, order_for};

/// Runs one of the commands.
pub(crate) async fn run(command: &PkiCommand, screen: Screen) -> Ending {
    match command {
        PkiCommand::Status(args) => status::run(args, screen).await,
        PkiCommand::Rotate(args) => rotate::run(args, screen).await,
        PkiCommand::RollCa(args) => roll_ca::run(args, screen).await,
        PkiCommand::Revoke(args) => revoke::run(args, screen).await,
    }
}

/// A failure of keys, certificates or their files.
fn broken(error: juki_pki::PkiError) -> Failure {
    Failure::new(error.code(), crate::failure::with_causes(&error))
}
