//! Which nodes a command is about.

use clap::Args;
use juki_topology::{NodePattern, NodePatternError};

/// Which nodes of a deployment are meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Selection {
    /// Start these nodes only: names, `*` for any letters, or kind:PROGRAM
    #[arg(long, value_name = "NODE", num_args = 1.., conflicts_with = "except", value_parser = node_pattern)]
    pub(crate) only: Vec<NodePattern>,
    /// Start all nodes but these
    #[arg(long, value_name = "NODE", num_args = 1.., value_parser = node_pattern)]
    pub(crate) except: Vec<NodePattern>,
}

fn node_pattern(text: &str) -> Result<NodePattern, String> {
    text.parse()
        .map_err(|error: NodePatternError| error.to_string())
}
