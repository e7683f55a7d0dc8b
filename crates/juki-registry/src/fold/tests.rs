use std::sync::Arc;

use juki_dispatch::MemoryIndex;
use juki_domain::{
    Address, BirthDate, ChangeReason, CivilDate, IdentityRecord, Origin, PersonName, Sex,
};
use proptest::prelude::*;

use super::*;
use crate::{Hit, Lookup, choose_current};

fn code(n: u32) -> ResidentRecordCode {
    ResidentRecordCode::from_body(format!("9{n:09}").as_bytes().try_into().unwrap()).unwrap()
}

fn municipality(n: usize) -> MunicipalityCode {
    ["352047", "355011", "355020", "352012"][n].parse().unwrap()
}

fn change(reason: ChangeReason, person: u32, day: i64, at: usize, origin: Option<usize>) -> Change {
    Change {
        reason,
        event_date: CivilDate::from_days(11_900 + day).unwrap(),
        record: IdentityRecord {
            code: code(person),
            name: PersonName::parse(&format!("渡邊　{person}")).unwrap(),
            birth: BirthDate::from_number(19_700_101).unwrap(),
            sex: Sex::Male,
            address: Address::parse(&format!("山口県{at}")).unwrap(),
        },
        previous_code: None,
        origin: origin.map(|n| Origin {
            municipality: municipality(n),
        }),
    }
}

fn empty() -> (Registry, View) {
    (
        Registry::new(DigestKey::new(&[1; 32]), true),
        View::new(Arc::new(MemoryIndex::default())),
    )
}

/// Three journals in which persons are born, move about and die, as their mayors would write them.
fn journals(moves: &[(u32, usize, u8)]) -> Vec<Vec<Change>> {
    let mut journals = vec![Vec::new(); 3];
    let mut home: std::collections::BTreeMap<u32, (usize, bool)> =
        std::collections::BTreeMap::new();
    for (day, (person, to, act)) in (0i64..).zip(moves.iter().copied()) {
        match home.get(&person).copied() {
            None => {
                journals[to].push(change(ChangeReason::Birth, person, day, to, None));
                home.insert(person, (to, true));
            }
            Some((_, false)) => {}
            Some((at, true)) if act == 0 => {
                journals[at].push(change(ChangeReason::Death, person, day, at, None));
                home.insert(person, (at, false));
            }
            Some((at, true)) if at != to => {
                journals[at].push(change(ChangeReason::MoveOut, person, day, at, None));
                journals[to].push(change(ChangeReason::MoveIn, person, day, to, Some(at)));
                home.insert(person, (to, true));
            }
            Some((at, true)) => journals[at].push(change(
                ChangeReason::AddressChange,
                person,
                day,
                at + 10,
                None,
            )),
        }
    }
    journals
}

/// Folds the journals in an order that keeps each one's own order, as every network does.
fn fold(journals: &[Vec<Change>], order: &[usize]) -> (Registry, View) {
    let (registry, mut view) = empty();
    let mut next = [0usize; 3];
    let all = order.iter().copied().chain(
        [0, 1, 2]
            .into_iter()
            .cycle()
            .take(3 * journals.iter().map(Vec::len).max().unwrap_or(0)),
    );
    for at in all {
        let Some(change) = journals[at].get(next[at]) else {
            continue;
        };
        let position = Position {
            epoch: 1,
            seq: next[at] as u64 + 1,
        };
        registry.apply(&mut view, municipality(at), position, change);
        // Being told twice changes nothing.
        registry.apply(&mut view, municipality(at), position, change);
        next[at] += 1;
    }
    (registry, view)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("JUKI_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(200), ..ProptestConfig::default() })]

    #[test]
    fn every_order_of_arrival_gives_the_same_registry(
        moves in proptest::collection::vec((0u32..3, 0usize..3, 0u8..6), 1..30),
        one in proptest::collection::vec(0usize..3, 0..60),
        two in proptest::collection::vec(0usize..3, 0..60),
    ) {
        let journals = journals(&moves);
        let (registry, first) = fold(&journals, &one);
        let (_, second) = fold(&journals, &two);
        for at in 0..3 {
            prop_assert_eq!(registry.digest(&first, municipality(at)).digest(), registry.digest(&second, municipality(at)).digest());
            prop_assert_eq!(registry.count(&first, municipality(at)), registry.count(&second, municipality(at)));
        }
        for person in 0..3 {
            prop_assert_eq!(registry.find(&first, &Lookup::Code(code(person))), registry.find(&second, &Lookup::Code(code(person))));
        }
        // And it is the registry that the moves themselves describe.
        let mut home = std::collections::BTreeMap::new();
        let mut dead = std::collections::BTreeSet::new();
        for (person, to, act) in moves {
            if dead.contains(&person) { continue; }
            if home.contains_key(&person) && act == 0 { dead.insert(person); } else { home.insert(person, to); }
        }
        for (person, at) in home {
            let Hit::One(record) = registry.find(&first, &Lookup::Code(code(person))) else { panic!("a person is gone") };
            prop_assert_eq!(record.municipality, municipality(at));
            prop_assert_eq!(record.standing() == Standing::Ended, dead.contains(&person));
        }
    }
}

#[test]
fn the_four_items_find_a_person_in_any_writing_and_never_list() {
    let (registry, mut view) = empty();
    let at = municipality(0);
    registry.apply(
        &mut view,
        at,
        Position { epoch: 1, seq: 1 },
        &change(ChangeReason::Birth, 1, 0, 0, None),
    );
    let items = |name: &str| {
        let of = FourItems::of(&change(ChangeReason::Birth, 1, 0, 0, None).record);
        Lookup::Items(FourItems {
            name: PersonName::parse(name).unwrap(),
            ..of
        })
    };
    assert!(matches!(registry.find(&view, &items("渡辺1")), Hit::One(_)));
    assert!(matches!(
        registry.find(&view, &items("渡邉 １")),
        Hit::One(_)
    ));
    assert_eq!(registry.find(&view, &items("渡部1")), Hit::None);
    // Another person with the same four items.
    let mut twin = change(ChangeReason::Birth, 2, 0, 0, None);
    twin.record.name = PersonName::parse("渡邊　1").unwrap();
    registry.apply(&mut view, at, Position { epoch: 1, seq: 2 }, &twin);
    assert_eq!(registry.find(&view, &items("渡辺1")), Hit::Several);
    let Hit::One(record) = registry.find(&view, &Lookup::Code(code(1))) else {
        panic!("not found by code")
    };
    assert_eq!(
        record.change.record.name.reveal(),
        "渡邊　1",
        "the stored form is untouched"
    );
}

#[test]
fn a_correction_leaves_no_old_search_key() {
    let (registry, mut view) = empty();
    let at = municipality(0);
    let old = change(ChangeReason::Birth, 1, 0, 0, None);
    registry.apply(&mut view, at, Position { epoch: 1, seq: 1 }, &old);
    registry.apply(
        &mut view,
        at,
        Position { epoch: 1, seq: 2 },
        &change(ChangeReason::AddressChange, 1, 1, 5, None),
    );
    assert_eq!(
        registry.find(&view, &Lookup::Items(FourItems::of(&old.record))),
        Hit::None
    );
    assert_eq!(view.scan(b"s", 10).len(), 1);
}

#[test]
fn a_changed_code_ends_the_record_under_the_old_one() {
    let (registry, mut view) = empty();
    let at = municipality(0);
    registry.apply(
        &mut view,
        at,
        Position { epoch: 1, seq: 1 },
        &change(ChangeReason::Birth, 1, 0, 0, None),
    );
    let mut renewed = change(ChangeReason::CodeChangeRequest, 1, 3, 0, None);
    renewed.previous_code = Some(code(1));
    renewed.record.code = code(8);
    assert_eq!(
        registry.apply(&mut view, at, Position { epoch: 1, seq: 2 }, &renewed),
        None
    );
    assert_eq!(registry.count(&view, at), 1);
    let Hit::One(old) = registry.find(&view, &Lookup::Code(code(1))) else {
        panic!("the old code is unknown")
    };
    assert_eq!(old.standing(), Standing::Ended);
    let Hit::One(new) = registry.find(&view, &Lookup::Code(code(8))) else {
        panic!("the new code is unknown")
    };
    assert_eq!(new.standing(), Standing::Present);
    assert!(
        matches!(registry.find(&view, &Lookup::Items(FourItems::of(&renewed.record))), Hit::One(hit) if hit.change.record.code == code(8))
    );
}

#[test]
fn who_died_where_they_had_returned_to_is_not_found_where_they_left() {
    let moves = [
        (1, 0, 1),
        (1, 1, 1),
        (1, 0, 1),
        (1, 2, 1),
        (1, 0, 1),
        (1, 0, 0),
    ];
    let (registry, view) = fold(&journals(&moves), &[]);
    let Hit::One(record) = registry.find(&view, &Lookup::Code(code(1))) else {
        panic!("a person is gone")
    };
    assert_eq!(
        (record.municipality, record.change.reason),
        (municipality(0), ChangeReason::Death)
    );
}

#[test]
fn a_planned_day_of_leaving_does_not_bring_a_person_back() {
    let (registry, mut view) = empty();
    let position = |seq| Position { epoch: 1, seq };
    registry.apply(
        &mut view,
        municipality(0),
        position(1),
        &change(ChangeReason::Birth, 1, 0, 0, None),
    );
    registry.apply(
        &mut view,
        municipality(0),
        position(2),
        &change(ChangeReason::MoveOut, 1, 9, 0, None),
    );
    registry.apply(
        &mut view,
        municipality(1),
        position(1),
        &change(ChangeReason::MoveIn, 1, 7, 1, Some(0)),
    );
    registry.apply(
        &mut view,
        municipality(1),
        position(2),
        &change(ChangeReason::Death, 1, 8, 1, Some(0)),
    );
    let Hit::One(record) = registry.find(&view, &Lookup::Code(code(1))) else {
        panic!("a person is gone")
    };
    assert_eq!(
        (record.municipality, record.change.reason),
        (municipality(1), ChangeReason::Death)
    );
}

#[test]
fn a_person_who_returned_twice_is_where_the_last_return_was() {
    // To and fro between two municipalities, and at last back to the first: the ring of the two lies
    // in the middle, and the first is cited by the second, which the person left long ago.
    let moves = [
        (0, ChangeReason::MoveIn, None),
        (2, ChangeReason::MoveIn, Some(0)),
        (1, ChangeReason::MoveIn, Some(2)),
        (3, ChangeReason::MoveIn, Some(1)),
        (1, ChangeReason::MoveIn, Some(3)),
        (0, ChangeReason::MoveIn, Some(1)),
    ];
    let (registry, mut view) = empty();
    let mut seqs = [0; 4];
    for (day, (at, reason, from)) in (1..).step_by(2).zip(moves) {
        for (reason, day) in [(reason, day), (ChangeReason::MoveOut, day + 1)] {
            seqs[at] += 1;
            let said = change(reason, 1, day, at, from);
            let position = Position {
                epoch: 1,
                seq: seqs[at],
            };
            registry.apply(&mut view, municipality(at), position, &said);
        }
    }
    let Hit::One(found) = registry.find(&view, &Lookup::Code(code(1))) else {
        panic!("a person is gone")
    };
    assert_eq!(found.municipality, municipality(0));
}

#[test]
fn a_person_whose_code_was_changed_is_one_person_after_death_too() {
    let (registry, mut view) = empty();
    let at = municipality(0);
    registry.apply(
        &mut view,
        at,
        Position { epoch: 1, seq: 1 },
        &change(ChangeReason::Birth, 1, 0, 0, None),
    );
    let mut renewed = change(ChangeReason::CodeChangeRequest, 1, 3, 0, None);
    renewed.previous_code = Some(code(1));
    renewed.record.code = code(8);
    registry.apply(&mut view, at, Position { epoch: 1, seq: 2 }, &renewed);
    let died = Change {
        reason: ChangeReason::Death,
        previous_code: None,
        ..renewed.clone()
    };
    registry.apply(&mut view, at, Position { epoch: 1, seq: 3 }, &died);
    let Hit::One(found) = registry.find(&view, &Lookup::Items(FourItems::of(&renewed.record)))
    else {
        panic!("not one person")
    };
    assert_eq!(
        (found.change.record.code, found.standing()),
        (code(8), Standing::Ended)
    );
}

#[test]
fn what_does_not_fit_is_noted_and_applied() {
    let (registry, mut view) = empty();
    let at = municipality(0);
    let noted = registry.apply(
        &mut view,
        at,
        Position { epoch: 1, seq: 1 },
        &change(ChangeReason::Death, 1, 0, 0, None),
    );
    assert_eq!(noted.map(|d| d.kind), Some(DifferenceKind::NotPresent));
    registry.apply(
        &mut view,
        at,
        Position { epoch: 1, seq: 2 },
        &change(ChangeReason::Birth, 1, 0, 0, None),
    );
    let noted = registry.apply(
        &mut view,
        at,
        Position { epoch: 1, seq: 3 },
        &change(ChangeReason::Birth, 1, 0, 0, None),
    );
    assert_eq!(noted.map(|d| d.kind), Some(DifferenceKind::AlreadyPresent));
    assert_eq!(registry.differences(&view, 10).len(), 2);
    assert_eq!(choose_current(&[]), None);
}
