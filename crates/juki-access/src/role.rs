//! What operators are there for.

use std::str::FromStr;

/// What an operator may do. One card may carry several; numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Role {
    /// 業務担当者: asks for identity records within an affair.
    BusinessOperator = 1,
    /// システム管理者: keys, tables, the enrolment of those who manage; sees no record.
    SystemManager = 2,
    /// 操作者カード管理者: keeps the cards and their ledger.
    CardManager = 3,
    /// 業務管理者: answers for the affairs of an office.
    BusinessManager = 4,
    /// カード発行担当者: makes and lends cards.
    CardIssuer = 5,
    /// 監査担当者: reads the evidence, changes nothing.
    Auditor = 6,
    /// 訓練統括者: runs exercises.
    ExerciseFacilitator = 7,
}

/// A text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such role")]
pub struct RoleError;

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::BusinessOperator,
        Self::SystemManager,
        Self::CardManager,
        Self::BusinessManager,
        Self::CardIssuer,
        Self::Auditor,
        Self::ExerciseFacilitator,
    ];

    /// The role with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| *role as u32 == number)
    }

    /// The name that commands and files use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BusinessOperator => "business-operator",
            Self::SystemManager => "system-manager",
            Self::CardManager => "card-manager",
            Self::BusinessManager => "business-manager",
            Self::CardIssuer => "card-issuer",
            Self::Auditor => "auditor",
            Self::ExerciseFacilitator => "exercise-facilitator",
        }
    }

    /// The name in Japanese.
    #[must_use]
    pub fn ja(self) -> &'static str {
        match self {
            Self::BusinessOperator => "業務担当者",
            Self::SystemManager => "システム管理者",
            Self::CardManager => "操作者カード管理者",
            Self::BusinessManager => "業務管理者",
            Self::CardIssuer => "カード発行担当者",
            Self::Auditor => "監査担当者",
            Self::ExerciseFacilitator => "訓練統括者",
        }
    }

    /// Whether the role manages others or watches them: only a system manager gives or takes it.
    #[must_use]
    pub fn is_of_trust(self) -> bool {
        match self {
            Self::SystemManager | Self::CardManager | Self::Auditor => true,
            Self::BusinessOperator
            | Self::BusinessManager
            | Self::CardIssuer
            | Self::ExerciseFacilitator => false,
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    /// Reads a role's name.
    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or(RoleError)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn roles_read_back_by_number_and_by_name_and_none_is_named_twice() {
        for role in Role::ALL {
            assert_eq!(Role::from_number(role as u32), Some(role));
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert_eq!(Role::from_number(0), None);
        assert_eq!("director".parse::<Role>(), Err(RoleError));
        let names: BTreeSet<&str> = Role::ALL.map(Role::ja).into();
        assert_eq!(names.len(), Role::ALL.len());
    }

    #[test]
    fn the_first_two_numbers_are_what_issued_cards_carry() {
        assert_eq!(Role::BusinessOperator as u32, 1);
        assert_eq!(Role::SystemManager as u32, 2);
    }
}
