//! One network of processes per test, one kind of attacker in each.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step of a test that fails ends the test"
)]

mod firewalls;
mod floods;
mod servers;
mod terminals;
