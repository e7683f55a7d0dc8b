//! `jukinet audit`: evidence.

mod ledgers;
mod purge;
mod verify;

pub(crate) use purge::purge;
pub(crate) use verify::verify;
