use juki_access::ListedFor;
use juki_crypto::{SigningKey, SystemRandomness};

use super::*;
use crate::stage::{BEGAN_MS, Holder, Stage};

struct Desk {
    stage: Stage,
    registrar: SigningKey,
    system_manager: Holder,
    card_manager: Holder,
    operator: Holder,
}

fn desk() -> Desk {
    let registrar = SigningKey::generate(&SystemRandomness).unwrap();
    let service = CardRegistrar::new(registrar.public(), BEGAN_MS);
    let mut desk = Desk {
        stage: Stage::new(vec![Box::new(service)]),
        system_manager: Holder::new(&registrar, "S-1", &[Role::SystemManager]),
        card_manager: Holder::new(&registrar, "K-1", &[Role::CardManager]),
        operator: Holder::new(&registrar, "B-1", &[Role::BusinessOperator]),
        registrar,
    };
    let first = [&desk.system_manager, &desk.card_manager, &desk.operator];
    let certificates = first.map(|holder| holder.certificate.encode_to_vec());
    desk.enter(certificates.to_vec());
    desk
}

fn act(kind: ActKind, serial: &str) -> CardAct {
    CardAct {
        kind: kind as u32,
        serial: serial.to_owned(),
        ..CardAct::default()
    }
}

fn enrolment(role: Role) -> CardAct {
    CardAct {
        kind: ActKind::Enrol as u32,
        operator: "new-1".to_owned(),
        body: "mhlw".to_owned(),
        roles: vec![role as u32],
        key: vec![7; 32],
        days: 365,
        ..CardAct::default()
    }
}

fn signed(by: &Holder, act: &CardAct, at_ms: u64) -> SignedAct {
    let unsigned = SignedAct::unsigned(
        ACT_SUBJECT,
        act.encode_to_vec(),
        at_ms,
        random_array(&SystemRandomness),
        &by.certificate.encode_to_vec(),
    );
    let signature = by.key.sign(SignedAct::context(), &unsigned.covered());
    unsigned.with_signature(signature)
}

impl Desk {
    fn ask(&mut self, kind: Kind) -> CardsAnswer {
        let request = CardsAsk { kind: Some(kind) }.encode_to_vec();
        let answer = self.stage.ask(SERVICE, request).unwrap();
        CardsAnswer::decode(answer.as_slice()).unwrap()
    }

    fn enter(&mut self, certificates: Vec<Vec<u8>>) {
        let answer = self.ask(Kind::Enter(FirstCards { certificates }));
        assert_eq!(answer.failure, "");
    }

    fn act(&mut self, by: fn(&Self) -> &Holder, act: &CardAct) -> Result<CardRow, String> {
        let signed = signed(by(self), act, self.stage.now_ms);
        let answer = self.ask(Kind::Act(signed));
        match answer.card {
            Some(card) => Ok(card),
            None => Err(answer.failure),
        }
    }

    fn manage(&mut self, kind: ActKind, serial: &str) -> Result<Option<ListedFor>, String> {
        self.act(|desk| &desk.card_manager, &act(kind, serial))
            .map(|row| row.listed())
    }

    fn list(&mut self) -> CardList {
        CardList::decode(&self.ask(Kind::List(true)).list).unwrap()
    }

    fn rows(&mut self) -> Vec<CardRow> {
        self.ask(Kind::Page(super::super::PageAsk::default())).page
    }
}

#[test]
fn cards_of_the_deployment_are_lent_once_and_strangers_are_not_entered() {
    let mut desk = desk();
    let stranger = SigningKey::generate(&SystemRandomness).unwrap();
    let forged = Holder::new(&stranger, "X-1", &[Role::SystemManager]);
    let again = desk.operator.certificate.encode_to_vec();
    desk.enter(vec![forged.certificate.encode_to_vec(), again, vec![0xff]]);
    let rows = desk.rows();
    let told: Vec<(&str, Option<ListedFor>, usize)> = rows
        .iter()
        .map(|row| (row.serial.as_str(), row.listed(), row.acts.len()))
        .collect();
    assert_eq!(told, [("B-1", None, 1), ("K-1", None, 1), ("S-1", None, 1)]);
    assert!(desk.list().is_empty());
}

#[test]
fn a_card_goes_through_its_life_and_the_ledger_tells_it() {
    let mut desk = desk();
    let made = desk
        .act(
            |desk| &desk.card_manager,
            &enrolment(Role::BusinessOperator),
        )
        .unwrap();
    assert_eq!(made.listed(), Some(ListedFor::NotLent));
    assert_eq!(made.valid_until_s, BEGAN_MS / 1000 + 365 * DAY_S);
    assert_eq!(made.certificate().key, [7; 32]);
    let serial = made.serial.as_str();
    assert!(desk.list().get(serial).is_some());
    assert_eq!(desk.manage(ActKind::Lend, serial), Ok(None));
    assert!(desk.list().is_empty());
    assert_eq!(
        desk.manage(ActKind::Lost, serial),
        Ok(Some(ListedFor::Lost))
    );
    assert_eq!(
        desk.manage(ActKind::Return, serial),
        Ok(Some(ListedFor::Returned))
    );
    assert_eq!(desk.manage(ActKind::Lend, serial), Ok(None));
    let finding = CardAct {
        note: "in the drawer".to_owned(),
        ..act(ActKind::Inspect, serial)
    };
    desk.act(|desk| &desk.card_manager, &finding).unwrap();
    let revoked = CardAct {
        reason: ListedFor::Revoked as u32,
        ..act(ActKind::Revoke, serial)
    };
    desk.act(|desk| &desk.card_manager, &revoked).unwrap();
    for kind in [
        ActKind::Lend,
        ActKind::Return,
        ActKind::Lost,
        ActKind::Unlock,
    ] {
        assert_eq!(desk.manage(kind, serial), Err("JKA-1206".to_owned()));
    }
    let row = desk
        .rows()
        .into_iter()
        .find(|row| row.serial == serial)
        .unwrap();
    let told: Vec<&str> = row
        .acts
        .iter()
        .map(|line| ActKind::from_number(line.kind).unwrap().name())
        .collect();
    assert_eq!(
        told,
        [
            "enrol", "lend", "lost", "return", "lend", "inspect", "revoke"
        ]
    );
    assert!(
        row.acts
            .iter()
            .all(|line| line.by == "operator-of-K-1" && line.civil_date == 20_021_015)
    );
    assert_eq!(row.acts[5].note, "in the drawer");
}

#[test]
fn unlockings_are_numbered_and_end_a_suspension() {
    let mut desk = desk();
    let suspended = CardAct {
        reason: ListedFor::Locked as u32,
        ..act(ActKind::Revoke, "B-1")
    };
    desk.act(|desk| &desk.card_manager, &suspended).unwrap();
    assert!(desk.list().get("B-1").is_some());
    for number in 1..=2 {
        let row = desk
            .act(|desk| &desk.card_manager, &act(ActKind::Unlock, "B-1"))
            .unwrap();
        assert_eq!((row.unlockings, row.listed()), (number, None));
    }
}

#[test]
fn a_card_manager_does_nothing_that_is_the_system_managers() {
    let mut desk = desk();
    let auditor = Holder::new(&desk.registrar, "A-1", &[Role::Auditor]);
    desk.enter(vec![auditor.certificate.encode_to_vec()]);
    let not_allowed = Err("JKA-1005".to_owned());
    let acts = [
        enrolment(Role::SystemManager),
        enrolment(Role::Auditor),
        act(ActKind::Unlock, "S-1"),
        act(ActKind::Return, "A-1"),
        CardAct {
            reason: ListedFor::Revoked as u32,
            ..act(ActKind::Revoke, "S-1")
        },
    ];
    for act in &acts {
        let by_card_manager = desk.act(|desk| &desk.card_manager, act).map(|_| ());
        assert_eq!(by_card_manager, not_allowed);
    }
    for act in &acts {
        assert!(desk.act(|desk| &desk.operator, act).is_err());
        assert!(desk.act(|desk| &desk.system_manager, act).is_ok());
    }
    let done = desk.act(|desk| &desk.operator, &act(ActKind::Lost, "B-1"));
    assert_eq!(done.map(|_| ()), not_allowed);
}

#[test]
fn a_card_that_may_not_be_used_or_is_not_in_the_ledger_acts_no_more() {
    let mut desk = desk();
    assert!(desk.manage(ActKind::Lost, "B-1").is_ok());
    let lost = act(ActKind::Lost, "K-1");
    assert!(desk.act(|desk| &desk.system_manager, &lost).is_ok());
    assert_eq!(
        desk.manage(ActKind::Return, "B-1"),
        Err("JKA-1201".to_owned())
    );
    desk.card_manager = Holder::new(&desk.registrar, "K-2", &[Role::CardManager]);
    assert_eq!(
        desk.manage(ActKind::Return, "B-1"),
        Err("JKA-1003".to_owned())
    );
    assert_eq!(
        desk.act(|desk| &desk.system_manager, &act(ActKind::Lost, "nobody's"))
            .map(|_| ()),
        Err("JKA-1003".to_owned())
    );
}

#[test]
fn an_act_is_recorded_with_what_proves_it_and_a_repeated_one_is_not() {
    let mut desk = desk();
    let lost = signed(&desk.card_manager, &act(ActKind::Lost, "B-1"), BEGAN_MS);
    assert_eq!(desk.ask(Kind::Act(lost.clone())).failure, "");
    assert_eq!(desk.ask(Kind::Act(lost.clone())).failure, "JKA-1205");
    let records = desk.stage.payloads(CARD_ACT);
    assert_eq!(records.len(), 4);
    let record = CardActRecord::decode(records[3].as_slice()).unwrap();
    assert_eq!(record.by_card, "K-1");
    assert_eq!(SignedAct::decode(record.signed.as_slice()), Ok(lost));
}

#[test]
fn an_act_that_was_signed_ahead_is_not_done_again_after_a_restart() {
    let mut desk = desk();
    let ahead = desk.stage.now_ms + 60_000;
    let enrolment = signed(
        &desk.card_manager,
        &enrolment(Role::BusinessOperator),
        ahead,
    );
    assert_eq!(desk.ask(Kind::Act(enrolment.clone())).failure, "");
    let cards = desk.rows().len();
    let began_ms = desk.stage.now_ms + 1_000;
    let service = CardRegistrar::new(desk.registrar.public(), began_ms);
    desk.stage = Stage::after(vec![Box::new(service)], desk.stage.entries());
    assert_eq!(desk.ask(Kind::Act(enrolment)).failure, "JKA-1205");
    assert_eq!(desk.rows().len(), cards);
}

#[test]
fn what_is_no_enrolment_is_refused_and_uses_no_serial() {
    let mut desk = desk();
    let good = enrolment(Role::BusinessOperator);
    let bad = [
        CardAct {
            operator: "two words".to_owned(),
            ..good.clone()
        },
        CardAct {
            body: String::new(),
            ..good.clone()
        },
        // Body and operator would read as another body's operator.
        CardAct {
            body: "mhlw/op-1".to_owned(),
            ..good.clone()
        },
        CardAct {
            roles: vec![99],
            ..good.clone()
        },
        CardAct {
            roles: Vec::new(),
            ..good.clone()
        },
        CardAct {
            key: vec![1; 31],
            ..good.clone()
        },
        CardAct {
            days: 0,
            ..good.clone()
        },
        CardAct {
            days: 9999,
            ..good.clone()
        },
        CardAct {
            serial: "mine".to_owned(),
            ..good.clone()
        },
        CardAct {
            note: "x".repeat(201),
            ..good
        },
    ];
    for act in &bad {
        assert!(
            desk.act(|desk| &desk.system_manager, act).is_err(),
            "{act:?}"
        );
    }
    assert_eq!(desk.rows().len(), 3);
    assert_eq!(
        desk.ask(Kind::Act(SignedAct::default())).failure,
        "JKA-1203"
    );
}

#[test]
fn a_restart_knows_what_was_done() {
    let mut desk = desk();
    desk.manage(ActKind::Lost, "B-1").unwrap();
    let rows = desk.rows();
    let service = CardRegistrar::new(desk.registrar.public(), BEGAN_MS);
    desk.stage = Stage::after(vec![Box::new(service)], desk.stage.entries());
    assert_eq!(desk.rows(), rows);
    let listed = desk.list();
    assert_eq!(listed.get("B-1"), Some((ListedFor::Lost, BEGAN_MS / 1000)));
    desk.stage.now_ms += 3 * DAY_S * 1000;
    assert!(desk.list().is_empty(), "long after its own end");
}
