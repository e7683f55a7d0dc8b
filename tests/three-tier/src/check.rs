//! What must hold when everything has settled.

use std::collections::{BTreeMap, BTreeSet};

use juki_audit::AuditRecord;
use juki_domain::ReasonClass;
use juki_journal::{
    BLOCK, Heights, JOURNAL_ENTRY, JournalEntry, JournalReceiver, JournalSender, SignedBlock,
};
use juki_registry::{Position, decode_change};
use juki_services::codes::CodeAllocator;
use juki_services::query::{Question, ShownRecord};
use juki_store::verify_files;
use prost::Message as _;

use crate::node::permutation;
use crate::terminal::by_code;
use crate::{Node, Place, Post, Resident, World, municipality, registry};

/// About how many residents are asked about.
const QUESTIONS_MAX: usize = 40;

/// What has not settled yet, if anything.
pub(crate) fn unsettled(world: &World) -> Option<String> {
    if let Some(down) = world.nodes.values().find(|node| !node.is_up()) {
        return Some(format!("{} is down", down.post.name()));
    }
    if world.town_hall.waiting() > 0 {
        return Some(format!(
            "{} requests have no answer",
            world.town_hall.waiting()
        ));
    }
    for town in 0..Post::TOWNS {
        let view = world.node(Post::Town(town)).view();
        let (head, heights) = (
            JournalSender::head(view),
            Heights::load(view, municipality(town)),
        );
        if heights.prefecture != head.seq || heights.national != head.seq {
            return Some(format!(
                "town {town} wrote {} and knows of {} at the prefecture, {} at the center",
                head.seq, heights.prefecture, heights.national
            ));
        }
    }
    let behind = JournalReceiver::behind(world.node(Post::Prefecture).view());
    (behind > 0)
        .then(|| format!("the prefecture is {behind} entries ahead of what the center confirmed"))
}

/// Checks everything.
pub(crate) fn all(world: &mut World) {
    let mut found = journals(world);
    found.extend(blocks(world));
    found.extend(registries(world));
    found.extend(codes(world));
    found.extend(own_records(world));
    found.extend(ledgers(world));
    world.violations.append(&mut found);
    let mut found = questions(world);
    found.extend(audits(world));
    world.violations.append(&mut found);
}

/// Every acknowledged change is in its journal with its number, once, and nothing else is.
fn journals(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for town in 0..Post::TOWNS {
        let mut journal = BTreeMap::new();
        let entries = world.node(Post::Town(town)).entries();
        for (next, entry) in
            (1u64..).zip(entries.iter().filter(|entry| entry.kind == JOURNAL_ENTRY))
        {
            let written =
                JournalEntry::decode(entry.payload.as_slice()).expect("the journal is read");
            if written.position()
                != (Position {
                    epoch: 1,
                    seq: next,
                })
            {
                found.push(format!(
                    "town {town}: {:?} stands where {next} is next",
                    written.position()
                ));
            }
            journal.insert(
                written.position(),
                decode_change(&written.change).expect("a change is read"),
            );
        }
        let acknowledged: Vec<_> = world
            .town_hall
            .acknowledged
            .iter()
            .filter(|done| done.town == town)
            .collect();
        for done in &acknowledged {
            match journal.remove(&done.position) {
                Some(change) if change == done.change => {}
                Some(_) => found.push(format!(
                    "town {town}: {:?} says something else than was asked",
                    done.position
                )),
                None => found.push(format!(
                    "town {town}: {:?} was acknowledged and is gone, or acknowledged twice",
                    done.position
                )),
            }
        }
        if !journal.is_empty() {
            found.push(format!(
                "town {town}: {} entries were never acknowledged",
                journal.len()
            ));
        }
    }
    found
}

/// Blocks continue each other at both tiers, cover the journal, and the center has the prefecture's.
fn blocks(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let held = |post| {
        let mut by_town: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
        for entry in world
            .node(post)
            .entries()
            .iter()
            .filter(|entry| entry.kind == BLOCK)
        {
            let signed =
                SignedBlock::decode(entry.payload.as_slice()).expect("an accepted block is read");
            let header = signed.read_header().expect("an accepted header is read");
            by_town
                .entry(header.municipality)
                .or_default()
                .push(entry.payload.clone());
        }
        by_town
    };
    let (below, above) = (held(Post::Prefecture), held(Post::National));
    if below != above {
        found.push("the center's blocks are not those of the prefecture".to_owned());
    }
    for (town, blocks) in &below {
        let mut next = 1;
        for block in blocks {
            let signed = SignedBlock::decode(block.as_slice()).expect("read before");
            let header = signed.read_header().expect("read before");
            if header.first_seq != next {
                found.push(format!(
                    "municipality {town}: a block begins with {}, {next} is next",
                    header.first_seq
                ));
            }
            next = header.last_seq() + 1;
        }
    }
    found
}

/// Digests and counts are equal on all tiers.
fn registries(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for town in 0..Post::TOWNS {
        let code = municipality(town);
        let tiers = [Post::Town(town), Post::Prefecture, Post::National];
        let digests: BTreeSet<_> = tiers
            .iter()
            .map(|post| {
                registry(*post)
                    .digest(world.node(*post).view(), code)
                    .digest()
            })
            .collect();
        if digests.len() != 1 {
            found.push(format!(
                "town {town}: the tiers have {} different registers",
                digests.len()
            ));
        }
        let residents = world
            .town_hall
            .residents
            .iter()
            .filter(|resident| resident.place == Place::In(town))
            .count() as u64;
        let counts: Vec<u64> = tiers
            .iter()
            .map(|post| registry(*post).count(world.node(*post).view(), code))
            .collect();
        if counts.iter().any(|count| *count != residents) {
            found.push(format!(
                "town {town}: {residents} residents are counted as {counts:?}"
            ));
        }
        let differences =
            registry(Post::National).differences(world.node(Post::National).view(), 10);
        if !differences.is_empty() {
            found.push(format!("{} differences were noted", differences.len()));
        }
    }
    found
}

/// No code belongs to two people, and each one was given out by the center.
fn codes(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let allocator = CodeAllocator::new(permutation());
    for resident in &world.town_hall.residents {
        for code in resident.former_codes.iter().chain(&resident.code) {
            if !seen.insert(*code) {
                found.push(format!(
                    "resident {} has a code that another has, or had before",
                    resident.number
                ));
            }
            if !allocator.gave_out(world.node(Post::National).view(), code) {
                found.push(format!(
                    "resident {} has a code that nobody gave out",
                    resident.number
                ));
            }
        }
    }
    found
}

/// Each town's own records are the last that was said there.
fn own_records(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for ((town, code), change) in &world.town_hall.records {
        let post = Post::Town(*town);
        let record = registry(post).own_record(world.node(post).view(), code, municipality(*town));
        if record.as_ref().map(|record| &record.change) != Some(change) {
            found.push(format!("town {town}: a record is not what was said last"));
        }
    }
    found
}

/// Ledgers verify, and each node's state is what its ledger folds to.
fn ledgers(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for node in world.nodes.values() {
        match verify_files(&node.disk, Some(&Node::storage_key())) {
            Ok(report) if report.opened == report.entries => {}
            Ok(report) => found.push(format!(
                "{}: {} of {} entries were opened",
                node.post.name(),
                report.opened,
                report.entries
            )),
            Err(failure) => found.push(format!("{}: {failure}", node.post.name())),
        }
        let [refolded, live] = node.refolded_and_live();
        if refolded != live {
            let different = refolded
                .iter()
                .zip(&live)
                .find(|(one, other)| one != other)
                .map(|(one, _)| String::from_utf8_lossy(&one.0).into_owned());
            found.push(format!(
                "{}: what the ledger folds to is not what the node knows ({different:?})",
                node.post.name()
            ));
        }
    }
    found
}

/// The center answers with what the model knows of everybody.
fn questions(world: &mut World) -> Vec<String> {
    let mut asked = Vec::new();
    let residents = world.town_hall.residents.clone();
    for resident in residents
        .iter()
        .step_by(residents.len() / QUESTIONS_MAX + 1)
    {
        let Some(code) = resident.code else { continue };
        let mut questions = vec![by_code(code.reveal())];
        questions.extend(
            resident
                .former_codes
                .iter()
                .map(|code| by_code(code.reveal())),
        );
        if resident.number % 4 == 0 {
            questions.push(by_items(resident));
        }
        for (at, question) in questions.into_iter().enumerate() {
            if let Some(ticket) = world.ask(question) {
                asked.push((
                    ticket,
                    resident.clone(),
                    at == 0 || at > resident.former_codes.len(),
                ));
            }
        }
    }
    world.advance(world.now_ms + 3_000);
    let mut found = Vec::new();
    for (ticket, resident, current) in asked {
        let shown = world
            .terminal
            .heard
            .get(&ticket)
            .and_then(|answer| answer.answered.as_ref())
            .and_then(|answered| answered.record.as_ref());
        let right = match (shown, current) {
            (None, _) => false,
            (Some(shown), true) => is_of(shown, &resident),
            (Some(shown), false) => shown.ended,
        };
        if !right {
            found.push(format!(
                "resident {} ({:?}) is answered wrongly, current code {current}",
                resident.number,
                place(&resident)
            ));
        }
    }
    found
}

fn by_items(resident: &Resident) -> Question {
    Question {
        affair: "war-bereaved-pension".to_owned(),
        name: resident.name.reveal().to_owned(),
        birth: resident.birth.number(),
        sex: resident.sex as u32,
        address: resident.address.reveal().to_owned(),
        ..Question::default()
    }
}

fn is_of(shown: &ShownRecord, resident: &Resident) -> bool {
    let Some((town, change)) = &resident.last else {
        return false;
    };
    let record = &change.record;
    shown.municipality == municipality(*town).number()
        && shown.ended == (change.reason.class() == ReasonClass::Deletion)
        && shown.code == record.code.reveal()
        && shown.name == record.name.reveal()
        && shown.birth == record.birth.number()
        && shown.sex == record.sex as u32
        && shown.address == record.address.reveal()
        && shown.reason == change.reason as u32
        && shown.event_date == change.event_date.number()
}

fn place(resident: &Resident) -> String {
    match &resident.place {
        Place::Unborn => "unborn".to_owned(),
        Place::In(town) => format!("in {town}"),
        Place::Between(paper, _) => {
            format!("between {} and {}", paper.municipality, paper.destination)
        }
        Place::Gone(town) => format!("gone from {town}"),
        Place::Dead(town) => format!("died in {town}"),
    }
}

/// Nothing was provided without an audit record.
fn audits(world: &World) -> Vec<String> {
    let entries = world.node(Post::National).entries();
    let recorded: BTreeSet<String> = entries
        .iter()
        .filter_map(AuditRecord::of)
        .map(|audit| audit.message_id)
        .collect();
    let answered = world
        .terminal
        .heard
        .values()
        .filter(|answer| answer.answered.is_some());
    answered
        .filter(|answer| !recorded.contains(&answer.message_id))
        .map(|answer| format!("answer {} has no audit record", answer.message_id))
        .collect()
}
