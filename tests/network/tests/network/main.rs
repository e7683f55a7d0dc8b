//! One network of processes per test.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step of a test that fails ends the test"
)]

mod access;
mod certificates;
mod configuration;
mod crashes;
mod demo;
mod evidence;
mod firewalls;
mod frames;
mod full_disks;
mod imports;
mod links;
mod machines;
mod prefecture;
mod readme;
mod reconciliation;
mod register_files;
mod register_http;
mod rotation;
mod running;
mod secret_keys;
mod secrets;
