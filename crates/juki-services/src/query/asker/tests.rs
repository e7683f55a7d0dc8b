use juki_access::{ListedFor, Role};
use juki_crypto::{SigningKey, SystemRandomness};

use super::*;
use crate::cards::CARD_LIST;
use crate::query::LOGINS_MAX;
use crate::stage::{BEGAN_MS, Holder, Stage};

const IDLE: u64 = 60_000;

struct Desk {
    stage: Stage,
    registrar: SigningKey,
}

fn desk() -> Desk {
    let asker = Asker::with_idle_ms("elsewhere".parse().unwrap(), IDLE);
    Desk {
        stage: Stage::new(vec![Box::new(asker)]),
        registrar: SigningKey::generate(&SystemRandomness).unwrap(),
    }
}

fn holder(desk: &Desk, serial: &str) -> Holder {
    Holder::new(&desk.registrar, serial, &[Role::BusinessOperator])
}

impl Desk {
    fn say(&mut self, session: &str, kind: local_ask::Kind) -> Option<LocalAnswer> {
        let ask = LocalAsk {
            kind: Some(kind),
            session: session.to_owned(),
        };
        let answer = self
            .stage
            .ask(ServiceId::Query.name(), ask.encode_to_vec())?;
        Some(LocalAnswer::decode(answer.as_slice()).unwrap())
    }

    fn log_in(&mut self, holder: &Holder) -> Result<String, String> {
        let key = random_array::<32>(&SystemRandomness);
        let grant = Grant::new("agency", self.stage.now_ms / 1000, 900, &key).encode_to_vec();
        let authorisation = Authorisation {
            signature: holder.key.sign(Grant::context(), &grant).to_vec(),
            grant,
            certificate: holder.certificate.encode_to_vec(),
            key: key.to_vec(),
            proof: Vec::new(),
        };
        let answer = self.say("", local_ask::Kind::Login(authorisation)).unwrap();
        if answer.failure.is_empty() {
            Ok(answer.session)
        } else {
            Err(answer.failure)
        }
    }

    /// What is said at once against a question; a question that leaves is not answered yet.
    fn refusal(&mut self, session: &str) -> Option<String> {
        self.say(session, local_ask::Kind::Ask(Question::default()))
            .map(|answer| answer.failure)
    }

    fn list(&mut self, number: u64, serial: &str) {
        let mut list = CardList::default();
        list.list(serial, ListedFor::Lost, 1).unwrap();
        let body = list.encode();
        let notice = Notice::sign(NoticeKind::CardList, number, body, &self.registrar);
        self.stage.notice(notice);
    }

    fn ended(&self) -> Vec<(String, u32)> {
        let records = self.stage.payloads(SESSION_ENDED);
        records
            .iter()
            .map(|bytes| SessionEnded::decode(bytes.as_slice()).unwrap())
            .map(|ended| (ended.card, ended.reason))
            .collect()
    }

    fn admits(&mut self, serial: &str, unlockings: u64) -> String {
        let card = CardAtHand {
            serial: serial.to_owned(),
            unlockings,
        };
        self.say("", local_ask::Kind::Admit(card)).unwrap().failure
    }

    fn mistypes(&mut self, serial: &str, unlockings: u64) {
        let card = Some(CardAtHand {
            serial: serial.to_owned(),
            unlockings,
        });
        let wrong = WrongPin { card, left: 2 };
        self.say("", local_ask::Kind::WrongPin(wrong)).unwrap();
    }
}

#[test]
fn sixty_four_operators_ask_side_by_side_and_each_token_is_another() {
    let mut desk = desk();
    let mut tokens = std::collections::BTreeSet::new();
    for number in 0..64 {
        let holder = holder(&desk, &format!("C-{number}"));
        tokens.insert(desk.log_in(&holder).unwrap());
    }
    assert_eq!(tokens.len(), 64);
    assert!(tokens.iter().all(|token| token.len() == 32));
    for token in &tokens {
        assert_eq!(desk.refusal(token), None);
    }
    assert_eq!(desk.stage.payloads(OPERATOR_SESSION).len(), 64);
    assert_eq!(desk.refusal("no such token").as_deref(), Some("JKA-1210"));
}

#[test]
fn a_terminal_is_full_at_its_bound_and_has_room_again_after_a_logout() {
    let mut desk = desk();
    let mut first = String::new();
    for number in 0..LOGINS_MAX {
        let holder = holder(&desk, &format!("C-{number}"));
        first = desk.log_in(&holder).unwrap();
    }
    let late = holder(&desk, "late");
    assert_eq!(desk.log_in(&late), Err("JKA-1211".to_owned()));
    let answer = desk.say(&first, local_ask::Kind::Logout(true)).unwrap();
    assert_eq!(answer.failure, "");
    assert!(desk.log_in(&late).is_ok());
}

#[test]
fn an_idle_session_ends_by_itself_and_the_ledger_says_why() {
    let mut desk = desk();
    let holder = holder(&desk, "C-1");
    let token = desk.log_in(&holder).unwrap();
    assert_eq!(desk.stage.wakes_at(), Some(BEGAN_MS + IDLE));
    desk.stage.advance(IDLE - 1);
    assert_eq!(desk.ended(), []);
    desk.stage.advance(1);
    assert_eq!(desk.ended(), [("C-1".to_owned(), EndedFor::Idle as u32)]);
    assert_eq!(desk.refusal(&token).as_deref(), Some("JKA-1210"));
    assert_eq!(
        desk.refusal(""),
        None,
        "it travels, to be refused on record"
    );
}

#[test]
fn the_session_of_a_listed_card_ends_at_once_and_it_does_not_begin_another() {
    let mut desk = desk();
    let (lost, other) = (holder(&desk, "C-1"), holder(&desk, "C-2"));
    let (lost_token, other_token) = (desk.log_in(&lost).unwrap(), desk.log_in(&other).unwrap());
    desk.list(5, "C-1");
    assert_eq!(desk.ended(), [("C-1".to_owned(), EndedFor::Listed as u32)]);
    assert_eq!(desk.refusal(&lost_token).as_deref(), Some("JKA-1210"));
    assert_eq!(desk.refusal(&other_token), None);
    assert_eq!(desk.log_in(&lost), Err("JKA-1201".to_owned()));
    assert_eq!(desk.admits("C-1", 0), "JKA-1201");
    desk.list(5, "C-1");
    desk.list(6, "C-9");
    assert!(desk.log_in(&lost).is_ok());
    let numbers: Vec<u64> = desk
        .stage
        .payloads(CARD_LIST)
        .iter()
        .map(|bytes| cards::CardListRecord::decode(bytes.as_slice()).unwrap())
        .map(|record| record.number)
        .collect();
    assert_eq!(numbers, [5, 6], "each list is on record once");
}

#[test]
fn a_list_that_cannot_be_read_leaves_the_one_before_in_force_and_says_so() {
    let mut desk = desk();
    desk.list(1, "C-1");
    let notice = Notice::sign(NoticeKind::CardList, 2, vec![0xff; 3], &desk.registrar);
    desk.stage.notice(notice);
    assert_eq!(desk.admits("C-1", 0), "JKA-1201");
    let last = desk.stage.payloads(CARD_LIST).pop().unwrap();
    let record = cards::CardListRecord::decode(last.as_slice()).unwrap();
    assert!(record.is_unreadable && record.number == 2);
}

#[test]
fn a_card_that_has_expired_begins_no_session_and_one_that_expires_ends_it() {
    let mut desk = desk();
    let mut card = holder(&desk, "C-1");
    card.certificate.valid_until_s = BEGAN_MS / 1000 + 30;
    let token = desk.log_in(&card).unwrap();
    desk.stage.advance(30_000);
    assert_eq!(desk.refusal(&token), None);
    desk.stage.advance(1000);
    assert_eq!(desk.refusal(&token).as_deref(), Some("JKA-1210"));
    assert_eq!(desk.log_in(&card), Err("JKA-1202".to_owned()));
}

#[test]
fn three_wrong_pins_shut_out_a_card_whatever_its_own_counter_says_until_it_is_unlocked() {
    let mut desk = desk();
    for _ in 0..2 {
        desk.mistypes("C-1", 0);
    }
    assert_eq!(desk.admits("C-1", 0), "");
    desk.mistypes("C-1", 0);
    assert_eq!(desk.admits("C-1", 0), "JKA-1007");
    assert_eq!(desk.admits("C-2", 0), "");
    assert_eq!(desk.admits("C-1", 1), "", "the registrar unlocked it");
    desk.mistypes("C-1", 1);
    assert_eq!(desk.admits("C-1", 1), "");
    let failed = desk.stage.payloads(PIN_FAILED);
    assert_eq!(failed.len(), 4);
    let last = PinFailed::decode(failed[3].as_slice()).unwrap();
    assert_eq!(
        (last.card.as_str(), last.left, last.unlockings),
        ("C-1", 2, 1)
    );
}

#[test]
fn the_count_of_wrong_pins_survives_a_restart_and_a_login_clears_it() {
    let mut desk = desk();
    let card = holder(&desk, "C-1");
    for _ in 0..2 {
        desk.mistypes("C-1", 0);
    }
    desk.log_in(&card).unwrap();
    for _ in 0..2 {
        desk.mistypes("C-1", 0);
    }
    assert_eq!(desk.admits("C-1", 0), "");
    let asker = Asker::new("elsewhere".parse().unwrap());
    desk.stage = Stage::after(vec![Box::new(asker)], desk.stage.entries());
    assert_eq!(desk.admits("C-1", 0), "");
    desk.mistypes("C-1", 0);
    assert_eq!(desk.admits("C-1", 0), "JKA-1007");
}
