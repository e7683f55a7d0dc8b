//! The vocabulary of law and of the network: every other crate speaks in these types.
//!
//! Nothing here does I/O, reads a clock or draws a random number. Types that hold personal
//! data have no `Display` and print redacted in `Debug`.

mod birth_date;
mod change;
mod code;
mod date;
mod date_text;
mod era;
mod error_code;
mod fold;
mod gregorian;
mod legal_basis;
mod municipality;
mod node;
mod numeral;
mod phase;
mod record;
mod variant;

pub use birth_date::BirthDate;
pub use change::{Change, ChangeError, ChangeReason, ChangeRequest, Origin, ReasonClass};
pub use code::{CodeError, ResidentRecordCode, check_digit};
pub use date::{CivilDate, DateError};
pub use era::Era;
pub use error_code::{ErrorCode, Explanation, Fault, Lang, LangError};
pub use fold::{fold_address, fold_name};
pub use legal_basis::{
    LegalBasis, LegalBasisError, LegalBasisTable, PermittedKeys, Purpose, RATE_PER_MIN_MAX,
    RecordItem, RecordItems, RefusedPurpose, TableChanges, is_purpose_id,
};
pub use municipality::{MunicipalityCode, MunicipalityCodeError, PrefectureCode};
pub use node::{NodeId, NodeIdError, NodeRole, ServiceId};
pub use phase::Phase;
pub use record::{Address, IdentityRecord, PersonName, RegisterNumber, Sex, TextError};
