use std::sync::Arc;

use juki_crypto::DigestKey;
use juki_dispatch::{MemoryIndex, View};
use juki_domain::{Change, ChangeReason, MunicipalityCode, ResidentRecordCode};
use proptest::prelude::*;

use super::*;
use crate::{Hit, Lookup, Position, Registry};

const STREETS: [&str; 3] = [
    "山口県萩市大字江向510番地",
    "山口県萩市土原1-2",
    "山口県萩市椿東3",
];
const NAMES: [&str; 6] = [
    "渡邊　一郎",
    "渡辺　一郎太",
    "渡部　花子",
    "林　花",
    "林　花子",
    "山田　太郎",
];

fn town() -> MunicipalityCode {
    "352047".parse().unwrap()
}

fn code(n: usize) -> ResidentRecordCode {
    ResidentRecordCode::from_body(format!("9{n:09}").as_bytes().try_into().unwrap()).unwrap()
}

fn person(n: usize, name: usize, birth: u32, sex: Sex, street: usize) -> Change {
    Change {
        reason: ChangeReason::Birth,
        event_date: "2002-08-05".parse().unwrap(),
        record: IdentityRecord {
            code: code(n),
            name: PersonName::parse(NAMES[name]).unwrap(),
            birth: BirthDate::from_number(birth).unwrap(),
            sex,
            address: Address::parse(STREETS[street]).unwrap(),
        },
        previous_code: None,
        origin: None,
    }
}

fn folded(changes: &[Change]) -> (Registry, View) {
    let registry = Registry::new(DigestKey::new(&[1; 32]), true);
    let mut view = View::new(Arc::new(MemoryIndex::default()));
    for (change, seq) in changes.iter().zip(1..) {
        registry.apply(&mut view, town(), Position { epoch: 1, seq }, change);
    }
    (registry, view)
}

fn ask(name: &str, begins: bool, birth: u32) -> FuzzyItems {
    FuzzyItems {
        name: PersonName::parse(name).unwrap(),
        name_begins: begins,
        birth: BirthDate::from_number(birth).unwrap(),
        sex: None,
        address: None,
    }
}

fn found(
    (registry, view): &(Registry, View),
    items: FuzzyItems,
) -> Option<Option<ResidentRecordCode>> {
    match registry.find(view, &Lookup::Fuzzy(items)) {
        Hit::None => None,
        Hit::One(record) => Some(Some(record.change.record.code)),
        Hit::Several => Some(None),
    }
}

#[test]
fn a_name_with_its_birth_date_finds_one_person_or_says_several() {
    let world = folded(&[
        person(1, 0, 19_300_405, Sex::Male, 0),
        person(2, 1, 19_300_405, Sex::Male, 1),
        person(3, 3, 19_410_101, Sex::Female, 0),
        person(4, 3, 19_410_101, Sex::Female, 1),
    ]);
    let one = |n| Some(Some(code(n)));
    assert_eq!(found(&world, ask("渡辺一郎", false, 19_300_405)), one(1));
    assert_eq!(found(&world, ask("渡辺一郎", false, 19_300_406)), None);
    assert_eq!(
        found(&world, ask("渡辺", false, 19_300_405)),
        None,
        "a whole name is whole"
    );
    assert_eq!(found(&world, ask("渡辺", true, 19_300_405)), Some(None));
    assert_eq!(found(&world, ask("渡邉　一郎太", true, 19_300_405)), one(2));
    assert_eq!(found(&world, ask("林　花", false, 19_410_101)), Some(None));
    let lives = |street: usize| FuzzyItems {
        address: Some(Address::parse(STREETS[street]).unwrap()),
        ..ask("林", true, 19_410_101)
    };
    assert_eq!(found(&world, lives(0)), one(3));
    assert_eq!(found(&world, lives(1)), one(4));
    assert_eq!(found(&world, lives(2)), None);
    let male = FuzzyItems {
        sex: Some(Sex::Male),
        ..lives(0)
    };
    assert_eq!(found(&world, male), None);
}

#[test]
fn who_has_moved_or_died_is_found_as_by_the_four_items() {
    let mut moved = person(1, 5, 19_500_101, Sex::Male, 1);
    moved.reason = ChangeReason::AddressChange;
    let mut died = person(2, 2, 19_500_101, Sex::Female, 0);
    died.reason = ChangeReason::Death;
    let world = folded(&[
        person(1, 5, 19_500_101, Sex::Male, 0),
        moved,
        person(2, 2, 19_500_101, Sex::Female, 0),
        died,
    ]);
    let there = |street: usize| FuzzyItems {
        address: Some(Address::parse(STREETS[street]).unwrap()),
        ..ask("山田　太郎", false, 19_500_101)
    };
    assert_eq!(found(&world, there(0)), None);
    assert_eq!(found(&world, there(1)), Some(Some(code(1))));
    assert_eq!(
        found(&world, ask("渡部花子", false, 19_500_101)),
        Some(Some(code(2)))
    );
}

#[test]
fn more_candidates_than_are_compared_are_several_without_comparing() {
    let many: Vec<Change> = (0..300)
        .map(|n| person(n, if n == 0 { 3 } else { 4 }, 19_600_101, Sex::Male, 0))
        .collect();
    assert_eq!(
        found(&folded(&many[..200]), ask("林　花", false, 19_600_101)),
        Some(Some(code(0)))
    );
    assert_eq!(
        found(&folded(&many), ask("林　花", false, 19_600_101)),
        Some(None)
    );
}

proptest! {
    /// The index finds exactly whom reading every record finds.
    #[test]
    fn it_finds_whom_reading_all_records_finds(
        persons in proptest::collection::vec((0usize..6, 0u32..3, any::<bool>(), 0usize..3), 0..25),
        asked in (0usize..6, 1usize..5, any::<bool>(), 0u32..3, proptest::option::of(any::<bool>()), proptest::option::of(0usize..3)),
    ) {
        let birth = |day: u32| 19_700_101 + day;
        let sex = |male| if male { Sex::Male } else { Sex::Female };
        let changes: Vec<Change> = persons.iter().enumerate()
            .map(|(n, (name, day, male, street))| person(n, *name, birth(*day), sex(*male), *street))
            .collect();
        let world = folded(&changes);
        let (name, length, begins, day, male, street) = asked;
        let text: String = if begins { NAMES[name].chars().take(length).collect() } else { NAMES[name].to_owned() };
        let items = FuzzyItems {
            name: PersonName::parse(&text).unwrap(),
            name_begins: begins,
            birth: BirthDate::from_number(birth(day)).unwrap(),
            sex: male.map(sex),
            address: street.map(|street| Address::parse(STREETS[street]).unwrap()),
        };
        let plain = |name: &str| name.replace('　', "").replace('邊', "辺");
        let fits = |record: &IdentityRecord| {
            let held = plain(record.name.reveal());
            let named = if begins { held.starts_with(&plain(&text)) } else { held == plain(&text) };
            named && record.birth == items.birth
                && items.sex.is_none_or(|sex| sex == record.sex)
                && items.address.as_ref().is_none_or(|address| *address == record.address)
        };
        let all: Vec<ResidentRecordCode> = changes.iter().filter(|change| fits(&change.record)).map(|change| change.record.code).collect();
        let expected = match all.as_slice() { [] => None, [one] => Some(Some(*one)), _ => Some(None) };
        prop_assert_eq!(found(&world, items), expected);
    }
}
