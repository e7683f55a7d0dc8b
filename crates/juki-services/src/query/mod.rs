//! Immediate provision (即時提供): a question by code or by the four items, answered at once.

mod answerer;
mod asker;
mod basis;
mod local;
mod logins;
mod message;
mod pins;
mod refusals;

pub use answerer::QueryAnswerer;
pub use asker::{Asker, OPERATOR_SESSION};
pub use basis::{BASIS_IN_FORCE, BasisRecord};
pub use local::{CardAtHand, LocalAnswer, LocalAsk, WrongPin, local_ask};
pub use logins::{EndedFor, LOGINS_MAX, SESSION_ENDED, SessionEnded};
pub use message::{Answered, Question, Request, ShownRecord};
