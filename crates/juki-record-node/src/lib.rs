//! What nodes that hold records share: index, registry, legal basis, reports.
//!
//! A crate of its own because the chassis serves firewalls too, which must not know records.

mod basis;

use std::num::NonZeroU32;
use std::sync::Arc;

use juki_access::{AccessControl, AccessRates};
use juki_crypto::VerifyingKey;
use juki_dispatch::{IndexPort, View};
use juki_domain::{ErrorCode, MunicipalityCode, NodeId, NodeRole, ServiceId};
use juki_incident::{Level, Monitor, MonitorSettings, Suspicion};
use juki_index::{LsmIndex, LsmSize};
use juki_journal::{BLOCK_REFUSED, JournalReceiver, Refused};
use juki_ledger::Entry;
use juki_node::{Prepared, Reporter, Reports, StartError};
use juki_registry::Registry;
use prost::Message as _;
use serde_json::json;

pub use basis::{basis_routes, check_basis};

/// The appended tables of the Act under which the national center answers: national bodies (art.
/// 30-10 and 30-7 para. 3).
pub const NATIONAL_TABLES: [&str; 1] = ["別表第一"];

/// Those under which a prefecture answers: municipalities, other prefectures and its own offices
/// (art. 30-7 para. 4 to 6, 30-8 para. 1).
pub const PREFECTURE_TABLES: [&str; 4] = ["別表第二", "別表第三", "別表第四", "別表第五"];

/// The access control of a tier, its rates as configured. It refuses everybody until a legal-basis
/// table that the registrar signed is in force.
///
/// # Errors
/// [`StartError`] naming what is missing.
pub fn access_control(prepared: &Prepared) -> Result<AccessControl, StartError> {
    let access = prepared.config.access;
    // The configuration was checked: none of the two is 0.
    let rate = |per_min| NonZeroU32::new(per_min).unwrap_or(NonZeroU32::MIN);
    let rates = AccessRates {
        operator_per_min: rate(access.operator_per_min),
        body_per_min: rate(access.body_per_min),
    };
    Ok(AccessControl::new(registrar(prepared)?, rates))
}

/// The registrar's key, which signs operators' cards.
///
/// # Errors
/// [`StartError`] where the directory names none.
pub fn registrar(prepared: &Prepared) -> Result<VerifyingKey, StartError> {
    prepared
        .keys
        .directory
        .registrar
        .ok_or_else(|| StartError::missing("directory.bin: the registrar's key"))
}

/// The one node of a role.
///
/// # Errors
/// [`StartError`] where the directory names none.
pub fn only_node(prepared: &Prepared, role: NodeRole) -> Result<NodeId, StartError> {
    let mut found = prepared
        .keys
        .directory
        .nodes
        .iter()
        .filter(|(_, entry)| entry.role == role);
    found.next().map(|(node, _)| node.clone()).ok_or_else(|| {
        StartError::missing(&format!("directory.bin: a node of role {}", role.program()))
    })
}

/// The monitor service of a tier above the municipalities: it collects, and takes refused blocks for
/// what they are.
#[must_use]
pub fn monitor(upper: Option<NodeId>) -> Monitor {
    Monitor::new(MonitorSettings {
        upper,
        collects: true,
        suspects: vec![refused_block],
    })
}

/// A block that passed all firewalls and was refused: somebody forges a municipality's word, or a
/// ledger is not what it was.
fn refused_block(entry: &Entry) -> Option<Suspicion> {
    if entry.kind != BLOCK_REFUSED {
        return None;
    }
    let refused = Refused::decode(entry.payload.as_slice()).ok()?;
    Some(Suspicion {
        kind: "block-refused",
        level: Level::Three,
        peer: format!("{:05}", refused.municipality),
        service: ServiceId::Journal.name().to_owned(),
        code: refused.code,
        count: 1,
    })
}

/// The registry of this node, with pseudonyms of its own.
#[must_use]
pub fn registry(prepared: &Prepared, searchable: bool) -> Registry {
    Registry::new(
        prepared
            .keys
            .storage_key()
            .derive_digest_key("registry pseudonyms"),
        searchable,
    )
}

/// The index in the node's data folder.
///
/// # Errors
/// [`StartError`] where not even an empty one can be made.
pub fn open_index(prepared: &Prepared) -> Result<Arc<dyn IndexPort>, StartError> {
    if let Some(open) = &prepared.machine.index {
        return Ok(open());
    }
    // The number rises with the form of keys and values: an index of another form does not open under
    // the key, and is folded anew.
    let key = prepared.keys.storage_key().derive("index 3");
    let size = match prepared.config.node.role {
        NodeRole::PrefectureServer | NodeRole::NationalCenter => LsmSize::LARGE,
        NodeRole::MunicipalCs
        | NodeRole::AgencyTerminal
        | NodeRole::FirewallProxy
        | NodeRole::AccessPoint => LsmSize::SMALL,
    };
    let folder = prepared.data().join("index");
    let index = LsmIndex::open(&folder, key, prepared.machine.randomness.as_ref(), size);
    index
        .map(|index| Arc::new(index) as Arc<dyn IndexPort>)
        .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))
}

/// The report of a tier above the municipalities.
#[must_use]
pub fn tier_reporter(registry: Registry, passes_on: bool) -> Reporter {
    Box::new(move |view| {
        let counts = registry.counts(view);
        let cursors: serde_json::Map<_, _> = JournalReceiver::cursors(view)
            .into_iter()
            .map(|(municipality, cursor)| (municipality.to_string(), json!(cursor.seq)))
            .collect();
        Reports {
            residents: counts.iter().map(|(_, count)| count).sum(),
            behind: if passes_on {
                JournalReceiver::behind(view)
            } else {
                0
            },
            more: vec![
                (
                    "digests".to_owned(),
                    digests(
                        &registry,
                        view,
                        counts.iter().map(|(municipality, _)| *municipality),
                    ),
                ),
                ("journals".to_owned(), cursors.into()),
                (
                    "differences".to_owned(),
                    registry.differences(view, 1_000).len().into(),
                ),
            ],
            ..Reports::default()
        }
    })
}

/// The digest of each municipality's fold, as hexadecimal text.
#[must_use]
pub fn digests(
    registry: &Registry,
    view: &View,
    municipalities: impl Iterator<Item = MunicipalityCode>,
) -> serde_json::Value {
    let hex = |municipality| {
        registry
            .digest(view, municipality)
            .digest()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    municipalities
        .map(|municipality| (municipality.to_string(), json!(hex(municipality))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
