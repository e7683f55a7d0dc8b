//! What people at the terminal ask of its node, and what they hear.

use juki_access::Authorisation;
use prost::Message;

use super::message::{Answered, Question};

/// What somebody at the terminal wants.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LocalAsk {
    /// Which thing.
    #[prost(oneof = "local_ask::Kind", tags = "1, 2, 3, 5, 6")]
    pub kind: Option<local_ask::Kind>,
    /// In which session; where it is empty, in the one that began last.
    #[prost(string, tag = "4")]
    pub session: String,
}

/// The kinds of local requests.
pub mod local_ask {
    use super::{Authorisation, CardAtHand, Question, WrongPin};

    /// One request.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// Begin a session under a grant (its proof is empty).
        #[prost(message, tag = "1")]
        Login(Authorisation),
        /// Ask a question.
        #[prost(message, tag = "2")]
        Ask(Question),
        /// End the session.
        #[prost(bool, tag = "3")]
        Logout(bool),
        /// Whether a card may be tried with a PIN at all.
        #[prost(message, tag = "5")]
        Admit(CardAtHand),
        /// Somebody entered a wrong PIN.
        #[prost(message, tag = "6")]
        WrongPin(WrongPin),
    }
}

/// A card before its PIN is known to be right.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardAtHand {
    /// The card.
    #[prost(string, tag = "1")]
    pub serial: String,
    /// The number of the registrar's last unlocking that the card carries.
    #[prost(uint64, tag = "2")]
    pub unlockings: u64,
}

/// A wrong PIN.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct WrongPin {
    /// The card.
    #[prost(message, optional, tag = "1")]
    pub card: Option<CardAtHand>,
    /// Tries that the card itself has left.
    #[prost(uint32, tag = "2")]
    pub left: u32,
}

/// What the terminal's user hears.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LocalAnswer {
    /// The answer of the answering node; absent where none came.
    #[prost(message, optional, tag = "1")]
    pub answered: Option<Answered>,
    /// The code where the question did not reach an answer.
    #[prost(string, tag = "2")]
    pub failure: String,
    /// The node that refused, where one did.
    #[prost(string, tag = "3")]
    pub refused_by: String,
    /// The message's id, for `trace`.
    #[prost(string, tag = "4")]
    pub message_id: String,
    /// The session that began.
    #[prost(string, tag = "5")]
    pub session: String,
}
