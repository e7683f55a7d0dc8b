//! The arguments of `juki-simulate`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::Parser;

/// Runs simulated networks and prints one JSON object for each on standard output
#[derive(Debug, Parser)]
#[command(name = "juki-simulate", version)]
pub struct Arguments {
    /// Seeds of small worlds, the last included
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<RangeInclusive<u64>>,
    /// A scenario file, in place of seeds
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub scenario: Option<PathBuf>,
    /// The whole prefecture for so many virtual minutes, with this seed
    #[arg(long, value_name = "MINUTES", conflicts_with_all = ["seeds", "scenario"])]
    pub prefecture: Option<u64>,
    /// The seed of the prefecture
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Run every world twice and compare the traces
    #[arg(long)]
    pub twice: bool,
    /// Make a failing scenario small and write it into this file
    #[arg(long, value_name = "FILE")]
    pub shrink: Option<PathBuf>,
    /// Write the scenario into this file and run nothing
    #[arg(long, value_name = "FILE", conflicts_with = "shrink")]
    pub write: Option<PathBuf>,
    /// Plant a bug that the checks have to find
    #[arg(long, value_name = "BUG")]
    pub bug: Option<String>,
    /// Worlds that run side by side
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
}

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || "write A..B, or one number".to_owned();
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let first: u64 = first.parse().map_err(|_| wrong())?;
    let last: u64 = last.parse().map_err(|_| wrong())?;
    if first > last || last - first >= SEEDS_MAX {
        return Err(format!("A is at most B, and B less than A + {SEEDS_MAX}"));
    }
    Ok(first..=last)
}

/// Seeds of one run.
const SEEDS_MAX: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_with_its_end_or_one_number() {
        assert_eq!(seeds("5..7"), Ok(5..=7));
        assert_eq!(seeds("7"), Ok(7..=7));
        for wrong in ["", "7..5", "a..b", "1..", "0..99999999", "-1..2"] {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }
}
