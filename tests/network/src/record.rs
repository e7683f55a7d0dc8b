//! What ledgers say, read after their nodes have stopped.

use std::fs;
use std::sync::Arc;

use firewall_proxy::FirewallRecord;
use juki_audit::AuditRecord;
use juki_crypto::SystemRandomness;
use juki_dispatch::{SECURITY, SecurityRecord};
use juki_domain::NodeRole;
use juki_ledger::{Entry, EntryKind};
use juki_node::Keys;
use juki_runtime::DiskFiles;
use juki_services::query::BasisRecord;
use juki_store::{Ledger, LedgerIdentity, LedgerSettings};
use prost::Message as _;

use crate::Deployment;

/// A refusal that a node with services has recorded.
pub type SecurityNote = SecurityRecord;

/// The codes of all refusals in a firewall's ledger, in order.
///
/// # Panics
/// Where the ledger does not open.
#[must_use]
pub fn firewall_codes(deployment: &Deployment, firewall: &str) -> Vec<String> {
    let mut codes = Vec::new();
    visit(
        deployment,
        firewall,
        &mut |entry| match FirewallRecord::decode(entry.kind, &entry.payload).unwrap() {
            Some(FirewallRecord::RefusedFrame(refused)) => codes.push(refused.code),
            Some(FirewallRecord::LinkRefused(refused)) => codes.push(refused.code),
            Some(
                FirewallRecord::Run(_)
                | FirewallRecord::Lost(_)
                | FirewallRecord::Policy(_)
                | FirewallRecord::Alert(_),
            )
            | None => {}
        },
    );
    codes
}

/// The security notes in a node's ledger, in order.
///
/// # Panics
/// Where the ledger does not open.
#[must_use]
pub fn security_notes(deployment: &Deployment, node: &str) -> Vec<SecurityNote> {
    let mut notes = Vec::new();
    visit(deployment, node, &mut |entry| {
        if entry.kind == SECURITY {
            notes.push(SecurityRecord::decode(entry.payload.as_slice()).unwrap());
        }
    });
    notes
}

/// The audit records in a node's ledger, in order.
///
/// # Panics
/// Where the ledger does not open.
#[must_use]
pub fn audits(deployment: &Deployment, node: &str) -> Vec<AuditRecord> {
    let mut records = Vec::new();
    visit(deployment, node, &mut |entry| {
        records.extend(AuditRecord::of(entry))
    });
    records
}

/// What a node's ledger says of legal-basis tables, in order.
///
/// # Panics
/// Where the ledger does not open.
#[must_use]
pub fn basis_records(deployment: &Deployment, node: &str) -> Vec<BasisRecord> {
    let mut records = Vec::new();
    visit(deployment, node, &mut |entry| {
        records.extend(BasisRecord::of(entry))
    });
    records
}

/// The findings of a firewall's detectors, in order: their kinds.
///
/// # Panics
/// Where the ledger does not open.
#[must_use]
pub fn firewall_alerts(deployment: &Deployment, firewall: &str) -> Vec<String> {
    let mut kinds = Vec::new();
    visit(deployment, firewall, &mut |entry| {
        if let Some(FirewallRecord::Alert(alert)) =
            FirewallRecord::decode(entry.kind, &entry.payload).unwrap()
        {
            kinds.push(alert.kind);
        }
    });
    kinds
}

/// The payloads of a kind of entries in a node's ledger, in order.
///
/// # Panics
/// Where the ledger does not open.
#[must_use]
pub fn payloads(deployment: &Deployment, node: &str, kind: EntryKind) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    visit(deployment, node, &mut |entry| {
        if entry.kind == kind {
            payloads.push(entry.payload.clone());
        }
    });
    payloads
}

/// All entries of a node's ledger, in order.
///
/// # Panics
/// Where the ledger does not open.
#[must_use]
pub fn entries(deployment: &Deployment, node: &str) -> Vec<Entry> {
    let mut all = Vec::new();
    visit(deployment, node, &mut |entry| all.push(entry.clone()));
    // Opening the copy began a run of its own.
    let _opened = all.pop();
    all
}

/// Reads a copy, since opening a ledger begins a segment.
fn visit(deployment: &Deployment, node: &str, see: &mut dyn FnMut(&Entry)) {
    let folder = deployment.node(node);
    let copy = tempfile::tempdir_in(deployment.folder()).unwrap();
    for file in fs::read_dir(folder.join("data/ledger")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let node = node.parse().unwrap();
    let keys = Keys::read(&folder.join("keys"), &node, NodeRole::AccessPoint).unwrap();
    let identity = LedgerIdentity {
        node,
        storage: keys.storage_key(),
        signing: Arc::clone(&keys.signing),
        randomness: Arc::new(SystemRandomness),
    };
    let (ledger, _) = Ledger::open(
        DiskFiles::open(copy.path()).unwrap(),
        identity,
        LedgerSettings::default(),
        0,
    )
    .unwrap();
    ledger.replay(0, see).unwrap();
}
