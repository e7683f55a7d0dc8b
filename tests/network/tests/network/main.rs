//! One network of processes per test.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step of a test that fails ends the test"
)]

mod access;
mod alerts;
mod audits;
mod certificates;
mod configuration;
mod crashes;
mod demo;
mod evidence;
mod firewalls;
mod frames;
mod full_disks;
mod imports;
mod laboratory;
mod legal_basis;
mod links;
mod machines;
mod operators;
mod prefecture;
mod readme;
mod reconciliation;
mod register_files;
mod register_http;
mod rotation;
mod running;
mod secret_keys;
mod secrets;
