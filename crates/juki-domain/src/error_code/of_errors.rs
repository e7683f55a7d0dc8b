//! Which code each error of this crate's types is refused with.

use crate::{
    ChangeError, CodeError, DateError, ErrorCode, LegalBasisError, MunicipalityCodeError, TextError,
};

impl CodeError {
    /// The code that a text that is no resident record code is refused with.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Form | Self::Zeros => ErrorCode::CodeForm,
            Self::CheckDigit => ErrorCode::CodeCheckDigit,
        }
    }
}

impl DateError {
    /// The code that a text that is no date is refused with.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Form | Self::NoSuchDay | Self::YearOutOfRange | Self::OutsideEra => {
                ErrorCode::DateInvalid
            }
        }
    }
}

impl ChangeError {
    /// The code that a change is refused with.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::UnknownReason => ErrorCode::ReasonUnknown,
            Self::Missing { .. } => ErrorCode::ItemMissing,
            Self::Surplus { .. } => ErrorCode::ItemSurplus,
        }
    }
}

impl TextError {
    /// The code that a text of a record is refused with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::TextInvalid
    }
}

impl MunicipalityCodeError {
    /// The code that a text that is no municipality or prefecture is refused with.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Form | Self::OutOfRange | Self::CheckDigit => ErrorCode::MunicipalityCodeInvalid,
        }
    }
}

impl LegalBasisError {
    /// The code that such a legal-basis table is refused with.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::TooLarge
            | Self::Header
            | Self::Empty
            | Self::Columns { .. }
            | Self::Value { .. }
            | Self::Starts { .. }
            | Self::Duplicate { .. } => ErrorCode::BasisMalformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Address, ChangeError, ChangeReason, CivilDate, ErrorCode, LegalBasisTable,
        MunicipalityCode, ResidentRecordCode,
    };

    #[test]
    fn each_refused_input_names_its_code() {
        assert_eq!(
            "1234567890x"
                .parse::<ResidentRecordCode>()
                .unwrap_err()
                .code(),
            ErrorCode::CodeForm
        );
        assert_eq!(
            "00000000000"
                .parse::<ResidentRecordCode>()
                .unwrap_err()
                .code(),
            ErrorCode::CodeForm
        );
        assert_eq!(
            "12345678904"
                .parse::<ResidentRecordCode>()
                .unwrap_err()
                .code(),
            ErrorCode::CodeCheckDigit
        );
        assert_eq!(
            "2002-02-30".parse::<CivilDate>().unwrap_err().code(),
            ErrorCode::DateInvalid
        );
        assert_eq!(
            "結婚".parse::<ChangeReason>().unwrap_err().code(),
            ErrorCode::ReasonUnknown
        );
        assert_eq!(
            Address::parse("").unwrap_err().code(),
            ErrorCode::TextInvalid
        );
        assert_eq!(
            "352013".parse::<MunicipalityCode>().unwrap_err().code(),
            ErrorCode::MunicipalityCodeInvalid
        );
        assert_eq!(
            LegalBasisTable::parse("").unwrap_err().code(),
            ErrorCode::BasisMalformed
        );
        let reason = ChangeReason::Birth;
        assert_eq!(
            ChangeError::Missing {
                reason,
                item: "name"
            }
            .code(),
            ErrorCode::ItemMissing
        );
        assert_eq!(
            ChangeError::Surplus {
                reason,
                item: "name"
            }
            .code(),
            ErrorCode::ItemSurplus
        );
    }
}
