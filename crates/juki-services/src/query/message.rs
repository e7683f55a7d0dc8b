//! The messages of immediate provision.

use juki_access::{Authorisation, Keys};
use juki_audit::Outcome;
use juki_domain::{Address, BirthDate, ErrorCode, PersonName, Sex};
use juki_registry::{FourItems, Lookup, Standing, StoredRecord};
use prost::Message;

/// What is asked. The proof of the authorisation covers these bytes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Question {
    /// The affair.
    #[prost(string, tag = "1")]
    pub affair: String,
    /// The resident record code, where the question goes by it.
    #[prost(string, tag = "2")]
    pub code: String,
    /// 氏名, where it goes by the four items.
    #[prost(string, tag = "3")]
    pub name: String,
    /// 生年月日, yyyymmdd.
    #[prost(uint32, tag = "4")]
    pub birth: u32,
    /// 性別, 1 or 2.
    #[prost(uint32, tag = "5")]
    pub sex: u32,
    /// 住所
    #[prost(string, tag = "6")]
    pub address: String,
    /// Random bytes, so that equal questions have different proofs.
    #[prost(bytes = "vec", tag = "7")]
    pub nonce: Vec<u8>,
}

impl Question {
    /// What the question goes by.
    ///
    /// # Errors
    /// The code of the item that is wrong, or [`ErrorCode::KeysNotPermitted`] for a question that
    /// goes by anything but a code alone or all four items: lists are not asked for.
    pub fn lookup(&self) -> Result<(Keys, Lookup), ErrorCode> {
        let items =
            !(self.name.is_empty() && self.birth == 0 && self.sex == 0 && self.address.is_empty());
        if !self.code.is_empty() {
            if items {
                return Err(ErrorCode::KeysNotPermitted);
            }
            return self
                .code
                .parse()
                .map(|code| (Keys::Code, Lookup::Code(code)))
                .map_err(|error: juki_domain::CodeError| error.code());
        }
        if self.name.is_empty() || self.birth == 0 || self.sex == 0 || self.address.is_empty() {
            return Err(ErrorCode::KeysNotPermitted);
        }
        let items = FourItems {
            name: PersonName::parse(&self.name).map_err(|error| error.code())?,
            birth: BirthDate::from_number(self.birth).map_err(|error| error.code())?,
            sex: u8::try_from(self.sex)
                .ok()
                .and_then(Sex::from_number)
                .ok_or(ErrorCode::ValueInvalid)?,
            address: Address::parse(&self.address).map_err(|error| error.code())?,
        };
        Ok((Keys::Items, Lookup::Items(items)))
    }
}

/// A question with the authorisation to ask it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Request {
    /// The question's bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub question: Vec<u8>,
    /// Grant, card and proof.
    #[prost(message, optional, tag = "2")]
    pub authorisation: Option<Authorisation>,
}

/// The items that are shown (Act art. 30-5 para. 1).
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ShownRecord {
    /// 住民票コード
    #[prost(string, tag = "1")]
    pub code: String,
    /// 氏名
    #[prost(string, tag = "2")]
    pub name: String,
    /// 生年月日, yyyymmdd.
    #[prost(uint32, tag = "3")]
    pub birth: u32,
    /// 性別, 1 or 2.
    #[prost(uint32, tag = "4")]
    pub sex: u32,
    /// 住所
    #[prost(string, tag = "5")]
    pub address: String,
    /// 異動事由, by number.
    #[prost(uint32, tag = "6")]
    pub reason: u32,
    /// The day it arose, yyyymmdd.
    #[prost(uint32, tag = "7")]
    pub event_date: u32,
    /// The code before, where there is one.
    #[prost(string, tag = "8")]
    pub previous_code: String,
    /// Whether the record has ended (消除).
    #[prost(bool, tag = "9")]
    pub ended: bool,
    /// The municipality, as five digits.
    #[prost(uint32, tag = "10")]
    pub municipality: u32,
}

impl ShownRecord {
    pub(crate) fn of(stored: &StoredRecord) -> Self {
        let change = &stored.change;
        Self {
            code: change.record.code.reveal().to_owned(),
            name: change.record.name.reveal().to_owned(),
            birth: change.record.birth.number(),
            sex: change.record.sex as u32,
            address: change.record.address.reveal().to_owned(),
            reason: change.reason as u32,
            event_date: change.event_date.number(),
            previous_code: change
                .previous_code
                .map_or_else(String::new, |code| code.reveal().to_owned()),
            ended: stored.standing() == Standing::Ended,
            municipality: stored.municipality.number(),
        }
    }
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Answered {
    /// What became of the question, as a number of [`Outcome`].
    #[prost(uint32, tag = "1")]
    pub outcome: u32,
    /// The code of a refusal.
    #[prost(string, tag = "2")]
    pub refusal: String,
    /// The first day of provision, yyyymmdd, where that is why it was refused.
    #[prost(uint32, tag = "3")]
    pub starts: u32,
    /// The items, for a match.
    #[prost(message, optional, tag = "4")]
    pub record: Option<ShownRecord>,
}

impl Answered {
    pub(crate) fn refused(code: ErrorCode, starts: Option<juki_domain::CivilDate>) -> Self {
        let starts = starts.map_or(0, juki_domain::CivilDate::number);
        Self {
            outcome: Outcome::Refused as u32,
            refusal: code.code().to_owned(),
            starts,
            record: None,
        }
    }
}
