//! Commands that drive nodes, against admin sockets that this test serves.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

mod certificates;
mod network;
mod nodes;
mod operators;
mod registers;
