//! The supply ledger: recipient, affair, date, number and method of what was provided
//! (Enforcement Regulations art. 31; domain.md 4.4).

use std::collections::BTreeMap;

use juki_domain::{CivilDate, Lang};

use crate::{AuditRecord, Outcome};

/// How records were provided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SupplyMethod {
    /// Immediate provision over the line (即時提供).
    Immediate,
}

impl SupplyMethod {
    /// The word for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Immediate, Lang::Ja) => "電気通信回線（即時提供）",
            (Self::Immediate, Lang::En) => "over the line, one by one",
        }
    }
}

/// One line of the supply ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplyLine {
    /// The body.
    pub recipient: String,
    /// The affair.
    pub affair: String,
    /// The civil date.
    pub date: CivilDate,
    /// How.
    pub method: SupplyMethod,
    /// How many records.
    pub records: u64,
}

/// Sums audit records into supply lines; it holds one number for each line.
#[derive(Debug, Default)]
pub struct SupplyLedger {
    sums: BTreeMap<(String, String, u32), u64>,
}

impl SupplyLedger {
    /// Takes in one audit record; only what was provided counts.
    pub fn take(&mut self, record: &AuditRecord) {
        if record.outcome == Outcome::Match as u32 {
            let line = (
                record.body.clone(),
                record.affair.clone(),
                record.civil_date,
            );
            *self.sums.entry(line).or_insert(0) += 1;
        }
    }

    /// The lines in order of recipient, affair and date. A date that the calendar does not have is
    /// left out: no node writes one.
    #[must_use]
    pub fn lines(self) -> Vec<SupplyLine> {
        self.sums
            .into_iter()
            .filter_map(|((recipient, affair, date), records)| {
                Some(SupplyLine {
                    recipient,
                    affair,
                    date: CivilDate::from_number(date).ok()?,
                    method: SupplyMethod::Immediate,
                    records,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_provided_records_are_supplies() {
        let record = |body: &str, outcome: Outcome| AuditRecord {
            body: body.to_owned(),
            affair: "pension".to_owned(),
            civil_date: 20_021_015,
            outcome: outcome as u32,
            ..AuditRecord::default()
        };
        let mut ledger = SupplyLedger::default();
        for record in [
            record("b", Outcome::Match),
            record("a", Outcome::Match),
            record("a", Outcome::Match),
            record("a", Outcome::Refused),
            record("c", Outcome::NoMatch),
        ] {
            ledger.take(&record);
        }
        let lines = ledger.lines();
        assert_eq!(
            lines
                .iter()
                .map(|line| (line.recipient.as_str(), line.records))
                .collect::<Vec<_>>(),
            [("a", 2), ("b", 1)]
        );
    }
}
