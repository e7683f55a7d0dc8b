//! Operators' cards: what is done with them, the card ledger (管理簿), the list of those that may not
//! be used.

mod done;
mod list;
mod message;
mod registrar;
mod row;
mod rules;

pub(crate) use done::note as note_done;
pub use list::{CARD_LIST, CardListRecord};
pub(crate) use list::{last, read, record, recorded};
pub use message::{
    ActKind, CARD_ACT, CardAct, CardActRecord, CardsAnswer, CardsAsk, FirstCards, PageAsk,
    cards_ask,
};
pub(crate) use registrar::actor;
pub use registrar::{ACT_SUBJECT, CardRegistrar, SERVICE};
pub use row::{ActLine, CardRow};
