//! All residents of Yamaguchi in August 2002, as files: 56 municipalities and one day of changes.

use std::fs;
use std::path::Path;
use std::time::Instant;

use juki_domain::{CivilDate, ErrorCode, MunicipalityCode};
use juki_population::PopulationSettings;

use super::figures::Figures;
use crate::command::population::{settings, threads_of_machine, write};
use crate::failure::Failure;
use crate::screen::Screen;
use crate::text;

const SEED: u64 = 7;
const DATE: &str = "2002-08-05";
const DAYS: u16 = 1;

/// Residents of the prefecture at the census of 2000.
const RESIDENTS: usize = 1_527_964;

const MUNICIPALITIES: &str =
    include_str!("../../../../../configs/yamaguchi-2002-municipalities.csv");

/// Each run writes all files anew; all must have the same digest. The files are in the machine's
/// page cache when a run ends; that they are on the disk is not waited for.
pub(super) fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    let populations = populations()?;
    let residents: usize = populations.iter().map(|settings| settings.residents).sum();
    assert!(
        residents == RESIDENTS,
        "the table of municipalities adds up to the census"
    );
    let residents = f64::from(u32::try_from(residents).unwrap_or(u32::MAX));
    let mut first_digest = None;
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let began = Instant::now();
        let written = write(&populations, DAYS, threads_of_machine(), folder)?;
        let minutes = began.elapsed().as_secs_f64() / 60.0;
        let first = first_digest.get_or_insert_with(|| written.digest.clone());
        if *first != written.digest {
            return Err(Failure::new(
                ErrorCode::CheckFailed,
                format!("digest {} and then {}", first, written.digest),
            ));
        }
        figures.add("population_per_min", "1/min", residents / minutes);
        figures.add("population_bytes", "B", size(folder)?);
        figures.add("population_rss_peak_bytes", "B", rss_peak()?);
        fs::remove_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    let digest = first_digest.unwrap_or_default();
    screen.line(text::population_digest(screen.lang, &digest));
    Ok(())
}

/// Every municipality of the prefecture at its full size.
fn populations() -> Result<Vec<PopulationSettings>, Failure> {
    let unfit =
        |error: &dyn std::error::Error| Failure::new(ErrorCode::ConfigBadValue, error.to_string());
    let codes = MUNICIPALITIES
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .map(|code| code.parse().map_err(|error| unfit(&error)))
        .collect::<Result<Vec<MunicipalityCode>, _>>()?;
    let date: CivilDate = DATE.parse().map_err(|error| unfit(&error))?;
    settings(&codes, 1.0, SEED, date)
}

/// Bytes of all files in a folder.
fn size(folder: &Path) -> Result<f64, Failure> {
    let failed = |error| Failure::file(folder, &error);
    let mut bytes = 0.0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let metadata = entry.and_then(|entry| entry.metadata()).map_err(failed)?;
        bytes += exact(metadata.len());
    }
    Ok(bytes)
}

/// The most memory that this process has had so far: its high-water mark never falls, so the later
/// runs tell whether memory grows.
fn rss_peak() -> Result<f64, Failure> {
    let path = Path::new("/proc/self/status");
    let status = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok());
    let kibibytes = kibibytes
        .ok_or_else(|| Failure::new(ErrorCode::CheckFailed, "no VmHWM in /proc/self/status"))?;
    Ok(exact(kibibytes * 1024))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of files and memory are far below 2^53"
)]
fn exact(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_has_every_resident_of_the_census_in_56_municipalities() {
        let populations = populations().unwrap();
        assert_eq!(populations.len(), 56);
        for (settings, line) in populations.iter().zip(MUNICIPALITIES.lines().skip(1)) {
            let counted = line.rsplit(',').next().unwrap();
            assert_eq!(settings.residents.to_string(), counted, "{line}");
        }
        let residents: usize = populations.iter().map(|settings| settings.residents).sum();
        assert_eq!(residents, RESIDENTS);
    }

    #[test]
    fn the_peak_of_memory_is_at_least_what_the_process_has_now() {
        let peak = rss_peak().unwrap();
        assert!(peak > 1024.0 * 1024.0, "{peak}");
    }
}
