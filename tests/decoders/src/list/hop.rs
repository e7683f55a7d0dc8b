//! What comes over a hop: frames, hellos, refusals.

use bytes::Bytes;
use juki_domain::ServiceId;
use juki_wire::hello::control::Kind;
use juki_wire::{
    Control, Flags, FrameKind, FrameParts, Header, Hello, HelloAck, MessageId, NoticeNumber,
    NoticeUpdate, Priority, Refusal, Reset, RevocationUpdate, VERSION,
};

use super::message;
use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder {
            name: "frame",
            decode: |bytes| FrameParts::decode(&Bytes::copy_from_slice(bytes)).is_ok(),
            samples: frames,
        },
        message!("control", Control, controls()),
        message!(
            "refusal",
            Refusal,
            vec![Refusal {
                node: "fw-cs-352047".to_owned(),
                rule: "rule 1: frame rate".to_owned(),
                code: "JKP-1004".to_owned(),
            }]
        ),
        message!(
            "reset",
            Reset,
            vec![Reset {
                boot_nonce: vec![5; 16],
                session: vec![6; 16],
            }]
        ),
    ]
}

/// The header of a message between two nodes of the demo.
pub(super) fn header(kind: FrameKind, service: ServiceId) -> Header {
    Header {
        kind,
        service,
        priority: Priority::Interactive,
        flags: Flags {
            opening: true,
            reply: kind != FrameKind::Message,
        },
        source: "cs-352047".parse().unwrap(),
        destination: "prefecture-35".parse().unwrap(),
        calendar_version: 7,
        message_id: MessageId([1; 16]),
        session: [2; 16],
        sequence: 3,
    }
}

fn frames() -> Vec<Vec<u8>> {
    let kinds = [FrameKind::Message, FrameKind::Refusal, FrameKind::Reset];
    let with = |(kind, service)| header(kind, service).frame(&[9; 40]).unwrap().to_vec();
    kinds.into_iter().zip(ServiceId::ALL).map(with).collect()
}

fn controls() -> Vec<Control> {
    let hello = Hello {
        version: VERSION,
        node: "cs-352047".to_owned(),
        network: "demo".to_owned(),
        calendar_version: 1,
        civil_date: 20_021_015,
        revocation_number: 1,
        clock_ms: 1_034_640_000_000,
        program: "0.1.0".to_owned(),
        notices: vec![NoticeNumber { kind: 1, number: 7 }],
        takes_over: false,
    };
    let kinds = [
        Kind::Hello(hello.clone()),
        Kind::HelloAck(HelloAck { hello: Some(hello) }),
        Kind::Revocation(RevocationUpdate { list: vec![48; 60] }),
        Kind::Notice(NoticeUpdate {
            notice: vec![8; 60],
        }),
    ];
    kinds
        .into_iter()
        .map(|kind| Control { kind: Some(kind) })
        .collect()
}
