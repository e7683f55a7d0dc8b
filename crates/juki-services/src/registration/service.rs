//! The decision: which change a request is, with which code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use juki_crypto::DigestKey;
use juki_dispatch::{Context, Origin as MessageOrigin, Service, Step, Ticket, View};
use juki_domain::{
    Change, ChangeReason, ChangeRequest, ErrorCode, IdentityRecord, MunicipalityCode, Origin,
    ReasonClass, ResidentRecordCode,
};
use juki_journal::{Heights, JournalSender};
use juki_ledger::Entry;
use juki_registry::{Registry, Standing, StoredRecord};
use prost::Message;

use super::REGISTRATION;
use super::message::{
    Certificate, LocalRegistration, Registered, RegistrationOutcome, RequestMessage,
    local_registration,
};
use crate::codes::CodeStock;

/// Longest idempotency key in bytes.
const KEY_LEN_MAX: usize = 64;

/// The payload of a [`REGISTRATION`] entry, and what is kept under key and resident.
#[derive(Clone, PartialEq, Eq, Message)]
struct Note {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    request_digest: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    resident: Vec<u8>,
    #[prost(string, tag = "4")]
    code: String,
    #[prost(uint32, tag = "5")]
    epoch: u32,
    #[prost(uint64, tag = "6")]
    seq: u64,
    #[prost(bool, tag = "7")]
    from_stock: bool,
    #[prost(message, optional, tag = "8")]
    certificate: Option<Certificate>,
}

/// Turns requests of the existing register into journal entries.
pub struct Registration {
    municipality: MunicipalityCode,
    registry: Registry,
    pseudonyms: DigestKey,
    gate: Arc<AtomicBool>,
}

impl Registration {
    /// The registration of one municipality; `gate` says whether its journal may be written.
    #[must_use]
    pub fn new(
        municipality: MunicipalityCode,
        registry: Registry,
        pseudonyms: DigestKey,
        gate: Arc<AtomicBool>,
    ) -> Self {
        Self {
            municipality,
            registry,
            pseudonyms,
            gate,
        }
    }

    fn register(
        &self,
        change: &local_registration::Change,
        view: &View,
        step: &mut Step,
    ) -> Result<Registered, ErrorCode> {
        if change.key.is_empty() || change.key.len() > KEY_LEN_MAX {
            return Err(ErrorCode::ValueInvalid);
        }
        let message = change.request.clone().unwrap_or_default();
        let digest = self.pseudonyms.pseudonym(&message.encode_to_vec());
        let key = self.pseudonyms.pseudonym(change.key.as_bytes());
        if let Some(known) = load(view, b'i', &key) {
            if known.request_digest != digest {
                return Err(ErrorCode::KeyReused);
            }
            return Ok(self.told(view, &known, RegistrationOutcome::Duplicate));
        }
        if !self.gate.load(Ordering::Relaxed) {
            return Err(ErrorCode::JournalBehind);
        }
        let request = message.request()?;
        request.check().map_err(|error| error.code())?;
        let resident = self
            .pseudonyms
            .pseudonym(request.resident.reveal().as_bytes());
        let before = load(view, b'u', &resident)
            .and_then(|note| note.code.parse().ok())
            .and_then(|code| self.registry.own_record(view, &code, self.municipality));
        let (entry, from_stock) =
            self.change(&request, before, change.certificate.as_ref(), view)?;
        let certificate = (request.reason == ChangeReason::MoveOut)
            .then(|| self.certificate(&request, &entry))
            .flatten();
        let position = JournalSender::write(&self.registry, view, self.municipality, &entry, step);
        let note = Note {
            key: key.to_vec(),
            request_digest: digest.to_vec(),
            resident: resident.to_vec(),
            code: entry.record.code.reveal().to_owned(),
            epoch: position.epoch,
            seq: position.seq,
            from_stock,
            certificate,
        };
        step.append(REGISTRATION, note.encode_to_vec());
        Ok(self.told(view, &note, RegistrationOutcome::Accepted))
    }

    fn change(
        &self,
        request: &ChangeRequest,
        before: Option<StoredRecord>,
        certificate: Option<&Certificate>,
        view: &View,
    ) -> Result<(Change, bool), ErrorCode> {
        let stands = before
            .as_ref()
            .is_some_and(|before| before.standing() == Standing::Present);
        let stock = || CodeStock::peek(view).ok_or(ErrorCode::CodeStockEmpty);
        let change = |record, previous_code, origin| Change {
            reason: request.reason,
            event_date: request.event_date,
            record,
            previous_code,
            origin,
        };
        if request.reason.class() == ReasonClass::Entry {
            if stands {
                return Err(ErrorCode::ResidentKnown);
            }
            let (code, origin, from_stock) = match (&request.certificate, before) {
                (Some(number), before) => {
                    let certificate = certificate
                        .filter(|paper| paper.number == *number)
                        .ok_or(ErrorCode::CertificateNotAtHand)?;
                    let (code, origin) = self.presented(request, certificate, before)?;
                    (code, origin, false)
                }
                // Who comes back keeps the code that was entered last (Act art. 30-2 para. 1), and the
                // origin: without it the record would seem left behind by whoever cites this town.
                (None, Some(before)) => (before.change.record.code, before.change.origin, false),
                (None, None) => (stock()?, None, true),
            };
            return Ok((change(entered(request, code)?, None, origin), from_stock));
        }
        let before = before.ok_or(ErrorCode::ResidentUnknown)?;
        if !stands {
            return Err(ErrorCode::ResidentGone);
        }
        let record = before.change.record;
        match request.reason.class() {
            ReasonClass::CodeCorrection => {
                let previous = record.code;
                Ok((
                    change(
                        IdentityRecord {
                            code: stock()?,
                            ..record
                        },
                        Some(previous),
                        before.change.origin,
                    ),
                    true,
                ))
            }
            ReasonClass::Correction => {
                let corrected = IdentityRecord {
                    code: record.code,
                    name: request.name.clone().unwrap_or(record.name),
                    birth: request.birth.unwrap_or(record.birth),
                    sex: request.sex.unwrap_or(record.sex),
                    address: request.address.clone().unwrap_or(record.address),
                };
                Ok((change(corrected, None, before.change.origin), false))
            }
            ReasonClass::Deletion | ReasonClass::Entry => {
                Ok((change(record, None, before.change.origin), false))
            }
        }
    }

    /// What the clerk does with the paper: compares the person and takes over the code.
    fn presented(
        &self,
        request: &ChangeRequest,
        paper: &Certificate,
        before: Option<StoredRecord>,
    ) -> Result<(ResidentRecordCode, Option<Origin>), ErrorCode> {
        let same_person = request
            .birth
            .is_some_and(|birth| birth.number() == paper.birth)
            && request.sex.is_some_and(|sex| sex as u32 == paper.sex);
        let for_here = paper.destination == 0 || paper.destination == self.municipality.number();
        let from_there = request
            .counterpart
            .is_none_or(|counterpart| counterpart.number() == paper.municipality);
        if !(same_person && for_here && from_there) {
            return Err(ErrorCode::CertificateNotAtHand);
        }
        let municipality =
            MunicipalityCode::from_number(paper.municipality).map_err(|error| error.code())?;
        let code = paper
            .code
            .parse()
            .map_err(|error: juki_domain::CodeError| error.code())?;
        // Who moves back in without having lived elsewhere came from where they came from before.
        let origin = if municipality == self.municipality {
            before.and_then(|before| before.change.origin)
        } else {
            Some(Origin { municipality })
        };
        Ok((code, origin))
    }

    fn certificate(&self, request: &ChangeRequest, entry: &Change) -> Option<Certificate> {
        Some(Certificate {
            number: request.certificate.clone()?,
            municipality: self.municipality.number(),
            destination: request.counterpart.map_or(0, MunicipalityCode::number),
            code: entry.record.code.reveal().to_owned(),
            birth: entry.record.birth.number(),
            sex: entry.record.sex as u32,
        })
    }

    fn told(&self, view: &View, note: &Note, outcome: RegistrationOutcome) -> Registered {
        let heights = Heights::load(view, self.municipality);
        Registered {
            outcome: outcome as u32,
            refusal: String::new(),
            epoch: note.epoch,
            seq: note.seq,
            code: note.code.clone(),
            certificate: note.certificate.clone(),
            at_prefecture: heights.prefecture >= note.seq,
            at_national: heights.national >= note.seq,
        }
    }
}

fn entered(request: &ChangeRequest, code: ResidentRecordCode) -> Result<IdentityRecord, ErrorCode> {
    let missing = ErrorCode::ItemMissing;
    Ok(IdentityRecord {
        code,
        name: request.name.clone().ok_or(missing)?,
        birth: request.birth.ok_or(missing)?,
        sex: request.sex.ok_or(missing)?,
        address: request.address.clone().ok_or(missing)?,
    })
}

fn load(view: &View, kind: u8, pseudonym: &[u8; 16]) -> Option<Note> {
    view.get(&index_key(kind, pseudonym))
        .and_then(|bytes| Note::decode(bytes.as_slice()).ok())
}

fn index_key(kind: u8, pseudonym: &[u8]) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(pseudonym);
    key
}

fn refused(code: ErrorCode) -> Registered {
    let outcome = RegistrationOutcome::Refused as u32;
    Registered {
        outcome,
        refusal: code.code().to_owned(),
        ..Registered::default()
    }
}

impl Service for Registration {
    fn name(&self) -> &'static str {
        "registration"
    }

    fn on_message(
        &mut self,
        _context: &Context<'_>,
        _origin: &MessageOrigin,
        _message: &[u8],
        _view: &mut View,
    ) -> Step {
        // No node may register for another: the register alone asks, locally.
        Step::none()
    }

    fn on_local(
        &mut self,
        _context: &Context<'_>,
        ticket: Ticket,
        request: &[u8],
        view: &mut View,
    ) -> Step {
        let mut step = Step::none();
        let answer = match LocalRegistration::decode(request)
            .ok()
            .and_then(|local| local.kind)
        {
            Some(local_registration::Kind::Change(change)) => self
                .register(&change, view, &mut step)
                .unwrap_or_else(refused),
            Some(local_registration::Kind::State(key)) => {
                let known = load(view, b'i', &self.pseudonyms.pseudonym(key.as_bytes()));
                let unknown = Registered {
                    outcome: RegistrationOutcome::Unknown as u32,
                    ..Registered::default()
                };
                known.map_or(unknown, |note| {
                    self.told(view, &note, RegistrationOutcome::Accepted)
                })
            }
            None => refused(ErrorCode::FrameGarbage),
        };
        step.answer_local(ticket, answer.encode_to_vec());
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        if entry.kind != REGISTRATION {
            return;
        }
        let Ok(note) = Note::decode(entry.payload.as_slice()) else {
            return;
        };
        if note.from_stock {
            CodeStock::take(view);
        }
        view.put(
            index_key(b'u', &note.resident),
            Note {
                code: note.code.clone(),
                ..Note::default()
            }
            .encode_to_vec(),
        );
        let kept = Note {
            resident: Vec::new(),
            key: Vec::new(),
            ..note.clone()
        };
        view.put(index_key(b'i', &note.key), kept.encode_to_vec());
    }
}

/// The bytes by which an interface asks to register a change.
#[must_use]
pub fn change_message(
    key: &str,
    request: &ChangeRequest,
    certificate: Option<Certificate>,
) -> Vec<u8> {
    let change = local_registration::Change {
        key: key.to_owned(),
        request: Some(RequestMessage::of(request)),
        certificate,
    };
    LocalRegistration {
        kind: Some(local_registration::Kind::Change(change)),
    }
    .encode_to_vec()
}
