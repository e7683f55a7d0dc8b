//! The messages of services, between nodes and within one.

use juki_access::Authorisation;
use juki_domain::{ChangeRequest, RegisterNumber};
use juki_services::codes::{CodeBlock, CodeRequest};
use juki_services::query::{
    Answered, LocalAnswer, LocalAsk, Question, Request, ShownRecord, local_ask,
};
use juki_services::registration::{
    Certificate, LocalRegistration, RequestMessage, change_message, find_message,
    local_registration, row_message,
};
use prost::Message as _;

use super::journal::change;
use super::message;
use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    vec![
        message!(
            "code-request",
            CodeRequest,
            vec![CodeRequest {
                municipality: 35_204,
                number: 3,
                count: 4_000,
            }]
        ),
        message!(
            "code-block",
            CodeBlock,
            vec![CodeBlock {
                municipality: 35_204,
                number: 3,
                codes: b"91234567891".repeat(20),
                refusal: String::new(),
            }]
        ),
        Decoder {
            name: "query-request",
            decode: |bytes| {
                let Ok(request) = Request::decode(bytes) else {
                    return false;
                };
                Question::decode(request.question.as_slice())
                    .is_ok_and(|question| question.lookup().is_ok())
            },
            samples: || questions().iter().map(request).collect(),
        },
        message!("query-answer", Answered, vec![answered()]),
        message!("terminal-ask", LocalAsk, asks()),
        message!(
            "terminal-answer",
            LocalAnswer,
            vec![LocalAnswer {
                answered: Some(answered()),
                failure: "JKL-2004".to_owned(),
                refused_by: "national".to_owned(),
                message_id: "00".repeat(16),
            }]
        ),
        Decoder {
            name: "registration",
            decode: registration,
            samples: || {
                let request = birth();
                vec![
                    change_message("k-1", &request, Some(certificate())),
                    row_message(&request, None, true),
                    find_message("N-1"),
                ]
            },
        },
        message!("move-out-certificate", Certificate, vec![certificate()]),
    ]
}

fn registration(bytes: &[u8]) -> bool {
    use local_registration::Kind;
    let Ok(LocalRegistration { kind: Some(kind) }) = LocalRegistration::decode(bytes) else {
        return false;
    };
    match kind {
        Kind::Change(change) => change
            .request
            .is_some_and(|request| request.request().is_ok()),
        Kind::Row(row) => RequestMessage::decode(row.request.as_slice())
            .is_ok_and(|request| request.request().is_ok()),
        Kind::State(_) | Kind::Residents(_) | Kind::Find(_) => true,
    }
}

fn birth() -> ChangeRequest {
    let record = change(1).record;
    ChangeRequest {
        resident: RegisterNumber::parse("N-1").unwrap(),
        reason: juki_domain::ChangeReason::Birth,
        event_date: "2002-10-15".parse().unwrap(),
        name: Some(record.name),
        birth: Some(record.birth),
        sex: Some(record.sex),
        address: Some(record.address),
        certificate: None,
        counterpart: None,
    }
}

fn certificate() -> Certificate {
    Certificate {
        number: "P-1".to_owned(),
        municipality: 35_501,
        destination: 35_204,
        code: "91234567891".to_owned(),
        birth: 20_021_015,
        sex: 2,
    }
}

fn questions() -> Vec<Question> {
    let affair = "war-bereaved-pension".to_owned();
    vec![
        Question {
            affair: affair.clone(),
            code: "91234567891".to_owned(),
            nonce: vec![1; 8],
            ..Question::default()
        },
        Question {
            affair,
            name: "検査　太郎".to_owned(),
            birth: 20_021_015,
            sex: 1,
            address: "山口県萩市大字江向510番地".to_owned(),
            nonce: vec![1; 8],
            ..Question::default()
        },
    ]
}

fn request(question: &Question) -> Vec<u8> {
    Request {
        question: question.encode_to_vec(),
        authorisation: Some(authorisation()),
    }
    .encode_to_vec()
}

fn authorisation() -> Authorisation {
    Authorisation {
        grant: vec![1; 60],
        signature: vec![2; 64],
        certificate: vec![3; 120],
        key: vec![4; 32],
        proof: vec![5; 32],
    }
}

fn asks() -> Vec<LocalAsk> {
    use local_ask::Kind;
    let question = questions().remove(0);
    let kinds = [
        Kind::Login(authorisation()),
        Kind::Ask(question),
        Kind::Logout(true),
    ];
    kinds
        .into_iter()
        .map(|kind| LocalAsk { kind: Some(kind) })
        .collect()
}

fn answered() -> Answered {
    Answered {
        outcome: 1,
        refusal: String::new(),
        starts: 20_021_201,
        record: Some(ShownRecord {
            code: "91234567891".to_owned(),
            name: "検査　太郎".to_owned(),
            birth: 20_021_015,
            sex: 1,
            address: "山口県萩市大字江向510番地".to_owned(),
            reason: 2,
            event_date: 20_021_015,
            previous_code: String::new(),
            ended: false,
            municipality: 35_204,
        }),
    }
}
