use juki_domain::{Change, ChangeReason, IdentityRecord};
use juki_registry::Position;
use proptest::prelude::*;

use super::*;

fn by_items() -> Question {
    Question {
        affair: "pension".into(),
        name: "山田　花子".into(),
        birth: 19_700_102,
        sex: 2,
        address: "山口県萩市大字江向510番地".into(),
        ..Question::default()
    }
}

#[test]
fn a_question_goes_by_the_code_or_the_four_items_or_a_name_with_its_birth_date() {
    let keys = |question: Question| question.lookup().map(|(keys, _)| keys);
    let code = Question {
        code: "91234567891".into(),
        ..Question::default()
    };
    assert_eq!(keys(code), Ok(Keys::Code));
    assert_eq!(keys(by_items()), Ok(Keys::Items));
    for fewer in [
        Question {
            sex: 0,
            ..by_items()
        },
        Question {
            address: String::new(),
            ..by_items()
        },
        Question {
            sex: 0,
            address: String::new(),
            ..by_items()
        },
        Question {
            name_begins: true,
            ..by_items()
        },
        Question {
            name_begins: true,
            sex: 0,
            ..by_items()
        },
        Question {
            name_begins: true,
            address: String::new(),
            ..by_items()
        },
    ] {
        assert_eq!(keys(fewer.clone()), Ok(Keys::Fuzzy), "{fewer:?}");
    }
}

#[test]
fn what_tells_nobody_apart_is_no_key() {
    let keys = |question: Question| question.lookup().map(|(keys, _)| keys);
    let code = "91234567891".to_owned();
    for neither in [
        Question {
            name: String::new(),
            ..by_items()
        },
        Question {
            birth: 0,
            ..by_items()
        },
        Question {
            name_begins: true,
            sex: 0,
            address: String::new(),
            ..by_items()
        },
        Question {
            code: code.clone(),
            ..by_items()
        },
        Question {
            name_begins: true,
            code,
            ..Question::default()
        },
    ] {
        assert_eq!(
            keys(neither.clone()),
            Err(ErrorCode::KeysNotPermitted),
            "{neither:?}"
        );
    }
    assert_eq!(
        keys(Question {
            sex: 3,
            ..by_items()
        }),
        Err(ErrorCode::ValueInvalid)
    );
}

#[test]
fn nobody_is_listed() {
    let list = Err(ErrorCode::ListNotPermitted);
    let refused = |question: Question| question.lookup().map(|_| ());
    assert_eq!(refused(Question::default()), list);
    for sign in ANY_TEXT {
        for question in [
            Question {
                name: format!("山田{sign}"),
                ..by_items()
            },
            Question {
                address: format!("山口県{sign}"),
                ..by_items()
            },
            Question {
                name: sign.to_string(),
                ..Question::default()
            },
            Question {
                code: format!("9123456789{sign}"),
                ..Question::default()
            },
        ] {
            assert_eq!(refused(question.clone()), list, "{question:?}");
        }
    }
}

fn stored() -> StoredRecord {
    StoredRecord {
        municipality: "352047".parse().unwrap(),
        position: Position { epoch: 1, seq: 1 },
        change: Change {
            reason: ChangeReason::Death,
            event_date: "2002-10-14".parse().unwrap(),
            record: IdentityRecord {
                code: "91234567891".parse().unwrap(),
                name: PersonName::parse("山田　花子").unwrap(),
                birth: BirthDate::from_number(19_700_102).unwrap(),
                sex: Sex::Female,
                address: Address::parse("山口県萩市大字江向510番地").unwrap(),
            },
            previous_code: Some("12345678903".parse().unwrap()),
            origin: None,
        },
    }
}

#[test]
fn every_item_is_shown_where_it_is_permitted_and_nowhere_else() {
    let whole = ShownRecord::of(&stored(), RecordItems::of(&RecordItem::ALL));
    for bits in 0..64 {
        let items = RecordItems::from_bits(bits).unwrap();
        let shown = ShownRecord::of(&stored(), items);
        assert_eq!(shown.items, bits);
        let none = ShownRecord::default();
        let expected = |item| if items.has(item) { &whole } else { &none };
        assert_eq!(shown.name, expected(RecordItem::Name).name);
        assert_eq!(shown.birth, expected(RecordItem::BirthDate).birth);
        assert_eq!(shown.sex, expected(RecordItem::Sex).sex);
        let lives = expected(RecordItem::Address);
        assert_eq!(
            (&shown.address, shown.municipality),
            (&lives.address, lives.municipality)
        );
        assert_eq!(shown.code, expected(RecordItem::Code).code);
        let changed = expected(RecordItem::ChangeInformation);
        assert_eq!(
            (shown.reason, shown.event_date, shown.ended),
            (changed.reason, changed.event_date, changed.ended)
        );
        let code_before = items.has(RecordItem::Code) && items.has(RecordItem::ChangeInformation);
        assert_eq!(!shown.previous_code.is_empty(), code_before);
    }
    assert!(whole.ended && whole.municipality == 35_204);
}

proptest! {
    #[test]
    fn no_question_makes_the_reader_panic(code in "[0-9*]{0,12}", name in "\\PC{0,8}", birth in any::<u32>(), sex in 0u32..4, address in "\\PC{0,8}", name_begins in any::<bool>()) {
        let question = Question { code, name, birth, sex, address, name_begins, ..Question::default() };
        if let Ok((keys, lookup)) = question.lookup() {
            prop_assert_eq!(keys == Keys::Code, matches!(lookup, Lookup::Code(_)));
            prop_assert_eq!(keys == Keys::Fuzzy, matches!(lookup, Lookup::Fuzzy(_)));
        }
    }
}
