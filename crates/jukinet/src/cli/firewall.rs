//! `jukinet firewall`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `firewall`.
#[derive(Debug, Args)]
pub(crate) struct FirewallArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The firewall's node name
    pub(crate) node: String,
    #[command(subcommand)]
    pub(crate) action: FirewallAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FirewallAction {
    /// Show the policy in force, what passed under each rule, and what the detectors found
    Status,
    /// Read the policy's file again and take it in force; a bad one leaves the old in force
    Reload,
    /// Say step by step what would become of a frame
    Explain(ExplainArgs),
}

/// Arguments of `firewall .. explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The node that sends it
    pub(crate) source: String,
    /// The node that it is for
    pub(crate) destination: String,
    /// Its service
    pub(crate) service: String,
    /// The peer that brings it; without it the one that speaks for the source
    #[arg(long, value_name = "NODE")]
    pub(crate) peer: Option<String>,
    /// Its length in bytes
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) bytes: u64,
    /// The network's civil time, such as 2002-10-15T09:30; without it now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}
