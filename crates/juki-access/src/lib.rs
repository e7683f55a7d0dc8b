//! Who may ask what: card certificates, session grants, the legal-basis decision, the permit.
//!
//! No service shows a record without a [`Permit`], and only [`AccessControl::decide`] makes one.

mod card;
mod card_list;
mod decision;
mod grant;
mod rates;
mod recognise;
mod role;
mod signed_act;
mod unlock;

pub use card::{CardCertificate, CardError};
pub use card_list::{CardList, CardListError, LISTED_MAX, ListedFor, SERIAL_LEN_MAX};
pub use decision::{AccessControl, Asked, BasisInForce, Keys, Permit, RefusedAccess};
pub use grant::{Authorisation, GRANT_SECONDS_MAX, Grant, GrantError};
pub use rates::AccessRates;
pub use role::{Role, RoleError};
pub use signed_act::{ACT_BYTES_MAX, ACT_FRESH_MS, ActError, ActJudge, SignedAct};
pub use unlock::{UnlockError, UnlockGrant};
