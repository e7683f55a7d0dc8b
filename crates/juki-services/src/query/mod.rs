//! Immediate provision (即時提供): a question by code or by the four items, answered at once.

mod answerer;
mod asker;
mod message;

pub use answerer::QueryAnswerer;
pub use asker::{Asker, LocalAnswer, LocalAsk, OPERATOR_SESSION, local_ask};
pub use message::{Answered, Question, Request, ShownRecord};
