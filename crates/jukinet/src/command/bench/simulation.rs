//! How much faster than the clock a simulated prefecture goes: all 56 municipalities on a working day
//! with its changes, questions and faults.

use super::figures::Figures;
use crate::command::simulate::each_world;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::text;

/// Virtual minutes: the hours of a working day.
const MINUTES: u64 = 8 * 60;

pub(super) fn measure(runs: u32, figures: &mut Figures, screen: Screen) -> Result<(), Failure> {
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let arguments = [
            "--prefecture",
            &MINUTES.to_string(),
            "--seed",
            &run.to_string(),
        ];
        let arguments = arguments.map(Into::into);
        each_world(&arguments, &mut |world| {
            let hours = world.busy_s / 3_600.0;
            figures.add("sim_speed", "x", world.busy_s / world.wall_s.max(1e-9));
            figures.add("sim_wall_s", "s", world.wall_s);
            let counted = [
                ("sim_violations", world.violations.len() as u64),
                ("sim_datagrams", world.counts.datagrams),
            ];
            for (metric, count) in counted {
                figures.add_bytes(metric, count);
            }
            let rates = [
                ("sim_changes_per_hour", world.counts.changes),
                ("sim_questions_per_hour", world.counts.provided),
                ("sim_faults_per_hour", world.counts.faults),
            ];
            for (metric, count) in rates {
                figures.add(metric, "/h", per_hour(count, hours));
            }
            for violation in &world.violations {
                screen.line(text::simulate::violation(screen.lang, violation));
            }
        })?;
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a day are far below 2^53"
)]
fn per_hour(count: u64, hours: f64) -> f64 {
    count as f64 / hours.max(1e-9)
}
