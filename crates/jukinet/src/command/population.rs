//! `jukinet population`: synthetic residents, as files that an existing register would export.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use juki_domain::{CivilDate, ErrorCode, MunicipalityCode};
use juki_population::{DailyChanges, Population, PopulationSettings, census_residents};
use serde::Serialize;

use crate::cli::PopulationArgs;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

/// The files of one municipality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Written {
    municipality: String,
    residents: usize,
    /// The full export.
    initial: String,
    days: Vec<WrittenDay>,
}

/// The changes of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct WrittenDay {
    date: String,
    changes: usize,
    file: String,
}

pub(crate) fn run(args: &PopulationArgs, screen: Screen) -> Ending {
    let codes = args
        .municipality
        .iter()
        .map(|text| text.parse().map_err(|error| unfit(text, &error)));
    let codes: Vec<MunicipalityCode> = codes.collect::<Result<_, _>>()?;
    let settings = settings(&codes, args.scale, args.seed, args.date)?;
    let written = write(&settings, args.days, &args.out)?;
    tell(&written, screen);
    screen.document(&written)?;
    Ok(Outcome::Held)
}

/// The settings of populations that are this part of the census's numbers, at least one resident each.
///
/// # Errors
/// [`ErrorCode::ConfigBadValue`] for a municipality that the census does not know, or a day before 1960.
pub(crate) fn settings(
    codes: &[MunicipalityCode],
    scale: f64,
    seed: u64,
    as_of: CivilDate,
) -> Result<Vec<PopulationSettings>, Failure> {
    let one = |municipality: &MunicipalityCode| {
        let all = census_residents(*municipality).unwrap_or(0);
        let settings = PopulationSettings {
            municipality: *municipality,
            residents: scaled(all, scale),
            seed,
            as_of,
        };
        settings
            .check()
            .map_err(|error| unfit(&municipality.to_string(), &error))?;
        Ok(settings)
    };
    codes.iter().map(one).collect()
}

/// Writes `CODE.csv` for every municipality and `CODE-DATE.csv` for each of the days after the export.
///
/// # Errors
/// [`ErrorCode::DiskFailed`] where a file cannot be written.
pub(crate) fn write(
    settings: &[PopulationSettings],
    days: u16,
    out: &Path,
) -> Result<Vec<Written>, Failure> {
    fs::create_dir_all(out).map_err(|error| Failure::file(out, &error))?;
    let mut written = Vec::new();
    for settings in settings {
        let file = out.join(format!("{}.csv", settings.municipality));
        let mut population = Population::new(*settings)
            .map_err(|error| unfit(&settings.municipality.to_string(), &error))?;
        write_file(&file, |mut sink| {
            population
                .write_initial(&mut sink)
                .map_err(io::Error::other)
        })?;
        written.push(Written {
            municipality: settings.municipality.to_string(),
            residents: settings.residents,
            initial: file.display().to_string(),
            days: Vec::new(),
        });
    }
    let changes = DailyChanges::new(settings.to_vec())
        .map_err(|error| Failure::new(ErrorCode::ConfigBadValue, error.to_string()))?;
    let export = settings
        .first()
        .map(|settings| settings.as_of.days())
        .unwrap_or_default();
    for day in 1..=i64::from(days) {
        let date = CivilDate::from_days(export + day)
            .map_err(|error| Failure::new(ErrorCode::ConfigBadValue, error.to_string()))?;
        for (day_file, written) in changes.day(date).iter().zip(&mut written) {
            let file = out.join(format!("{}-{date}.csv", day_file.municipality));
            write_file(&file, |mut sink| {
                day_file.write(&mut sink).map_err(io::Error::other)
            })?;
            let (date, file) = (date.to_string(), file.display().to_string());
            written.days.push(WrittenDay {
                date,
                changes: day_file.requests.len(),
                file,
            });
        }
    }
    Ok(written)
}

/// Names the files for people.
pub(crate) fn tell(written: &[Written], screen: Screen) {
    for written in written {
        screen.line(text::residents_written(
            screen.lang,
            &written.initial,
            written.residents,
        ));
        for day in &written.days {
            screen.line(text::changes_written(screen.lang, &day.file, day.changes));
        }
    }
}

fn write_file(
    path: &Path,
    rows: impl FnOnce(&mut dyn FnMut(&[u8])) -> io::Result<()>,
) -> Result<(), Failure> {
    let written = || {
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
        let mut failed = None;
        rows(&mut |bytes: &[u8]| {
            if failed.is_none() {
                failed = file.write_all(bytes).err();
            }
        })?;
        match failed {
            Some(error) => Err(error),
            None => file.flush(),
        }
    };
    written().map_err(|error| Failure::file(path, &error))
}

fn unfit(code: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(ErrorCode::ConfigBadValue, format!("{code}: {error}"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the command line bounds the scale by 10, the census the count by 32 bits"
)]
fn scaled(residents: u32, scale: f64) -> usize {
    ((f64::from(residents) * scale).round() as usize).max(1)
}

const BUFFER_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_gives_a_rounded_part_and_never_nobody() {
        assert_eq!(
            [
                scaled(1220, 0.05),
                scaled(1220, 1.0),
                scaled(1220, 10.0),
                scaled(1220, 0.0001)
            ],
            [61, 1220, 12_200, 1]
        );
    }
}
