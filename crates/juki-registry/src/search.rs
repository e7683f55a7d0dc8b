//! Looking a person up by code, by the four items, or by fewer of them.

use bytes::Bytes;
use juki_access::Permit;
use juki_dispatch::View;
use juki_domain::{IdentityRecord, ResidentRecordCode};

use crate::held::Held;
use crate::keys::{Keys, SEARCH_PLACE_LEN};
use crate::slot::Slot;
use crate::{FourItems, FuzzyItems, Registry, Standing, StoredRecord, choose_current};

/// Most persons a lookup compares: more are "several" already.
const CANDIDATES_MAX: usize = 64;

/// As [`CANDIDATES_MAX`], where fewer than the four items are known.
const FUZZY_CANDIDATES_MAX: usize = 256;

/// What a lookup goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The resident record code.
    Code(ResidentRecordCode),
    /// Name, birth date, sex and address.
    Items(FourItems),
    /// Fewer than these, or the name by its beginning.
    Fuzzy(FuzzyItems),
}

/// What a lookup found. It never lists persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit {
    /// Nobody.
    None,
    /// One person: the current record.
    One(Box<StoredRecord>),
    /// More than one person: narrow the question.
    Several,
}

impl Registry {
    /// Looks up the current record for whoever holds a permit: there is no other way to another
    /// municipality's record.
    #[must_use]
    pub fn look_up(&self, permit: &Permit, view: &View, lookup: &Lookup) -> Hit {
        let _ = permit;
        self.find(view, lookup)
    }

    pub(crate) fn find(&self, view: &View, lookup: &Lookup) -> Hit {
        match lookup {
            Lookup::Code(code) => self
                .current(view, &self.keys.pseudonym(code))
                .map_or(Hit::None, |record| Hit::One(Box::new(record))),
            Lookup::Items(items) => self.by_items(view, items),
            Lookup::Fuzzy(items) => self.by_fewer_items(view, items),
        }
    }

    fn by_items(&self, view: &View, items: &FourItems) -> Hit {
        let folded = items.folded();
        let place = Keys::searches(&items.search_key(&self.keys, &folded));
        let found = Slot::all(view, &place, CANDIDATES_MAX);
        self.only_one(view, found, |record| {
            let held = FourItems::of(record);
            held == *items || held.folded() == folded
        })
    }

    /// At the scale of the nation, some hundred persons share a birth date and the first character
    /// of their names. Where it were more than are compared, nobody is told apart: "several".
    fn by_fewer_items(&self, view: &View, items: &FuzzyItems) -> Hit {
        let wanted = items.folded();
        let prefix = self.keys.searches_by_beginning(&wanted.name, items.birth);
        match Slot::all_of_places(view, &prefix, SEARCH_PLACE_LEN, FUZZY_CANDIDATES_MAX) {
            Some(found) => self.only_one(view, found, |record| wanted.fits(record)),
            None => Hit::Several,
        }
    }

    /// The one person among candidates whose current record fits.
    fn only_one(
        &self,
        view: &View,
        mut codes: Vec<Bytes>,
        fits: impl Fn(&IdentityRecord) -> bool,
    ) -> Hit {
        codes.sort_unstable();
        codes.dedup();
        let mut hits: Vec<StoredRecord> = Vec::new();
        for code in codes {
            let Some(code) = std::str::from_utf8(&code)
                .ok()
                .and_then(|text| text.parse::<ResidentRecordCode>().ok())
            else {
                continue;
            };
            let Some(current) = self.current(view, &self.keys.pseudonym(&code)) else {
                continue;
            };
            // A record left behind elsewhere or under an old code has keys too; only what is
            // current answers.
            let same = fits(&current.change.record) && !current.is_replaced();
            if same
                && !hits
                    .iter()
                    .any(|hit| hit.change.record.code == current.change.record.code)
            {
                hits.push(current);
            }
        }
        if hits.iter().any(|hit| hit.standing() == Standing::Present) {
            hits.retain(|hit| hit.standing() == Standing::Present);
        }
        match (hits.pop(), hits.is_empty()) {
            (None, _) => Hit::None,
            (Some(hit), true) => Hit::One(Box::new(hit)),
            (Some(_), false) => Hit::Several,
        }
    }

    fn current(&self, view: &View, pseudonym: &[u8; 16]) -> Option<StoredRecord> {
        let held = Slot::all(view, &Keys::records(pseudonym), CANDIDATES_MAX);
        let record = |bytes| Held::decode(bytes).and_then(|held| held.record());
        let mut records: Vec<StoredRecord> = held.into_iter().filter_map(record).collect();
        if records.len() <= 1 {
            return records.pop();
        }
        choose_current(&records).cloned()
    }
}
