//! What operators show: cards, grants, authorisations, legal bases.

use std::fs;

use juki_access::{AccessControl, Asked, Authorisation, CardCertificate, Grant, Keys, Role};
use juki_crypto::{DigestKey, SigningKey};
use juki_domain::LegalBasisTable;
use juki_smartcard::SoftCard;
use prost::Message as _;

use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder {
            name: "card-certificate",
            decode: |bytes| {
                CardCertificate::decode(bytes)
                    .is_ok_and(|card| card.verify(&registrar().public(), NOW_S).is_ok())
            },
            samples: || vec![certificate()],
        },
        Decoder {
            name: "grant",
            decode: |bytes| {
                let public = card_key().public();
                // Whoever has a card signs whatever he likes with it.
                let signature = card_key().sign(Grant::context(), bytes);
                Grant::verify(bytes, &signature, &public)
                    .is_ok_and(|grant| grant.admits(TERMINAL, NOW_S, &KEY).is_ok())
            },
            samples: || vec![Grant::new(TERMINAL, NOW_S, 600, &KEY).encode_to_vec()],
        },
        Decoder {
            name: "authorisation",
            decode: |bytes| {
                let Ok(authorisation) = Authorisation::decode(bytes) else {
                    return false;
                };
                let asked = Asked {
                    terminal: TERMINAL,
                    affair: "war-bereaved-pension",
                    keys: Keys::Code,
                    question: b"question",
                };
                let table = LegalBasisTable::parse(TABLE).unwrap();
                AccessControl::new(registrar().public(), table)
                    .decide(
                        &authorisation,
                        &asked,
                        NOW_S * 1_000,
                        "2002-10-15".parse().unwrap(),
                    )
                    .is_ok()
            },
            samples: || vec![authorisation().encode_to_vec()],
        },
        Decoder {
            name: "legal-basis",
            decode: |bytes| {
                std::str::from_utf8(bytes).is_ok_and(|csv| LegalBasisTable::parse(csv).is_ok())
            },
            samples: || vec![TABLE.as_bytes().to_vec()],
        },
        Decoder {
            name: "card-file",
            decode: |bytes| {
                let file = tempfile::NamedTempFile::new().unwrap();
                fs::write(file.path(), bytes).unwrap();
                SoftCard::open(file.path()).is_ok()
            },
            samples: || {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("operator.card");
                let key = card_key();
                let card =
                    SoftCard::create(&path, "4711", "C-1", "mhlw-1", &certificate(), key.pkcs8());
                assert!(card.is_ok());
                vec![fs::read(&path).unwrap()]
            },
        },
    ]
}

fn registrar() -> SigningKey {
    SigningKey::from_seed(&[6; 32]).unwrap()
}

fn card_key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

fn certificate() -> Vec<u8> {
    let card = CardCertificate {
        serial: "C-1".to_owned(),
        operator: "mhlw-1".to_owned(),
        body: "mhlw".to_owned(),
        roles: vec![Role::BusinessOperator as u32],
        key: card_key().public().as_bytes().to_vec(),
        valid_until_s: NOW_S + 1_000,
        signature: Vec::new(),
    };
    card.signed(&registrar()).encode_to_vec()
}

fn authorisation() -> Authorisation {
    let grant = Grant::new(TERMINAL, NOW_S, 600, &KEY).encode_to_vec();
    Authorisation {
        signature: card_key().sign(Grant::context(), &grant).to_vec(),
        grant,
        certificate: certificate(),
        key: KEY.to_vec(),
        proof: DigestKey::new(&KEY).digest(b"question").to_vec(),
    }
}

const TABLE: &str = include_str!("../../../../configs/legal-basis.csv");
const TERMINAL: &str = "agency-mhlw";
const NOW_S: u64 = 1_034_640_000;
const KEY: [u8; 32] = [8; 32];
