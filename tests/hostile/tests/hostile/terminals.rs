//! A terminal, a card, a clock in the wrong hands.

use std::collections::BTreeMap;

use hostile::{attack, folder, without};
use juki_audit::{AuditRecord, Outcome};
use network::{audits, until};

const TERMINAL: &str = "agency-mhlw";

#[test]
fn a_stolen_card_and_a_clock_set_back_get_no_record_and_every_refusal_is_on_record() {
    let net = without(&[TERMINAL]);
    let place = folder(&net, TERMINAL);
    let card = net.net().join("cards/agency-mhlw.card");
    let pin = net.net().join("cards/agency-mhlw.pin");
    let with_card = ["--node", &place, "--card", card.to_str().unwrap()];

    let stolen = attack(&net, &[&["card"], with_card.as_slice()].concat());
    assert_eq!(stolen.refused("no grant"), ("national", "JKA-1001"));
    for what in [
        "a grant that another key signed",
        "the card's certificate with another key in it",
        "a certificate that a node issued",
    ] {
        assert_eq!(stolen.refused(what), ("national", "JKA-1003"), "{what}");
    }
    for pin in ["guess0", "guess1", "guess2"] {
        assert_eq!(stolen.refused(pin), ("card", "JKA-1006"));
    }
    assert_eq!(stolen.refused("guess3"), ("card", "JKA-1007"));

    let pin = ["--pin-file", pin.to_str().unwrap()];
    let clock = attack(&net, &[&["clock"], with_card.as_slice(), &pin].concat());
    let expired = ("national", "JKA-1002");
    assert_eq!(clock.refused("a grant of an hour ago"), expired);
    assert_eq!(clock.refused("a grant of an hour ahead"), expired);
    let none = ("national", "JKA-1001");
    assert_eq!(clock.refused("a grant for a whole day"), none);
    assert_eq!(clock.refused("a grant for another terminal"), none);
    let again = clock.heard("a frame of the session before");
    assert!(["reset", "refused"].contains(&again), "{again}");

    // Like refusals may be summed up in one record, which comes within a second.
    let expected = BTreeMap::from([
        ("JKA-1001".to_owned(), 3),
        ("JKA-1002".to_owned(), 2),
        ("JKA-1003".to_owned(), 3),
    ]);
    let records = until("every refusal on record", || {
        let records = audits(&net, "national");
        let mut refusals: BTreeMap<String, u64> = BTreeMap::new();
        for record in records.iter().filter(|record| is_refused(record)) {
            *refusals.entry(record.refusal.clone()).or_default() += record.summed.max(1);
        }
        (refusals == expected).then_some(records)
    });
    // Only the two honest questions were answered, and not the frame that came again.
    let answered = records.iter().filter(|record| !is_refused(record)).count();
    assert_eq!(answered, 2);
    assert!(records.iter().all(|record| record.terminal == TERMINAL));
}

fn is_refused(record: &AuditRecord) -> bool {
    record.outcome == Outcome::Refused as u32
}
