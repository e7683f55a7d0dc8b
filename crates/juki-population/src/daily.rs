//! The changes of a day: births, deaths, corrections, requests for another code, moves within a
//! municipality and between several.

use juki_domain::{ChangeRequest, CivilDate, MunicipalityCode};
use juki_intake::{FileEncoding, FileKind, WriteError, Writer};

use crate::block;
use crate::event::Step;
use crate::{PopulationError, PopulationSettings};

/// The day-by-day changes of several populations that people move between.
///
/// Every day stands alone: asking for it twice gives the same rows, and no day needs another.
#[derive(Debug)]
pub struct DailyChanges {
    populations: Vec<PopulationSettings>,
    /// The blocks of each population and of all before it.
    blocks_upto: Vec<u64>,
}

/// One municipality's rows of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFile {
    /// Whose register writes the file.
    pub municipality: MunicipalityCode,
    /// The rows, residents' own changes before those of newcomers.
    pub requests: Vec<ChangeRequest>,
}

impl DayFile {
    /// Writes the rows as a daily file in UTF-8.
    ///
    /// # Errors
    /// [`WriteError`]; UTF-8 holds every name, so none is expected.
    pub fn write(&self, sink: &mut impl FnMut(&[u8])) -> Result<(), WriteError> {
        let mut writer = Writer::new(FileKind::Daily, FileEncoding::Utf8, sink);
        self.requests
            .iter()
            .try_for_each(|request| writer.row(request))
    }
}

/// The changes among the residents of one block. `Debug` shows nothing of them.
#[derive(Debug)]
pub struct BlockChanges {
    rows: Vec<Row>,
}

/// A row and where it belongs.
#[derive(Debug)]
pub(crate) struct Row {
    /// The place of its day among those asked for.
    pub(crate) slot: usize,
    /// The place of its municipality among the populations.
    pub(crate) file: usize,
    /// Whether it enters somebody who moved in from another of the populations.
    pub(crate) newcomer: bool,
    pub(crate) request: ChangeRequest,
}

/// Days of files that blocks are added to. All their rows are held in memory.
#[derive(Debug)]
pub struct DayFiles {
    own: Vec<Vec<DayFile>>,
    newcomers: Vec<Vec<DayFile>>,
}

impl DayFiles {
    /// Adds the changes of a block; the order of blocks is the order of rows in the files.
    pub fn add(&mut self, block: BlockChanges) {
        for row in block.rows {
            let part = if row.newcomer {
                &mut self.newcomers
            } else {
                &mut self.own
            };
            let file = part
                .get_mut(row.slot)
                .and_then(|files| files.get_mut(row.file));
            if let Some(file) = file {
                file.requests.push(row.request);
            }
        }
    }

    /// For each day a file for each municipality.
    #[must_use]
    pub fn finish(mut self) -> Vec<Vec<DayFile>> {
        let arrived = self.newcomers.into_iter().flatten();
        for (file, arrived) in self.own.iter_mut().flatten().zip(arrived) {
            file.requests.extend(arrived.requests);
        }
        self.own
    }
}

impl DailyChanges {
    /// The changes of these populations. With a single one, nobody moves between municipalities.
    ///
    /// # Errors
    /// [`PopulationError`] where the settings of one do not fit.
    pub fn new(populations: Vec<PopulationSettings>) -> Result<Self, PopulationError> {
        populations.iter().try_for_each(PopulationSettings::check)?;
        let blocks = populations.iter().map(block::count);
        let blocks_upto = blocks
            .scan(0, |all, blocks| {
                *all += blocks;
                Some(*all)
            })
            .collect();
        Ok(Self {
            populations,
            blocks_upto,
        })
    }

    /// The rows of one day: see [`DailyChanges::days`].
    #[must_use]
    pub fn day(&self, date: CivilDate) -> Vec<DayFile> {
        self.days(date, 1).into_iter().next().unwrap_or_default()
    }

    /// The rows of `count` days from `first`: for each day a file for each municipality in the
    /// order given, all held in memory. There are none up to the day on which a population is
    /// counted. Each resident of a population dies or moves away at most once; newcomers and
    /// newborn have no further changes. Days after the last civil date are left out.
    #[must_use]
    pub fn days(&self, first: CivilDate, count: u16) -> Vec<Vec<DayFile>> {
        let mut files = self.files(first, count);
        for number in 0..self.blocks() {
            files.add(self.block(number, first, count));
        }
        files.finish()
    }

    /// In how many blocks the residents of all populations come. Blocks do not depend on one
    /// another, so any of them can be gone through at any time and on any thread.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks_upto.last().copied().unwrap_or(0)
    }

    /// What happens on these days among the residents of one block, to be added to
    /// [`DailyChanges::files`] of the same days.
    #[must_use]
    pub fn block(&self, number: u64, first: CivilDate, count: u16) -> BlockChanges {
        let index = self.blocks_upto.partition_point(|upto| *upto <= number);
        let before = index
            .checked_sub(1)
            .and_then(|before| self.blocks_upto.get(before))
            .copied()
            .unwrap_or(0);
        let dates = dates(first, count);
        let mut rows = Vec::new();
        if let Some(settings) = self.populations.get(index)
            && let Some(mut step) = Step::new(&self.populations, index, &dates, &mut rows)
        {
            for household in block::block(settings, number - before) {
                step.household(&household);
            }
        }
        BlockChanges { rows }
    }

    /// Files without rows for these days.
    #[must_use]
    pub fn files(&self, first: CivilDate, count: u16) -> DayFiles {
        let empty = |settings: &PopulationSettings| DayFile {
            municipality: settings.municipality,
            requests: Vec::new(),
        };
        let own: Vec<Vec<DayFile>> = dates(first, count)
            .iter()
            .map(|_| self.populations.iter().map(empty).collect())
            .collect();
        DayFiles {
            newcomers: own.clone(),
            own,
        }
    }
}

fn dates(first: CivilDate, count: u16) -> Vec<CivilDate> {
    (first.days()..)
        .take(usize::from(count))
        .map_while(|day| CivilDate::from_days(day).ok())
        .collect()
}
