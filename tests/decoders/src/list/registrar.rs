//! What the registrar and the monitor say and hear: lists of cards, unlockings, acts, reports.

use juki_access::{CardList, ListedFor, SignedAct, UnlockGrant};
use juki_crypto::SigningKey;
use juki_incident::{Acknowledged, Alert, Counters, MonitorQuestion, Report};
use juki_ledger::{Chain, Checkpoint};
use prost::Message as _;

use super::message;
use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder {
            name: "card-list",
            decode: |bytes| CardList::decode(bytes).is_ok(),
            samples: || {
                let mut list = CardList::default();
                for (serial, reason) in ["C-1", "C-2", "C-3", "C-4"].iter().zip(ListedFor::ALL) {
                    list.list(serial, reason, 1_034_640_000).unwrap();
                }
                vec![list.encode()]
            },
        },
        Decoder {
            name: "unlocking",
            decode: |bytes| UnlockGrant::verify(bytes, &key().public()).is_ok(),
            samples: || vec![UnlockGrant::sign("C-1", 3, &key()).encode_to_vec()],
        },
        message!(
            "signed-act",
            SignedAct,
            vec![
                SignedAct::unsigned("cards", vec![1; 40], 1_034_640_000_000, [2; 16], &[3; 120])
                    .with_signature([4; 64])
            ]
        ),
        Decoder {
            name: "monitor-report",
            decode: |bytes| {
                let Ok(report) = Report::decode(bytes) else {
                    return false;
                };
                let is_sound = |alert: &Alert| {
                    alert.origin().is_some() && alert.verify(&key().public()).is_ok()
                };
                report.alerts.iter().all(is_sound)
            },
            samples: || vec![report().encode_to_vec()],
        },
        message!(
            "monitor-answer",
            Acknowledged,
            vec![Acknowledged {
                checkpoint: Some(checkpoint()),
                refusal: "JKM-1001".to_owned(),
            }]
        ),
        message!(
            "monitor-question",
            MonitorQuestion,
            vec![MonitorQuestion { limit: 20 }]
        ),
    ]
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[10; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    let chain = Chain {
        seq: 12,
        hash: [9; 32],
    };
    Checkpoint::sign(
        &"fw-national".parse().unwrap(),
        &chain,
        1_034_640_000_000,
        &key(),
    )
}

fn report() -> Report {
    let alert = Alert {
        node: "fw-cs-352047".to_owned(),
        at_ms: 1_034_640_000_000,
        kind: "scan".to_owned(),
        level: 2,
        count: 7,
        service: "query".to_owned(),
        peer: "cs-352047".to_owned(),
        code: "JKP-1001".to_owned(),
        evidence: 9,
        signature: Vec::new(),
    };
    Report {
        alerts: vec![alert.signed(&key())],
        checkpoint: Some(checkpoint()),
        counters: Some(Counters {
            lost: 1,
            waiting: 2,
        }),
    }
}
