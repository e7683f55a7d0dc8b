//! One municipality's residents as a stream.

use std::cell::Cell;
use std::fmt;
use std::vec::IntoIter;

use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, CivilDate, MunicipalityCode, PersonName,
    RegisterNumber, Sex,
};
use juki_intake::{FileEncoding, FileKind, WriteError, Writer};

use crate::block::{block, count, residents_of};
use crate::place::census_residents;

/// Which residents are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PopulationSettings {
    /// The municipality, one of the 2000 census.
    pub municipality: MunicipalityCode,
    /// How many residents, at most 1,000,000,000.
    pub residents: usize,
    /// The seed: one seed, one population.
    pub seed: u64,
    /// The day on which everybody has the age of the census table, in 1960 to 2150.
    pub as_of: CivilDate,
}

impl PopulationSettings {
    /// Most residents of one municipality: their register numbers have ten digits.
    pub const RESIDENTS_MAX: usize = 1_000_000_000;

    /// Says whether a population can be generated from these settings.
    ///
    /// # Errors
    /// [`PopulationError`] with the first setting that does not fit.
    pub fn check(&self) -> Result<(), PopulationError> {
        if census_residents(self.municipality).is_none() {
            return Err(PopulationError::UnknownMunicipality(self.municipality));
        }
        if self.residents > Self::RESIDENTS_MAX {
            return Err(PopulationError::TooManyResidents);
        }
        if self.as_of.year() < AS_OF_YEAR_MIN {
            return Err(PopulationError::TooEarly);
        }
        Ok(())
    }
}

/// Why no population can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PopulationError {
    /// The table of the 2000 census has no such municipality.
    #[error("no municipality {0} in the census of 2000")]
    UnknownMunicipality(MunicipalityCode),
    /// More residents than register numbers.
    #[error("a municipality has at most 1,000,000,000 residents")]
    TooManyResidents,
    /// The day lies before 1960.
    #[error("the day of a population lies in 1960 or later")]
    TooEarly,
}

/// A synthetic resident. `Debug` shows nothing of it, as for a real one.
#[derive(Clone, PartialEq, Eq)]
pub struct Resident {
    /// 宛名番号, ten digits, unique within the municipality.
    pub register_number: RegisterNumber,
    /// The household's number, unique within the municipality.
    pub household: u64,
    /// 氏名
    pub name: PersonName,
    /// The reading of the name in hiragana; it stays with the register.
    pub kana: String,
    /// 生年月日
    pub birth: BirthDate,
    /// 性別
    pub sex: Sex,
    /// 住所
    pub address: Address,
}

impl Resident {
    /// The row of an initial file for this resident, entered on `date`.
    #[must_use]
    pub fn entry(&self, date: CivilDate) -> ChangeRequest {
        ChangeRequest {
            resident: self.register_number.clone(),
            reason: ChangeReason::ExOfficioEntry,
            event_date: date,
            name: Some(self.name.clone()),
            birth: Some(self.birth),
            sex: Some(self.sex),
            address: Some(self.address.clone()),
            certificate: None,
            counterpart: None,
        }
    }
}

impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resident(..)")
    }
}

/// The residents of one municipality, household after household, in flat memory.
#[derive(Debug)]
pub struct Population {
    settings: PopulationSettings,
    next_block: u64,
    ready: IntoIter<Resident>,
}

impl Population {
    /// The population of these settings, from its first resident.
    ///
    /// # Errors
    /// [`PopulationError`] where the settings do not fit.
    pub fn new(settings: PopulationSettings) -> Result<Self, PopulationError> {
        settings.check()?;
        Ok(Self {
            settings,
            next_block: 0,
            ready: Vec::new().into_iter(),
        })
    }

    /// In how many blocks the residents come. Blocks do not depend on one another, so any of them
    /// can be made at any time and on any thread.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        count(&self.settings)
    }

    /// One block's part of the initial file in UTF-8: the parts of all blocks in their order are
    /// the file. The first begins with the header row. A part has at most 4,096 rows.
    ///
    /// # Errors
    /// [`WriteError`]; UTF-8 holds every name, so none is expected.
    pub fn initial_part(&self, block: u64) -> Result<Vec<u8>, WriteError> {
        let mut part = Vec::with_capacity(PART_BYTES);
        // The writer hands over the header row as it begins; it stands in the first part only.
        let kept = Cell::new(block == 0);
        let mut writer = Writer::new(FileKind::Initial, FileEncoding::Utf8, |bytes: &[u8]| {
            if kept.get() {
                part.extend_from_slice(bytes);
            }
        });
        kept.set(true);
        for resident in residents_of_block(&self.settings, block) {
            writer.resident(
                &resident.register_number,
                &resident.name,
                resident.birth,
                resident.sex,
                &resident.address,
            )?;
        }
        Ok(part)
    }

    /// Writes the initial file of all residents in UTF-8, part after part.
    ///
    /// # Errors
    /// [`WriteError`]; UTF-8 holds every name, so none is expected.
    pub fn write_initial(&self, sink: &mut impl FnMut(&[u8])) -> Result<(), WriteError> {
        (0..self.blocks()).try_for_each(|block| {
            sink(&self.initial_part(block)?);
            Ok(())
        })
    }
}

impl Iterator for Population {
    type Item = Resident;

    fn next(&mut self) -> Option<Resident> {
        while self.ready.len() == 0 && self.next_block < count(&self.settings) {
            let residents = residents_of_block(&self.settings, self.next_block);
            self.ready = residents.collect::<Vec<_>>().into_iter();
            self.next_block += 1;
        }
        self.ready.next()
    }
}

fn residents_of_block(
    settings: &PopulationSettings,
    number: u64,
) -> impl Iterator<Item = Resident> {
    block(settings, number)
        .into_iter()
        .flat_map(|household| residents_of(settings, &household))
}

/// Rows take about 85 bytes: room for a block of them.
const PART_BYTES: usize = 384 * 1024;

/// Before this year the oldest residents would be born before the first civil date.
const AS_OF_YEAR_MIN: i32 = 1960;
