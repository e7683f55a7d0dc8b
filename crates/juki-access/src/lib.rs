//! Who may ask what: card certificates, session grants, the legal-basis decision, the permit.
//!
//! No service shows a record without a [`Permit`], and only [`AccessControl::decide`] makes one.

mod card;
mod decision;
mod grant;
mod rates;
mod recognise;

pub use card::{CardCertificate, CardError, Role};
pub use decision::{AccessControl, Asked, BasisInForce, Keys, Permit, RefusedAccess};
pub use grant::{Authorisation, GRANT_SECONDS_MAX, Grant, GrantError};
pub use rates::AccessRates;
