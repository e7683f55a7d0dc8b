//! The messages of immediate provision.

use juki_access::{Authorisation, Keys};
use juki_audit::Outcome;
use juki_domain::{Address, BirthDate, ErrorCode, PersonName, RecordItem, RecordItems, Sex};
use juki_registry::{FourItems, FuzzyItems, Lookup, Standing, StoredRecord};
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
    /// Whether the name is only a name's beginning.
    #[prost(bool, tag = "8")]
    pub name_begins: bool,
}

impl Question {
    /// What the question goes by.
    ///
    /// # Errors
    /// The code of the item that is wrong; [`ErrorCode::ListNotPermitted`] where it names nobody or
    /// holds a sign that stands for any text; [`ErrorCode::KeysNotPermitted`] where it goes by
    /// anything but a code alone, the four items, or a name with a birth date.
    pub fn lookup(&self) -> Result<(Keys, Lookup), ErrorCode> {
        let items = !(self.name.is_empty()
            && self.birth == 0
            && self.sex == 0
            && self.address.is_empty()
            && !self.name_begins);
        let texts = [&self.code, &self.name, &self.address];
        let lists = texts.iter().any(|text| text.contains(ANY_TEXT));
        if lists || (self.code.is_empty() && !items) {
            return Err(ErrorCode::ListNotPermitted);
        }
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
        // A beginning tells little: something beside the birth date has to tell people apart.
        let tells = !self.name_begins || self.sex != 0 || !self.address.is_empty();
        if self.name.is_empty() || self.birth == 0 || !tells {
            return Err(ErrorCode::KeysNotPermitted);
        }
        self.by_items()
    }

    fn by_items(&self) -> Result<(Keys, Lookup), ErrorCode> {
        let name = PersonName::parse(&self.name).map_err(|error| error.code())?;
        let birth = BirthDate::from_number(self.birth).map_err(|error| error.code())?;
        let sex = match self.sex {
            0 => None,
            number => Some(
                u8::try_from(number)
                    .ok()
                    .and_then(Sex::from_number)
                    .ok_or(ErrorCode::ValueInvalid)?,
            ),
        };
        let address = match self.address.as_str() {
            "" => None,
            text => Some(Address::parse(text).map_err(|error| error.code())?),
        };
        Ok(match (sex, address) {
            (Some(sex), Some(address)) if !self.name_begins => {
                let items = FourItems {
                    name,
                    birth,
                    sex,
                    address,
                };
                (Keys::Items, Lookup::Items(items))
            }
            (sex, address) => {
                let items = FuzzyItems {
                    name,
                    name_begins: self.name_begins,
                    birth,
                    sex,
                    address,
                };
                (Keys::Fuzzy, Lookup::Fuzzy(items))
            }
        })
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

/// The items that are shown (Act art. 30-5 para. 1). What the affair may not see is empty, and not
/// among `items`.
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
    /// Which items these are: item n is bit n - 1.
    #[prost(uint32, tag = "11")]
    pub items: u32,
}

impl ShownRecord {
    /// The permitted items of a record.
    pub(crate) fn of(stored: &StoredRecord, items: RecordItems) -> Self {
        let change = &stored.change;
        let text = |item, text: &str| {
            if items.has(item) {
                text.to_owned()
            } else {
                String::new()
            }
        };
        let number = |item, number: u32| if items.has(item) { number } else { 0 };
        let change_information = RecordItem::ChangeInformation;
        Self {
            code: text(RecordItem::Code, change.record.code.reveal()),
            name: text(RecordItem::Name, change.record.name.reveal()),
            birth: number(RecordItem::BirthDate, change.record.birth.number()),
            sex: number(RecordItem::Sex, change.record.sex as u32),
            address: text(RecordItem::Address, change.record.address.reveal()),
            reason: number(change_information, change.reason as u32),
            event_date: number(change_information, change.event_date.number()),
            // The code before is change information, and a code.
            previous_code: match change.previous_code {
                Some(code) if items.has(change_information) => {
                    text(RecordItem::Code, code.reveal())
                }
                Some(_) | None => String::new(),
            },
            ended: items.has(change_information) && stored.standing() == Standing::Ended,
            municipality: number(RecordItem::Address, stored.municipality.number()),
            items: items.bits(),
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
    /// After how many milliseconds to ask again, where a rate is why it was refused.
    #[prost(uint64, tag = "5")]
    pub ask_again_ms: u64,
}

impl Answered {
    pub(crate) fn refused(code: ErrorCode) -> Self {
        Self {
            outcome: Outcome::Refused as u32,
            refusal: code.code().to_owned(),
            ..Self::default()
        }
    }
}

/// Signs that stand for any text where lists are searched.
const ANY_TEXT: [char; 9] = ['*', '?', '%', '_', '＊', '？', '％', '＿', '\u{fe57}'];

#[cfg(test)]
mod tests;
