//! Whether the sections of one `node.toml` fit each other and the node's role.

use std::collections::HashSet;
use std::path::Path;

use juki_domain::{NodeId, NodeRole};
use juki_line::{LineSettings, LineSettingsError};

use crate::config_error::Finding;
use crate::node_config::{Limits, NodeConfig, Route};
use crate::watch::Watch;

/// Checks what the form alone cannot say; the first finding ends it.
pub(crate) fn check(config: &NodeConfig) -> Result<(), Finding> {
    check_identity(config)?;
    check_role_sections(config)?;
    check_calendar_and_limits(config)?;
    check_listens(config)?;
    check_peers(config)?;
    check_routes(config)?;
    check_policy(config)?;
    check_relays(config)?;
    check_segments(config)
}

/// Checks what only the file can say: rules stand in one place.
pub(crate) fn check_file(config: &NodeConfig) -> Result<(), Finding> {
    if config.firewall.is_none() {
        return Ok(());
    }
    if !config.rule.is_empty() {
        let sentence = "stands beside firewall.policy; move the rules into that file";
        return Err(Finding::unknown("rule", "", sentence));
    }
    if config.watch != Watch::default() {
        let sentence = "stands beside firewall.policy; move it into that file";
        return Err(Finding::unknown("watch", "", sentence));
    }
    Ok(())
}

/// Whether a firewall's rules and thresholds fit its peers, routes and limits.
pub(crate) fn check_policy(config: &NodeConfig) -> Result<(), Finding> {
    if let Some((key, sentence)) = config.watch.out_of_bounds() {
        return Err(Finding::value("watch", 0, key, sentence));
    }
    check_rules(config)
}

/// Whether a text can name a network in a certificate (one DNS label).
pub(crate) fn is_network_id(text: &str) -> bool {
    const LEN_MAX: usize = 32;
    (1..=LEN_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether a text can be a body's id: what a node name has room for.
pub(crate) fn is_body_id(text: &str) -> bool {
    const LEN_MAX: usize = NodeId::LEN_MAX - "fw-agency-".len();
    is_network_id(text) && text.len() <= LEN_MAX
}

fn check_identity(config: &NodeConfig) -> Result<(), Finding> {
    let node = &config.node;
    let role = node.role;
    if !is_network_id(&node.network) {
        let sentence = "is no network id; write 1 to 32 of a-z, 0-9 and -, no - at either end";
        return Err(Finding::value("node", 0, "network", sentence));
    }
    let owner = |key, wanted: bool, present: bool| match (wanted, present) {
        (true, false) => Err(Finding::missing("node", 0, key, needed_by(role))),
        (false, true) => Err(Finding::unknown("node", key, not_for(role))),
        (true, true) | (false, false) => Ok(()),
    };
    let is_cs = role == NodeRole::MunicipalCs;
    owner("municipality", is_cs, node.municipality.is_some())?;
    owner(
        "body",
        role == NodeRole::AgencyTerminal,
        node.body.is_some(),
    )?;
    let in_prefecture = role == NodeRole::PrefectureServer;
    // A terminal names the prefecture whose server answers it; without one the nation answers.
    if !is_cs && role != NodeRole::AgencyTerminal {
        owner("prefecture", in_prefecture, node.prefecture.is_some())?;
    }
    if let (Some(code), Some(prefecture)) = (node.municipality, node.prefecture)
        && code.prefecture() != prefecture
    {
        let sentence = format!("does not hold {code}; write \"{}\"", code.prefecture());
        return Err(Finding::value("node", 0, "prefecture", sentence));
    }
    if node.body.as_deref().is_some_and(|body| !is_body_id(body)) {
        let sentence = "is no body id; write 1 to 22 of a-z, 0-9 and -, no - at either end";
        return Err(Finding::value("node", 0, "body", sentence));
    }
    if let Some(secrets) = &node.secrets
        && secrets.starts_with(&node.data)
    {
        let sentence = "lies in the data folder, so that a copy of the data would open itself; \
                        write a folder beside it";
        return Err(Finding::value("node", 0, "secrets", sentence));
    }
    if node.keys.starts_with(&node.data) {
        let sentence = "lies in the data folder, so that a copy of the data would open itself; \
                        write a folder beside it";
        return Err(Finding::value("node", 0, "keys", sentence));
    }
    Ok(())
}

fn check_role_sections(config: &NodeConfig) -> Result<(), Finding> {
    let role = config.node.role;
    let refuse = |section, key| Err(Finding::unknown(section, key, not_for(role)));
    let is_cs = role == NodeRole::MunicipalCs;
    if config.node.papers.is_some() && !is_cs {
        return refuse("node", "papers");
    }
    if config.node.label.is_some() && !is_cs {
        return refuse("node", "label");
    }
    if config.register.is_some() && !is_cs {
        return refuse("register", "");
    }
    let answers = match role {
        NodeRole::PrefectureServer | NodeRole::NationalCenter => true,
        NodeRole::MunicipalCs
        | NodeRole::AgencyTerminal
        | NodeRole::FirewallProxy
        | NodeRole::AccessPoint => false,
    };
    if !config.access.is_default() && !answers {
        return refuse("access", "");
    }
    if config.card.is_some() && role != NodeRole::AgencyTerminal {
        return refuse("card", "");
    }
    if role != NodeRole::FirewallProxy {
        if !config.rule.is_empty() {
            return refuse("rule", "");
        }
        if config.firewall.is_some() {
            return refuse("firewall", "");
        }
        if config.watch != Watch::default() {
            return refuse("watch", "");
        }
    }
    if role != NodeRole::AccessPoint {
        return if config.relay.is_empty() {
            Ok(())
        } else {
            refuse("relay", "")
        };
    }
    if config.relay.is_empty() {
        return Err(Finding::missing("relay", 0, "", needed_by(role)));
    }
    let used = [
        ("listen", config.listen.is_empty()),
        ("peer", config.peer.is_empty()),
        ("route", config.route.is_empty()),
    ];
    match used.into_iter().find(|(_, is_empty)| !is_empty) {
        Some((section, _)) => refuse(section, ""),
        None => Ok(()),
    }
}

fn check_calendar_and_limits(config: &NodeConfig) -> Result<(), Finding> {
    if config.calendar.version == 0 {
        return Err(Finding::value(
            "calendar",
            0,
            "version",
            "is 0; begin with 1",
        ));
    }
    let limits = &config.limits;
    if !(1_024..=16 << 20).contains(&limits.frame_bytes_max) {
        let sentence = "is out of bounds; write 1024 to 16777216";
        return Err(Finding::value("limits", 0, "frame_bytes_max", sentence));
    }
    if !(1_024..limits.frame_bytes_max).contains(&limits.block_bytes_max) {
        let sentence = "is out of bounds; write 1024 to less than frame_bytes_max";
        return Err(Finding::value("limits", 0, "block_bytes_max", sentence));
    }
    if let Some(register) = &config.register {
        if !(50..=600_000).contains(&register.poll_ms) {
            let sentence = "is out of bounds; write 50 to 600000";
            return Err(Finding::value("register", 0, "poll_ms", sentence));
        }
        if !(1_024..=1 << 40).contains(&register.file_bytes_max) {
            let sentence = "is out of bounds; write 1024 to 1099511627776";
            return Err(Finding::value("register", 0, "file_bytes_max", sentence));
        }
    }
    if !(10..=600_000).contains(&limits.receipt_timeout_ms) {
        let sentence = "is out of bounds; write 10 to 600000";
        return Err(Finding::value("limits", 0, "receipt_timeout_ms", sentence));
    }
    if let Some((key, sentence)) = config.access.out_of_bounds() {
        return Err(Finding::value("access", 0, key, sentence));
    }
    if limits.connecting_after_ms > 600_000 {
        let sentence = "is out of bounds; write 0 to 600000";
        return Err(Finding::value("limits", 0, "connecting_after_ms", sentence));
    }
    if !(1..=900).contains(&limits.session_idle_s) {
        let sentence = "is out of bounds; write 1 to 900";
        return Err(Finding::value("limits", 0, "session_idle_s", sentence));
    }
    check_listener_limits(limits)
}

fn check_listener_limits(limits: &Limits) -> Result<(), Finding> {
    let bounds = [
        (
            "handshakes_max",
            u64::from(limits.handshakes_max),
            1,
            65_536,
        ),
        (
            "handshakes_per_address_max",
            u64::from(limits.handshakes_per_address_max),
            1,
            65_536,
        ),
        (
            "handshakes_per_s",
            u64::from(limits.handshakes_per_s),
            1,
            100_000,
        ),
        ("retry_from", u64::from(limits.retry_from), 0, 65_536),
        ("hello_timeout_ms", limits.hello_timeout_ms, 100, 60_000),
        ("frame_timeout_ms", limits.frame_timeout_ms, 100, 600_000),
        (
            "frame_bytes_per_s_min",
            u64::from(limits.frame_bytes_per_s_min),
            1,
            1_000_000,
        ),
        (
            "peer_frames_per_s",
            u64::from(limits.peer_frames_per_s),
            1,
            10_000_000,
        ),
        (
            "peer_bytes_per_s",
            limits.peer_bytes_per_s,
            1_000,
            1_000_000_000_000,
        ),
        (
            "peer_links_per_min",
            u64::from(limits.peer_links_per_min),
            1,
            100_000,
        ),
    ];
    for (key, value, min, max) in bounds {
        if !(min..=max).contains(&value) {
            let sentence = format!("is out of bounds; write {min} to {max}");
            return Err(Finding::value("limits", 0, key, sentence));
        }
    }
    Ok(())
}

fn check_listens(config: &NodeConfig) -> Result<(), Finding> {
    let mut interfaces = HashSet::new();
    let mut announces: HashSet<&Path> = HashSet::new();
    for (index, listen) in config.listen.iter().enumerate() {
        if !interfaces.insert(listen.interface) {
            let sentence = format!("\"{}\" stands twice; keep one", listen.interface);
            return Err(Finding::value("listen", index, "interface", sentence));
        }
        if listen
            .announce
            .as_deref()
            .is_some_and(|path| !announces.insert(path))
        {
            let sentence = "stands twice; give each interface a file of its own";
            return Err(Finding::value("listen", index, "announce", sentence));
        }
    }
    if let Some(register) = &config.register {
        if register
            .announce
            .as_deref()
            .is_some_and(|path| announces.contains(path))
        {
            let sentence = "is an interface's file; give the register one of its own";
            return Err(Finding::value("register", 0, "announce", sentence));
        }
        if !is_plain_file_name(&register.token) {
            let sentence = "is no file name; write the name of a file in the keys folder";
            return Err(Finding::value("register", 0, "token", sentence));
        }
    }
    Ok(())
}

fn check_peers(config: &NodeConfig) -> Result<(), Finding> {
    let mut names = HashSet::new();
    let mut sources = HashSet::new();
    for (index, peer) in config.peer.iter().enumerate() {
        if peer.name == config.node.name {
            let sentence = "is this node itself; remove the section";
            return Err(Finding::value("peer", index, "name", sentence));
        }
        if !names.insert(&peer.name) {
            let sentence = format!("\"{}\" stands twice; keep one section", peer.name);
            return Err(Finding::value("peer", index, "name", sentence));
        }
        let listens = config
            .listen
            .iter()
            .any(|listen| listen.interface == peer.interface);
        if peer.dial.is_none() && !listens {
            let sentence = format!(
                "is missing and nothing listens on \"{0}\"; add dial or a [[listen]] for \"{0}\"",
                peer.interface
            );
            return Err(Finding::missing("peer", index, "dial", sentence));
        }
        for source in &peer.speaks_for {
            if *source == config.node.name {
                let sentence = "names this node itself; remove it";
                return Err(Finding::value("peer", index, "speaks_for", sentence));
            }
            if !sources.insert(source) {
                let sentence = format!("names \"{source}\" again; one peer speaks for one source");
                return Err(Finding::value("peer", index, "speaks_for", sentence));
            }
        }
    }
    Ok(())
}

fn check_routes(config: &NodeConfig) -> Result<(), Finding> {
    let mut destinations = HashSet::new();
    for (index, route) in config.route.iter().enumerate() {
        if route.to != Route::ANY && route.to.parse::<NodeId>().is_err() {
            let sentence = "is no node name; write a node name or \"*\"";
            return Err(Finding::value("route", index, "to", sentence));
        }
        if route.to == config.node.name.as_str() {
            let sentence = "is this node itself; remove the section";
            return Err(Finding::value("route", index, "to", sentence));
        }
        if !destinations.insert(&route.to) {
            let sentence = format!("\"{}\" stands twice; keep one section", route.to);
            return Err(Finding::value("route", index, "to", sentence));
        }
        if config.peer_named(&route.via).is_none() {
            let sentence = format!(
                "\"{0}\" is no peer; add a [[peer]] named \"{0}\"",
                route.via
            );
            return Err(Finding::value("route", index, "via", sentence));
        }
    }
    Ok(())
}

fn check_rules(config: &NodeConfig) -> Result<(), Finding> {
    for (index, rule) in config.rule.iter().enumerate() {
        let refuse = |key, sentence: String| Err(Finding::value("rule", index, key, sentence));
        if rule.from == rule.to {
            let sentence = "is where the frames come from; write another interface".to_owned();
            return refuse("to", sentence);
        }
        for (key, is_empty) in [
            ("services", rule.services.is_empty()),
            ("sources", rule.sources.is_empty()),
            ("destinations", rule.destinations.is_empty()),
        ] {
            if is_empty {
                return refuse(
                    key,
                    "is empty; name at least one or remove the rule".to_owned(),
                );
            }
        }
        if let Some((key, sentence)) = rule.out_of_bounds(config.limits.frame_bytes_max) {
            return refuse(key, sentence);
        }
        for source in &rule.sources {
            let spoken_for = config
                .peer
                .iter()
                .any(|peer| peer.interface == rule.from && peer.speaks_for.contains(source));
            if !spoken_for {
                let from = rule.from;
                let sentence =
                    format!("no peer on \"{from}\" speaks for \"{source}\"; add it to speaks_for");
                return refuse("sources", sentence);
            }
        }
        for destination in &rule.destinations {
            let leaves = config.next_hop(destination).map(|peer| peer.interface);
            if leaves != Some(rule.to) {
                let sentence = format!(
                    "no route leads to \"{destination}\" by \"{}\"; add a [[route]]",
                    rule.to
                );
                return refuse("destinations", sentence);
            }
        }
    }
    Ok(())
}

fn check_relays(config: &NodeConfig) -> Result<(), Finding> {
    let mut names = HashSet::new();
    let mut announces = HashSet::new();
    for (index, relay) in config.relay.iter().enumerate() {
        if !names.insert(&relay.name) {
            let sentence = format!("\"{}\" stands twice; keep one section", relay.name);
            return Err(Finding::value("relay", index, "name", sentence));
        }
        if relay
            .announce
            .as_deref()
            .is_some_and(|path| !announces.insert(path))
        {
            let sentence = "stands twice; give each line a file of its own";
            return Err(Finding::value("relay", index, "announce", sentence));
        }
        if let Err(error) = relay.line_settings().check() {
            let sentence = format!("is out of bounds: {error}");
            return Err(Finding::value("relay", index, error.key(), sentence));
        }
        if let Err(error) = relay.schedule.check() {
            let sentence = format!("cannot be kept: {error}");
            return Err(Finding::value("relay", index, "schedule", sentence));
        }
    }
    Ok(())
}

/// Every shared stretch has a bandwidth and lines of this access point, each line on one at most.
fn check_segments(config: &NodeConfig) -> Result<(), Finding> {
    let mut names = HashSet::new();
    let mut shared = HashSet::new();
    for (index, segment) in config.segment.iter().enumerate() {
        let wrong = |key, sentence| Err(Finding::value("segment", index, key, sentence));
        if !names.insert(&segment.name) {
            let sentence = format!("\"{}\" stands twice; keep one section", segment.name);
            return wrong("name", sentence);
        }
        if segment.bandwidth_bps == 0 {
            let sentence = "is 0; a shared stretch has a bandwidth, else leave it out";
            return wrong("bandwidth_bps", sentence.to_owned());
        }
        if segment.queue_bytes > LineSettings::QUEUE_BYTES_MAX {
            return wrong(
                "queue_bytes",
                format!("is out of bounds: {}", LineSettingsError::Queue),
            );
        }
        for line in &segment.lines {
            if !config.relay.iter().any(|relay| relay.name == *line) {
                let sentence = format!("names \"{line}\", which is no [[relay]] here");
                return wrong("lines", sentence);
            }
            if !shared.insert(line) {
                let sentence = format!("names \"{line}\" again; a line is on one segment");
                return wrong("lines", sentence);
            }
        }
    }
    Ok(())
}

fn is_plain_file_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| Path::new(name) == path)
}

fn needed_by(role: NodeRole) -> String {
    format!("is missing; a node of role {} needs it", role.program())
}

fn not_for(role: NodeRole) -> String {
    format!("is not for a node of role {}; remove it", role.program())
}
