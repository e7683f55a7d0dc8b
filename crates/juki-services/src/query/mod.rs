//! Immediate provision (即時提供): a question by code or by the four items, answered at once.

mod answerer;
mod asker;
mod basis;
mod message;
mod refusals;

pub use answerer::QueryAnswerer;
pub use asker::{Asker, LocalAnswer, LocalAsk, OPERATOR_SESSION, local_ask};
pub use basis::{BASIS_IN_FORCE, BasisRecord};
pub use message::{Answered, Question, Request, ShownRecord};
