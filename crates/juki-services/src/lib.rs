//! One folder per service: its messages, the end that asks, the end that answers, its entries.

pub mod cards;
pub mod codes;
pub mod query;
pub mod registration;
pub mod tables;

#[cfg(test)]
mod stage;
