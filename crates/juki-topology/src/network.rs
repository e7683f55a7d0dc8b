//! `network.toml`: the whole network.

use juki_domain::{MunicipalityCode, NodeId, PrefectureCode};
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::assemble;
use crate::calendar::Calendar;
use crate::config_error::{ConfigError, Finding};
use crate::config_text;
use crate::derive;
use crate::machine::{Machine, Placement};
use crate::node_config::NodeConfig;
use crate::office::{Line, NetworkNode, Office};
use crate::text_form;

/// A network whose parts fit each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    parts: NetworkParts,
    pub(crate) offices: Vec<Office>,
    pub(crate) placement: Placement,
}

/// What `network.toml` says. Nodes, lines, routes and rules follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkParts {
    /// The network's own section.
    pub network: NetworkSection,
    /// The civil date at the start.
    pub calendar: Calendar,
    /// How often operators and bodies may ask.
    #[serde(default, skip_serializing_if = "Access::is_default")]
    pub access: Access,
    /// The office of the national center.
    pub national: National,
    /// The places where lines are emulated.
    #[serde(default, rename = "access_point")]
    pub access_points: Vec<AccessPoint>,
    /// The prefectures.
    #[serde(default, rename = "prefecture")]
    pub prefectures: Vec<Prefecture>,
    /// The municipalities.
    #[serde(default, rename = "municipality")]
    pub municipalities: Vec<Municipality>,
    /// The bodies that receive identity records.
    #[serde(default, rename = "agency")]
    pub agencies: Vec<Agency>,
    /// The machines, where the nodes are on several.
    #[serde(default, rename = "machine", skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<Machine>,
}

/// Who the network is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSection {
    /// What people call it.
    pub name: String,
    /// Its id in certificates: 1 to 32 of `a-z 0-9 -`.
    pub id: String,
    /// The seed of everything generated for it: less than 2^63.
    pub seed: u64,
}

/// The office of the national center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct National {
    /// What people call it.
    pub label: String,
}

/// A place where leased lines are emulated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessPoint {
    /// The name of its node.
    #[serde(with = "text_form::single")]
    pub name: NodeId,
    /// What people call it.
    pub label: String,
    /// What all its lines share behind it, by the name of a shaped line preset; nothing where it is
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uplink: Option<String>,
}

/// One prefecture and its line to the national center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefecture {
    /// Its code.
    #[serde(with = "text_form::single")]
    pub code: PrefectureCode,
    /// What people call it.
    pub label: String,
    /// The access point on its line.
    #[serde(with = "text_form::single")]
    pub access_point: NodeId,
    /// The preset of its line.
    pub line: String,
}

/// One municipality and its line to its prefecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Municipality {
    /// Its code.
    #[serde(with = "text_form::single")]
    pub code: MunicipalityCode,
    /// What people call it.
    pub label: String,
    /// The access point on its line.
    #[serde(with = "text_form::single")]
    pub access_point: NodeId,
    /// The preset of its line.
    pub line: String,
}

/// One body that receives identity records and its line to the server that answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// The body's id in the legal-basis table.
    pub body: String,
    /// What people call it.
    pub label: String,
    /// The prefecture whose server answers it: for a prefecture's own offices (Act art. 30-8 para.
    /// 1). Without it the national center answers.
    #[serde(
        default,
        with = "text_form::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub prefecture: Option<PrefectureCode>,
    /// The access point on its line.
    #[serde(with = "text_form::single")]
    pub access_point: NodeId,
    /// The preset of its line.
    pub line: String,
}

impl Network {
    /// Reads and checks a `network.toml`. `file` is the name that errors show.
    ///
    /// # Errors
    /// A text that is no TOML, an unknown or missing key, a value out of bounds, and parts that do
    /// not fit each other.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        let parts: NetworkParts = config_text::parse(text, file)?;
        Self::assembled(parts).map_err(|finding| finding.locate(text, file))
    }

    /// The network of these parts.
    ///
    /// # Errors
    /// As [`Network::parse`], without line numbers.
    pub fn new(parts: NetworkParts) -> Result<Self, ConfigError> {
        Self::assembled(parts).map_err(|finding| finding.locate("", "network.toml"))
    }

    fn assembled(parts: NetworkParts) -> Result<Self, Finding> {
        let offices = assemble::offices(&parts)?;
        let placement = Placement::new(&parts, &offices)?;
        Ok(Self {
            parts,
            offices,
            placement,
        })
    }

    /// The name of the machine that a node is on; none where it is on none.
    #[must_use]
    pub fn machine_of(&self, node: &NodeId) -> Option<&NodeId> {
        self.placement.machine(node)
    }

    /// The same network in which operators and bodies may ask this often.
    ///
    /// # Errors
    /// Where a rate is out of bounds.
    pub fn with_access(self, access: Access) -> Result<Self, ConfigError> {
        Self::new(NetworkParts {
            access,
            ..self.parts
        })
    }

    /// The text of this network, which [`Network::parse`] reads back to an equal value.
    ///
    /// # Errors
    /// Where a number is beyond what TOML can hold (2^63 and more).
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        config_text::write(&self.parts, "network.toml")
    }

    /// What `network.toml` says.
    #[must_use]
    pub fn parts(&self) -> &NetworkParts {
        &self.parts
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.network.name
    }

    /// Its id in certificates.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.parts.network.id
    }

    /// The seed of everything generated for it.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.parts.network.seed
    }

    /// The civil date at the start.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.parts.calendar
    }

    /// Every node: servers and terminals each followed by their firewall, then access points.
    #[must_use]
    pub fn nodes(&self) -> Vec<NetworkNode> {
        assemble::nodes(&self.parts, &self.offices)
    }

    /// The names of all nodes in an order in which nobody dials a node that comes later: access points,
    /// then each office below those above it, its firewall before its server.
    #[must_use]
    pub fn start_order(&self) -> Vec<NodeId> {
        let access_points = self.parts.access_points.iter();
        let offices = self.offices.iter();
        access_points
            .map(|access_point| access_point.name.clone())
            .chain(offices.flat_map(|office| [office.firewall.clone(), office.server.name.clone()]))
            .collect()
    }

    /// Every line.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let uplinks = self
            .offices
            .iter()
            .filter_map(|office| office.uplink.as_ref());
        uplinks.map(|uplink| uplink.line.clone()).collect()
    }

    /// The names of all lines.
    #[must_use]
    pub fn line_names(&self) -> Vec<NodeId> {
        self.lines().into_iter().map(|line| line.name).collect()
    }

    /// The whole configuration of one node, or `None` for a name that the network does not have.
    #[must_use]
    pub fn node_config(&self, name: &NodeId) -> Option<NodeConfig> {
        derive::node_config(self, name)
    }
}
