//! What trust rests on: certificates, revocation lists, notices, the directory, sessions.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use juki_crypto::{
    Directory, DirectoryEntry, Notice, NoticeKind, Opening, SealingKey, Session, SigningKey,
    SystemRandomness,
};
use juki_dispatch::{OpenedFrame, Sessions};
use juki_domain::{NodeId, NodeRole, ServiceId};
use juki_pki::{
    Authority, crl_next_update, generate_key, node_of, not_after_of, public_key_info,
    public_key_of, serial_of, verify_crl,
};
use juki_wire::{FrameParts, Priority};
use prost::Message as _;

use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    [signed(), sealed()].concat()
}

fn signed() -> Vec<Decoder> {
    vec![
        Decoder {
            name: "certificate",
            decode: |bytes| {
                let node = node_of(bytes, "demo").is_ok();
                serial_of(bytes).is_ok() && not_after_of(bytes).is_ok() && node
            },
            samples: || vec![CAST.certificate.clone()],
        },
        Decoder {
            name: "revocation-list",
            decode: |bytes| {
                let _any = crl_next_update(bytes).is_ok();
                verify_crl(bytes, CAST.issuing.certificate()).is_ok()
            },
            samples: || {
                let lists = [vec![], vec![(vec![7; 16], FROM_S), (vec![1; 8], FROM_S)]];
                lists
                    .iter()
                    .map(|serials| {
                        CAST.issuing
                            .revocation_list(3, serials, FROM_S, TO_S)
                            .unwrap()
                    })
                    .collect()
            },
        },
        Decoder {
            name: "notice",
            decode: |bytes| {
                Notice::peek(bytes).is_ok() && Notice::verify(bytes, &CAST.root.public()).is_ok()
            },
            samples: || {
                let notice =
                    |kind| Notice::sign(kind, 7, b"body of a notice".to_vec(), &CAST.root).encode();
                NoticeKind::ALL.into_iter().map(notice).collect()
            },
        },
        Decoder {
            name: "directory",
            decode: |bytes| Directory::verify(bytes, &CAST.root.public()).is_ok(),
            samples: || vec![CAST.directory.sign(&CAST.root)],
        },
    ]
}

fn sealed() -> Vec<Decoder> {
    vec![
        Decoder {
            name: "session-opening",
            decode: |bytes| {
                let Ok(opening) = Opening::decode(bytes) else {
                    return false;
                };
                let source = (&CAST.source, &CAST.source_key.public());
                let own = (&CAST.me, CAST.sealing.as_ref());
                Session::accept(&opening, source, own, &[4; 16], 0).is_ok()
            },
            samples: || {
                let opened = Session::open(
                    &SystemRandomness,
                    (&CAST.source, &CAST.source_key),
                    (&CAST.me, CAST.sealing.public()),
                    &[4; 16],
                    9,
                );
                vec![opened.unwrap().1.encode_to_vec()]
            },
        },
        Decoder {
            name: "sealed-frame",
            decode: |bytes| {
                let Ok(parts) = FrameParts::decode(&Bytes::copy_from_slice(bytes)) else {
                    return false;
                };
                // Nobody opens what he does not know the session of; he asks for an opening.
                let opened = sessions(&CAST.me, &CAST.own_key).open(1_000, &parts);
                !matches!(opened, OpenedFrame::Reject { .. })
            },
            samples: || {
                let mut speaking = sessions(&CAST.source, &CAST.source_key);
                let mut seal = |body: &[u8]| {
                    let how = (ServiceId::Journal, Priority::Bulk);
                    let sealed = speaking.seal(1_000, &CAST.me, how, (None, false), body.to_vec());
                    sealed.unwrap().1.to_vec()
                };
                vec![seal(b"one"), seal(&[7; 300])]
            },
        },
    ]
}

fn sessions(me: &NodeId, key: &Arc<SigningKey>) -> Sessions {
    Sessions::new(
        me.clone(),
        Arc::clone(key),
        Arc::clone(&CAST.sealing),
        Arc::new(CAST.directory.clone()),
        Arc::new(SystemRandomness),
        1,
    )
}

/// Keys of a small network.
struct Cast {
    root: SigningKey,
    issuing: Authority,
    certificate: Vec<u8>,
    directory: Directory,
    me: NodeId,
    own_key: Arc<SigningKey>,
    source: NodeId,
    source_key: Arc<SigningKey>,
    sealing: Arc<SealingKey>,
}

static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let root = Authority::root("demo", &generate_key().unwrap(), FROM_S, TO_S).unwrap();
    let issuing = root
        .issuing("demo", &generate_key().unwrap(), FROM_S, TO_S)
        .unwrap();
    let public = public_key_info(&public_key_of(&generate_key().unwrap()).unwrap());
    let source: NodeId = "cs-352047".parse().unwrap();
    let certificate = issuing
        .issue_node(&source, "demo", &public, FROM_S, TO_S)
        .unwrap();
    let key = |seed| Arc::new(SigningKey::from_seed(&[seed; 32]).unwrap());
    let (source_key, own_key) = (key(2), key(3));
    let sealing = Arc::new(SealingKey::generate().unwrap());
    let me: NodeId = "prefecture-35".parse().unwrap();
    let entry = |role, key: &SigningKey| DirectoryEntry {
        role,
        signing: key.public(),
        sealing: sealing.public().clone(),
        municipality: (role == NodeRole::MunicipalCs).then(|| "352047".parse().unwrap()),
    };
    let directory = Directory {
        nodes: [
            (source.clone(), entry(NodeRole::MunicipalCs, &source_key)),
            (me.clone(), entry(NodeRole::PrefectureServer, &own_key)),
        ]
        .into(),
        registrar: Some(key(4).public()),
    };
    Cast {
        root: SigningKey::from_seed(&[1; 32]).unwrap(),
        issuing,
        certificate,
        directory,
        me,
        own_key,
        source,
        source_key,
        sealing,
    }
});

const FROM_S: u64 = 1_700_000_000;
const TO_S: u64 = 4_000_000_000;
