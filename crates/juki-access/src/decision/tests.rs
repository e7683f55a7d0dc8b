use std::num::NonZeroU32;

use juki_crypto::{DigestKey, SigningKey, SystemRandomness};
use juki_domain::RecordItem;
use prost::Message as _;

use super::*;
use crate::{CardCertificate, Grant};

const TABLE: &str = "affair,body,table,body_ja,statute_ja,affair_ja,starts,starts_mark,keys,items,fuzzy,operator_per_min,body_per_min,scope_mark
pension,mhlw,別表第一,厚生労働省,援護法,年金,2002-09,src,both,123456,yes,,,design
onkyu,mhlw,別表第一,厚生労働省,恩給法,恩給,2003-04,reading,both,123456,no,,,design
licence,mhlw,別表第一,厚生労働省,免許法,免許,2002-09,reading,items,1234,no,2,3,design
lookup,mhlw,別表第一,厚生労働省,照合法,照合,2002-09,reading,code,45,no,,,design
other,mic,別表第一,総務省,電波法,免許,2002-09,reading,both,123456,yes,,,design
";

const RATES: AccessRates = AccessRates {
    operator_per_min: NonZeroU32::new(5).unwrap(),
    body_per_min: NonZeroU32::new(8).unwrap(),
};

struct World {
    access: AccessControl,
    registrar: SigningKey,
    card: SigningKey,
    certificate: CardCertificate,
}

fn world(roles: &[Role]) -> World {
    let (registrar, card) = (
        SigningKey::generate(&SystemRandomness).unwrap(),
        SigningKey::generate(&SystemRandomness).unwrap(),
    );
    let certificate = CardCertificate {
        serial: "C-1".into(),
        operator: "op-1".into(),
        body: "mhlw".into(),
        roles: roles.iter().map(|role| *role as u32).collect(),
        key: card.public().as_bytes().to_vec(),
        valid_until_s: 10_000,
        signature: Vec::new(),
    }
    .signed(&registrar);
    World {
        access: AccessControl::new(registrar.public(), RATES)
            .with_basis(7, LegalBasisTable::parse(TABLE).unwrap()),
        registrar,
        card,
        certificate,
    }
}

impl World {
    fn authorisation(&self, question: &[u8], terminal: &str) -> Authorisation {
        let key = [9; 32];
        let grant = Grant::new(terminal, 1000, 900, &key).encode_to_vec();
        Authorisation {
            signature: self.card.sign(Grant::context(), &grant).to_vec(),
            grant,
            certificate: self.certificate.encode_to_vec(),
            key: key.to_vec(),
            proof: DigestKey::new(&key).digest(question).to_vec(),
        }
    }

    fn ask(
        &mut self,
        authorisation: &Authorisation,
        affair: &str,
        now_s: u64,
        date: &str,
    ) -> Result<Permit, ErrorCode> {
        self.ask_by(Keys::Code, authorisation, affair, now_s, date)
            .map_err(|refused| refused.code)
    }

    fn ask_by(
        &mut self,
        keys: Keys,
        authorisation: &Authorisation,
        affair: &str,
        now_s: u64,
        date: &str,
    ) -> Result<Permit, RefusedAccess> {
        let asked = Asked {
            terminal: "agency-mhlw",
            affair,
            keys,
            question: b"q",
        };
        self.access
            .decide(authorisation, &asked, now_s * 1000, date.parse().unwrap())
    }

    /// Another operator of some body takes over the terminal.
    fn change_operator(&mut self, operator: &str, body: &str) -> Authorisation {
        self.certificate = CardCertificate {
            operator: operator.into(),
            body: body.into(),
            ..self.certificate.clone()
        }
        .signed(&self.registrar);
        self.authorisation(b"q", "agency-mhlw")
    }
}

#[test]
fn a_lawful_request_gets_a_permit_that_names_operator_and_statute() {
    let mut world = world(&[Role::BusinessOperator]);
    let authorisation = world.authorisation(b"q", "agency-mhlw");
    let permit = world
        .ask(&authorisation, "pension", 1100, "2002-10-15")
        .unwrap();
    assert_eq!(
        (
            permit.operator.as_str(),
            permit.body.as_str(),
            permit.statute.as_str()
        ),
        ("op-1", "mhlw", "援護法")
    );
}

#[test]
fn each_reason_against_a_request_is_named() {
    let mut world = world(&[Role::BusinessOperator]);
    let good = world.authorisation(b"q", "agency-mhlw");
    let other_question = world.authorisation(b"other", "agency-mhlw");
    let other_terminal = world.authorisation(b"q", "agency-other");
    let stranger = SigningKey::generate(&SystemRandomness).unwrap();
    let forged = Authorisation {
        signature: stranger.sign(Grant::context(), &good.grant).to_vec(),
        ..good.clone()
    };
    let own_card = Authorisation {
        certificate: world.certificate.clone().signed(&stranger).encode_to_vec(),
        ..good.clone()
    };
    let other_key = Authorisation {
        key: vec![8; 32],
        proof: DigestKey::new(&[8; 32]).digest(b"q").to_vec(),
        ..good.clone()
    };
    let mut refused = |authorisation: &Authorisation, affair, now_s, date, code| {
        let told = world.ask(authorisation, affair, now_s, date).unwrap_err();
        assert_eq!(told, code, "{affair} at {now_s} on {date}");
    };
    let (day, pension) = ("2002-10-15", "pension");
    let none = Authorisation::default();
    refused(&none, pension, 1100, day, ErrorCode::GrantMissing);
    refused(&good, pension, 2000, day, ErrorCode::GrantExpired);
    refused(&good, pension, 11_000, day, ErrorCode::CardExpired);
    refused(
        &good,
        pension,
        1100,
        "2002-08-15",
        ErrorCode::BasisNotStarted,
    );
    refused(&good, "onkyu", 1100, day, ErrorCode::BasisNotStarted);
    refused(&good, "gossip", 1100, day, ErrorCode::NoLegalBasis);
    refused(
        &other_question,
        pension,
        1100,
        day,
        ErrorCode::RequestMacWrong,
    );
    refused(&other_terminal, pension, 1100, day, ErrorCode::GrantMissing);
    refused(&forged, pension, 1100, day, ErrorCode::CardUnknown);
    refused(&own_card, pension, 1100, day, ErrorCode::CardUnknown);
    refused(&other_key, pension, 1100, day, ErrorCode::RequestMacWrong);
}

#[test]
fn a_card_that_expires_within_its_grant_is_refused_though_it_was_remembered() {
    let mut world = world(&[Role::BusinessOperator]);
    world.certificate.valid_until_s = 1200;
    let registrar = SigningKey::generate(&SystemRandomness).unwrap();
    world.certificate = world.certificate.clone().signed(&registrar);
    world.access = AccessControl::new(registrar.public(), RATES)
        .with_basis(7, LegalBasisTable::parse(TABLE).unwrap());
    let authorisation = world.authorisation(b"q", "agency-mhlw");
    let mut ask = |now_s| {
        world
            .ask(&authorisation, "pension", now_s, "2002-10-15")
            .map(|permit| permit.operator)
    };
    assert_eq!(ask(1200), Ok("op-1".to_owned()));
    assert_eq!(ask(1201), Err(ErrorCode::CardExpired));
}

#[test]
fn a_listed_card_is_refused_with_its_name_until_the_list_lets_it_go() {
    let mut world = world(&[Role::BusinessOperator]);
    let authorisation = world.authorisation(b"q", "agency-mhlw");
    let asked = Asked {
        terminal: "agency-mhlw",
        affair: "pension",
        keys: Keys::Code,
        question: b"q",
    };
    let day: CivilDate = "2002-10-15".parse().unwrap();
    let mut ask = |listed: &[&str]| {
        let mut list = CardList::default();
        for serial in listed {
            list.list(serial, crate::ListedFor::Lost, 1050).unwrap();
        }
        world.access.install_cards(list);
        world.access.decide(&authorisation, &asked, 1_100_000, day)
    };
    assert!(ask(&["C-2"]).is_ok());
    let refused = ask(&["C-1", "C-2"]).unwrap_err();
    assert_eq!(
        (
            refused.code,
            refused.card.as_str(),
            refused.operator.as_str()
        ),
        (ErrorCode::CardListed, "C-1", "op-1")
    );
    assert!(ask(&["C-2"]).is_ok());
}

#[test]
fn a_system_manager_sees_no_record() {
    let mut world = world(&[Role::SystemManager]);
    let authorisation = world.authorisation(b"q", "agency-mhlw");
    assert_eq!(
        world
            .ask(&authorisation, "pension", 1100, "2002-10-15")
            .unwrap_err(),
        ErrorCode::RoleNotAllowed
    );
}

#[test]
fn a_grant_longer_than_fifteen_minutes_is_refused() {
    let mut world = world(&[Role::BusinessOperator]);
    let mut authorisation = world.authorisation(b"q", "agency-mhlw");
    let long = Grant {
        until_s: 1000 + GRANT_SECONDS + 1,
        ..Grant::decode(authorisation.grant.as_slice()).unwrap()
    };
    authorisation.grant = long.encode_to_vec();
    authorisation.signature = world
        .card
        .sign(Grant::context(), &authorisation.grant)
        .to_vec();
    assert_eq!(
        world
            .ask(&authorisation, "pension", 1100, "2002-10-15")
            .unwrap_err(),
        ErrorCode::GrantMissing
    );
}

const GRANT_SECONDS: u64 = crate::GRANT_SECONDS_MAX;

const DAY: &str = "2003-08-25";

#[test]
fn two_affairs_of_one_table_show_different_items() {
    let mut world = world(&[Role::BusinessOperator]);
    let authorisation = world.authorisation(b"q", "agency-mhlw");
    let mut items = |keys, affair| {
        let permit = world.ask_by(keys, &authorisation, affair, 1100, DAY);
        permit.unwrap().items.to_string()
    };
    assert_eq!(items(Keys::Items, "pension"), "123456");
    assert_eq!(items(Keys::Items, "licence"), "1234");
    assert_eq!(items(Keys::Code, "lookup"), "45");
    let permit = world.ask_by(Keys::Items, &authorisation, "licence", 1100, DAY);
    assert!(!permit.unwrap().items.has(RecordItem::Code));
}

#[test]
fn keys_that_the_row_does_not_permit_are_refused_with_their_code() {
    let mut world = world(&[Role::BusinessOperator]);
    let authorisation = world.authorisation(b"q", "agency-mhlw");
    for (keys, affair, now_s, code) in [
        (Keys::Code, "licence", 1100, ErrorCode::KeysNotPermitted),
        (Keys::Items, "lookup", 1100, ErrorCode::KeysNotPermitted),
        (Keys::Fuzzy, "onkyu", 1100, ErrorCode::FuzzyNotPermitted),
        (Keys::Fuzzy, "licence", 1200, ErrorCode::FuzzyNotPermitted),
        (Keys::Fuzzy, "lookup", 1200, ErrorCode::FuzzyNotPermitted),
        // The right of another body is none.
        (Keys::Code, "other", 1200, ErrorCode::NoLegalBasis),
    ] {
        let refused = world
            .ask_by(keys, &authorisation, affair, now_s, DAY)
            .unwrap_err();
        assert_eq!(refused.code, code, "{affair}");
        assert_eq!((refused.body.as_str(), refused.unbounded), ("mhlw", false));
    }
    assert!(
        world
            .ask_by(Keys::Fuzzy, &authorisation, "pension", 1300, DAY)
            .is_ok()
    );
}

#[test]
fn without_a_table_in_force_nobody_is_answered() {
    let mut world = world(&[Role::BusinessOperator]);
    let authorisation = world.authorisation(b"q", "agency-mhlw");
    assert_eq!(world.access.basis_number(), 7);
    world.access = AccessControl::new(world.registrar.public(), RATES);
    assert_eq!(
        world.ask(&authorisation, "pension", 1100, DAY),
        Err(ErrorCode::BasisNotInForce)
    );
    let table = LegalBasisTable::parse(TABLE).unwrap();
    world
        .access
        .take_in_force(BasisInForce { number: 8, table });
    assert!(world.ask(&authorisation, "pension", 1100, DAY).is_ok());
    let without = TABLE.replace("pension,mhlw", "former-pension,mhlw");
    let table = LegalBasisTable::parse(&without).unwrap();
    world
        .access
        .take_in_force(BasisInForce { number: 9, table });
    assert_eq!(
        world.ask(&authorisation, "pension", 1100, DAY),
        Err(ErrorCode::NoLegalBasis)
    );
}

#[test]
fn an_operator_and_a_body_ask_only_so_often_a_minute_refused_questions_included() {
    let mut world = world(&[Role::BusinessOperator]);
    let first = world.authorisation(b"q", "agency-mhlw");
    for turn in 0..5 {
        let affair = if turn < 3 { "pension" } else { "gossip" };
        assert_eq!(
            world.ask(&first, affair, 1100, DAY).is_ok(),
            affair == "pension"
        );
    }
    let refused = world
        .ask_by(Keys::Code, &first, "pension", 1100, DAY)
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.ask_again_ms, refused.unbounded),
        (ErrorCode::OperatorRateExceeded, Some(12_000), true)
    );
    assert_eq!(
        (refused.operator.as_str(), refused.body.as_str()),
        ("op-1", "mhlw")
    );
    // A colleague has an allowance of his own, but the body has no more than three left.
    let second = world.change_operator("op-2", "mhlw");
    for _ in 0..3 {
        assert!(world.ask(&second, "pension", 1100, DAY).is_ok());
    }
    let refused = world
        .ask_by(Keys::Code, &second, "pension", 1100, DAY)
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.ask_again_ms),
        (ErrorCode::BodyRateExceeded, Some(7_500))
    );
    let elsewhere = world.change_operator("op-1", "mic");
    assert!(world.ask(&elsewhere, "other", 1100, DAY).is_ok());
    assert!(world.ask(&first, "pension", 1112, DAY).is_ok());
    assert_eq!(
        world.ask(&first, "pension", 1112, DAY),
        Err(ErrorCode::OperatorRateExceeded)
    );
}

#[test]
fn a_row_may_bound_its_own_affair_more_narrowly() {
    let mut world = world(&[Role::BusinessOperator]);
    let first = world.authorisation(b"q", "agency-mhlw");
    let licence = |world: &mut World, authorisation: &Authorisation| {
        world
            .ask_by(Keys::Items, authorisation, "licence", 1100, DAY)
            .map_err(|refused| refused.code)
    };
    for _ in 0..2 {
        assert!(licence(&mut world, &first).is_ok());
    }
    assert_eq!(
        licence(&mut world, &first),
        Err(ErrorCode::OperatorRateExceeded)
    );
    assert!(world.ask(&first, "pension", 1100, DAY).is_ok());
    let second = world.change_operator("op-2", "mhlw");
    assert!(licence(&mut world, &second).is_ok());
    assert_eq!(
        licence(&mut world, &second),
        Err(ErrorCode::BodyRateExceeded)
    );
}

#[test]
fn requests_that_prove_nobody_take_from_nobodys_allowance() {
    let mut world = world(&[Role::BusinessOperator]);
    let good = world.authorisation(b"q", "agency-mhlw");
    let forged = Authorisation {
        proof: vec![0; 32],
        ..good.clone()
    };
    for _ in 0..100 {
        let refused = world
            .ask_by(Keys::Code, &forged, "pension", 1100, DAY)
            .unwrap_err();
        assert_eq!(
            (refused.code, refused.unbounded),
            (ErrorCode::RequestMacWrong, true)
        );
    }
    assert!(world.ask(&good, "pension", 1100, DAY).is_ok());
}
