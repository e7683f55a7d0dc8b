//! A terminal, a card, a clock in the wrong hands.

use hostile::{attack, folder, without};
use juki_audit::Outcome;
use network::audits;

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

    net.down();
    net.is_quiet();
    let records = audits(&net, "national");
    let refusals: Vec<&str> = records
        .iter()
        .filter(|record| record.outcome == Outcome::Refused as u32)
        .map(|record| record.refusal.as_str())
        .collect();
    assert_eq!(
        refusals,
        [
            "JKA-1001", "JKA-1003", "JKA-1003", "JKA-1003", "JKA-1002", "JKA-1002", "JKA-1001",
            "JKA-1001"
        ]
    );
    // Only the two honest questions were answered, and not the frame that came again.
    assert_eq!(records.len(), refusals.len() + 2);
    assert!(records.iter().all(|record| record.terminal == TERMINAL));
}
