//! One row of a file as a change request.

use std::borrow::Cow;

use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, CivilDate, ErrorCode, MunicipalityCode,
    PersonName, ReasonClass, RegisterNumber, Sex,
};

use crate::header::Header;
use crate::reason_word::{ReasonWord, reason_word};
use crate::{Column, Reject, Scope};

/// The known cells of one row; a blank cell is absent.
pub(crate) struct Cells<'a> {
    values: [Option<Cow<'a, str>>; Column::ALL.len()],
}

impl<'a> Cells<'a> {
    /// Takes the row apart. Broken text in any column, known or not, refuses the row: what broke
    /// one field may have moved the others.
    pub(crate) fn decode(
        header: &Header,
        fields: impl ExactSizeIterator<Item = &'a [u8]>,
    ) -> Result<Self, Reject> {
        if fields.len() != header.places.len() {
            return Err(Reject::row(ErrorCode::FieldCountWrong));
        }
        let mut values = [const { None }; Column::ALL.len()];
        for (field, place) in fields.zip(&header.places) {
            let text = header.encoding.decode(field);
            let Some(text) = text else {
                return Err(Reject {
                    code: ErrorCode::EncodingBroken,
                    column: place.map(|column| column.ja().to_owned()),
                });
            };
            if let Some(value) = place.and_then(|column| values.get_mut(column as usize))
                && !text.trim().is_empty()
            {
                *value = Some(text);
            }
        }
        Ok(Self { values })
    }

    fn exact(&self, column: Column) -> Option<&str> {
        self.values
            .get(column as usize)
            .and_then(|value| value.as_deref())
    }

    fn trimmed(&self, column: Column) -> Option<&str> {
        self.exact(column).map(str::trim)
    }

    /// The cell read by `parse`; absent where blank, refused with `code` where it cannot be read.
    fn read<T>(
        &self,
        column: Column,
        code: ErrorCode,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Reject> {
        self.trimmed(column)
            .map(|text| parse(text).ok_or_else(|| Reject::at(code, column)))
            .transpose()
    }

    /// The cell read exactly as it stands: names and addresses are never trimmed or normalised.
    fn read_exact<T>(
        &self,
        column: Column,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Reject> {
        self.exact(column)
            .map(|text| parse(text).ok_or_else(|| Reject::at(ErrorCode::TextInvalid, column)))
            .transpose()
    }
}

/// The change request of one row, or `None` where the row changes no item of the record.
pub(crate) fn request(
    cells: &Cells<'_>,
    initial: Option<CivilDate>,
    scope: Option<&Scope>,
) -> Result<Option<ChangeRequest>, Reject> {
    let municipality = |text: &str| text.parse::<MunicipalityCode>().ok();
    let code = ErrorCode::MunicipalityCodeInvalid;
    let owner = cells.read(Column::Municipality, code, municipality)?;
    if let (Some(scope), Some(owner)) = (scope, owner) {
        scope.judge_code(owner)?;
    }
    let reason = match initial {
        Some(_) => ChangeReason::ExOfficioEntry,
        None => match reason(cells)? {
            ReasonWord::Reason(reason) => reason,
            ReasonWord::NoItemChanged => return Ok(None),
        },
    };
    let resident = cells.read(Column::Resident, ErrorCode::TextInvalid, |text| {
        RegisterNumber::parse(text).ok()
    })?;
    let resident = resident.ok_or_else(|| Reject::at(ErrorCode::ItemMissing, Column::Resident))?;
    let event_date = match initial {
        Some(date) => Some(date),
        None => cells.read(Column::EventDate, ErrorCode::DateInvalid, |text| {
            CivilDate::parse_japanese(text).ok()
        })?,
    };
    let event_date =
        event_date.ok_or_else(|| Reject::at(ErrorCode::ItemMissing, Column::EventDate))?;
    let mut request = ChangeRequest {
        resident,
        reason,
        event_date,
        name: None,
        birth: None,
        sex: None,
        address: None,
        certificate: None,
        counterpart: None,
    };
    // Registers write the full row with every event. A row that ends a record or asks for a new
    // code changes none of the four items, so they are not taken from it.
    if matches!(reason.class(), ReasonClass::Entry | ReasonClass::Correction) {
        request.name = cells.read_exact(Column::Name, |text| PersonName::parse(text).ok())?;
        request.birth = cells.read(Column::Birth, ErrorCode::DateInvalid, |text| {
            BirthDate::parse_japanese(text).ok()
        })?;
        request.sex = cells.read(Column::Sex, ErrorCode::ValueInvalid, sex)?;
        request.address = cells.read_exact(Column::Address, |text| Address::parse(text).ok())?;
    }
    if initial.is_none() {
        request.certificate =
            cells.read(Column::Certificate, ErrorCode::ValueInvalid, certificate)?;
        request.counterpart = cells.read(Column::Counterpart, code, municipality)?;
    }
    request.check().map_err(Reject::unfit)?;
    if let Some(scope) = scope {
        scope.judge(&request)?;
    }
    Ok(Some(request))
}

fn reason(cells: &Cells<'_>) -> Result<ReasonWord, Reject> {
    let word = cells.read(Column::Reason, ErrorCode::ReasonUnknown, reason_word)?;
    word.ok_or_else(|| Reject::at(ErrorCode::ItemMissing, Column::Reason))
}

fn sex(text: &str) -> Option<Sex> {
    match text {
        "男" | "1" | "１" => Some(Sex::Male),
        "女" | "2" | "２" => Some(Sex::Female),
        _ => None,
    }
}

fn certificate(text: &str) -> Option<String> {
    let fits =
        text.len() <= ChangeRequest::CERTIFICATE_LEN_MAX && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}
