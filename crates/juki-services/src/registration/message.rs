//! Local messages of registration, between the node's interfaces and its service.

use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, CivilDate, ErrorCode, MunicipalityCode,
    PersonName, RegisterNumber, Sex,
};
use prost::Message;

/// A move-out certificate (転出証明書): the paper that carries a code from one town to the next.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Certificate {
    /// Its number, as the existing register of the town left gave it.
    #[prost(string, tag = "1")]
    pub number: String,
    /// The municipality left, as five digits.
    #[prost(uint32, tag = "2")]
    pub municipality: u32,
    /// The municipality moved to, as five digits; 0 where it was not named.
    #[prost(uint32, tag = "3")]
    pub destination: u32,
    /// The resident record code last entered.
    #[prost(string, tag = "4")]
    pub code: String,
    /// 生年月日, yyyymmdd: the clerk compares it.
    #[prost(uint32, tag = "5")]
    pub birth: u32,
    /// 性別
    #[prost(uint32, tag = "6")]
    pub sex: u32,
}

/// What an interface asks.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LocalRegistration {
    /// Which thing.
    #[prost(oneof = "local_registration::Kind", tags = "1, 2, 3, 4, 5")]
    pub kind: Option<local_registration::Kind>,
}

/// The kinds of local requests.
pub mod local_registration {
    use super::Certificate;
    use crate::registration::ResidentsAsk;

    /// One request.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// Register a change.
        #[prost(message, tag = "1")]
        Change(Change),
        /// Ask what became of one.
        #[prost(string, tag = "2")]
        State(String),
        /// Register a row of a file.
        #[prost(message, tag = "3")]
        Row(Row),
        /// Ask for a page of the residents.
        #[prost(message, tag = "4")]
        Residents(ResidentsAsk),
        /// Ask for the resident with this number in the register.
        #[prost(string, tag = "5")]
        Find(String),
    }

    /// A row of a file, which is its own idempotency key, and for a move-in the certificate presented.
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct Row {
        /// A [`super::RequestMessage`] as bytes.
        #[prost(bytes = "vec", tag = "1")]
        pub request: Vec<u8>,
        /// The certificate, where one was presented.
        #[prost(message, optional, tag = "2")]
        pub certificate: Option<Certificate>,
        /// Whether the file is one of all residents: a row that says of a resident what is entered
        /// already is a duplicate, one that says something else contradicts it.
        #[prost(bool, tag = "3")]
        pub initial: bool,
    }

    /// A change request with its idempotency key and, for a move-in, the certificate presented.
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct Change {
        /// The idempotency key, 1 to 64 bytes.
        #[prost(string, tag = "1")]
        pub key: String,
        /// The request.
        #[prost(message, optional, tag = "2")]
        pub request: Option<super::RequestMessage>,
        /// The certificate, where one was presented.
        #[prost(message, optional, tag = "3")]
        pub certificate: Option<Certificate>,
    }
}

/// A [`ChangeRequest`] as bytes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RequestMessage {
    #[prost(string, tag = "1")]
    resident: String,
    #[prost(uint32, tag = "2")]
    reason: u32,
    #[prost(uint32, tag = "3")]
    event_date: u32,
    #[prost(string, tag = "4")]
    name: String,
    #[prost(uint32, tag = "5")]
    birth: u32,
    #[prost(uint32, tag = "6")]
    sex: u32,
    #[prost(string, tag = "7")]
    address: String,
    #[prost(string, tag = "8")]
    certificate: String,
    #[prost(uint32, tag = "9")]
    counterpart: u32,
}

impl RequestMessage {
    /// The message of a request.
    #[must_use]
    pub fn of(request: &ChangeRequest) -> Self {
        Self {
            resident: request.resident.reveal().to_owned(),
            reason: request.reason as u32,
            event_date: request.event_date.number(),
            name: request
                .name
                .as_ref()
                .map_or_else(String::new, |name| name.reveal().to_owned()),
            birth: request.birth.map_or(0, |birth| birth.number()),
            sex: request.sex.map_or(0, |sex| sex as u32),
            address: request
                .address
                .as_ref()
                .map_or_else(String::new, |address| address.reveal().to_owned()),
            certificate: request.certificate.clone().unwrap_or_default(),
            counterpart: request.counterpart.map_or(0, MunicipalityCode::number),
        }
    }

    /// The request of a message.
    ///
    /// # Errors
    /// The code of the first item that is wrong.
    pub fn request(&self) -> Result<ChangeRequest, ErrorCode> {
        let text = |text: &str| {
            if text.is_empty() {
                None
            } else {
                Some(text.to_owned())
            }
        };
        let name = text(&self.name)
            .map(|text| PersonName::parse(&text))
            .transpose()
            .map_err(|error| error.code())?;
        let address = text(&self.address)
            .map(|text| Address::parse(&text))
            .transpose()
            .map_err(|error| error.code())?;
        let birth = (self.birth != 0)
            .then(|| BirthDate::from_number(self.birth))
            .transpose()
            .map_err(|error| error.code())?;
        let sex = u8::try_from(self.sex).map_err(|_| ErrorCode::ValueInvalid)?;
        let counterpart = (self.counterpart != 0)
            .then(|| MunicipalityCode::from_number(self.counterpart))
            .transpose()
            .map_err(|error| error.code())?;
        Ok(ChangeRequest {
            resident: RegisterNumber::parse(&self.resident).map_err(|error| error.code())?,
            reason: u8::try_from(self.reason)
                .ok()
                .and_then(ChangeReason::from_number)
                .ok_or(ErrorCode::ReasonUnknown)?,
            event_date: CivilDate::from_number(self.event_date).map_err(|error| error.code())?,
            name,
            birth,
            sex: if sex == 0 {
                None
            } else {
                Some(Sex::from_number(sex).ok_or(ErrorCode::ValueInvalid)?)
            },
            address,
            certificate: text(&self.certificate),
            counterpart,
        })
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum RegistrationOutcome {
    /// It is a durable journal entry now.
    Accepted = 1,
    /// It was one already.
    Duplicate = 2,
    /// It was refused, with a code.
    Refused = 3,
    /// Nothing is known under this key.
    Unknown = 4,
}

/// The service's answer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Registered {
    /// What became of it, as a number of [`RegistrationOutcome`].
    #[prost(uint32, tag = "1")]
    pub outcome: u32,
    /// The code of a refusal.
    #[prost(string, tag = "2")]
    pub refusal: String,
    /// The journal's epoch and number.
    #[prost(uint32, tag = "3")]
    pub epoch: u32,
    /// The number.
    #[prost(uint64, tag = "4")]
    pub seq: u64,
    /// The resident record code, for the register.
    #[prost(string, tag = "5")]
    pub code: String,
    /// The certificate to hand out, for a move-out that has a number.
    #[prost(message, optional, tag = "6")]
    pub certificate: Option<Certificate>,
    /// Whether the prefecture has confirmed it.
    #[prost(bool, tag = "7")]
    pub at_prefecture: bool,
    /// Whether the national center has confirmed it.
    #[prost(bool, tag = "8")]
    pub at_national: bool,
}

/// The bytes by which an interface asks to register a change.
#[must_use]
pub fn change_message(
    key: &str,
    request: &ChangeRequest,
    certificate: Option<Certificate>,
) -> Vec<u8> {
    let change = local_registration::Change {
        key: key.to_owned(),
        request: Some(RequestMessage::of(request)),
        certificate,
    };
    local(local_registration::Kind::Change(change))
}

/// The bytes by which an interface asks to register a row of a file.
#[must_use]
pub fn row_message(
    request: &ChangeRequest,
    certificate: Option<Certificate>,
    initial: bool,
) -> Vec<u8> {
    local(local_registration::Kind::Row(local_registration::Row {
        request: RequestMessage::of(request).encode_to_vec(),
        certificate,
        initial,
    }))
}

pub(super) fn local(kind: local_registration::Kind) -> Vec<u8> {
    LocalRegistration { kind: Some(kind) }.encode_to_vec()
}
