//! One folder per service: its messages, the end that asks, the end that answers, its entries.

pub mod cards;
pub mod codes;
pub mod orders;
pub mod query;
pub mod registration;

#[cfg(test)]
mod stage;
