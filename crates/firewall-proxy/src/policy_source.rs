//! Where the policy comes from: its own file, or `node.toml` itself.

use std::path::{Path, PathBuf};

use juki_crypto::sha256;
use juki_domain::ErrorCode;
use juki_firewall::Policy;
use juki_node::StartError;
use juki_topology::NodeConfig;

/// A policy that was read and fits its firewall.
pub(crate) struct PolicyRead {
    /// The configuration with the policy's rules and thresholds.
    pub(crate) config: NodeConfig,
    pub(crate) policy: Policy,
    /// SHA-256 of the policy's text as it stands in its file, or of the whole configuration.
    pub(crate) digest: [u8; 32],
    /// The file, where it is one of its own.
    pub(crate) file: Option<PathBuf>,
}

/// Reads the policy that a configuration names, and makes it. `folder` is the configuration's.
pub(crate) fn read(base: &NodeConfig, folder: &Path) -> Result<PolicyRead, StartError> {
    let (config, text, file) = match &base.firewall {
        None => (base.clone(), base.to_toml()?, None),
        Some(section) => {
            let file = folder.join(&section.policy);
            let text = read_text(&file)?;
            let config = base.with_policy(&text, &file.display().to_string())?;
            (config, text, Some(file))
        }
    };
    let policy =
        Policy::new(&config).map_err(|error| StartError::configuration(error.code(), error))?;
    Ok(PolicyRead {
        config,
        policy,
        digest: sha256(text.as_bytes()),
        file,
    })
}

fn read_text(file: &Path) -> Result<String, StartError> {
    let refuse = |sentence: String| {
        let sentence = format!("{}: {sentence}", file.display());
        StartError::configuration(ErrorCode::ConfigUnreadable, sentence)
    };
    // Looked at first, so that no wrong path fills the memory.
    let length = std::fs::metadata(file)
        .map_err(|error| refuse(error.to_string()))?
        .len();
    if length > POLICY_BYTES_MAX {
        return Err(refuse(
            "is longer than 1 MiB; give the right file".to_owned(),
        ));
    }
    std::fs::read_to_string(file).map_err(|error| refuse(error.to_string()))
}

/// As for every configuration file.
const POLICY_BYTES_MAX: u64 = 1 << 20;
