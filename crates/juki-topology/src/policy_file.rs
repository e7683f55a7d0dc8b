//! `policy.toml`: what one firewall passes, as a file of its own that people review.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;
use crate::config_text;
use crate::interface::Interface;
use crate::node_check;
use crate::node_config::{NodeConfig, Rule};
use crate::watch::Watch;

/// Where a firewall's policy stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirewallSection {
    /// The file with its rules; then none stand in `node.toml`.
    pub policy: PathBuf,
}

/// What `policy.toml` holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rule: Vec<Rule>,
    #[serde(default)]
    watch: Watch,
}

impl NodeConfig {
    /// This configuration under the policy in a text, which replaces the one it had. `file` is the
    /// name that errors show.
    ///
    /// # Errors
    /// A text that is no policy, or rules that do not fit this node's peers and routes.
    pub fn with_policy(&self, text: &str, file: &str) -> Result<Self, ConfigError> {
        let PolicyFile { rule, watch } = config_text::parse(text, file)?;
        let config = Self {
            rule,
            watch,
            ..self.clone()
        };
        node_check::check_policy(&config).map_err(|finding| finding.locate(text, file))?;
        Ok(config)
    }

    /// The text of the policy with a sentence above each rule, where it is a file of its own.
    ///
    /// # Errors
    /// Where a number is beyond what TOML can hold.
    pub fn policy_toml(&self) -> Result<Option<String>, ConfigError> {
        if self.firewall.is_none() {
            return Ok(None);
        }
        let mut text = format!(
            "# Policy of {}: what no rule names is refused.\n\
             # 規則にない通信はすべて拒みます。\n\
             # Take a change in force with: jukinet firewall DIR {0} reload\n",
            self.node.name
        );
        for (at, rule) in self.rule.iter().enumerate() {
            text.push_str(&format!("\n# Rule {}: {}.\n", at + 1, rule.sentence()));
            let one = PolicyRules { rule: [rule] };
            text.push_str(&config_text::write(&one, "policy.toml")?);
        }
        if self.watch != Watch::default() {
            let watch = PolicyWatch { watch: &self.watch };
            text.push('\n');
            text.push_str(&config_text::write(&watch, "policy.toml")?);
        }
        Ok(Some(text))
    }
}

#[derive(Serialize)]
struct PolicyRules<'a> {
    rule: [&'a Rule; 1],
}

#[derive(Serialize)]
struct PolicyWatch<'a> {
    watch: &'a Watch,
}

impl Rule {
    /// A rule without limits of its own.
    #[must_use]
    pub fn new(from: Interface, to: Interface) -> Self {
        Self {
            from,
            to,
            services: Vec::new(),
            sources: Vec::new(),
            destinations: Vec::new(),
            bytes_max: None,
            frames_per_s: None,
            burst_frames: None,
            bytes_per_s: None,
            hours: None,
        }
    }

    /// What it says in one line.
    #[must_use]
    pub fn sentence(&self) -> String {
        let services: Vec<&str> = self.services.iter().map(|service| service.name()).collect();
        let mut text = format!(
            "{} -> {}: {} from {} to {}",
            self.from,
            self.to,
            services.join(", "),
            some(&self.sources),
            some(&self.destinations),
        );
        if let Some(bytes) = self.bytes_max {
            text.push_str(&format!(", at most {bytes} bytes"));
        }
        if let Some(frames) = self.frames_per_s {
            text.push_str(&format!(", {frames} frames/s"));
        }
        if let Some(bytes) = self.bytes_per_s {
            text.push_str(&format!(", {bytes} bytes/s"));
        }
        if let Some(hours) = &self.hours {
            text.push_str(&format!(", {hours}"));
        }
        text
    }

    /// The first own limit that is out of bounds, with what to write.
    pub(crate) fn out_of_bounds(&self, frame_bytes_max: usize) -> Option<(&'static str, String)> {
        let within = |value: Option<u32>, max: usize, min: usize| {
            value.is_none_or(|value| (min..=max).contains(&(value as usize)))
        };
        if !within(self.bytes_max, frame_bytes_max, 64) {
            let sentence = format!("is out of bounds; write 64 to {frame_bytes_max}");
            return Some(("bytes_max", sentence));
        }
        let rate = || "is out of bounds; write 1 to 1000000".to_owned();
        if !within(self.frames_per_s, 1_000_000, 1) {
            return Some(("frames_per_s", rate()));
        }
        if !within(self.burst_frames, 1_000_000, 1) {
            return Some(("burst_frames", rate()));
        }
        if self.burst_frames.is_some() && self.frames_per_s.is_none() {
            let sentence = "needs frames_per_s beside it; add that or remove this".to_owned();
            return Some(("burst_frames", sentence));
        }
        let bytes = self.bytes_per_s.unwrap_or(1_000);
        if !(1_000..=1 << 40).contains(&bytes) {
            let sentence = "is out of bounds; write 1000 to 1099511627776".to_owned();
            return Some(("bytes_per_s", sentence));
        }
        None
    }
}

/// Names, or how many there are where they would fill the line.
fn some(names: &[juki_domain::NodeId]) -> String {
    const NAMES_MAX: usize = 4;
    if names.len() > NAMES_MAX {
        return format!("{} nodes", names.len());
    }
    let names: Vec<&str> = names.iter().map(juki_domain::NodeId::as_str).collect();
    names.join(", ")
}
