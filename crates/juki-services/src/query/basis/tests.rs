use std::sync::Arc;

use juki_crypto::{SigningKey, SystemRandomness};
use juki_dispatch::MemoryIndex;
use juki_domain::CivilDate;

use super::*;

const FIRST: &str = include_str!("../../../../../configs/legal-basis.csv");
const TABLES: [&str; 1] = ["別表第一"];

/// A ledger in memory and the view folded from it.
struct World {
    entries: Vec<Arc<Entry>>,
    view: View,
    registrar: SigningKey,
}

impl LedgerRead for World {
    fn entries(&self, from_seq: u64, _bytes_max: usize) -> Vec<Arc<Entry>> {
        let from = self.entries.iter().filter(|entry| entry.seq >= from_seq);
        from.take(1).cloned().collect()
    }
}

impl World {
    fn new() -> Self {
        Self {
            entries: Vec::new(),
            view: View::new(Arc::new(MemoryIndex::default())),
            registrar: SigningKey::generate(&SystemRandomness).unwrap(),
        }
    }

    fn append(&mut self, kind: EntryKind, payload: Vec<u8>) {
        let entry = Entry {
            seq: self.entries.len() as u64 + 1,
            at_ms: 1,
            kind,
            salt: Default::default(),
            payload,
        };
        self.view.begin_entry(entry.seq);
        apply(&entry, &mut self.view);
        self.entries.push(Arc::new(entry));
    }

    /// The node hears a table and records what it is told to: the record, and what is in force.
    fn hears(&mut self, number: u64, body: &[u8]) -> (Option<BasisRecord>, Option<u64>) {
        let kind = juki_crypto::NoticeKind::LegalBasis;
        let notice = Notice::sign(kind, number, body.to_vec(), &self.registrar);
        let heard = hear(&notice, 5, self, &self.view);
        if let Some(record) = &heard.record {
            self.append(BASIS_IN_FORCE, record.encode_to_vec());
        }
        (heard.record, heard.in_force.map(|(number, _)| number))
    }

    /// Everything but the ledger is lost.
    fn restarts(&mut self) -> Option<u64> {
        self.view = View::new(Arc::new(MemoryIndex::default()));
        for entry in &self.entries {
            self.view.begin_entry(entry.seq);
            apply(entry, &mut self.view);
        }
        resumed(self, &self.view).map(|(number, _)| number)
    }
}

#[test]
fn a_table_taken_in_force_is_recorded_whole_with_what_it_changes() {
    let mut world = World::new();
    world.append(EntryKind(1), Vec::new());
    assert_eq!(world.restarts(), None);
    let (record, in_force) = world.hears(1, FIRST.as_bytes());
    let record = record.unwrap();
    assert_eq!(
        (in_force, record.added.len(), record.number),
        (Some(1), 20, 1)
    );
    assert_eq!(
        (record.table.as_str(), record.digest),
        (FIRST, sha256(FIRST.as_bytes()).to_vec())
    );
    let second = FIRST
        .replace(
            "2003-04,reading,both,123456,yes",
            "2003-05,reading,both,123456,yes",
        )
        .replace("passport,yamaguchi", "visa,yamaguchi");
    let (record, in_force) = world.hears(2, second.as_bytes());
    let record = record.unwrap();
    assert_eq!(in_force, Some(2));
    assert_eq!(record.added, ["yamaguchi visa"]);
    assert_eq!(record.removed, ["yamaguchi passport"]);
    assert_eq!(record.changed, ["mic public-servant-pension"]);
    assert_eq!(world.restarts(), Some(2));
    // After each start the notice is heard again: nothing new to record, and what was resumed stays.
    assert_eq!(world.hears(2, second.as_bytes()), (None, None));
    // Nor is another table that has a known number.
    assert_eq!(world.hears(2, FIRST.as_bytes()), (None, None));
    // An old one that somebody put beside the keys meanwhile is not taken.
    assert_eq!(world.hears(1, FIRST.as_bytes()), (None, None));
}

#[test]
fn a_table_that_cannot_be_read_leaves_the_former_in_force_and_is_recorded_once() {
    let mut world = World::new();
    let _first = world.hears(4, FIRST.as_bytes());
    for garbled in [
        &b"affair,body"[..],
        &[0xff, 0xfe],
        FIRST.replace("yes", "perhaps").as_bytes(),
    ] {
        let number = 5 + world.entries.len() as u64;
        let (record, in_force) = world.hears(number, garbled);
        let record = record.unwrap();
        assert!(in_force.is_none() && !record.fault.is_empty() && record.table.is_empty());
        assert_eq!(world.restarts(), Some(4));
        assert_eq!(world.hears(number, garbled), (None, None));
    }
    let (record, in_force) = world.hears(99, FIRST.as_bytes());
    assert_eq!((in_force, record.unwrap().added.len()), (Some(99), 0));
}

#[test]
fn a_node_keeps_the_rows_of_its_own_tables() {
    let table = LegalBasisTable::parse(FIRST).unwrap();
    let own = of_node((7, table), &TABLES);
    assert_eq!((own.number, own.table.all().len()), (7, 9));
    let day: CivilDate = "2002-12-01".parse().unwrap();
    let passport = Purpose {
        body: "yamaguchi",
        affair: "passport",
    };
    assert!(own.table.decide(passport, day).is_err());
}

#[test]
fn the_largest_table_in_place_of_another_fits_one_entry_with_names_of_rows() {
    let row = FIRST.lines().nth(1).unwrap();
    let mut text = FIRST.lines().next().unwrap().to_owned() + "\n";
    let mut number = 0;
    while text.len() + 200 < LegalBasisTable::BYTES_MAX {
        // Short rows are the most names a table can have.
        let short = row
            .replace("local-mutual-aid-pension", &format!("a{number}"))
            .replace("地方公務員共済組合、全国市町村職員共済組合連合会", "b")
            .replace("地方公務員等共済組合法", "c")
            .replace("共済年金の支給に関する事務(地方公務員共済)", "d");
        text.push_str(&short);
        text.push('\n');
        number += 1;
    }
    let mut world = World::new();
    let other = text.replace("\na", "\nlonger-by-far-than-all-others-a");
    for (number, text) in [(1, &text), (2, &other), (3, &text)] {
        let text = text
            .split_at(text.len().min(LegalBasisTable::BYTES_MAX))
            .0
            .rsplit_once('\n')
            .unwrap()
            .0;
        let (record, in_force) = world.hears(number, text.as_bytes());
        assert_eq!(in_force, Some(number));
        let length = record.unwrap().encoded_len();
        assert!(length <= juki_ledger::PAYLOAD_BYTES_MAX, "{length}");
    }
}
