//! The rebuildable index on disk, values encrypted.
//!
//! Nothing rests on it: it is written after the ledger's sync, carries the ledger's mark, and is
//! wiped and folded again whenever the mark or the engine itself is in doubt. So an engine needs no
//! log of its own and may lose what it took last; it must only be whole at some mark.

mod lsm_index;
mod sealing;
mod sled_index;

#[cfg(test)]
mod tests;

pub use lsm_index::{LsmIndex, LsmSize};
pub use sled_index::SledIndex;
