//! Changes of records: what a register asks and what a journal entry says.

use std::fmt;
use std::str::FromStr;

use crate::{
    Address, BirthDate, CivilDate, Era, IdentityRecord, MunicipalityCode, PersonName,
    RegisterNumber, ResidentRecordCode, Sex,
};

/// The ten reasons of change of the 2002/2003 profile (異動事由; Enforcement Regulations art. 11,
/// domain.md 3.3). Numbers are ours: those of the real wire are not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ChangeReason {
    /// 転入等
    MoveIn = 1,
    /// 出生
    Birth = 2,
    /// 職権記載等
    ExOfficioEntry = 3,
    /// 転出
    MoveOut = 4,
    /// 死亡
    Death = 5,
    /// 職権消除等
    ExOfficioDeletion = 6,
    /// 転居
    AddressChange = 7,
    /// 職権修正等
    ExOfficioCorrection = 8,
    /// 住民票コードの記載の変更請求
    CodeChangeRequest = 9,
    /// 住民票コードの職権記載等
    CodeExOfficio = 10,
}

/// The class of a reason (Enforcement Order art. 30-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonClass {
    /// 記載: a record begins.
    Entry,
    /// 消除: a record ends.
    Deletion,
    /// 修正 of name, birth date, sex or address.
    Correction,
    /// 修正 of the resident record code.
    CodeCorrection,
}

impl ChangeReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::MoveIn,
        Self::Birth,
        Self::ExOfficioEntry,
        Self::MoveOut,
        Self::Death,
        Self::ExOfficioDeletion,
        Self::AddressChange,
        Self::ExOfficioCorrection,
        Self::CodeChangeRequest,
        Self::CodeExOfficio,
    ];

    /// The reason with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == number)
    }

    /// The class of this reason.
    #[must_use]
    pub fn class(self) -> ReasonClass {
        match self {
            Self::MoveIn | Self::Birth | Self::ExOfficioEntry => ReasonClass::Entry,
            Self::MoveOut | Self::Death | Self::ExOfficioDeletion => ReasonClass::Deletion,
            Self::AddressChange | Self::ExOfficioCorrection => ReasonClass::Correction,
            Self::CodeChangeRequest | Self::CodeExOfficio => ReasonClass::CodeCorrection,
        }
    }

    /// The words of the regulation.
    #[must_use]
    pub fn ja(self) -> &'static str {
        match self {
            Self::MoveIn => "転入等",
            Self::Birth => "出生",
            Self::ExOfficioEntry => "職権記載等",
            Self::MoveOut => "転出",
            Self::Death => "死亡",
            Self::ExOfficioDeletion => "職権消除等",
            Self::AddressChange => "転居",
            Self::ExOfficioCorrection => "職権修正等",
            Self::CodeChangeRequest => "住民票コードの記載の変更請求",
            Self::CodeExOfficio => "住民票コードの職権記載等",
        }
    }

    /// The name used in JSON and in the English interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MoveIn => "move-in",
            Self::Birth => "birth",
            Self::ExOfficioEntry => "ex-officio-entry",
            Self::MoveOut => "move-out",
            Self::Death => "death",
            Self::ExOfficioDeletion => "ex-officio-deletion",
            Self::AddressChange => "address-change",
            Self::ExOfficioCorrection => "ex-officio-correction",
            Self::CodeChangeRequest => "code-change-request",
            Self::CodeExOfficio => "code-ex-officio",
        }
    }
}

/// No reason has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// A word that names no reason of change.
    #[error("not one of the ten reasons of change")]
    UnknownReason,
    /// The reason demands an item that the request does not carry.
    #[error("{reason:?} must carry {item}")]
    Missing {
        /// The reason given.
        reason: ChangeReason,
        /// The item that is missing.
        item: &'static str,
    },
    /// The request carries an item that has no place under this reason.
    #[error("{reason:?} must not carry {item}")]
    Surplus {
        /// The reason given.
        reason: ChangeReason,
        /// The item that is too much.
        item: &'static str,
    },
}

impl FromStr for ChangeReason {
    type Err = ChangeError;

    /// Reads the regulation's word or the English name.
    fn from_str(text: &str) -> Result<Self, ChangeError> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.ja() == text || reason.name() == text)
            .ok_or(ChangeError::UnknownReason)
    }
}

/// What a register asks its communication server to say. It names the resident by the register's
/// own number, since it cannot know the code (design.md 7).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChangeRequest {
    /// 宛名番号
    pub resident: RegisterNumber,
    /// 異動事由
    pub reason: ChangeReason,
    /// The day the reason arose; for a move-out the planned day (Enforcement Order art. 30-5).
    pub event_date: CivilDate,
    /// 氏名, where the reason enters or corrects it.
    pub name: Option<PersonName>,
    /// 生年月日, where the reason enters or corrects it.
    pub birth: Option<BirthDate>,
    /// 性別, where the reason enters or corrects it.
    pub sex: Option<Sex>,
    /// 住所, where the reason enters or corrects it.
    pub address: Option<Address>,
    /// 転出証明書番号: given out with a move-out, presented with a move-in.
    pub certificate: Option<String>,
    /// For a move-out, the municipality moved to; for a move-in, the one moved from.
    pub counterpart: Option<MunicipalityCode>,
}

impl ChangeRequest {
    /// Longest number of a move-out certificate, in bytes.
    pub const CERTIFICATE_LEN_MAX: usize = 32;

    /// The first item whose date cannot be, when today is `today`: before Meiji or in the future. A
    /// move-out may be planned for a day up to a year ahead (Enforcement Order art. 30-5).
    #[must_use]
    pub fn date_out_of_bounds(&self, today: CivilDate) -> Option<&'static str> {
        const PLANNED_DAYS_MAX: i64 = 366;
        let first = Era::Meiji.first_day();
        let last = if self.reason == ChangeReason::MoveOut {
            CivilDate::from_days(today.days() + PLANNED_DAYS_MAX).unwrap_or(today)
        } else {
            today
        };
        if self.event_date < first || self.event_date > last {
            return Some("event_date");
        }
        self.birth
            .is_some_and(|birth| !birth.can_lie_within(first, today))
            .then_some("birth")
    }

    /// Whether the request carries what its reason must carry and nothing that it must not
    /// (docs/wire.md, "What each reason carries").
    ///
    /// # Errors
    /// [`ChangeError::Missing`] or [`ChangeError::Surplus`] with the first offending item.
    pub fn check(&self) -> Result<(), ChangeError> {
        let reason = self.reason;
        let missing = |item| Err(ChangeError::Missing { reason, item });
        let surplus = |item| Err(ChangeError::Surplus { reason, item });
        let items = [
            (self.name.is_some(), "name"),
            (self.birth.is_some(), "birth"),
            (self.sex.is_some(), "sex"),
            (self.address.is_some(), "address"),
        ];
        match reason.class() {
            ReasonClass::Entry => {
                if let Some((_, item)) = items.iter().find(|(given, _)| !given) {
                    return missing(item);
                }
            }
            ReasonClass::Deletion | ReasonClass::CodeCorrection => {
                if let Some((_, item)) = items.iter().find(|(given, _)| *given) {
                    return surplus(item);
                }
            }
            ReasonClass::Correction => {
                if !items.iter().any(|(given, _)| *given) {
                    return missing("a corrected item");
                }
                if reason == ChangeReason::AddressChange && self.address.is_none() {
                    return missing("address");
                }
            }
        }
        let moves = matches!(reason, ChangeReason::MoveIn | ChangeReason::MoveOut);
        if !moves && self.certificate.is_some() {
            return surplus("certificate");
        }
        if !moves && self.counterpart.is_some() {
            return surplus("counterpart");
        }
        Ok(())
    }
}

impl fmt::Debug for ChangeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangeRequest({}, ..)", self.reason.name())
    }
}

/// Where a record came from: cited by an entry so that two municipalities' entries have one order
/// whatever order they arrive in (design.md 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The municipality moved from.
    pub municipality: MunicipalityCode,
}

/// What one journal entry says about one resident, with a municipality's authority.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Change {
    /// 異動事由
    pub reason: ChangeReason,
    /// The day the reason arose.
    pub event_date: CivilDate,
    /// The record after the change; for a deletion, the record that ends.
    pub record: IdentityRecord,
    /// The code before, where the change replaced one (Enforcement Order art. 30-5 no. 4).
    pub previous_code: Option<ResidentRecordCode>,
    /// The municipality that the resident moved in from, where the network knows it.
    pub origin: Option<Origin>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Change({}, ..)", self.reason.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(reason: ChangeReason) -> ChangeRequest {
        ChangeRequest {
            resident: RegisterNumber::parse("1").unwrap(),
            reason,
            event_date: "2002-08-05".parse().unwrap(),
            name: None,
            birth: None,
            sex: None,
            address: None,
            certificate: None,
            counterpart: None,
        }
    }

    #[test]
    fn every_reason_reads_back_by_number_word_and_name() {
        for reason in ChangeReason::ALL {
            assert_eq!(ChangeReason::from_number(reason as u8), Some(reason));
            assert_eq!(reason.ja().parse(), Ok(reason));
            assert_eq!(reason.name().parse(), Ok(reason));
        }
        assert_eq!(
            "軽微な修正".parse::<ChangeReason>(),
            Err(ChangeError::UnknownReason)
        );
    }

    #[test]
    fn each_class_demands_its_items_and_refuses_others() {
        for reason in ChangeReason::ALL {
            let empty = request(reason);
            let full = ChangeRequest {
                name: Some(PersonName::parse("試験　太郎").unwrap()),
                birth: Some("1970-01-01".parse().unwrap()),
                sex: Some(Sex::Male),
                address: Some(Address::parse("山口県").unwrap()),
                ..request(reason)
            };
            match reason.class() {
                ReasonClass::Entry | ReasonClass::Correction => {
                    assert!(
                        matches!(empty.check(), Err(ChangeError::Missing { .. })),
                        "{reason:?}"
                    );
                    assert_eq!(full.check(), Ok(()), "{reason:?}");
                }
                ReasonClass::Deletion | ReasonClass::CodeCorrection => {
                    assert_eq!(empty.check(), Ok(()), "{reason:?}");
                    assert!(
                        matches!(full.check(), Err(ChangeError::Surplus { .. })),
                        "{reason:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn debug_of_personal_types_shows_no_content() {
        let full = ChangeRequest {
            name: Some(PersonName::parse("試験　太郎").unwrap()),
            ..request(ChangeReason::Birth)
        };
        assert_eq!(
            format!("{full:?} {:?}", full.name),
            "ChangeRequest(birth, ..) Some(PersonName(..))"
        );
    }
}
