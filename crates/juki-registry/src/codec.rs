//! The bytes of a change, as journal entries carry them (docs/wire.md, "Change").

use juki_domain::{
    Address, BirthDate, Change, ChangeReason, CivilDate, IdentityRecord, MunicipalityCode, Origin,
    PersonName, ResidentRecordCode, Sex,
};
use prost::Message;

/// Bytes are no change. Says nothing of what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the change's {0} cannot be read")]
pub struct CodecError(pub &'static str);

#[derive(Clone, PartialEq, Eq, Message)]
struct ChangeMessage {
    #[prost(uint32, tag = "1")]
    reason: u32,
    #[prost(uint32, tag = "2")]
    event_date: u32,
    #[prost(string, tag = "3")]
    code: String,
    #[prost(string, tag = "4")]
    name: String,
    #[prost(uint32, tag = "5")]
    birth: u32,
    #[prost(uint32, tag = "6")]
    sex: u32,
    #[prost(string, tag = "7")]
    address: String,
    #[prost(string, tag = "8")]
    previous_code: String,
    #[prost(uint32, tag = "9")]
    origin: u32,
}

/// The bytes of a change.
#[must_use]
pub fn encode_change(change: &Change) -> Vec<u8> {
    ChangeMessage {
        reason: change.reason as u32,
        event_date: change.event_date.number(),
        code: change.record.code.reveal().to_owned(),
        name: change.record.name.reveal().to_owned(),
        birth: change.record.birth.number(),
        sex: change.record.sex as u32,
        address: change.record.address.reveal().to_owned(),
        previous_code: change
            .previous_code
            .map_or_else(String::new, |code| code.reveal().to_owned()),
        origin: change
            .origin
            .map_or(0, |origin| origin.municipality.number()),
    }
    .encode_to_vec()
}

/// Reads a change.
///
/// # Errors
/// [`CodecError`] with the first item that is not what it should be.
pub fn decode_change(bytes: &[u8]) -> Result<Change, CodecError> {
    let message = ChangeMessage::decode(bytes).map_err(|_| CodecError("form"))?;
    let reason = u8::try_from(message.reason)
        .ok()
        .and_then(ChangeReason::from_number)
        .ok_or(CodecError("reason"))?;
    let code = |text: &str| {
        text.parse::<ResidentRecordCode>()
            .map_err(|_| CodecError("code"))
    };
    let previous_code = if message.previous_code.is_empty() {
        None
    } else {
        Some(code(&message.previous_code)?)
    };
    let origin = match message.origin {
        0 => None,
        number => Some(Origin {
            municipality: MunicipalityCode::from_number(number)
                .map_err(|_| CodecError("origin"))?,
        }),
    };
    Ok(Change {
        reason,
        event_date: CivilDate::from_number(message.event_date)
            .map_err(|_| CodecError("event date"))?,
        record: IdentityRecord {
            code: code(&message.code)?,
            name: PersonName::parse(&message.name).map_err(|_| CodecError("name"))?,
            birth: BirthDate::from_number(message.birth).map_err(|_| CodecError("birth date"))?,
            sex: u8::try_from(message.sex)
                .ok()
                .and_then(Sex::from_number)
                .ok_or(CodecError("sex"))?,
            address: Address::parse(&message.address).map_err(|_| CodecError("address"))?,
        },
        previous_code,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_change(&bytes);
        }

        #[test]
        fn a_change_reads_back(body in "[0-9]{10}", reason in 0usize..10, day in 1u8..29, name in "\\PC{1,20}", origin in any::<bool>()) {
            prop_assume!(body != "0000000000" && !name.trim().is_empty() && !name.chars().any(char::is_control));
            let code = ResidentRecordCode::from_body(body.as_bytes().try_into().unwrap()).unwrap();
            let change = Change {
                reason: ChangeReason::ALL[reason],
                event_date: CivilDate::from_ymd(2002, 8, day).unwrap(),
                record: IdentityRecord {
                    code,
                    name: PersonName::parse(&name).unwrap(),
                    birth: BirthDate::from_number(19_300_300).unwrap(),
                    sex: Sex::Female,
                    address: Address::parse("山口県萩市𠮷野").unwrap(),
                },
                previous_code: origin.then_some(code),
                origin: origin.then(|| Origin { municipality: "352047".parse().unwrap() }),
            };
            prop_assert_eq!(decode_change(&encode_change(&change)), Ok(change));
        }
    }
}
