//! Eras (元号).

use crate::CivilDate;

/// An era of the Japanese calendar since Meiji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// 明治, from 1868-01-25.
    Meiji,
    /// 大正, from 1912-07-30.
    Taisho,
    /// 昭和, from 1926-12-25.
    Showa,
    /// 平成, from 1989-01-08.
    Heisei,
    /// 令和, from 2019-05-01.
    Reiwa,
}

impl Era {
    /// Every era, oldest first.
    pub const ALL: [Self; 5] = [
        Self::Meiji,
        Self::Taisho,
        Self::Showa,
        Self::Heisei,
        Self::Reiwa,
    ];

    /// The era of a day, or nothing before 明治.
    #[must_use]
    pub fn on(date: CivilDate) -> Option<Self> {
        Self::ALL
            .into_iter()
            .rev()
            .find(|era| era.first_day() <= date)
    }

    /// The Japanese name.
    #[must_use]
    pub fn ja(self) -> &'static str {
        match self {
            Self::Meiji => "明治",
            Self::Taisho => "大正",
            Self::Showa => "昭和",
            Self::Heisei => "平成",
            Self::Reiwa => "令和",
        }
    }

    /// The letter used on forms: M, T, S, H, R.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Meiji => 'M',
            Self::Taisho => 'T',
            Self::Showa => 'S',
            Self::Heisei => 'H',
            Self::Reiwa => 'R',
        }
    }

    /// The day the era began.
    #[must_use]
    pub fn first_day(self) -> CivilDate {
        match self {
            Self::Meiji => CivilDate::known(1868, 1, 25),
            Self::Taisho => CivilDate::known(1912, 7, 30),
            Self::Showa => CivilDate::known(1926, 12, 25),
            Self::Heisei => CivilDate::known(1989, 1, 8),
            Self::Reiwa => CivilDate::known(2019, 5, 1),
        }
    }

    /// The last day that is written with this era; for the present era the calendar's last day.
    #[must_use]
    pub fn last_day(self) -> CivilDate {
        match self {
            Self::Meiji => CivilDate::known(1912, 7, 29),
            Self::Taisho => CivilDate::known(1926, 12, 24),
            Self::Showa => CivilDate::known(1989, 1, 7),
            Self::Heisei => CivilDate::known(2019, 4, 30),
            Self::Reiwa => CivilDate::known(CivilDate::YEAR_MAX, 12, 31),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_era_ends_the_day_before_the_next_begins() {
        for pair in Era::ALL.windows(2) {
            assert_eq!(
                pair[0].last_day().days() + 1,
                pair[1].first_day().days(),
                "{pair:?}"
            );
            assert_eq!(Era::on(pair[0].last_day()), Some(pair[0]));
            assert_eq!(Era::on(pair[1].first_day()), Some(pair[1]));
        }
        assert_eq!(Era::on(CivilDate::from_ymd(1868, 1, 24).unwrap()), None);
    }

    #[test]
    fn first_years_are_called_gannen() {
        assert_eq!(
            CivilDate::from_ymd(2019, 5, 1).unwrap().to_japanese(),
            "令和元年5月1日"
        );
        assert_eq!(
            CivilDate::from_ymd(2002, 8, 5).unwrap().era(),
            Some((Era::Heisei, 14))
        );
        assert_eq!(
            CivilDate::from_ymd(1850, 1, 1).unwrap().to_japanese(),
            "1850年1月1日"
        );
    }
}
