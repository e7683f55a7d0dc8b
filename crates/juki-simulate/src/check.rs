//! What must hold when everything has settled (docs/design.md, section 8).

use std::collections::{BTreeMap, BTreeSet};

use juki_audit::AuditRecord;
use juki_crypto::StorageKey;
use juki_domain::{MunicipalityCode, NodeRole};
use juki_journal::{BLOCK, JOURNAL_ENTRY, JournalEntry, SignedBlock};
use juki_ledger::Entry;
use juki_node::Reports;
use juki_registry::{Position, decode_change};
use juki_store::{LedgerReader, verify_files};
use prost::Message as _;
use serde_json::Value;

use crate::model;
use crate::station::Station;
use crate::world::World;

/// What has not settled yet, if anything.
pub(crate) fn unsettled(world: &World) -> Option<String> {
    if let Some(down) = world.stations.iter().find(|station| !station.is_up()) {
        return Some(format!("{} is down", down.place.name));
    }
    let waiting = world.town_hall.waiting();
    if waiting > 0 {
        return Some(format!("{waiting} requests have no answer"));
    }
    for station in of_role(world, NodeRole::MunicipalCs) {
        let report = reports(station);
        let at = |key: &str| more(&report, "journal").get(key).and_then(Value::as_u64);
        let (head, below, above) = (at("head"), at("at_prefecture"), at("at_national"));
        if head.is_none() || head != below || head != above {
            let name = &station.place.name;
            return Some(format!(
                "{name} wrote {head:?} and knows of {below:?} at the prefecture, {above:?} at the center"
            ));
        }
    }
    let behind = of_role(world, NodeRole::PrefectureServer).map(|station| reports(station).behind);
    let behind: u64 = behind.sum();
    (behind > 0)
        .then(|| format!("the prefecture is {behind} entries ahead of what the center confirmed"))
}

/// Digests and counts are equal on all tiers, and no difference was noted.
pub(crate) fn registries(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let of = |role| of_role(world, role).next().map(reports).unwrap_or_default();
    let (below, above) = (of(NodeRole::PrefectureServer), of(NodeRole::NationalCenter));
    for (tier, report) in [("prefecture", &below), ("center", &above)] {
        if more(report, "differences").as_u64() != Some(0) {
            found.push(format!("the {tier} has noted differences"));
        }
    }
    let mut all = 0;
    for (number, town) in world.town_hall.towns().iter().enumerate() {
        let Some(station) = station_of(world, *town) else {
            continue;
        };
        let report = reports(station);
        let digest = |report: &Reports| more(report, "digests").get(town.to_string()).cloned();
        let digests = [digest(&report), digest(&below), digest(&above)];
        // A town where nothing was ever written is known to no tier.
        let is_empty = report.residents == 0 && digests[1].is_none() && digests[2].is_none();
        if !is_empty && (digests[0] != digests[1] || digests[0] != digests[2]) {
            found.push(format!(
                "{town}: the tiers have different registers: {digests:?}"
            ));
        }
        let is_here = |resident: &&model::Resident| resident.place == model::Place::In(number);
        let residents = world.town_hall.residents.iter().filter(is_here).count() as u64;
        if report.residents != residents {
            let counted = report.residents;
            found.push(format!(
                "{town}: {residents} residents are counted as {counted}"
            ));
        }
        all += residents;
    }
    for (tier, report) in [("prefecture", &below), ("center", &above)] {
        if report.residents != all {
            let counted = report.residents;
            found.push(format!(
                "the {tier} counts {counted} residents where {all} live"
            ));
        }
    }
    found
}

/// No code belongs to two people.
pub(crate) fn codes(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for resident in &world.town_hall.residents {
        for code in resident.former_codes.iter().chain(&resident.code) {
            if !seen.insert(*code) {
                let number = resident.number;
                found.push(format!(
                    "resident {number} has a code that another has, or had"
                ));
            }
        }
    }
    found
}

/// Everything that is read from the ledgers of nodes that have stopped.
pub(crate) fn ledgers(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut blocks = BTreeMap::new();
    for station in &world.stations {
        let (name, role) = (&station.place.name, station.place.role);
        let entries = match read(world, station) {
            Ok(entries) => entries,
            Err(error) => {
                found.push(format!("{name}: {error}"));
                continue;
            }
        };
        match role {
            NodeRole::MunicipalCs => found.extend(journal(world, station, &entries)),
            NodeRole::PrefectureServer | NodeRole::NationalCenter => {
                blocks.insert(role, blocks_of(&entries, &mut found));
            }
            NodeRole::FirewallProxy | NodeRole::AgencyTerminal | NodeRole::AccessPoint => {}
        }
        if role == NodeRole::NationalCenter {
            found.extend(audits(world, &entries));
        }
    }
    if blocks.get(&NodeRole::PrefectureServer) != blocks.get(&NodeRole::NationalCenter) {
        found.push("the center's blocks are not those of the prefecture".to_owned());
    }
    found
}

/// A ledger's entries, every checksum, leaf and checkpoint verified.
fn read(world: &World, station: &Station) -> Result<Vec<Entry>, String> {
    let key = world.deployment.storage_key(&station.place);
    let key = StorageKey::new(key.map_err(|error| error.to_string())?);
    let report = verify_files(&station.disk, Some(&key)).map_err(|error| error.to_string())?;
    if report.opened != report.entries {
        let (opened, all) = (report.opened, report.entries);
        return Err(format!("{opened} of {all} entries were opened"));
    }
    let reader = LedgerReader::open(station.disk.clone(), key);
    let mut reader = reader.map_err(|error| error.to_string())?;
    let mut entries = Vec::new();
    while let Some(mut frame) = reader.next_frame().map_err(|error| error.to_string())? {
        entries.append(&mut frame);
    }
    Ok(entries)
}

/// Every acknowledged change is in its journal with its number, once, and nothing else is.
fn journal(world: &World, station: &Station, entries: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    let town = station.place.config.node.municipality;
    let towns = world.town_hall.towns();
    let Some(number) = towns.iter().position(|known| Some(*known) == town) else {
        return vec![format!("{} is of no town", station.place.name)];
    };
    let name = &station.place.name;
    let mut journal = BTreeMap::new();
    let written = entries.iter().filter(|entry| entry.kind == JOURNAL_ENTRY);
    for (next, entry) in (1_u64..).zip(written) {
        let entry = JournalEntry::decode(entry.payload.as_slice());
        let read = entry.ok().and_then(|entry| {
            let change = decode_change(&entry.change).ok()?;
            Some((entry.position(), change))
        });
        let Some((position, change)) = read else {
            found.push(format!(
                "{name}: entry {next} of the journal cannot be read"
            ));
            continue;
        };
        let expected = Position {
            epoch: 1,
            seq: next,
        };
        if position != expected {
            found.push(format!("{name}: {position:?} stands where {next} is next"));
        }
        journal.insert(position, change);
    }
    let acknowledged = world.town_hall.acknowledged.iter();
    for done in acknowledged.filter(|done| done.town == number) {
        match journal.remove(&done.position) {
            Some(change) if change == done.change => {}
            Some(_) => found.push(format!(
                "{name}: {:?} says something else than was asked",
                done.position
            )),
            None => found.push(format!(
                "{name}: {:?} was acknowledged and is gone, or acknowledged twice",
                done.position
            )),
        }
    }
    if !journal.is_empty() {
        let count = journal.len();
        found.push(format!("{name}: {count} entries were never acknowledged"));
    }
    found
}

/// The blocks of each municipality, which continue each other.
fn blocks_of(entries: &[Entry], found: &mut Vec<String>) -> BTreeMap<u32, Vec<Vec<u8>>> {
    let mut by_town: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    let mut next: BTreeMap<u32, u64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == BLOCK) {
        let signed = SignedBlock::decode(entry.payload.as_slice()).ok();
        let Some(header) = signed.and_then(|signed| signed.read_header().ok()) else {
            found.push(format!(
                "entry {} is a block that cannot be read",
                entry.seq
            ));
            continue;
        };
        let town = header.municipality;
        let expected = next.entry(town).or_insert(1);
        if header.first_seq != *expected {
            let first = header.first_seq;
            found.push(format!(
                "{town}: a block begins with {first}, {expected} is next"
            ));
        }
        *expected = header.last_seq() + 1;
        by_town.entry(town).or_default().push(entry.payload.clone());
    }
    by_town
}

/// Nothing was provided without an audit record.
fn audits(world: &World, entries: &[Entry]) -> Vec<String> {
    let recorded: BTreeSet<String> = entries
        .iter()
        .filter_map(AuditRecord::of)
        .map(|audit| audit.message_id)
        .collect();
    let provided = world.provided.iter();
    provided
        .filter(|message| !recorded.contains(*message))
        .map(|message| format!("answer {message} has no audit record"))
        .collect()
}

fn of_role(world: &World, role: NodeRole) -> impl Iterator<Item = &Station> {
    let stations = world.stations.iter();
    stations.filter(move |station| station.place.role == role)
}

fn station_of(world: &World, town: MunicipalityCode) -> Option<&Station> {
    of_role(world, NodeRole::MunicipalCs)
        .find(|station| station.place.config.node.municipality == Some(town))
}

fn reports(station: &Station) -> Reports {
    station
        .handle()
        .map(|handle| handle.reports())
        .unwrap_or_default()
}

fn more(report: &Reports, key: &str) -> Value {
    let found = report.more.iter().find(|(name, _)| name == key);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}
