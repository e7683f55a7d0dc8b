//! Folding changes into records, search keys, counts and digests.

use juki_crypto::{DigestKey, MultisetHash};
use juki_dispatch::View;
use juki_domain::{Change, MunicipalityCode, ReasonClass, ResidentRecordCode};

use crate::held::{Held, Holding};
use crate::keys::{Keys, SearchKey};
use crate::slot::Slot;
use crate::{Difference, DifferenceKind, FourItems, Standing, StoredRecord};

/// The place of an entry in its municipality's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The journal's epoch; a restored node begins a new one.
    pub epoch: u32,
    /// The number within the epoch, from 1 without gaps.
    pub seq: u64,
}

/// The fold of one or many municipalities' journals.
#[derive(Debug, Clone)]
pub struct Registry {
    pub(crate) keys: Keys,
    searchable: bool,
}

/// What is kept over all records of a municipality.
struct Totals {
    digest: MultisetHash,
    count: u64,
}

impl Registry {
    /// A registry whose index keys are pseudonyms under `key`. Only a searchable one keeps keys for
    /// the four items: a communication server answers no such question.
    #[must_use]
    pub fn new(key: DigestKey, searchable: bool) -> Self {
        Self {
            keys: Keys(key),
            searchable,
        }
    }

    /// The pseudonym of a code on this node, for audit records and logs.
    #[must_use]
    pub fn pseudonym(&self, code: &ResidentRecordCode) -> [u8; 16] {
        self.keys.pseudonym(code)
    }

    /// Folds one entry. It cannot be refused: what does not fit is noted and applied. An entry at or
    /// before the record's own position changes nothing.
    pub fn apply(
        &self,
        view: &mut View,
        municipality: MunicipalityCode,
        position: Position,
        change: &Change,
    ) -> Option<Difference> {
        self.apply_all(view, municipality, std::iter::once((position, change)))
            .pop()
    }

    /// Folds entries of one municipality in order, as [`Self::apply`] one by one does, and says what
    /// did not fit.
    pub fn apply_all<'a>(
        &self,
        view: &mut View,
        municipality: MunicipalityCode,
        entries: impl Iterator<Item = (Position, &'a Change)>,
    ) -> Vec<Difference> {
        let mut totals = Totals {
            digest: self.digest(view, municipality),
            count: self.count(view, municipality),
        };
        let mut differences = Vec::new();
        let mut changed = false;
        for (position, change) in entries {
            let Some(kind) = self.fold_one(view, municipality, (position, change), &mut totals)
            else {
                continue;
            };
            changed = true;
            if let Some(kind) = kind {
                let difference = Difference {
                    municipality,
                    position,
                    kind,
                };
                view.put(
                    Keys::difference(municipality, position.epoch, position.seq),
                    difference.encode(),
                );
                differences.push(difference);
            }
        }
        if changed {
            view.put(Keys::digest(municipality), totals.digest.encode());
            view.put(
                Keys::count(municipality),
                totals.count.to_be_bytes().to_vec(),
            );
        }
        differences
    }

    /// `None` for an entry that was folded before, else what did not fit.
    fn fold_one(
        &self,
        view: &mut View,
        municipality: MunicipalityCode,
        (position, change): (Position, &Change),
        totals: &mut Totals,
    ) -> Option<Option<DifferenceKind>> {
        let code = self.keys.pseudonym(&change.record.code);
        let slot = Self::slot(view, &code, municipality);
        let before = held_in(&slot);
        if before
            .as_ref()
            .is_some_and(|before| before.position >= position)
        {
            return None;
        }
        let mut kind = unfit(before.as_ref(), change);
        if let Some(previous) = change
            .previous_code
            .filter(|previous| *previous != change.record.code)
        {
            let previous_key = self.keys.pseudonym(&previous);
            let previous_slot = Self::slot(view, &previous_key, municipality);
            let old = held_in(&previous_slot).and_then(|held| Some((held.record()?, held)));
            match old {
                None => kind = kind.or(Some(DifferenceKind::PreviousUnknown)),
                Some((old, held)) => {
                    let mut ended = change.clone();
                    ended.record = juki_domain::IdentityRecord {
                        code: previous,
                        ..old.change.record
                    };
                    self.replace(
                        view,
                        (&previous_key, previous_slot),
                        Some(&held),
                        (municipality, position, &ended),
                        totals,
                    );
                }
            }
        }
        self.replace(
            view,
            (&code, slot),
            before.as_ref(),
            (municipality, position, change),
            totals,
        );
        Some(kind)
    }

    /// The digest over all of a municipality's records.
    #[must_use]
    pub fn digest(&self, view: &View, municipality: MunicipalityCode) -> MultisetHash {
        view.get(&Keys::digest(municipality))
            .and_then(|bytes| MultisetHash::decode(&bytes))
            .unwrap_or_default()
    }

    /// How many residents stand in a municipality.
    #[must_use]
    pub fn count(&self, view: &View, municipality: MunicipalityCode) -> u64 {
        view.get(&Keys::count(municipality))
            .and_then(|bytes| bytes.as_ref().try_into().ok())
            .map_or(0, u64::from_be_bytes)
    }

    /// How many residents stand in each municipality.
    #[must_use]
    pub fn counts(&self, view: &View) -> Vec<(MunicipalityCode, u64)> {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let number = key
                .get(1..)
                .and_then(|number| number.try_into().ok())
                .map(u32::from_be_bytes)?;
            Some((
                MunicipalityCode::from_number(number).ok()?,
                u64::from_be_bytes(value.try_into().ok()?),
            ))
        };
        view.scan(&Keys::counts(), 4096)
            .into_iter()
            .filter_map(read)
            .collect()
    }

    /// Differences noted so far, at most `limit`.
    #[must_use]
    pub fn differences(&self, view: &View, limit: usize) -> Vec<Difference> {
        view.scan(&Keys::differences(), limit)
            .into_iter()
            .filter_map(|(_, value)| Difference::decode(&value))
            .collect()
    }

    /// A municipality's own record of a code: its own word needs no permit.
    #[must_use]
    pub fn own_record(
        &self,
        view: &View,
        code: &ResidentRecordCode,
        municipality: MunicipalityCode,
    ) -> Option<StoredRecord> {
        self.load(view, &self.keys.pseudonym(code), municipality)
    }

    pub(crate) fn load(
        &self,
        view: &View,
        pseudonym: &[u8; 16],
        municipality: MunicipalityCode,
    ) -> Option<StoredRecord> {
        held_in(&Self::slot(view, pseudonym, municipality))?.record()
    }

    fn slot(view: &View, pseudonym: &[u8; 16], municipality: MunicipalityCode) -> Slot {
        let holder = Keys::record_holder(municipality);
        Slot::open(view, Keys::records(pseudonym), &holder)
    }

    fn replace(
        &self,
        view: &mut View,
        (pseudonym, slot): (&[u8; 16], Slot),
        before: Option<&Held>,
        (municipality, position, change): (MunicipalityCode, Position, &Change),
        totals: &mut Totals,
    ) {
        let holding = Holding::new(municipality, position, change);
        if let Some(before) = before {
            totals.digest.remove(before.element());
            let stood = u64::from(before.standing == Standing::Present);
            totals.count = totals.count.saturating_sub(stood);
        }
        totals.digest.add(holding.element());
        totals.count += u64::from(holding.standing == Standing::Present);
        let search = match before {
            _ if !self.searchable => SearchKey::NONE,
            // Folding is the dearest part of an entry, so items that stay as they were are not
            // folded again.
            Some(before) if before.items == holding.items => before.search,
            Some(_) | None => {
                let items = FourItems::of(&change.record);
                items.search_key(&self.keys, &items.folded())
            }
        };
        if self.searchable && before.map(|before| before.search) != Some(search) {
            let holder = Keys::search_holder(pseudonym, municipality);
            if let Some(before) = before {
                Slot::open(view, Keys::searches(&before.search), &holder).delete(view);
            }
            // The value names the code, so that a hit can be looked up.
            Slot::open(view, Keys::searches(&search), &holder)
                .put(view, change.record.code.as_bytes());
        }
        slot.put(view, &holding.under(&search));
    }
}

fn unfit(before: Option<&Held>, change: &Change) -> Option<DifferenceKind> {
    let stands = before.is_some_and(|before| before.standing == Standing::Present);
    match change.reason.class() {
        ReasonClass::Entry => stands.then_some(DifferenceKind::AlreadyPresent),
        ReasonClass::Deletion | ReasonClass::Correction => {
            (!stands).then_some(DifferenceKind::NotPresent)
        }
        ReasonClass::CodeCorrection => None,
    }
}

fn held_in(slot: &Slot) -> Option<Held> {
    slot.held().cloned().and_then(Held::decode)
}

#[cfg(test)]
mod tests;
