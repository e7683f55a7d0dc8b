use std::os::unix::fs::PermissionsExt as _;

use juki_crypto::{SigningKey, SystemRandomness, VerifyingKey};
use tempfile::TempDir;

use super::*;

struct Desk {
    folder: TempDir,
    card: SoftCard,
    public: VerifyingKey,
}

fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(&SystemRandomness).unwrap();
    let card = SoftCard::create(
        &folder.path().join("op.card"),
        "4711",
        "C-001",
        "op-1",
        b"certificate",
        key.pkcs8(),
    )
    .unwrap();
    Desk {
        folder,
        card,
        public: key.public(),
    }
}

fn left(result: Result<UnlockedCard, CardError>) -> Option<u8> {
    match result {
        Err(CardError::PinWrong { left }) => Some(left),
        Ok(_) | Err(_) => None,
    }
}

#[test]
fn the_right_pin_signs_under_the_cards_key() {
    let desk = desk();
    let card = SoftCard::open(&desk.folder.path().join("op.card")).unwrap();
    assert_eq!(
        (card.serial(), card.operator(), card.certificate()),
        ("C-001", "op-1", b"certificate".as_slice())
    );
    let unlocked = card.unlock("4711").unwrap();
    let signature = unlocked.sign_in("grant", b"message");
    assert_eq!(desk.public.verify("grant", b"message", &signature), Ok(()));
    assert!(desk.public.verify("other", b"message", &signature).is_err());
    assert_eq!(unlocked.certificate(), b"certificate");
}

#[test]
fn three_wrong_pins_lock_the_card_for_the_right_one_too() {
    let desk = desk();
    assert_eq!(left(desk.card.unlock("0000")), Some(2));
    assert_eq!(left(desk.card.unlock("0001")), Some(1));
    assert_eq!(left(desk.card.unlock("0002")), Some(0));
    assert!(matches!(desk.card.unlock("4711"), Err(CardError::Locked)));
}

#[test]
fn the_right_pin_gives_the_tries_back_and_a_malformed_one_costs_none() {
    let desk = desk();
    assert_eq!(left(desk.card.unlock("0000")), Some(2));
    assert!(matches!(desk.card.unlock("47 11"), Err(CardError::PinForm)));
    assert!(desk.card.unlock("4711").is_ok());
    assert_eq!(left(desk.card.unlock("0000")), Some(2));
}

#[test]
fn a_try_is_written_before_it_is_judged() {
    let desk = desk();
    let path = desk.folder.path().join("op.card");
    // The derivation takes so long that the new counter is seen first, unless this thread sleeps
    // through it; hence three chances.
    let seen_first = (0..PIN_TRIES).rev().any(|left_after| {
        let card = SoftCard::open(&path).unwrap();
        let wrong = std::thread::spawn(move || left(card.unlock("0000")));
        let started = std::time::Instant::now();
        while std::fs::read(&path).unwrap()[9] != left_after {
            assert!(
                started.elapsed().as_secs() < 20,
                "the try was never written"
            );
        }
        let judging = !wrong.is_finished();
        assert_eq!(wrong.join().unwrap(), Some(left_after));
        judging
    });
    assert!(seen_first);
}

#[test]
fn parallel_attempts_do_not_share_a_try() {
    let desk = desk();
    let path = desk.folder.path().join("op.card");
    let attempts: Vec<_> = (0..4)
        .map(|_| {
            let card = SoftCard::open(&path).unwrap();
            std::thread::spawn(move || left(card.unlock("0000")))
        })
        .collect();
    let mut lefts: Vec<_> = attempts
        .into_iter()
        .map(|attempt| attempt.join().unwrap())
        .collect();
    lefts.sort();
    assert_eq!(lefts, [None, Some(0), Some(1), Some(2)]);
}

#[test]
fn an_altered_card_is_damaged_and_a_missing_one_says_so() {
    let desk = desk();
    let path = desk.folder.path().join("op.card");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(desk.card.unlock("4711"), Err(CardError::Damaged)));
    assert!(matches!(SoftCard::open(&path), Err(CardError::Damaged)));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(SoftCard::open(&path), Err(CardError::Io(_))));
}

#[test]
fn a_card_is_never_overwritten_and_is_readable_by_its_owner_only() {
    let desk = desk();
    let path = desk.folder.path().join("op.card");
    let key = SigningKey::generate(&SystemRandomness).unwrap();
    assert!(matches!(
        SoftCard::create(&path, "1234", "C-2", "op-2", b"", key.pkcs8()),
        Err(CardError::Io(_))
    ));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn what_a_card_cannot_hold_is_refused() {
    let desk = desk();
    let path = desk.folder.path().join("new.card");
    let key = SigningKey::generate(&SystemRandomness).unwrap();
    assert!(matches!(
        SoftCard::create(&path, "1", "C-2", "op-2", b"", key.pkcs8()),
        Err(CardError::PinForm)
    ));
    assert!(matches!(
        SoftCard::create(&path, "1234", "", "op-2", b"", key.pkcs8()),
        Err(CardError::Contents(_))
    ));
    assert!(matches!(
        SoftCard::create(&path, "1234", "C-2", "op 2", b"", key.pkcs8()),
        Err(CardError::Contents(_))
    ));
    assert!(matches!(
        SoftCard::create(&path, "1234", "C-2", "op-2", &[0; 20_000], key.pkcs8()),
        Err(CardError::Contents(_))
    ));
    assert!(matches!(
        SoftCard::create(&path, "1234", "C-2", "op-2", b"", b"no key"),
        Err(CardError::Contents(_))
    ));
    assert!(!path.exists());
}
