//! The offices of a network: each server or terminal with its firewall and its way up.

use juki_domain::{MunicipalityCode, NodeId, NodeRole, PrefectureCode, ServiceId};
use juki_line::LineSettings;

use crate::interface::Interface;

/// One node of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkNode {
    /// Its name.
    pub name: NodeId,
    /// What it is.
    pub role: NodeRole,
    /// What people call the office it belongs to.
    pub label: String,
    /// Whose server it is, where it is a municipality's.
    pub municipality: Option<MunicipalityCode>,
    /// Whose server it is, or in which prefecture a municipality's server stands.
    pub prefecture: Option<PrefectureCode>,
    /// The id of the body whose terminal it is.
    pub body: Option<String>,
}

/// One leased line of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name: that of the server at its lower end.
    pub name: NodeId,
    /// The firewall at the lower end, which dials.
    pub lower: NodeId,
    /// The firewall at the upper end.
    pub upper: NodeId,
    /// The interface on which the upper end listens.
    pub upper_interface: Interface,
    /// The access point that emulates it.
    pub access_point: NodeId,
    /// Its numbers in each direction.
    pub settings: LineSettings,
}

/// A server or terminal, its firewall and its way up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Office {
    pub(crate) server: NetworkNode,
    pub(crate) firewall: NodeId,
    pub(crate) uplink: Option<Uplink>,
}

/// An office's line to the office above it and what may pass there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Uplink {
    pub(crate) line: Line,
    pub(crate) upper_server: NodeId,
    /// The own firewall's interface.
    pub(crate) interface: Interface,
    pub(crate) services: &'static [ServiceId],
}

/// What passes between a municipality and its prefecture, and between that and the nation.
pub(crate) const TIER_SERVICES: &[ServiceId] = &[
    ServiceId::Journal,
    ServiceId::CodeAllocation,
    ServiceId::Monitor,
    ServiceId::Registrar,
];

/// What passes between an agency and the server that answers it.
pub(crate) const AGENCY_SERVICES: &[ServiceId] =
    &[ServiceId::Query, ServiceId::Monitor, ServiceId::Registrar];

/// What passes between a firewall itself and the server above its office: whoever holds the office
/// must not be able to keep its firewall silent.
pub(crate) const FIREWALL_SERVICES: &[ServiceId] = &[ServiceId::Monitor];

impl Office {
    /// The offices that hang below this one.
    pub(crate) fn lower<'a>(
        &self,
        offices: &'a [Self],
    ) -> impl Iterator<Item = (&'a Self, &'a Uplink)> + use<'a> {
        let firewall = self.firewall.clone();
        offices.iter().filter_map(move |office| {
            let uplink = office.uplink.as_ref()?;
            (uplink.line.upper == firewall).then_some((office, uplink))
        })
    }
}
