//! The files of a run and their digests.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use juki_crypto::DigestStream;
use juki_domain::{CivilDate, ErrorCode, MunicipalityCode};
use juki_population::{DailyChanges, DayFile, Population, PopulationSettings, has_invented_towns};

use super::in_order::in_order;
use super::{MunicipalityFiles, Written, WrittenDay, unfit};
use crate::failure::Failure;
use crate::hexadecimal::hex;

/// Writes `CODE.csv` for every municipality and `CODE-DATE.csv` for each of the days after the
/// export. The bytes depend on the settings alone, however many threads make them. Memory holds a
/// few blocks of residents for each thread, and the changes of [`window`] days.
///
/// # Errors
/// [`ErrorCode::DiskFailed`] where a file cannot be written.
pub(crate) fn write(
    settings: &[PopulationSettings],
    days: u16,
    threads: NonZeroU16,
    out: &Path,
) -> Result<Written, Failure> {
    fs::create_dir_all(out).map_err(|error| Failure::file(out, &error))?;
    let mut run = Run {
        settings,
        threads,
        out,
        digests: Vec::new(),
    };
    let mut files = run.initial()?;
    run.days(days, &mut files)?;
    Ok(Written {
        files,
        digest: run.digest(),
    })
}

/// The files of one run as they are written.
struct Run<'a> {
    settings: &'a [PopulationSettings],
    threads: NonZeroU16,
    out: &'a Path,
    /// Name and SHA-256 of each file.
    digests: Vec<(String, String)>,
}

/// One block's place in the full export of a municipality.
struct Part<'a> {
    population: &'a Population,
    municipality: MunicipalityCode,
    block: u64,
    ends_file: bool,
}

impl Run<'_> {
    fn initial(&mut self) -> Result<Vec<MunicipalityFiles>, Failure> {
        let populations = self
            .settings
            .iter()
            .map(|settings| {
                Population::new(*settings)
                    .map_err(|error| unfit(&settings.municipality.to_string(), &error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::new();
        for (settings, population) in self.settings.iter().zip(&populations) {
            let blocks = population.blocks();
            parts.extend((0..blocks).map(|block| Part {
                population,
                municipality: settings.municipality,
                block,
                ends_file: block + 1 == blocks,
            }));
        }
        let mut open = None;
        in_order(
            self.threads,
            &parts,
            |part| part.population.initial_part(part.block),
            |part, rows| {
                let mut file = match open.take() {
                    Some(file) => file,
                    None => CsvFile::create(self.out, format!("{}.csv", part.municipality))?,
                };
                file.append(&rows.map_err(|error| file.failed(io::Error::other(error)))?)?;
                if part.ends_file {
                    self.digests.push(file.finish());
                } else {
                    open = Some(file);
                }
                Ok(())
            },
        )?;
        Ok(self
            .settings
            .iter()
            .map(|settings| self.described(settings))
            .collect())
    }

    fn described(&self, settings: &PopulationSettings) -> MunicipalityFiles {
        let municipality = settings.municipality;
        let invented = has_invented_towns(municipality).unwrap_or(true);
        let initial = self.out.join(format!("{municipality}.csv"));
        MunicipalityFiles {
            municipality: municipality.to_string(),
            residents: settings.residents,
            residents_in_invented_towns: if invented { settings.residents } else { 0 },
            initial: initial.display().to_string(),
            days: Vec::new(),
        }
    }

    fn days(&mut self, days: u16, files: &mut [MunicipalityFiles]) -> Result<(), Failure> {
        let unfit = |error: &dyn std::error::Error| {
            Failure::new(ErrorCode::ConfigBadValue, error.to_string())
        };
        let changes = DailyChanges::new(self.settings.to_vec()).map_err(|error| unfit(&error))?;
        let export = self.settings.first().map(|settings| settings.as_of.days());
        let blocks: Vec<u64> = (0..changes.blocks()).collect();
        let window = window(self.settings);
        let mut done = 0;
        while done < days {
            let count = window.min(days - done);
            let first = export.unwrap_or_default() + 1 + i64::from(done);
            let first = CivilDate::from_days(first).map_err(|error| unfit(&error))?;
            let mut gathered = changes.files(first, count);
            in_order(
                self.threads,
                &blocks,
                |block| changes.block(*block, first, count),
                |_, block| {
                    gathered.add(block);
                    Ok(())
                },
            )?;
            for (date, day_files) in (first.days()..).zip(gathered.finish()) {
                let date = CivilDate::from_days(date).map_err(|error| unfit(&error))?;
                for (day_file, files) in day_files.iter().zip(files.iter_mut()) {
                    files.days.push(self.day(date, day_file)?);
                }
            }
            done += count;
        }
        Ok(())
    }

    fn day(&mut self, date: CivilDate, changes: &DayFile) -> Result<WrittenDay, Failure> {
        let name = format!("{}-{date}.csv", changes.municipality);
        let mut file = CsvFile::create(self.out, name)?;
        let mut rows = Vec::new();
        changes
            .write(&mut |bytes: &[u8]| rows.extend_from_slice(bytes))
            .map_err(|error| file.failed(io::Error::other(error)))?;
        file.append(&rows)?;
        let written = WrittenDay {
            date: date.to_string(),
            changes: changes.requests.len(),
            file: file.path.display().to_string(),
        };
        self.digests.push(file.finish());
        Ok(written)
    }

    /// The digest of the run: SHA-256 of a text that has one line for each file, ordered by the
    /// bytes of the names: the file's SHA-256 as 64 lower-case hexadecimal digits, two spaces, the
    /// name without folder, a line feed. In a folder with the files of this run alone,
    /// `LC_ALL=C; sha256sum *.csv | sha256sum` prints the same.
    fn digest(mut self) -> String {
        self.digests.sort_unstable();
        let mut lines = DigestStream::plain();
        for (name, digest) in &self.digests {
            lines.update(format!("{digest}  {name}\n").as_bytes());
        }
        hex(&lines.finish())
    }
}

/// A file being written and its digest.
struct CsvFile {
    name: String,
    path: PathBuf,
    file: File,
    digest: DigestStream,
}

impl CsvFile {
    fn create(folder: &Path, name: String) -> Result<Self, Failure> {
        let path = folder.join(&name);
        let file = File::create(&path).map_err(|error| Failure::file(&path, &error))?;
        Ok(Self {
            name,
            path,
            file,
            digest: DigestStream::plain(),
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all(bytes)
            .map_err(|error| self.failed(error))?;
        self.digest.update(bytes);
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Failure {
        Failure::file(&self.path, &error)
    }

    /// Name and SHA-256 of the whole file.
    fn finish(self) -> (String, String) {
        (self.name, hex(&self.digest.finish()))
    }
}

/// How many days are gone through at a time: a whole month of a prefecture, a day of the nation. So
/// the changes held in memory are bounded, and a year does not make every household a year's times.
fn window(settings: &[PopulationSettings]) -> u16 {
    let residents: usize = settings.iter().map(|settings| settings.residents).sum();
    u16::try_from(RESIDENT_DAYS / residents.max(1))
        .unwrap_or(u16::MAX)
        .clamp(1, DAYS_MAX)
}

/// A resident has a change on one day of 2,500: about 26,000 rows, some 20 MiB.
const RESIDENT_DAYS: usize = 64_000_000;

/// Empty files take room too.
const DAYS_MAX: u16 = 31;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(residents: usize) -> Vec<PopulationSettings> {
        ["352047", "353230"]
            .map(|code| PopulationSettings {
                municipality: code.parse().unwrap(),
                residents,
                seed: 5,
                as_of: "2002-10-15".parse().unwrap(),
            })
            .to_vec()
    }

    fn threads(count: u16) -> NonZeroU16 {
        NonZeroU16::new(count).unwrap()
    }

    #[test]
    fn the_digest_is_that_of_the_lines_that_sha256sum_prints() {
        let out = tempfile::tempdir().unwrap();
        let written = write(&settings(5_000), 2, threads(2), out.path()).unwrap();
        let mut names: Vec<String> = fs::read_dir(out.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names.len(), 2 * (1 + 2));
        let lines: String = names
            .iter()
            .map(|name| {
                let bytes = fs::read(out.path().join(name)).unwrap();
                format!("{}  {name}\n", hex(&juki_crypto::sha256(&bytes)))
            })
            .collect();
        assert_eq!(written.digest, hex(&juki_crypto::sha256(lines.as_bytes())));
    }

    #[test]
    fn any_number_of_threads_writes_the_same_bytes() {
        let out = tempfile::tempdir().unwrap();
        let written: Vec<Written> = [1, 2, 5]
            .map(|count| {
                let folder = out.path().join(count.to_string());
                write(&settings(13_000), 2, threads(count), &folder).unwrap()
            })
            .into();
        assert_eq!(written[0].digest, written[1].digest);
        assert_eq!(written[0].digest, written[2].digest);
        for name in ["352047.csv", "353230-2002-10-17.csv"] {
            let bytes = |count: &str| fs::read(out.path().join(count).join(name)).unwrap();
            assert_eq!(bytes("1"), bytes("5"));
        }
        let other = settings(13_001);
        let other = write(&other, 2, threads(2), &out.path().join("other")).unwrap();
        assert_ne!(written[0].digest, other.digest);
    }

    #[test]
    fn residents_of_municipalities_without_a_mapped_town_are_counted_as_such() {
        let out = tempfile::tempdir().unwrap();
        let written = write(&settings(50), 0, threads(1), out.path()).unwrap();
        let counts: Vec<usize> = written
            .files
            .iter()
            .map(|files| files.residents_in_invented_towns)
            .collect();
        assert_eq!(counts, [0, 50]);
    }

    #[test]
    fn a_prefecture_is_gone_through_by_months_and_a_nation_by_days() {
        let all = |residents: usize| window(&settings(residents / 2));
        assert_eq!((all(3_000), all(1_527_964), all(126_925_842)), (31, 31, 1));
        assert_eq!(all(16_000_000), 4);
    }
}
