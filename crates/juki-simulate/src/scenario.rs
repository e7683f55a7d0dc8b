//! What one simulated world is made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use juki_domain::NodeRole;
use juki_topology::{ConfigError, Network};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, TimedFault};

/// The world: everything that happens in it follows from these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What residents, registers, keys and lines draw from.
    pub seed: u64,
    /// Municipalities: 2 to 56, the first of Yamaguchi's.
    pub towns: usize,
    /// Residents that may come to live in them.
    pub residents: usize,
    /// How long things happen, in virtual minutes.
    pub minutes: u64,
    /// Changes that registers try to make, per virtual hour.
    pub changes_per_hour: u64,
    /// Questions at the terminal, per virtual hour.
    pub questions_per_hour: u64,
    /// The preset of every line.
    pub line: String,
    /// How often silent links are probed, in milliseconds; 0 = as usual.
    #[serde(default)]
    pub keep_alive_ms: u64,
    /// A planted bug that the checks must find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<Bug>,
    /// What fails.
    #[serde(default, rename = "at")]
    pub faults: Vec<TimedFault>,
}

/// Bugs that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bug {
    /// The first municipality's ledger skips its syncs.
    SkipSync,
}

impl Bug {
    /// The bug that files call so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "skip-sync" => Some(Self::SkipSync),
            _ => None,
        }
    }
}

/// A text is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is no TOML, or has other keys.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A number is out of bounds.
    #[error("{0}")]
    Bounds(&'static str),
    /// A fault names a node or line that the network does not have.
    #[error("there is no node or line {0} in this network")]
    Unknown(String),
    /// It names no network.
    #[error(transparent)]
    Network(#[from] ConfigError),
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        let bounds = [
            ((2..=56).contains(&scenario.towns), "towns is 2 to 56"),
            (
                (1..=100_000).contains(&scenario.residents),
                "residents is 1 to 100000",
            ),
            (
                scenario.minutes <= YEAR_MS / 60_000,
                "minutes is at most those of a year",
            ),
            (
                scenario.keep_alive_ms <= HOUR_MS,
                "keep_alive_ms is at most an hour",
            ),
            (scenario.faults.len() <= FAULTS_MAX, "at most 100000 faults"),
            (
                scenario.faults.iter().all(|timed| timed.fault.is_bounded()),
                "for_ms is at most a year, by_ms a year either way, probabilities are 0 to 1, and presets exist",
            ),
        ];
        if let Some((_, what)) = bounds.into_iter().find(|(holds, _)| !holds) {
            return Err(ScenarioError::Bounds(what));
        }
        let network = scenario.network()?;
        let nodes = network.nodes().into_iter().map(|node| node.name);
        // A line has the name of the server below it.
        let known: BTreeSet<String> = nodes.map(|node| node.to_string()).collect();
        let stranger = scenario.faults.iter().map(|timed| timed.fault.subject());
        if let Some(name) = stranger.into_iter().find(|name| !known.contains(*name)) {
            return Err(ScenarioError::Unknown(name.to_owned()));
        }
        Ok(scenario)
    }

    /// Writes a scenario file.
    ///
    /// # Errors
    /// A sentence on why it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = toml::to_string(self).map_err(|error| error.to_string())?;
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The small world of a seed: three to six municipalities, two dense hours, faults of all kinds.
    #[must_use]
    pub fn small(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ SCENARIO);
        let presets = ["64k", "128k", "1.5m", "fibre", "unshaped"];
        let at = rng.random_range(0..presets.len());
        let mut scenario = Self {
            seed,
            towns: rng.random_range(3..=6),
            residents: 60,
            minutes: 120,
            changes_per_hour: 400,
            questions_per_hour: 200,
            line: presets.get(at).copied().unwrap_or("64k").to_owned(),
            keep_alive_ms: 30_000,
            bug: None,
            faults: Vec::new(),
        };
        scenario.draw_faults(&mut rng, 20);
        scenario
    }

    /// A working day of the whole prefecture, as `bench simulation` runs it.
    #[must_use]
    pub fn prefecture(seed: u64, minutes: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ SCENARIO);
        let mut scenario = Self {
            seed,
            towns: 56,
            residents: 5_000,
            minutes,
            changes_per_hour: 3_000,
            questions_per_hour: 5_300,
            line: "1.5m".to_owned(),
            keep_alive_ms: 300_000,
            bug: None,
            faults: Vec::new(),
        };
        scenario.draw_faults(&mut rng, 20);
        scenario
    }

    /// Draws so many faults an hour.
    fn draw_faults(&mut self, rng: &mut ChaCha8Rng, per_hour: u64) {
        let Ok(network) = self.network() else {
            return;
        };
        let nodes = network.nodes().into_iter();
        let nodes = nodes.filter(|node| node.role != NodeRole::AccessPoint);
        let nodes: Vec<String> = nodes.map(|node| node.name.to_string()).collect();
        let lines: Vec<String> = network
            .line_names()
            .iter()
            .map(ToString::to_string)
            .collect();
        let end_ms = self.minutes * 60_000;
        let count = per_hour * self.minutes / 60;
        let mut faults: Vec<TimedFault> = (0..count)
            .map(|_| TimedFault {
                at_ms: rng.random_range(1_000..end_ms.max(1_001)),
                fault: Fault::draw(rng, &nodes, &lines),
            })
            .collect();
        faults.sort_by_key(|fault| fault.at_ms);
        self.faults = faults;
    }

    /// The network of the world.
    ///
    /// # Errors
    /// Where its parts do not fit, as with too many towns or an unknown preset.
    pub fn network(&self) -> Result<Network, ConfigError> {
        let all = Network::yamaguchi_2002(1, "simulated", BEGIN_MS / 1_000, &[], false)?;
        let demo = Network::demo(1, "simulated", BEGIN_MS / 1_000)?;
        let mut parts = all.parts().clone();
        parts.municipalities.truncate(self.towns);
        for town in &mut parts.municipalities {
            town.line.clone_from(&self.line);
        }
        for prefecture in &mut parts.prefectures {
            prefecture.line.clone_from(&self.line);
        }
        // The one terminal of the demo is at the prefecture's access point here.
        let place = parts
            .prefectures
            .first()
            .map(|one| one.access_point.clone());
        parts.agencies = demo.parts().agencies.clone();
        for agency in &mut parts.agencies {
            agency.line.clone_from(&self.line);
            if let Some(place) = &place {
                agency.access_point = place.clone();
            }
        }
        let towns = &parts.municipalities;
        parts.access_points.retain(|point| {
            Some(&point.name) == place.as_ref()
                || towns.iter().any(|town| town.access_point == point.name)
        });
        // How often anybody may ask is tested elsewhere; here everybody may as often as they like.
        parts.access.operator_per_min = 1_000_000;
        parts.access.body_per_min = 1_000_000;
        Network::new(parts)
    }
}

/// 2002-10-15 00:00 UTC, in milliseconds since 1970: when every world begins.
pub const BEGIN_MS: u64 = 1_034_640_000_000;

/// The longest that anything in a world may take.
pub(crate) const YEAR_MS: u64 = 366 * 24 * HOUR_MS;
const HOUR_MS: u64 = 3_600_000;
/// Faults that a file may list.
const FAULTS_MAX: usize = 100_000;

/// Keeps the draws of a scenario apart from those of its world.
const SCENARIO: u64 = 0x5ca1_ab1e_0000_0001;
