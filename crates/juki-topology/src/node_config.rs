//! `node.toml`: what one node is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use juki_domain::{MunicipalityCode, NodeId, NodeRole, PrefectureCode, ServiceId};
use juki_line::{Disturbance, LineSettings, Schedule};
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::calendar::Calendar;
use crate::config_error::ConfigError;
use crate::config_text;
use crate::dial::DialAddress;
use crate::hours::Hours;
use crate::interface::Interface;
use crate::node_check;
use crate::policy_file::FirewallSection;
use crate::text_form;
use crate::watch::Watch;

/// The whole configuration of one node. Relative paths start at the configuration file's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Who the node is and where its files are.
    pub node: NodeSection,
    /// The network's civil date.
    pub calendar: Calendar,
    /// Where it listens, at most one section per interface.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listen: Vec<Listen>,
    /// Whom it talks to: nobody else is dialled or accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peer: Vec<Peer>,
    /// Through which peer a destination is reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<Route>,
    /// Where a firewall's rules stand, where that is a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall: Option<FirewallSection>,
    /// Which frames a firewall passes; all others are refused. Here or in the policy's file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rule: Vec<Rule>,
    /// From when on a firewall's detectors raise an alert. Here or in the policy's file.
    #[serde(default, skip_serializing_if = "is_default")]
    pub watch: Watch,
    /// The port of the existing register; of a municipality's server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<Register>,
    /// How often it may be asked; of servers of prefectures and nation only.
    #[serde(default, skip_serializing_if = "Access::is_default")]
    pub access: Access,
    /// The reader of operators' cards; of a terminal only. Card files need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardReader>,
    /// The lines that an access point emulates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relay: Vec<Relay>,
    /// The stretches that lines of an access point share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segment: Vec<SharedSegment>,
    /// Sizes and times.
    #[serde(default)]
    pub limits: Limits,
}

/// Who a node is and where its files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSection {
    /// The node's name, unique in its network.
    #[serde(with = "text_form::single")]
    pub name: NodeId,
    /// What it is.
    #[serde(with = "text_form::single")]
    pub role: NodeRole,
    /// The municipality's name as addresses have it; of a municipality's server only. Rows whose
    /// address names another place are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The id of its network: 1 to 32 of `a-z 0-9 -`, as certificates carry it.
    pub network: String,
    /// Whose server it is; of a municipality's server only, and needed there.
    #[serde(
        default,
        with = "text_form::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub municipality: Option<MunicipalityCode>,
    /// Whose server it is, or in which prefecture a municipality's server stands.
    #[serde(
        default,
        with = "text_form::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub prefecture: Option<PrefectureCode>,
    /// The id of the body whose terminal it is; of a terminal only, and needed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The data folder.
    #[serde(default = "NodeSection::data_default")]
    pub data: PathBuf,
    /// The folder of keys and certificates, outside the data folder.
    #[serde(default = "NodeSection::keys_default")]
    pub keys: PathBuf,
    /// The folder of the secret keys `node.key`, `seal.key`, `storage.key` and `issuing.key`, where that
    /// is another than `keys`. `$CREDENTIALS_DIRECTORY` alone or as the first part is the folder of
    /// the credentials that the service manager gives the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<PathBuf>,
    /// The folder of move-out certificates on paper; of a municipality's server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub papers: Option<PathBuf>,
}

/// One place where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// The side it is on.
    #[serde(with = "text_form::single")]
    pub interface: Interface,
    /// The address to bind; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The file that gets the bound address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<PathBuf>,
}

/// One node on the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its name, which its certificate must carry.
    #[serde(with = "text_form::single")]
    pub name: NodeId,
    /// The own side on which it is met.
    #[serde(with = "text_form::single")]
    pub interface: Interface,
    /// Where to dial it; without this it dials us.
    #[serde(
        default,
        with = "text_form::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub dial: Option<DialAddress>,
    /// The rate of the leased line to it in bits a second. Bulk frames keep a little below it, so that
    /// interactive ones need not wait in the line's queue; 0 where there is no line, or its rate is not
    /// known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub line_bps: u64,
    /// The sources from which it may bring frames.
    #[serde(with = "text_form::list")]
    pub speaks_for: Vec<NodeId>,
}

/// Through which peer a destination is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// A node's name, or `*` for every destination without a route of its own.
    pub to: String,
    /// The peer that takes the frame.
    #[serde(with = "text_form::single")]
    pub via: NodeId,
}

/// Frames that a firewall passes: every combination of the named services, sources and
/// destinations, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The interface they come in by.
    #[serde(with = "text_form::single")]
    pub from: Interface,
    /// The interface they leave by, another than `from`.
    #[serde(with = "text_form::single")]
    pub to: Interface,
    /// Their services.
    #[serde(with = "text_form::list")]
    pub services: Vec<ServiceId>,
    /// Their sources.
    #[serde(with = "text_form::list")]
    pub sources: Vec<NodeId>,
    /// Their destinations.
    #[serde(with = "text_form::list")]
    pub destinations: Vec<NodeId>,
    /// Longest frame in bytes with its header, where it is to be less than the service's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<u32>,
    /// Frames a second of one source and service under this rule; without it the usual rate holds,
    /// over all rules together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_per_s: Option<u32>,
    /// Frames at once after a pause; without it one second's worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst_frames: Option<u32>,
    /// Bytes a second of one source and service under this rule, with one second's worth or one
    /// longest frame at once after a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_s: Option<u64>,
    /// When it holds, by the network's civil time; without this always.
    #[serde(
        default,
        with = "text_form::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub hours: Option<Hours>,
}

/// The port of the existing register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The address to bind for HTTP; port 0 lets the system choose.
    pub http: SocketAddr,
    /// The file that gets the bound address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<PathBuf>,
    /// The file in the folder of secret keys with the token that the register has to show.
    pub token: PathBuf,
    /// The folder with the register's files: `in`, `out`, `done` and `refused` in it. Without this
    /// no folder is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<PathBuf>,
    /// How often the folder is looked at: 50 ms to 10 minutes.
    #[serde(default = "Register::poll_ms_default")]
    pub poll_ms: u64,
    /// Longest file of the register: 1,024 bytes to 1 TiB.
    #[serde(default = "Register::file_bytes_max_default")]
    pub file_bytes_max: u64,
}

/// Where a terminal finds cards that are no files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardReader {
    /// The PKCS#11 module: a library that the terminal loads, so nobody but this file names it.
    pub pkcs11_module: PathBuf,
}

/// One line that an access point emulates, the same in both directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// The line's name: 1 to 32 of `a-z 0-9 -`, beginning with a letter.
    #[serde(with = "text_form::single")]
    pub name: NodeId,
    /// The address to bind for the lower end; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The file that gets the bound address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<PathBuf>,
    /// Where the upper end listens.
    #[serde(with = "text_form::single")]
    pub target: DialAddress,
    /// Bits per second; 0 = unshaped.
    #[serde(default = "Relay::bandwidth_bps_default")]
    pub bandwidth_bps: u64,
    /// One-way delay in microseconds.
    #[serde(default = "Relay::delay_us_default")]
    pub delay_us: u64,
    /// Added to the delay in microseconds, by default anything from 0 to this.
    #[serde(default = "Relay::jitter_us_default")]
    pub jitter_us: u64,
    /// Probability of losing a datagram, 0 to 1.
    #[serde(default = "Relay::loss_default")]
    pub loss: f64,
    /// Bytes that may wait for the transmitter.
    #[serde(default = "Relay::queue_bytes_default")]
    pub queue_bytes: u64,
    /// Longest datagram in bytes with its headers.
    #[serde(default = "Relay::mtu_default")]
    pub mtu: u16,
    /// What a bad line does beyond that.
    #[serde(default, skip_serializing_if = "Disturbance::is_none")]
    pub disturbance: Disturbance,
    /// When it is down on purpose, in milliseconds since 1970 by the machine's clock.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schedule: Schedule,
}

/// A stretch behind the lines of an access point that several of them share, the same in both
/// directions. Each line gets the same share of it, and what one does not use the others have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedSegment {
    /// Its name: 1 to 32 of `a-z 0-9 -`, beginning with a letter.
    #[serde(with = "text_form::single")]
    pub name: NodeId,
    /// Bits per second, 1 or more.
    pub bandwidth_bps: u64,
    /// Bytes of each line that may wait before it, at most
    /// [`LineSettings::QUEUE_BYTES_MAX`].
    pub queue_bytes: u64,
    /// The lines that share it, by name; a line is on one segment at most.
    #[serde(with = "text_form::list")]
    pub lines: Vec<NodeId>,
}

/// Sizes and times that a node keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest frame in bytes with its header: 1,024 to 16 MiB.
    pub frame_bytes_max: usize,
    /// Longest journal block in bytes: 1,024 to less than the longest frame.
    pub block_bytes_max: usize,
    /// How long a receipt may take before a block is sent again: 10 ms to 10 minutes.
    pub receipt_timeout_ms: u64,
    /// How long a link that was up may be down before the node says `connecting`: at most 10 minutes.
    pub connecting_after_ms: u64,
    /// Handshakes that may be under way at once on one listener: 1 to 65,536. Connections beyond
    /// these are the links of named peers, one each.
    pub handshakes_max: u32,
    /// Handshakes under way at once from one IP address: 1 to 65,536.
    pub handshakes_per_address_max: u32,
    /// Handshakes that one listener begins in a second, with two seconds' worth at once: 1 to 100,000.
    pub handshakes_per_s: u32,
    /// Handshakes under way from which on a stranger has to prove its address first: 0 to 65,536.
    pub retry_from: u32,
    /// How long a connection may take from its first packet to its hello: 100 ms to 1 minute.
    pub hello_timeout_ms: u64,
    /// How long a frame may take from its first byte, plus its length over `frame_bytes_per_s_min`:
    /// 100 ms to 10 minutes.
    pub frame_timeout_ms: u64,
    /// The slowest that a frame may come: 1 to 1,000,000 bytes a second.
    pub frame_bytes_per_s_min: u32,
    /// Frames a second that are read from one peer; more wait with their sender: 1 to 10,000,000.
    pub peer_frames_per_s: u32,
    /// Bytes a second that are read from one peer; more wait with their sender: 1,000 to 1 TB.
    pub peer_bytes_per_s: u64,
    /// Links that one peer may begin in a minute: 1 to 100,000.
    pub peer_links_per_min: u32,
    /// How long an operator's session at a terminal lasts without a question: 1 to 900 seconds.
    pub session_idle_s: u64,
}

impl NodeConfig {
    /// Reads and checks a `node.toml`. `file` is the name that errors show.
    ///
    /// # Errors
    /// A text that is no TOML, an unknown or missing key, a value out of bounds, and sections that
    /// contradict each other or the node's role.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        let config: Self = config_text::parse(text, file)?;
        node_check::check_file(&config)
            .and_then(|()| node_check::check(&config))
            .map_err(|finding| finding.locate(text, file))?;
        Ok(config)
    }

    /// The text of this configuration, which [`NodeConfig::parse`] reads back to an equal value; of
    /// a policy in a file of its own, [`NodeConfig::policy_toml`] is the text.
    ///
    /// # Errors
    /// Where a number is beyond what TOML can hold (2^63 and more).
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        if self.firewall.is_none() {
            return config_text::write(self, "node.toml");
        }
        let without_policy = Self {
            rule: Vec::new(),
            watch: Watch::default(),
            ..self.clone()
        };
        config_text::write(&without_policy, "node.toml")
    }

    /// The peer of that name.
    #[must_use]
    pub fn peer_named(&self, name: &NodeId) -> Option<&Peer> {
        self.peer.iter().find(|peer| peer.name == *name)
    }

    /// The peer through which a destination is reached: by its own route, else by `*`.
    #[must_use]
    pub fn next_hop(&self, destination: &NodeId) -> Option<&Peer> {
        let by = |to: &str| self.route.iter().find(|route| route.to == to);
        let route = by(destination.as_str()).or_else(|| by(Route::ANY))?;
        self.peer_named(&route.via)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl NodeSection {
    fn data_default() -> PathBuf {
        PathBuf::from("data")
    }

    fn keys_default() -> PathBuf {
        PathBuf::from("keys")
    }
}

impl Route {
    /// The destination of a route for every node without a route of its own.
    pub const ANY: &str = "*";
}

impl Register {
    /// How often a folder is looked at where nothing else is said.
    pub(crate) fn poll_ms_default() -> u64 {
        1_000
    }

    /// The longest file where nothing else is said: 4 GiB.
    #[must_use]
    pub fn file_bytes_max_default() -> u64 {
        4 << 30
    }
}

impl Relay {
    /// The numbers for each direction of the line.
    #[must_use]
    pub fn line_settings(&self) -> LineSettings {
        LineSettings {
            bandwidth_bps: self.bandwidth_bps,
            delay_us: self.delay_us,
            jitter_us: self.jitter_us,
            loss: self.loss,
            queue_bytes: self.queue_bytes,
            mtu: self.mtu,
            disturbance: self.disturbance,
        }
    }

    fn bandwidth_bps_default() -> u64 {
        LineSettings::UNSHAPED.bandwidth_bps
    }

    fn delay_us_default() -> u64 {
        LineSettings::UNSHAPED.delay_us
    }

    fn jitter_us_default() -> u64 {
        LineSettings::UNSHAPED.jitter_us
    }

    fn loss_default() -> f64 {
        LineSettings::UNSHAPED.loss
    }

    fn queue_bytes_default() -> u64 {
        LineSettings::UNSHAPED.queue_bytes
    }

    fn mtu_default() -> u16 {
        LineSettings::UNSHAPED.mtu
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 524_288,
            block_bytes_max: 262_144,
            receipt_timeout_ms: 5_000,
            connecting_after_ms: 3_000,
            handshakes_max: 256,
            handshakes_per_address_max: 192,
            handshakes_per_s: 200,
            retry_from: 64,
            hello_timeout_ms: 5_000,
            frame_timeout_ms: 10_000,
            frame_bytes_per_s_min: 500,
            peer_frames_per_s: 100_000,
            peer_bytes_per_s: 500_000_000,
            peer_links_per_min: 120,
            session_idle_s: 300,
        }
    }
}
