//! Counting like events together with the entries that show them, and tables that cannot outgrow
//! their bound.

use std::collections::BTreeMap;

use super::finding::{Finding, Rule, SubjectKind};
use crate::{Event, Evidence, Moment};

/// Like events: how many, from when to when, and which entries show them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    pub(crate) count: u64,
    span: Option<(Moment, Moment)>,
    evidence: Vec<Evidence>,
    seen: u64,
}

impl Trail {
    pub(crate) fn add(&mut self, event: &Event) {
        self.add_entry(event.at, event.evidence.clone());
    }

    /// Takes in an entry of which only time and place were remembered.
    pub(crate) fn add_entry(&mut self, at: Moment, evidence: Evidence) {
        self.count += 1;
        self.show(at, evidence);
    }

    /// Takes in an entry that stands for so many.
    pub(crate) fn add_many(&mut self, event: &Event, count: u64) {
        self.count = self.count.saturating_add(count);
        self.witness(event);
    }

    /// Takes in an entry that shows something without being counted.
    pub(crate) fn witness(&mut self, event: &Event) {
        self.show(event.at, event.evidence.clone());
    }

    fn show(&mut self, at: Moment, evidence: Evidence) {
        self.seen += 1;
        if self.evidence.len() < Finding::EVIDENCE_MAX {
            self.evidence.push(evidence);
        }
        self.span = Some(match self.span {
            None => (at, at),
            Some((from, to)) => (from.min(at), to.max(at)),
        });
    }

    /// Takes in all of another trail.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.count += other.count;
        self.seen += other.seen;
        let room = Finding::EVIDENCE_MAX.saturating_sub(self.evidence.len());
        self.evidence
            .extend(other.evidence.iter().take(room).cloned());
        self.span = match (self.span, other.span) {
            (Some((from, to)), Some((other_from, other_to))) => {
                Some((from.min(other_from), to.max(other_to)))
            }
            (one, other) => one.or(other),
        };
    }

    /// The finding that this trail is; `None` where nothing was added.
    pub(crate) fn finding(
        &self,
        rule: Rule,
        (kind, subject, body): (SubjectKind, &str, &str),
        (count, limit): (u64, u64),
    ) -> Option<Finding> {
        let (from, to) = self.span?;
        Some(Finding {
            rule,
            kind,
            subject: subject.to_owned(),
            body: body.to_owned(),
            from,
            to,
            count,
            limit,
            evidence: self.evidence.clone(),
            evidence_left: self.seen - self.evidence.len() as u64,
        })
    }
}

/// A map with a bound; what does not fit is counted.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    rows_max: usize,
    left_out: u64,
}

impl<K: Ord + Clone, V: Default> Table<K, V> {
    pub(crate) fn new(rows_max: usize) -> Self {
        Self {
            rows: BTreeMap::new(),
            rows_max,
            left_out: 0,
        }
    }

    /// The row of a key, made where there is none and room for one.
    pub(crate) fn row(&mut self, key: &K) -> Option<&mut V> {
        if !self.rows.contains_key(key) {
            if self.rows.len() >= self.rows_max {
                self.left_out += 1;
                return None;
            }
            self.rows.insert(key.clone(), V::default());
        }
        self.rows.get_mut(key)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.rows.iter_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.rows.retain(keep);
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_counts_what_it_leaves_out() {
        let mut table: Table<String, u32> = Table::new(2);
        for key in ["a", "b", "c", "a", "c"] {
            if let Some(row) = table.row(&key.to_owned()) {
                *row += 1;
            }
        }
        assert_eq!(table.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(table.left_out(), 2);
    }
}
