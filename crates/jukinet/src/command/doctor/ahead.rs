//! Journals of which a tier above holds more than the node below it.

use std::collections::HashMap;

use juki_admin::StatusReport;
use juki_domain::NodeRole;
use serde_json::Value;

use super::facts::End;

/// A tier above holds more of a journal than the node below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ahead {
    pub(super) municipality: String,
    pub(super) own: u64,
    pub(super) tier: String,
    pub(super) held: u64,
}

/// The journals of which a tier above holds more than this node.
pub(super) fn ahead(node: &End, ends: &HashMap<String, End>) -> Vec<Ahead> {
    let Some(report) = &node.report else {
        return Vec::new();
    };
    let tiers = |role: NodeRole| ends.values().filter(move |end| end.role == role);
    let (own, above): (Vec<(String, u64)>, Vec<&End>) = match node.role {
        NodeRole::MunicipalCs => {
            let municipality = node
                .config
                .as_ref()
                .ok()
                .and_then(|config| config.node.municipality);
            let head = report
                .more
                .get("journal")
                .and_then(|journal| journal.get("head"));
            let own = municipality.zip(head.and_then(Value::as_u64));
            let above = tiers(NodeRole::PrefectureServer).chain(tiers(NodeRole::NationalCenter));
            let own = own.into_iter().map(|(code, head)| (code.to_string(), head));
            (own.collect(), above.collect())
        }
        NodeRole::PrefectureServer => (journals(report), tiers(NodeRole::NationalCenter).collect()),
        NodeRole::NationalCenter
        | NodeRole::FirewallProxy
        | NodeRole::AgencyTerminal
        | NodeRole::AccessPoint => return Vec::new(),
    };
    let mut found = Vec::new();
    for tier in above {
        let held = tier.report.as_ref().map(journals).unwrap_or_default();
        for (municipality, own) in &own {
            let held = held.iter().find(|(code, _)| code == municipality);
            if let Some((_, held)) = held.filter(|(_, held)| held > own) {
                found.push(Ahead {
                    municipality: municipality.clone(),
                    own: *own,
                    tier: tier.name.clone(),
                    held: *held,
                });
            }
        }
    }
    found
}

fn journals(report: &StatusReport) -> Vec<(String, u64)> {
    let journals = report.more.get("journals").and_then(Value::as_object);
    journals
        .into_iter()
        .flatten()
        .filter_map(|(code, seq)| Some((code.clone(), seq.as_u64()?)))
        .collect()
}
