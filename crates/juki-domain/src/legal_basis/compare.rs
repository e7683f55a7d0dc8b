//! What a new table changes.

use super::{LegalBasisTable, Purpose};

/// The rows in which a table differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableChanges<'a> {
    /// Those that the table before did not have.
    pub added: Vec<Purpose<'a>>,
    /// Those that are gone.
    pub removed: Vec<Purpose<'a>>,
    /// Those that say something else now.
    pub changed: Vec<Purpose<'a>>,
}

impl LegalBasisTable {
    /// What this table changes in the one before it; without one, every row is added.
    #[must_use]
    pub fn changes_since<'a>(&'a self, before: Option<&'a Self>) -> TableChanges<'a> {
        let mut changes = TableChanges::default();
        for row in self.all() {
            match before.and_then(|before| before.row(row.purpose())) {
                None => changes.added.push(row.purpose()),
                Some(known) if known != row => changes.changed.push(row.purpose()),
                Some(_) => {}
            }
        }
        let before = before.map_or(&[][..], Self::all).iter();
        changes.removed = before
            .map(super::LegalBasis::purpose)
            .filter(|purpose| self.row(*purpose).is_none())
            .collect();
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: &str = include_str!("../../../../configs/legal-basis.csv");

    #[test]
    fn rows_added_removed_and_changed_are_told_apart() {
        let before = LegalBasisTable::parse(CONFIGURED).unwrap();
        let first = before.changes_since(None);
        assert_eq!((first.added.len(), first.removed.len()), (20, 0));
        assert_eq!(before.changes_since(Some(&before)), TableChanges::default());
        let text = CONFIGURED
            .replace("architect-registration", "architect")
            .replace(
                "passport,yamaguchi,別表第五,山口県,旅券法,旅券法に関する事務,2002-10",
                "passport,yamaguchi,別表第五,山口県,旅券法,旅券法に関する事務,2002-11",
            );
        let now = LegalBasisTable::parse(&text).unwrap();
        let changes = now.changes_since(Some(&before));
        let yamaguchi = |affair| Purpose {
            body: "yamaguchi",
            affair,
        };
        assert_eq!(changes.added, [yamaguchi("architect")]);
        assert_eq!(changes.removed, [yamaguchi("architect-registration")]);
        assert_eq!(changes.changed, [yamaguchi("passport")]);
    }
}
