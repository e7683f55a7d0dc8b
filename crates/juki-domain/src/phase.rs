//! The phases in which the network came into force.

use crate::CivilDate;

/// What the network may be used for, by its civil date (domain.md 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before 2002-08-05: codes are assigned and copies built up, nothing is provided.
    Preparation,
    /// 第一次サービス, from 2002-08-05: identity records are provided to bodies named by law.
    First,
    /// 第二次サービス, from 2003-08-25: resident cards, certificates across municipalities.
    Second,
}

impl Phase {
    /// Every phase in order.
    pub const ALL: [Self; 3] = [Self::Preparation, Self::First, Self::Second];

    /// The phase of a civil date.
    #[must_use]
    pub fn on(date: CivilDate) -> Self {
        if date < FIRST_STARTS {
            Self::Preparation
        } else if date < SECOND_STARTS {
            Self::First
        } else {
            Self::Second
        }
    }

    /// The Japanese name.
    #[must_use]
    pub fn ja(self) -> &'static str {
        match self {
            Self::Preparation => "準備期間",
            Self::First => "第一次サービス",
            Self::Second => "第二次サービス",
        }
    }

    /// The name used in JSON and in the English interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preparation => "preparation",
            Self::First => "first",
            Self::Second => "second",
        }
    }
}

const FIRST_STARTS: CivilDate = CivilDate::known(2002, 8, 5);
const SECOND_STARTS: CivilDate = CivilDate::known(2003, 8, 25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_change_on_the_days_of_the_two_starts() {
        for (date, phase) in [
            ("2002-08-04", Phase::Preparation),
            ("2002-08-05", Phase::First),
            ("2003-08-24", Phase::First),
            ("2003-08-25", Phase::Second),
        ] {
            assert_eq!(Phase::on(date.parse().unwrap()), phase, "{date}");
        }
    }
}
