use juki_crypto::{SigningKey, SystemRandomness, random_array};

use super::*;
use crate::cards::{CardRegistrar, CardsAsk, FirstCards, SERVICE, cards_ask};
use crate::stage::{BEGAN_MS, Holder, Stage};

struct World {
    stage: Stage,
    manager: Holder,
    clerk: Holder,
}

fn world() -> World {
    let registrar = SigningKey::generate(&SystemRandomness).unwrap();
    let manager = Holder::new(&registrar, "M-1", &[Role::SystemManager]);
    let clerk = Holder::new(
        &registrar,
        "B-1",
        &[Role::BusinessOperator, Role::CardManager],
    );
    let mut stage = Stage::new(vec![
        Box::new(CardRegistrar::new(registrar.public(), BEGAN_MS)),
        Box::new(OrderDesk::new(BASIS, registrar.public(), BEGAN_MS)),
        Box::new(OrderDesk::new(REVOCATION, registrar.public(), BEGAN_MS)),
    ]);
    let certificates = [&manager, &clerk].map(|holder| holder.certificate.encode_to_vec());
    let first = cards_ask::Kind::Enter(FirstCards {
        certificates: certificates.to_vec(),
    });
    let ask = CardsAsk { kind: Some(first) };
    assert!(stage.ask(SERVICE, ask.encode_to_vec()).is_some());
    World {
        stage,
        manager,
        clerk,
    }
}

fn order(holder: &Holder, number: u64, digest: &[u8], at_ms: u64) -> SignedAct {
    let act = BasisAct {
        number,
        digest: digest.to_vec(),
    };
    signed(holder, BASIS, act.encode_to_vec(), at_ms)
}

fn signed(holder: &Holder, subject: Subject, act: Vec<u8>, at_ms: u64) -> SignedAct {
    let unsigned = SignedAct::unsigned(
        subject.acts,
        act,
        at_ms,
        random_array(&SystemRandomness),
        &holder.certificate.encode_to_vec(),
    );
    let signature = holder.key.sign(SignedAct::context(), &unsigned.covered());
    unsigned.with_signature(signature)
}

impl World {
    fn asks(&mut self, signed: SignedAct, number: u64, digest: &[u8]) -> OrderAnswer {
        let digest = digest.to_vec();
        let act = BasisAct { number, digest };
        self.asks_for(BASIS, signed, act.encode_to_vec())
    }

    fn asks_for(&mut self, subject: Subject, signed: SignedAct, act: Vec<u8>) -> OrderAnswer {
        let signed = Some(signed);
        let ask = OrderAsk { signed, act }.encode_to_vec();
        let answer = self.stage.ask(subject.service, ask).unwrap();
        OrderAnswer::decode(answer.as_slice()).unwrap()
    }
}

#[test]
fn a_system_managers_order_is_on_record_and_is_taken_once() {
    let mut world = world();
    let signed = order(&world.manager, 2, b"digest", BEGAN_MS);
    let answer = world.asks(signed.clone(), 2, b"digest");
    assert_eq!(answer.failure, "");
    let orders = world.stage.payloads(BASIS_ORDERED);
    let recorded = Order::decode(orders[0].as_slice()).unwrap();
    assert_eq!((orders.len(), recorded.card.as_str()), (1, "M-1"));
    assert_eq!(
        (recorded.by, recorded.signed),
        (answer.by, Some(signed.clone()))
    );
    assert_eq!(world.asks(signed, 2, b"digest").failure, "JKA-1205");
    assert_eq!(world.stage.payloads(BASIS_ORDERED).len(), 1);
}

#[test]
fn an_order_by_another_role_or_for_another_table_or_number_is_none() {
    let mut world = world();
    let by_clerk = order(&world.clerk, 2, b"digest", BEGAN_MS);
    assert_eq!(world.asks(by_clerk, 2, b"digest").failure, "JKA-1005");
    let good = order(&world.manager, 2, b"digest", BEGAN_MS);
    for (number, digest) in [(3, &b"digest"[..]), (2, b"other")] {
        assert_eq!(world.asks(good.clone(), number, digest).failure, "JKA-1203");
    }
    let altered = SignedAct {
        act: BasisAct {
            number: 3,
            digest: b"digest".to_vec(),
        }
        .encode_to_vec(),
        ..good.clone()
    };
    assert_eq!(world.asks(altered, 3, b"digest").failure, "JKA-1203");
    let stale = order(&world.manager, 2, b"digest", BEGAN_MS - 1);
    assert_eq!(world.asks(stale, 2, b"digest").failure, "JKA-1204");
    let stranger = SigningKey::generate(&SystemRandomness).unwrap();
    let unknown = Holder::new(&stranger, "M-2", &[Role::SystemManager]);
    let unknown = order(&unknown, 2, b"digest", BEGAN_MS);
    assert_eq!(world.asks(unknown, 2, b"digest").failure, "JKA-1003");
    assert!(world.stage.payloads(BASIS_ORDERED).is_empty());
    assert_eq!(
        world.asks(good, 2, b"digest").failure,
        "",
        "nothing was used up"
    );
}

#[test]
fn an_order_of_one_subject_is_none_of_another() {
    let mut world = world();
    let revocation = RevocationAct {
        node: "cs-352047".to_owned(),
        serial: vec![1, 2],
    }
    .encode_to_vec();
    let of_tables = signed(&world.manager, BASIS, revocation.clone(), BEGAN_MS);
    let refused = world.asks_for(REVOCATION, of_tables, revocation.clone());
    assert_eq!(refused.failure, "JKA-1203");
    let own = signed(&world.manager, REVOCATION, revocation.clone(), BEGAN_MS);
    assert_eq!(world.asks_for(REVOCATION, own, revocation).failure, "");
    assert_eq!(world.stage.payloads(REVOCATION_ORDERED).len(), 1);
}
