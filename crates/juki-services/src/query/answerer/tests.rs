use std::num::NonZeroU32;

use juki_access::{AccessRates, Authorisation, CardList, Grant, ListedFor, Role};
use juki_crypto::{DigestKey, SigningKey, SystemRandomness};
use juki_dispatch::Ticket;
use juki_domain::LegalBasisTable;
use juki_wire::{MessageId, Priority};

use super::*;
use crate::cards::CARD_LIST;
use crate::stage::{BEGAN_MS, Holder, Stage};

const TABLE: &str = "affair,body,table,body_ja,statute_ja,affair_ja,starts,starts_mark,keys,items,fuzzy,operator_per_min,body_per_min,scope_mark\npension,center,別表第一,中央,援護法,年金,2002-09,src,both,123456,no,,,design\n";

/// Hands what is asked on this node to the answerer as if the terminal had sent it.
struct Wicket(QueryAnswerer);

impl Service for Wicket {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn on_message(&mut self, _: &Context<'_>, _: &Origin, _: &[u8], _: &mut View) -> Step {
        Step::none()
    }

    fn on_local(
        &mut self,
        context: &Context<'_>,
        _: Ticket,
        request: &[u8],
        view: &mut View,
    ) -> Step {
        let origin = Origin {
            node: "agency-mhlw".parse().unwrap(),
            message_id: MessageId([1; 16]),
            reply: false,
            priority: Priority::Interactive,
        };
        self.0.on_message(context, &origin, request, view)
    }

    fn on_notice(&mut self, context: &Context<'_>, notice: &Notice, view: &mut View) -> Step {
        self.0.on_notice(context, notice, view)
    }

    fn resume(&mut self, ledger: &dyn LedgerRead, view: &View) {
        self.0.resume(ledger, view);
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        self.0.apply(entry, view);
    }

    fn before_end(&mut self, context: &Context<'_>, view: &mut View) -> Step {
        self.0.before_end(context, view)
    }
}

fn wicket(registrar: &SigningKey) -> Wicket {
    let rates = AccessRates {
        operator_per_min: NonZeroU32::MAX,
        body_per_min: NonZeroU32::MAX,
    };
    let access = AccessControl::new(registrar.public(), rates)
        .with_basis(1, LegalBasisTable::parse(TABLE).unwrap());
    let registry = Registry::new(DigestKey::new(&[1; 32]), true);
    Wicket(QueryAnswerer::new(access, &["別表第一"], registry))
}

#[test]
fn a_node_that_stops_has_every_refusal_on_record() {
    let registrar = SigningKey::generate(&SystemRandomness).unwrap();
    let mut stage = Stage::new(vec![Box::new(wicket(&registrar))]);
    for _ in 0..50 {
        stage.ask(ServiceId::Query.name(), Request::default().encode_to_vec());
    }
    let told = |stage: &Stage| -> u64 {
        let records = stage.payloads(AUDIT);
        let read = records
            .iter()
            .map(|bytes| AuditRecord::decode(bytes.as_slice()).unwrap());
        read.map(|record| record.summed.max(1)).sum()
    };
    assert!(told(&stage) < 50, "the rest waits to be summed up");
    stage.end();
    assert_eq!(told(&stage), 50);
}

#[test]
fn a_listed_card_is_refused_and_the_refusal_names_it_whatever_its_terminal_knows() {
    let registrar = SigningKey::generate(&SystemRandomness).unwrap();
    let holder = Holder::new(&registrar, "C-1", &[Role::BusinessOperator]);
    let mut stage = Stage::new(vec![Box::new(wicket(&registrar))]);
    let question = Question {
        affair: "pension".to_owned(),
        code: "91234567891".to_owned(),
        ..Question::default()
    }
    .encode_to_vec();
    let key = [9; 32];
    let grant = Grant::new("agency-mhlw", BEGAN_MS / 1000, 900, &key).encode_to_vec();
    let request = Request {
        authorisation: Some(Authorisation {
            signature: holder.key.sign(Grant::context(), &grant).to_vec(),
            grant,
            certificate: holder.certificate.encode_to_vec(),
            key: key.to_vec(),
            proof: DigestKey::new(&key).digest(&question).to_vec(),
        }),
        question,
    }
    .encode_to_vec();
    let list = |number, serial| {
        let mut list = CardList::default();
        list.list(serial, ListedFor::Lost, 1).unwrap();
        Notice::sign(NoticeKind::CardList, number, list.encode(), &registrar)
    };
    for notice in [list(1, "C-2"), list(2, "C-1"), list(3, "C-2")] {
        stage.notice(notice);
        stage.ask(ServiceId::Query.name(), request.clone());
    }
    let told: Vec<(String, String)> = stage
        .payloads(AUDIT)
        .iter()
        .map(|bytes| AuditRecord::decode(bytes.as_slice()).unwrap())
        .map(|record| (record.card, record.refusal))
        .collect();
    let own = |refusal: &str| ("C-1".to_owned(), refusal.to_owned());
    assert_eq!(told, [own(""), own("JKA-1201"), own("")]);
    assert_eq!(stage.payloads(CARD_LIST).len(), 3);
    // A start at which the list is gone, and then an older one lies in its place.
    let mut stage = Stage::after(vec![Box::new(wicket(&registrar))], stage.entries());
    let mut refusal = |notice: Option<Notice>| {
        if let Some(notice) = notice {
            stage.notice(notice);
        }
        stage.ask(ServiceId::Query.name(), request.clone());
        let last = stage.payloads(AUDIT).pop().unwrap();
        AuditRecord::decode(last.as_slice()).unwrap().refusal
    };
    assert_eq!(refusal(None), "JKA-1214");
    assert_eq!(refusal(Some(list(2, "C-2"))), "JKA-1214");
    assert_eq!(refusal(Some(list(3, "C-2"))), "");
}
