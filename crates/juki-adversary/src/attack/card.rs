//! An operator's card without its PIN, at a terminal whose keys are stolen too.

use std::fs;
use std::path::{Path, PathBuf};

use juki_access::{Authorisation, CardCertificate, Grant};
use juki_audit::Outcome;
use juki_crypto::{DigestKey, SigningKey, SystemRandomness, random_array};
use juki_domain::{NodeId, NodeRole, ServiceId};
use juki_runtime::{Clock as _, SystemClock};
use juki_services::query::{Answered as QueryAnswer, Question, Request};
use juki_smartcard::SoftCard;
use prost::Message as _;

use crate::report::{Heard, Report};
use crate::speaker::Answered;
use crate::{Fault, ShiftedClock, Speaker, StolenNode};

/// PINs that nobody was given; the card locks before the last.
const GUESSES: [&str; 4] = ["guess0", "guess1", "guess2", "guess3"];

/// In a terminal's place, with a card file: asks without a grant, with grants and certificates of
/// its own making, and guesses PINs on a copy of the file.
///
/// # Errors
/// [`Fault`] where the attack could not be made.
pub async fn card(stolen: &StolenNode, card: &Path, affair: &str) -> Result<Report, Fault> {
    let mut report = Report::new("card", stolen.name());
    let to = stolen.server(NodeRole::NationalCenter)?;
    let opened = SoftCard::open(card).map_err(Fault::refused)?;
    let certificate = opened.certificate().to_vec();
    let mut speaker = Speaker::begin(stolen, ShiftedClock::default()).await?;
    let own = SigningKey::generate(&SystemRandomness).map_err(Fault::refused)?;
    let now_s = SystemClock.now_ms() / 1000;
    let terminal = stolen.name().as_str();

    let heard = ask(&mut speaker, &to, affair, None).await?;
    report.hostile("no grant", heard);

    let (grant, key) = grant(terminal, now_s);
    let forged = Authority {
        signature: own.sign(Grant::context(), &grant).to_vec(),
        grant: grant.clone(),
        certificate: certificate.clone(),
        key,
    };
    let heard = ask(&mut speaker, &to, affair, Some(&forged)).await?;
    report.hostile("a grant that another key signed", heard);

    let named = CardCertificate::decode(certificate.as_slice()).map_err(Fault::refused)?;
    let rewritten = CardCertificate {
        key: own.public().as_bytes().to_vec(),
        ..named
    };
    let with_old_signature = Authority {
        certificate: rewritten.encode_to_vec(),
        ..forged.clone()
    };
    let heard = ask(&mut speaker, &to, affair, Some(&with_old_signature)).await?;
    report.hostile("the card's certificate with another key in it", heard);

    let issued_by_a_node = Authority {
        certificate: rewritten.signed(&stolen.keys.signing).encode_to_vec(),
        ..forged
    };
    let heard = ask(&mut speaker, &to, affair, Some(&issued_by_a_node)).await?;
    report.hostile("a certificate that a node issued", heard);

    guess(card, &mut report)?;
    Ok(report)
}

/// What a request shows beside its question.
#[derive(Clone)]
pub(super) struct Authority {
    pub(super) grant: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) certificate: Vec<u8>,
    pub(super) key: [u8; 32],
}

/// A grant for a terminal from a time on, and the key under it.
pub(super) fn grant(terminal: &str, from_s: u64) -> (Vec<u8>, [u8; 32]) {
    let key = random_array(&SystemRandomness);
    let grant = Grant::new(terminal, from_s, 600, &key);
    (grant.encode_to_vec(), key)
}

/// Asks about a code that nobody has: whoever is let ask hears "no match".
pub(super) async fn ask(
    speaker: &mut Speaker,
    to: &NodeId,
    affair: &str,
    authority: Option<&Authority>,
) -> Result<Heard, Fault> {
    let request = request(affair, authority);
    let (_, answered) = speaker.ask(to, ServiceId::Query, request).await?;
    Ok(of_query(to, answered))
}

/// The bytes of a request.
pub(super) fn request(affair: &str, authority: Option<&Authority>) -> Vec<u8> {
    let question = Question {
        affair: affair.to_owned(),
        code: NOBODYS_CODE.to_owned(),
        nonce: random_array::<8>(&SystemRandomness).to_vec(),
        ..Question::default()
    }
    .encode_to_vec();
    let authorisation = authority.map(|authority| Authorisation {
        grant: authority.grant.clone(),
        signature: authority.signature.clone(),
        certificate: authority.certificate.clone(),
        key: authority.key.to_vec(),
        proof: DigestKey::new(&authority.key).digest(&question).to_vec(),
    });
    Request {
        question,
        authorisation,
    }
    .encode_to_vec()
}

/// What the answer to a question means.
pub(super) fn of_query(by: &NodeId, answered: Answered) -> Heard {
    let body = match answered {
        Answered::Body(body) => body,
        Answered::Not(heard) => return heard,
    };
    match QueryAnswer::decode(body.as_slice()) {
        Ok(answer) if answer.outcome == Outcome::Refused as u32 => Heard::Refused {
            node: by.to_string(),
            rule: "query".to_owned(),
            code: answer.refusal,
        },
        Ok(_) => Heard::Taken,
        Err(_) => Heard::Silence,
    }
}

fn guess(card: &Path, report: &mut Report) -> Result<(), Fault> {
    let copy = Copy::of(card)?;
    for pin in GUESSES {
        let opened = SoftCard::open(&copy.0).map_err(Fault::refused)?;
        let heard = match opened.unlock(pin) {
            Ok(_) => Heard::Taken,
            Err(error) => Heard::Refused {
                node: "card".to_owned(),
                rule: "pin".to_owned(),
                code: error.code().code().to_owned(),
            },
        };
        report.hostile(pin, heard);
    }
    Ok(())
}

/// A copy of the card's file, so that the guesses lock no card that people need. It goes with this
/// value.
struct Copy(PathBuf);

impl Copy {
    fn of(card: &Path) -> Result<Self, Fault> {
        let name = format!("juki-adversary-{}.card", std::process::id());
        let copy = std::env::temp_dir().join(name);
        fs::copy(card, &copy).map_err(|source| Fault::File {
            path: card.to_owned(),
            source,
        })?;
        Ok(Self(copy))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What is left behind is a locked card.
        let _gone = fs::remove_file(&self.0);
    }
}

/// In right form, with its check digit, and beyond what any demo gives out.
const NOBODYS_CODE: &str = "91234567891";
