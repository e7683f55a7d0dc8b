//! `jukinet population`: synthetic residents, as files that an existing register would export.

mod files;
mod in_order;

use std::num::NonZeroU16;
use std::thread;

use juki_domain::{CivilDate, ErrorCode, MunicipalityCode};
use juki_population::{PopulationSettings, census_residents};
use serde::Serialize;

use crate::cli::PopulationArgs;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

pub(crate) use files::write;

/// What a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Written {
    /// In the order of the municipalities given.
    pub(crate) files: Vec<MunicipalityFiles>,
    /// Over names and contents of all files: equal digests, equal files.
    pub(crate) digest: String,
}

/// The files of one municipality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct MunicipalityFiles {
    municipality: String,
    residents: usize,
    /// Those whose town's name is not one of the postal code file.
    residents_in_invented_towns: usize,
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
    let threads = args.threads.unwrap_or_else(threads_of_machine);
    let written = write(&settings, args.days, threads, &args.out)?;
    tell(&written.files, screen);
    screen.line(text::population_digest(screen.lang, &written.digest));
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

/// As many threads as the machine has cores for this process.
pub(crate) fn threads_of_machine() -> NonZeroU16 {
    thread::available_parallelism()
        .ok()
        .and_then(|cores| NonZeroU16::try_from(cores).ok())
        .unwrap_or(NonZeroU16::MIN)
}

/// Names the files for people.
pub(crate) fn tell(written: &[MunicipalityFiles], screen: Screen) {
    for written in written {
        screen.line(text::residents_written(
            screen.lang,
            &written.initial,
            written.residents,
        ));
        if written.residents_in_invented_towns > 0 {
            screen.line(text::invented_towns(
                screen.lang,
                written.residents_in_invented_towns,
            ));
        }
        for day in &written.days {
            screen.line(text::changes_written(screen.lang, &day.file, day.changes));
        }
    }
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
