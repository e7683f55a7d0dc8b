//! The attacks, one a file. Each gives a [`crate::Report`].

mod body;
mod card;
mod clock_set_back;
mod forgery;
mod frames;
mod names;
mod stolen_key;

pub use body::body;
pub use card::card;
pub use clock_set_back::clock_set_back;
pub use forgery::forgery;
pub use frames::frames;
pub use names::names;
pub use stolen_key::stolen_key;

use juki_domain::{MunicipalityCode, NodeId};
use juki_journal::JournalMessage;
use juki_journal::message::kind::Kind;
use prost::Message as _;

use crate::report::Heard;
use crate::speaker::Answered;

/// The journal's harmless question: where do you stand with this municipality?
fn ask_of(municipality: MunicipalityCode) -> Vec<u8> {
    JournalMessage::bytes(Kind::Ask(municipality.number()))
}

/// What the journal's answer means.
fn of_journal(by: &NodeId, answered: Answered) -> Heard {
    let body = match answered {
        Answered::Body(body) => body,
        Answered::Not(heard) => return heard,
    };
    match JournalMessage::decode(body.as_slice())
        .ok()
        .and_then(|m| m.kind)
    {
        Some(Kind::Refused(refused)) => Heard::Refused {
            node: by.to_string(),
            rule: "journal".to_owned(),
            code: refused.code,
        },
        Some(Kind::Ask(_) | Kind::Cursor(_) | Kind::Block(_) | Kind::Receipt(_)) => Heard::Taken,
        None => Heard::Silence,
    }
}
