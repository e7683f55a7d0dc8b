//! What fails in a world, and what ends by itself.

use juki_line::LineSettings;
use rand::Rng as _;

use super::World;
use crate::fault::Fault;
use crate::station::{Started, Station};

/// The end of something that a fault began.
#[derive(Debug, Clone)]
pub(super) enum End {
    Start(usize),
    Line(usize, LineSettings),
    DiskFull(usize),
    Clock(usize, i64),
}

impl World {
    /// Nodes that have ended by themselves start again, if their machine is why.
    pub(super) async fn look_after_machines(&mut self) {
        for at in 0..self.stations.len() {
            let Some(station) = self.stations.get_mut(at) else {
                continue;
            };
            let power_failed = station.power_failed();
            let failure = station.failure().await;
            if failure.is_none() && !power_failed {
                continue;
            }
            if power_failed {
                let keep = self.rng.random();
                station.lose_power(keep);
                self.counts.power_losses += 1;
            } else if station.disk_full {
                station.kill();
                self.counts.failures += 1;
            } else {
                let (name, sentence) = (&station.place.name, failure.unwrap_or_default());
                self.violations.push(format!("{name} ended: {sentence}"));
                station.kill();
            }
            let pause = self.rng.random_range(100..5_000);
            self.later(pause, End::Start(at));
        }
    }

    pub(super) async fn fail_due(&mut self) {
        let now = self.since_ms();
        while let Some(timed) = self.scenario.faults.get(self.next_fault) {
            if timed.at_ms > now {
                return;
            }
            let fault = timed.fault.clone();
            self.next_fault += 1;
            self.counts.faults += 1;
            self.fail(&fault).await;
        }
    }

    async fn fail(&mut self, fault: &Fault) {
        match fault {
            Fault::LineCut { line, for_ms }
            | Fault::LineBad { line, for_ms, .. }
            | Fault::LineSlow { line, for_ms, .. } => self.worsen(line, *for_ms, fault),
            Fault::Kill { node, for_ms } => {
                if let Some((at, station)) = self.running(node) {
                    station.kill();
                    self.later(*for_ms, End::Start(at));
                }
            }
            Fault::PowerLoss {
                node,
                after,
                keep,
                for_ms,
            } => self.cut_power(node, (*after, *keep), *for_ms),
            Fault::Restart { node, for_ms } => self.stop_node(node, *for_ms).await,
            Fault::DiskFull { node, for_ms } => {
                let found = self.stations.iter_mut().enumerate();
                let mut found = found.filter(|(_, station)| station.place.name.as_str() == node);
                if let Some((at, station)) = found.next() {
                    station.set_disk_full(true);
                    self.later(*for_ms, End::DiskFull(at));
                }
            }
            Fault::ClockWrong {
                node,
                by_ms,
                for_ms,
            } => {
                if let Some((at, station)) = self.running(node) {
                    station.clock.step(*by_ms);
                    self.later(*for_ms, End::Clock(at, *by_ms));
                }
            }
        }
    }

    fn worsen(&mut self, line: &str, for_ms: u64, fault: &Fault) {
        let Some((number, settings)) = self.lines.get(line).copied() else {
            return;
        };
        let is_cut = matches!(fault, Fault::LineCut { .. });
        let worse = fault.disturbed(settings);
        self.network.change_line(number, |line| {
            line.set(worse);
            line.set_up(!is_cut);
        });
        self.later(for_ms, End::Line(number, settings));
    }

    /// Cuts a machine's power: at once, or somewhere in the writes of its next turns, which is found
    /// when it is looked after.
    fn cut_power(&mut self, node: &str, (after, keep): (u64, u64), for_ms: u64) {
        let Some((at, station)) = self.running(node) else {
            return;
        };
        if after > 0 {
            station.fail_after(after);
            return;
        }
        station.lose_power(keep);
        self.counts.power_losses += 1;
        self.later(for_ms, End::Start(at));
    }

    async fn stop_node(&mut self, node: &str, for_ms: u64) {
        let Some((at, station)) = self.running(node) else {
            return;
        };
        if let Err(error) = station.stop().await {
            self.violations
                .push(format!("{node} does not stop: {error}"));
        }
        self.later(for_ms, End::Start(at));
    }

    fn running(&mut self, node: &str) -> Option<(usize, &mut Station)> {
        let stations = self.stations.iter_mut().enumerate();
        let mut of_name = stations.filter(|(_, station)| station.place.name.as_str() == node);
        of_name.next().filter(|(_, station)| station.is_up())
    }

    fn later(&mut self, after_ms: u64, end: End) {
        self.ended += 1;
        self.ends
            .insert((self.since_ms() + after_ms, self.ended), end);
    }

    pub(super) async fn end(&mut self, end: End) {
        match end {
            End::Start(at) => self.start_node(at).await,
            End::Line(number, settings) => self.network.change_line(number, |line| {
                line.set(settings);
                line.set_up(true);
            }),
            End::DiskFull(at) => {
                if let Some(station) = self.stations.get_mut(at) {
                    station.set_disk_full(false);
                }
            }
            End::Clock(at, by_ms) => {
                if let Some(station) = self.stations.get(at) {
                    station.clock.step(-by_ms);
                }
            }
        }
    }

    async fn start_node(&mut self, at: usize) {
        let Some(station) = self.stations.get_mut(at) else {
            return;
        };
        if station.is_up() {
            return;
        }
        self.counts.starts += 1;
        match station.start(None).await {
            Started::Up => {}
            Started::MachineFailed => {
                self.counts.failures += 1;
                let pause = self.rng.random_range(500..5_000);
                self.later(pause, End::Start(at));
            }
            Started::Refused(error) => {
                let name = &station.place.name;
                self.violations
                    .push(format!("{name} does not start: {error}"));
            }
        }
    }
}
