//! `jukinet audit`: evidence.

mod ledgers;
mod verify;

pub(crate) use verify::verify;
