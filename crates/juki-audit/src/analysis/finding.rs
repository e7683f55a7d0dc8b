//! What analysis found, with its evidence.

use juki_domain::Lang;

use crate::{Evidence, Moment};

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Work outside office hours.
    OutsideHours,
    /// Work on a weekend or holiday.
    HolidayWork,
    /// Mass searches by one operator.
    MassSearch,
    /// Many different persons asked for by one operator.
    ManyPersons,
    /// One person asked for by several operators or from several terminals.
    OnePerson,
    /// Repeated refusals.
    RepeatedRefusals,
    /// A colleague or a listed person was asked for.
    ListedPerson,
    /// Wrong PINs.
    FailedPins,
    /// Silence where there is usually traffic.
    Silence,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 9] = [
        Self::OutsideHours,
        Self::HolidayWork,
        Self::MassSearch,
        Self::ManyPersons,
        Self::OnePerson,
        Self::RepeatedRefusals,
        Self::ListedPerson,
        Self::FailedPins,
        Self::Silence,
    ];

    /// The word for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OutsideHours => "outside-hours",
            Self::HolidayWork => "holiday-work",
            Self::MassSearch => "mass-search",
            Self::ManyPersons => "many-persons",
            Self::OnePerson => "one-person",
            Self::RepeatedRefusals => "repeated-refusals",
            Self::ListedPerson => "listed-person",
            Self::FailedPins => "failed-pins",
            Self::Silence => "silence",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn title(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::OutsideHours, Lang::Ja) => "勤務時間外の照会",
            (Self::OutsideHours, Lang::En) => "Requests outside office hours",
            (Self::HolidayWork, Lang::Ja) => "休日の照会",
            (Self::HolidayWork, Lang::En) => "Requests on days off",
            (Self::MassSearch, Lang::Ja) => "大量検索",
            (Self::MassSearch, Lang::En) => "Mass search",
            (Self::ManyPersons, Lang::Ja) => "一人の操作者による多数の者の検索",
            (Self::ManyPersons, Lang::En) => "Many different persons by one operator",
            (Self::OnePerson, Lang::Ja) => "一人の者への多数の端末・操作者からの検索",
            (Self::OnePerson, Lang::En) => "One person asked for by many",
            (Self::RepeatedRefusals, Lang::Ja) => "繰り返された拒否",
            (Self::RepeatedRefusals, Lang::En) => "Repeated refusals",
            (Self::ListedPerson, Lang::Ja) => "同僚・注意対象者の検索",
            (Self::ListedPerson, Lang::En) => "A colleague or listed person",
            (Self::FailedPins, Lang::Ja) => "暗証番号の誤り",
            (Self::FailedPins, Lang::En) => "Wrong PINs",
            (Self::Silence, Lang::Ja) => "通信の途絶",
            (Self::Silence, Lang::En) => "Silence where there is usually traffic",
        }
    }
}

/// Whom or what a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// An operator.
    Operator,
    /// A card.
    Card,
    /// A terminal.
    Terminal,
    /// The pseudonym of a person.
    Person,
    /// A body.
    Body,
    /// A node and a service of it.
    Flow,
}

impl SubjectKind {
    /// The word for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Card => "card",
            Self::Terminal => "terminal",
            Self::Person => "person",
            Self::Body => "body",
            Self::Flow => "flow",
        }
    }

    /// The word for people.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Operator, Lang::Ja) => "操作者",
            (Self::Card, Lang::Ja) => "カード",
            (Self::Terminal, Lang::Ja) => "端末",
            (Self::Person, Lang::Ja) => "本人（仮名）",
            (Self::Body, Lang::Ja) => "機関",
            (Self::Flow, Lang::Ja) => "通信",
            (_, Lang::En) => self.name(),
        }
    }
}

/// Something that a person should look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What the subject is.
    pub kind: SubjectKind,
    /// Whom or what it is about.
    pub subject: String,
    /// The body, where there is one.
    pub body: String,
    /// When it began.
    pub from: Moment,
    /// When it ended.
    pub to: Moment,
    /// How many: requests, persons, operators, wrong PINs, silent hours.
    pub count: u64,
    /// From how many on it is a finding; 0 where that depends on more than the count.
    pub limit: u64,
    /// Entries that show it, at most [`Finding::EVIDENCE_MAX`].
    pub evidence: Vec<Evidence>,
    /// Further entries that are not named.
    pub evidence_left: u64,
}

impl Finding {
    /// How many entries a finding names.
    pub const EVIDENCE_MAX: usize = 20;

    /// What was found, in one sentence.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let Self { count, limit, .. } = self;
        match (self.rule, lang) {
            (Rule::OutsideHours, Lang::Ja) => {
                format!("許可のない時間外の照会 {count} 件（{limit} 件から）")
            }
            (Rule::OutsideHours, Lang::En) => {
                format!("{count} requests outside hours without permission (from {limit} on)")
            }
            (Rule::HolidayWork, Lang::Ja) => {
                format!("許可のない休日の照会 {count} 件（{limit} 件から）")
            }
            (Rule::HolidayWork, Lang::En) => {
                format!("{count} requests on a day off without permission (from {limit} on)")
            }
            (Rule::MassSearch, Lang::Ja) => {
                format!("照会 {count} 件（この日のこの操作者では {limit} 件から異常）")
            }
            (Rule::MassSearch, Lang::En) => {
                format!("{count} requests (unusual for this operator and day from {limit} on)")
            }
            (Rule::ManyPersons, Lang::Ja) => {
                format!("異なる者 {count} 人を検索（この操作者では {limit} 人から異常）")
            }
            (Rule::ManyPersons, Lang::En) => {
                format!("{count} different persons (unusual for this operator from {limit} on)")
            }
            (Rule::OnePerson, Lang::Ja) => {
                format!("同じ者を {count} 人の操作者が検索")
            }
            (Rule::OnePerson, Lang::En) => {
                format!("{count} operators asked for the same person")
            }
            (Rule::RepeatedRefusals, Lang::Ja) => format!("拒否 {count} 件（{limit} 件から）"),
            (Rule::RepeatedRefusals, Lang::En) => format!("{count} refusals (from {limit} on)"),
            (Rule::ListedPerson, Lang::Ja) => {
                format!("同僚・注意対象者の検索、{count} 点（{limit} 点から）")
            }
            (Rule::ListedPerson, Lang::En) => {
                format!("listed persons were asked for: {count} points (from {limit} on)")
            }
            (Rule::FailedPins, Lang::Ja) => format!("暗証番号の誤り {count} 回（{limit} 回から）"),
            (Rule::FailedPins, Lang::En) => format!("{count} wrong PINs (from {limit} on)"),
            (Rule::Silence, Lang::Ja) => format!("通常は通信のある {count} 時間、通信がない"),
            (Rule::Silence, Lang::En) => {
                format!("nothing for {count} hours in which there is usually traffic")
            }
        }
    }
}
