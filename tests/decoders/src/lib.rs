//! Every decoder of bytes from outside as a plain function, and what is thrown at it.
//!
//! A decoder takes any bytes and says whether it took them. Tests throw ten thousand mutations of
//! valid messages at each, and then go on for a while; `fuzz/` gives the same functions to a
//! coverage-guided fuzzer. Nobody may panic, and nobody's memory may grow beyond a bound.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step of a test that fails ends the test"
)]

mod corpus;
mod list;
mod mutation;
mod onslaught;

pub use corpus::{corpus_of, write_corpus};
pub use list::{all, decoder};
pub use mutation::Mutator;
pub use onslaught::{Onslaught, Survived};

/// A decoder with valid messages for it.
#[derive(Clone, Copy)]
pub struct Decoder {
    /// Its name, also that of its corpus and of its fuzz target.
    pub name: &'static str,
    /// Whether it takes these bytes; it may refuse them, and nothing else.
    pub decode: fn(&[u8]) -> bool,
    /// Some messages that it takes.
    pub samples: fn() -> Vec<Vec<u8>>,
}
