//! Figures of several runs: medians, minima, maxima.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::screen::Screen;
use crate::text;

/// The figures of one benchmark.
pub(crate) struct Figures {
    bench: &'static str,
    values: BTreeMap<&'static str, (&'static str, Vec<f64>)>,
}

impl Figures {
    pub(crate) fn new(bench: &'static str) -> Self {
        Self {
            bench,
            values: BTreeMap::new(),
        }
    }

    /// Adds one run's value of a metric.
    pub(crate) fn add(&mut self, metric: &'static str, unit: &'static str, value: f64) {
        self.values
            .entry(metric)
            .or_insert((unit, Vec::new()))
            .1
            .push(value);
    }

    /// Adds one run's number of bytes, or of anything else that is counted.
    #[expect(
        clippy::cast_precision_loss,
        reason = "memory and residents are far below 2^53"
    )]
    pub(crate) fn add_bytes(&mut self, metric: &'static str, value: u64) {
        let unit = if metric.ends_with("_bytes") { "B" } else { "1" };
        self.add(metric, unit, value as f64);
    }

    /// Prints the table, or the JSON object with metric, unit, median, min, max and n.
    pub(super) fn show(&mut self, screen: Screen) -> Result<(), Failure> {
        self.show_with(screen, [])
    }

    /// The same with other members in the JSON object.
    pub(crate) fn show_with<const N: usize>(
        &mut self,
        screen: Screen,
        more: [(&str, Value); N],
    ) -> Result<(), Failure> {
        let mut rows = Vec::new();
        let mut objects = Vec::new();
        for (metric, (unit, values)) in &mut self.values {
            values.sort_by(f64::total_cmp);
            let (median, min, max) = (
                rounded(quantile(values, 0.5)),
                rounded(quantile(values, 0.0)),
                rounded(quantile(values, 1.0)),
            );
            let n = values.len();
            rows.push(vec![
                (*metric).to_owned(),
                (*unit).to_owned(),
                median.to_string(),
                min.to_string(),
                max.to_string(),
                n.to_string(),
            ]);
            objects.push(json!({"metric": metric, "unit": unit, "median": median, "min": min, "max": max, "n": n}));
        }
        let header = text::bench_header(screen.lang);
        screen.table(&header.split('|').collect::<Vec<_>>(), rows);
        let mut document = json!({"bench": self.bench, "commit": env!("JUKI_COMMIT"), "machine": machine(), "rows": objects});
        if let Some(members) = document.as_object_mut() {
            members.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        screen.document(&document)
    }
}

/// The value below which this part of sorted values lies; 0 for no values.
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index below the length of a slice"
    )]
    let at = (last as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// Milliseconds of a duration.
pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{} cores, {}, load {load}",
        cores,
        model.map_or("unknown processor", |(_, name)| name.trim())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, 100.0], 0.5), 3.0);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, 100.0], 0.99), 100.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
