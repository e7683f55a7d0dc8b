//! Journals: messages, blocks, changes, receipts.

use std::sync::Arc;

use juki_crypto::SigningKey;
use juki_domain::{
    Address, BirthDate, Change, ChangeReason, IdentityRecord, PersonName, ResidentRecordCode, Sex,
};
use juki_journal::message::kind::Kind;
use juki_journal::{
    Cursor, JOURNAL_ENTRY, JournalEntry, JournalMessage, Receipt, Refused, SignedBlock, Tier,
};
use juki_ledger::Entry;
use juki_registry::{Position, decode_change, encode_change};
use prost::Message as _;

use super::message;
use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    vec![
        message!("journal-message", JournalMessage, messages()),
        Decoder {
            name: "block",
            decode: |bytes| {
                let Ok(block) = SignedBlock::decode(bytes) else {
                    return false;
                };
                // A hostile town signs whatever it likes: nothing rests on the signature here.
                let _header = block.read_header().map(|header| header.last_seq());
                block.read().is_ok()
            },
            samples: || vec![block(1).encode_to_vec(), block(40).encode_to_vec()],
        },
        Decoder {
            name: "change",
            decode: |bytes| decode_change(bytes).is_ok(),
            samples: || vec![encode_change(&change(1)), encode_change(&change(7))],
        },
        Decoder {
            name: "receipt",
            decode: |bytes| {
                let public = key().public();
                Receipt::decode(bytes).is_ok_and(|receipt| receipt.verify(&public).is_ok())
            },
            samples: || vec![receipt().encode_to_vec()],
        },
    ]
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[5; 32]).unwrap()
}

/// The change of some resident.
pub(super) fn change(number: u8) -> Change {
    let body = format!("9{number:09}").into_bytes();
    let code = ResidentRecordCode::from_body(&body.try_into().unwrap()).unwrap();
    Change {
        reason: ChangeReason::Birth,
        event_date: "2002-10-15".parse().unwrap(),
        record: IdentityRecord {
            code,
            name: PersonName::parse("検査　太郎").unwrap(),
            birth: BirthDate::from_number(20_021_015).unwrap(),
            sex: Sex::Male,
            address: Address::parse("山口県萩市大字江向510番地").unwrap(),
        },
        previous_code: None,
        origin: None,
    }
}

fn block(entries: u8) -> SignedBlock {
    let entries: Vec<Arc<Entry>> = (1..=entries)
        .map(|seq| {
            let position = Position {
                epoch: 1,
                seq: u64::from(seq),
            };
            Arc::new(Entry {
                seq: u64::from(seq),
                at_ms: 1_034_640_000_000,
                kind: JOURNAL_ENTRY,
                salt: [seq; 16],
                payload: JournalEntry::new(position, &change(seq)).encode_to_vec(),
            })
        })
        .collect();
    let town = "352047".parse().unwrap();
    SignedBlock::sign(town, &entries, &[], [3; 32], &key()).unwrap()
}

fn receipt() -> Receipt {
    let position = Position { epoch: 1, seq: 40 };
    let node = "prefecture-35".parse().unwrap();
    let town = "352047".parse().unwrap();
    Receipt::sign(town, position, &[6; 32], (Tier::Prefecture, &node), &key())
}

fn messages() -> Vec<JournalMessage> {
    let cursor = Cursor {
        municipality: 35_204,
        epoch: 1,
        seq: 40,
        block: vec![6; 32],
        ledger_seq: 9,
    };
    let refused = Refused {
        municipality: 35_204,
        code: "JKJ-1001".to_owned(),
        cursor: Some(cursor.clone()),
    };
    let kinds = [
        Kind::Ask(35_204),
        Kind::Cursor(cursor),
        Kind::Block(block(2)),
        Kind::Receipt(receipt()),
        Kind::Refused(refused),
    ];
    kinds
        .into_iter()
        .map(|kind| JournalMessage { kind: Some(kind) })
        .collect()
}
