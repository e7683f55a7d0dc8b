//! From the parts that `network.toml` names to offices, lines and nodes.

use std::collections::HashSet;

use juki_domain::{NodeId, NodeRole, ServiceId};
use juki_line::{LineSettings, PRESET_NAMES};

use crate::config_error::Finding;
use crate::interface::Interface;
use crate::network::{Agency, Municipality, NetworkParts, Prefecture};
use crate::node_check::{is_body_id, is_network_id};
use crate::office::{AGENCY_SERVICES, Line, NetworkNode, Office, TIER_SERVICES, Uplink};

/// The offices of a network: national center, prefectures, agencies, municipalities.
pub(crate) fn offices(parts: &NetworkParts) -> Result<Vec<Office>, Finding> {
    check_heads(parts)?;
    let mut offices = vec![national(parts)?];
    for (index, prefecture) in parts.prefectures.iter().enumerate() {
        offices.push(prefecture_office(parts, index, prefecture)?);
    }
    for (index, agency) in parts.agencies.iter().enumerate() {
        offices.push(agency_office(parts, index, agency)?);
    }
    for (index, municipality) in parts.municipalities.iter().enumerate() {
        offices.push(municipal_office(parts, index, municipality)?);
    }
    check_access_points(parts, &offices)?;
    Ok(offices)
}

/// Every node: servers and terminals each followed by their firewall, then access points.
pub(crate) fn nodes(parts: &NetworkParts, offices: &[Office]) -> Vec<NetworkNode> {
    let of_offices = offices.iter().flat_map(|office| {
        let firewall = NetworkNode {
            name: office.firewall.clone(),
            role: NodeRole::FirewallProxy,
            label: office.server.label.clone(),
            municipality: None,
            prefecture: None,
            body: None,
        };
        [office.server.clone(), firewall]
    });
    let access_points = parts.access_points.iter().map(|access_point| NetworkNode {
        name: access_point.name.clone(),
        role: NodeRole::AccessPoint,
        label: access_point.label.clone(),
        municipality: None,
        prefecture: None,
        body: None,
    });
    of_offices.chain(access_points).collect()
}

fn national(parts: &NetworkParts) -> Result<Office, Finding> {
    let label = &parts.national.label;
    let server = named("national", 0, NATIONAL, label, NodeRole::NationalCenter)?;
    Ok(Office {
        firewall: firewall_name(&server, "national", 0)?,
        server,
        uplink: None,
    })
}

fn prefecture_office(
    parts: &NetworkParts,
    index: usize,
    prefecture: &Prefecture,
) -> Result<Office, Finding> {
    let name = format!("prefecture-{}", prefecture.code);
    let role = NodeRole::PrefectureServer;
    let mut server = named("prefecture", index, &name, &prefecture.label, role)?;
    server.prefecture = Some(prefecture.code);
    let place = Place {
        section: "prefecture",
        index,
    };
    let up = Up {
        server: NATIONAL.to_owned(),
        upper_interface: Interface::Line,
        interface: Interface::NationalLine,
        services: TIER_SERVICES,
    };
    office(
        parts,
        place,
        server,
        &prefecture.access_point,
        &prefecture.line,
        up,
    )
}

fn agency_office(parts: &NetworkParts, index: usize, agency: &Agency) -> Result<Office, Finding> {
    if !is_body_id(&agency.body) {
        let sentence = "is no body id; write 1 to 22 of a-z, 0-9 and -, no - at either end";
        return Err(Finding::value("agency", index, "body", sentence));
    }
    let name = format!("agency-{}", agency.body);
    let mut server = named(
        "agency",
        index,
        &name,
        &agency.label,
        NodeRole::AgencyTerminal,
    )?;
    server.body = Some(agency.body.clone());
    server.prefecture = agency.prefecture;
    let place = Place {
        section: "agency",
        index,
    };
    let above = match agency.prefecture {
        None => NATIONAL.to_owned(),
        Some(code) if parts.prefectures.iter().any(|known| known.code == code) => {
            format!("prefecture-{code}")
        }
        Some(code) => {
            let sentence = format!("{code} is not in the network; add a [[prefecture]]");
            return Err(Finding::value("agency", index, "prefecture", sentence));
        }
    };
    let up = Up {
        server: above,
        upper_interface: Interface::AgencyLine,
        interface: Interface::Line,
        services: AGENCY_SERVICES,
    };
    office(parts, place, server, &agency.access_point, &agency.line, up)
}

fn municipal_office(
    parts: &NetworkParts,
    index: usize,
    municipality: &Municipality,
) -> Result<Office, Finding> {
    let prefecture = municipality.code.prefecture();
    if !parts
        .prefectures
        .iter()
        .any(|known| known.code == prefecture)
    {
        let sentence = format!(
            "lies in prefecture {prefecture}, which is not in the network; add a [[prefecture]]"
        );
        return Err(Finding::value("municipality", index, "code", sentence));
    }
    let name = format!("cs-{}", municipality.code);
    let role = NodeRole::MunicipalCs;
    let mut server = named("municipality", index, &name, &municipality.label, role)?;
    server.municipality = Some(municipality.code);
    server.prefecture = Some(prefecture);
    let place = Place {
        section: "municipality",
        index,
    };
    let up = Up {
        server: format!("prefecture-{prefecture}"),
        upper_interface: Interface::Line,
        interface: Interface::Line,
        services: TIER_SERVICES,
    };
    office(
        parts,
        place,
        server,
        &municipality.access_point,
        &municipality.line,
        up,
    )
}

/// The section of `network.toml` that an office comes from.
#[derive(Clone, Copy)]
struct Place {
    section: &'static str,
    index: usize,
}

/// An office's way up, by the upper server's name.
struct Up {
    server: String,
    upper_interface: Interface,
    interface: Interface,
    services: &'static [ServiceId],
}

fn office(
    parts: &NetworkParts,
    place: Place,
    server: NetworkNode,
    access_point: &NodeId,
    preset: &str,
    up: Up,
) -> Result<Office, Finding> {
    let Place { section, index } = place;
    if !parts
        .access_points
        .iter()
        .any(|known| known.name == *access_point)
    {
        let sentence = format!("\"{access_point}\" is not in the network; add an [[access_point]]");
        return Err(Finding::value(section, index, "access_point", sentence));
    }
    let Some(settings) = LineSettings::preset(preset) else {
        let sentence = format!("is no preset; write one of {}", PRESET_NAMES.join(", "));
        return Err(Finding::value(section, index, "line", sentence));
    };
    let firewall = firewall_name(&server, section, index)?;
    let line = Line {
        name: server.name.clone(),
        lower: firewall.clone(),
        upper: node_name(&format!("fw-{}", up.server), section, index)?,
        upper_interface: up.upper_interface,
        access_point: access_point.clone(),
        settings,
    };
    let uplink = Uplink {
        line,
        upper_server: node_name(&up.server, section, index)?,
        interface: up.interface,
        services: up.services,
    };
    Ok(Office {
        server,
        firewall,
        uplink: Some(uplink),
    })
}

fn check_heads(parts: &NetworkParts) -> Result<(), Finding> {
    let network = &parts.network;
    if !is_network_id(&network.id) {
        let sentence = "is no network id; write 1 to 32 of a-z, 0-9 and -, no - at either end";
        return Err(Finding::value("network", 0, "id", sentence));
    }
    if i64::try_from(network.seed).is_err() {
        return Err(Finding::value(
            "network",
            0,
            "seed",
            "is out of bounds; write less than 2^63",
        ));
    }
    if let Some((key, sentence)) = parts.access.out_of_bounds() {
        return Err(Finding::value("access", 0, key, sentence));
    }
    if parts.calendar.version == 0 {
        return Err(Finding::value(
            "calendar",
            0,
            "version",
            "is 0; begin with 1",
        ));
    }
    if i64::try_from(parts.calendar.anchor_unix_s).is_err() {
        let sentence = "is out of bounds; write less than 2^63";
        return Err(Finding::value("calendar", 0, "anchor_unix_s", sentence));
    }
    check_label("network", 0, "name", &network.name)?;
    check_label("national", 0, "label", &parts.national.label)
}

/// Every node name once, every access point with a line.
fn check_access_points(parts: &NetworkParts, offices: &[Office]) -> Result<(), Finding> {
    for (index, access_point) in parts.access_points.iter().enumerate() {
        check_label("access_point", index, "label", &access_point.label)?;
        let shaped = |preset: &String| {
            LineSettings::preset(preset).is_some_and(|settings| settings.bandwidth_bps > 0)
        };
        if !access_point.uplink.as_ref().is_none_or(shaped) {
            let names: Vec<&str> = PRESET_NAMES
                .into_iter()
                .filter(|name| *name != "unshaped")
                .collect();
            let sentence = format!(
                "is no preset with a bandwidth; write one of {}",
                names.join(", ")
            );
            return Err(Finding::value("access_point", index, "uplink", sentence));
        }
        let name = &access_point.name;
        let earlier = parts
            .access_points
            .iter()
            .take(index)
            .any(|other| other.name == *name);
        let is_office = |office: &Office| office.server.name == *name || office.firewall == *name;
        if earlier || offices.iter().any(is_office) {
            let sentence = format!("\"{name}\" stands twice; give each node its own name");
            return Err(Finding::value("access_point", index, "name", sentence));
        }
        let is_used = |office: &Office| {
            office
                .uplink
                .as_ref()
                .is_some_and(|uplink| uplink.line.access_point == *name)
        };
        if !offices.iter().any(is_used) {
            let sentence = format!("\"{name}\" has no line; remove the section");
            return Err(Finding::value("access_point", index, "name", sentence));
        }
    }
    let codes = parts
        .prefectures
        .iter()
        .map(|prefecture| prefecture.code.to_string());
    check_once("prefecture", "code", codes)?;
    let codes = parts
        .municipalities
        .iter()
        .map(|municipality| municipality.code.to_string());
    check_once("municipality", "code", codes)?;
    check_once(
        "agency",
        "body",
        parts.agencies.iter().map(|agency| agency.body.clone()),
    )
}

fn check_once(
    section: &'static str,
    key: &'static str,
    values: impl Iterator<Item = String>,
) -> Result<(), Finding> {
    let mut seen = HashSet::new();
    for (index, value) in values.enumerate() {
        if seen.contains(&value) {
            let sentence = format!("\"{value}\" stands twice; keep one section");
            return Err(Finding::value(section, index, key, sentence));
        }
        seen.insert(value);
    }
    Ok(())
}

fn check_label(
    section: &'static str,
    index: usize,
    key: &'static str,
    label: &str,
) -> Result<(), Finding> {
    const CHARS_MAX: usize = 64;
    if label.is_empty() || label.chars().any(char::is_control) || label.chars().count() > CHARS_MAX
    {
        let sentence = "is no label; write 1 to 64 characters on one line";
        return Err(Finding::value(section, index, key, sentence));
    }
    Ok(())
}

fn named(
    section: &'static str,
    index: usize,
    name: &str,
    label: &str,
    role: NodeRole,
) -> Result<NetworkNode, Finding> {
    check_label(section, index, "label", label)?;
    Ok(NetworkNode {
        name: node_name(name, section, index)?,
        role,
        label: label.to_owned(),
        municipality: None,
        prefecture: None,
        body: None,
    })
}

fn firewall_name(
    server: &NetworkNode,
    section: &'static str,
    index: usize,
) -> Result<NodeId, Finding> {
    node_name(&format!("fw-{}", server.name), section, index)
}

fn node_name(name: &str, section: &'static str, index: usize) -> Result<NodeId, Finding> {
    name.parse()
        .map_err(|error| Finding::value(section, index, "", format!("makes no node name: {error}")))
}

const NATIONAL: &str = "national";
