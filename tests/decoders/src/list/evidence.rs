//! What ledgers hold.

use std::sync::Arc;

use firewall_proxy::FirewallRecord;
use juki_audit::{AUDIT, AuditRecord, Outcome};
use juki_crypto::{SigningKey, StorageKey};
use juki_dispatch::SecurityRecord;
use juki_ledger::{
    Chain, Checkpoint, Entry, EntryKind, FRAME_HEADER_LEN, Frame, FrameHeader, SegmentHeader,
    encode_frame,
};
use prost::Message as _;

use super::message;
use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    [records(), frames()].concat()
}

fn records() -> Vec<Decoder> {
    vec![
        message!("audit-record", AuditRecord, vec![audit()]),
        message!(
            "security-record",
            SecurityRecord,
            vec![SecurityRecord {
                source: "cs-352047".to_owned(),
                code: "JKE-1002".to_owned(),
                message_id: "00".repeat(16),
                count: 1,
            }]
        ),
        Decoder {
            name: "firewall-record",
            decode: firewall_record,
            samples: firewall_records,
        },
        Decoder {
            name: "checkpoint",
            decode: |bytes| {
                Checkpoint::decode(bytes).is_ok_and(|point| point.verify(&key().public()).is_ok())
            },
            samples: || {
                let chain = Chain {
                    seq: 12,
                    hash: [9; 32],
                };
                let node = "national".parse().unwrap();
                vec![Checkpoint::sign(&node, &chain, 1_034_640_000_000, &key()).encode_to_vec()]
            },
        },
    ]
}

fn frames() -> Vec<Decoder> {
    vec![
        Decoder {
            name: "segment-header",
            decode: |bytes| {
                let bytes = checksummed(bytes.to_vec());
                SegmentHeader::decode(&bytes).is_ok()
                    && SegmentHeader::frame_key(&bytes, &StorageKey::new([1; 32])).is_ok()
            },
            samples: || {
                let header = SegmentHeader {
                    node: "national".parse().unwrap(),
                    number: 3,
                    before: Chain {
                        seq: 12,
                        hash: [9; 32],
                    },
                    begun_ms: 1_034_640_000_000,
                    signer: [4; 32],
                };
                let storage = StorageKey::new([1; 32]);
                vec![header.encode(&storage, &StorageKey::new([2; 32]), [3; 12])]
            },
        },
        Decoder {
            name: "ledger-frame",
            decode: ledger_frame,
            samples: || {
                let entry = |seq: u64| {
                    let entry = Arc::new(Entry {
                        seq,
                        at_ms: 1_034_640_000_000,
                        kind: AUDIT,
                        salt: [7; 16],
                        payload: audit().encode_to_vec(),
                    });
                    let leaf = entry.leaf();
                    (entry, leaf)
                };
                let entries: Vec<_> = (13..16).map(entry).collect();
                vec![encode_frame(&StorageKey::new([2; 32]), 5, &entries)]
            },
        },
    ]
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[9; 32]).unwrap()
}

fn audit() -> AuditRecord {
    AuditRecord {
        at_ms: 1_034_640_000_000,
        civil_date: 20_021_015,
        operator: "mhlw-1".to_owned(),
        terminal: "agency-mhlw".to_owned(),
        affair: "war-bereaved-pension".to_owned(),
        person: vec![1; 16],
        items: vec![1, 2, 3, 4, 5, 6],
        outcome: Outcome::Match as u32,
        ..AuditRecord::default()
    }
}

/// The header's last four bytes are its checksum: whoever changes a file changes that too.
fn checksummed(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(covered) = bytes.len().checked_sub(4) {
        let checksum = crc32c::crc32c(&bytes[..covered]);
        bytes[covered..].copy_from_slice(&checksum.to_be_bytes());
    }
    bytes
}

fn ledger_frame(bytes: &[u8]) -> bool {
    let Some((header, body)) = bytes.split_first_chunk::<FRAME_HEADER_LEN>() else {
        return false;
    };
    let Ok(header) = FrameHeader::decode(header) else {
        return false;
    };
    // A reader takes so much from the file and not more than there is.
    let body = body.get(..header.body_len()).unwrap_or(body);
    Frame::decode(header, body).is_ok_and(|frame| frame.open(&StorageKey::new([2; 32])).is_ok())
}

/// The kind in two bytes, then the payload.
fn firewall_record(bytes: &[u8]) -> bool {
    let Some((kind, payload)) = bytes.split_first_chunk::<2>() else {
        return false;
    };
    let kind = EntryKind(u16::from_be_bytes(*kind));
    matches!(FirewallRecord::decode(kind, payload), Ok(Some(_)))
}

fn firewall_records() -> Vec<Vec<u8>> {
    let records = [
        FirewallRecord::Run(firewall_proxy::RunRecord {
            from: "cs-352047".to_owned(),
            to: "prefecture-35".to_owned(),
            service: "journal".to_owned(),
            rule: 1,
            count: 7,
            bytes: 7_000,
            ..firewall_proxy::RunRecord::default()
        }),
        FirewallRecord::RefusedFrame(firewall_proxy::RefusedFrameRecord {
            peer: "cs-352047".to_owned(),
            rule: "speaks-for".to_owned(),
            code: "JKP-1002".to_owned(),
            message_id: vec![1; 16],
            ..firewall_proxy::RefusedFrameRecord::default()
        }),
        FirewallRecord::LinkRefused(firewall_proxy::LinkRefusals {
            interface: "line".to_owned(),
            remote: "127.0.0.1:4433".to_owned(),
            code: "JKT-1005".to_owned(),
            count: 3,
            ..firewall_proxy::LinkRefusals::default()
        }),
        FirewallRecord::Lost(firewall_proxy::LostRecords { count: 7 }),
        FirewallRecord::Policy(firewall_proxy::PolicyRecord {
            digest: vec![7; 32],
            by: "admin".to_owned(),
            ..firewall_proxy::PolicyRecord::default()
        }),
        FirewallRecord::Alert(firewall_proxy::AlertRecord {
            kind: "scan".to_owned(),
            level: 2,
            ..firewall_proxy::AlertRecord::default()
        }),
    ];
    records
        .iter()
        .map(|record| {
            let entry = record.entry();
            [&entry.kind.0.to_be_bytes(), entry.payload.as_slice()].concat()
        })
        .collect()
}
