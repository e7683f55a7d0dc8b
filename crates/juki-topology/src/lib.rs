//! Who stands where in a network: `network.toml`, and the `node.toml` of each node derived from it.
//!
//! [`NodeConfig`] is what one node is told; [`Network`] is what the deployment folder says of the
//! whole. [`Network::node_config`] derives the one from the other, so that peers, routes and
//! firewall rules of different nodes always agree, and [`Network::path`] walks a frame through the
//! derived rules. Nothing here does I/O: texts come in and go out.

mod access;
mod assemble;
mod calendar;
mod config_error;
mod config_text;
mod derive;
mod dial;
mod hours;
mod interface;
mod machine;
mod network;
mod node_check;
mod node_config;
mod node_pattern;
mod office;
mod path;
mod policy_file;
mod presets;
mod text_form;
mod watch;

pub use access::Access;
pub use calendar::Calendar;
pub use config_error::ConfigError;
pub use config_text::parse as parse_text;
pub use dial::{DialAddress, DialAddressError};
pub use hours::{CivilTime, Hours, HoursError};
pub use interface::{Interface, InterfaceError};
pub use machine::Machine;
pub use network::{
    AccessPoint, Agency, Municipality, National, Network, NetworkParts, NetworkSection, Prefecture,
};
pub use node_config::{
    CardReader, Limits, Listen, NodeConfig, NodeSection, Peer, Register, Relay, Route, Rule,
    SharedSegment,
};
pub use node_pattern::{NodePattern, NodePatternError};
pub use office::{Line, NetworkNode};
pub use path::Refused;
pub use policy_file::FirewallSection;
pub use presets::DEMO_BODY;
pub use watch::Watch;
