//! The service: requests in, journal entries and answers out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use juki_crypto::DigestKey;
use juki_dispatch::{Context, Origin as MessageOrigin, Service, Step, Ticket, View};
use juki_domain::{ChangeReason, ChangeRequest, ErrorCode, IdentityRecord, MunicipalityCode};
use juki_journal::{Heights, JournalSender};
use juki_ledger::Entry;
use juki_registry::{Registry, Standing, StoredRecord};
use prost::Message;

use super::REGISTRATION;
use super::message::{
    Certificate, LocalRegistration, Registered, RegistrationOutcome, RequestMessage,
    local_registration::{self, Kind},
};
use super::note::{BY_KEY, BY_RESIDENT, Note};
use crate::codes::CodeStock;

/// Longest idempotency key in bytes.
const KEY_LEN_MAX: usize = 64;

/// Turns requests of the existing register into journal entries.
pub struct Registration {
    pub(super) municipality: MunicipalityCode,
    pub(super) registry: Registry,
    pub(super) pseudonyms: DigestKey,
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

    /// Registers what an interface asks under a key of its own.
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
        if let Some(known) = Note::load(view, BY_KEY, &key) {
            if known.request_digest != digest {
                return Err(ErrorCode::KeyReused);
            }
            return Ok(self.with_heights(view, told(&known, RegistrationOutcome::Duplicate)));
        }
        let note = Note {
            key: key.to_vec(),
            request_digest: digest.to_vec(),
            ..Note::default()
        };
        let asked = Asked {
            request: message.request()?,
            certificate: change.certificate.as_ref(),
            initial: false,
        };
        let registered = self.enter(&asked, note, view, step)?;
        Ok(self.with_heights(view, registered))
    }

    /// Registers a row of a file. Its key is what it says, so it needs none of its own.
    fn take_row(
        &self,
        row: &local_registration::Row,
        view: &View,
        step: &mut Step,
    ) -> Result<Registered, ErrorCode> {
        // No text begins with this byte, so no interface's key is a row's.
        let mut content = Vec::with_capacity(row.request.len() + 1);
        content.push(0xff);
        content.extend_from_slice(&row.request);
        let key = self.pseudonyms.pseudonym(&content);
        if !row.initial
            && let Some(known) = Note::load(view, BY_KEY, &key)
        {
            return Ok(told(&known, RegistrationOutcome::Duplicate));
        }
        let message =
            RequestMessage::decode(row.request.as_slice()).map_err(|_| ErrorCode::FrameGarbage)?;
        let note = Note {
            key: key.to_vec(),
            initial: row.initial,
            ..Note::default()
        };
        let asked = Asked {
            request: message.request()?,
            certificate: row.certificate.as_ref(),
            initial: row.initial,
        };
        self.enter(&asked, note, view, step)
    }

    /// Decides on a request that is not known yet and fills its note.
    fn enter(
        &self,
        asked: &Asked<'_>,
        note: Note,
        view: &View,
        step: &mut Step,
    ) -> Result<Registered, ErrorCode> {
        if !self.gate.load(Ordering::Relaxed) {
            return Err(ErrorCode::JournalBehind);
        }
        let request = &asked.request;
        request.check().map_err(|error| error.code())?;
        let number = request.resident.reveal();
        let resident = self.pseudonyms.pseudonym(number.as_bytes());
        let known = Note::load(view, BY_RESIDENT, &resident);
        let before = known
            .as_ref()
            .and_then(|known| self.record_of(view, &known.code));
        if let (true, Some(known), Some(before)) = (asked.initial, &known, &before) {
            // The row that entered the resident, whatever became of them since.
            if known.row == note.key {
                return Ok(already(before));
            }
            if stands(before) {
                return same_items(request, &before.change.record)
                    .then(|| already(before))
                    .ok_or(ErrorCode::RowContradicts);
            }
        }
        let (entry, from_stock) = self.change(request, before, asked.certificate, view)?;
        let certificate = (request.reason == ChangeReason::MoveOut)
            .then(|| self.certificate_of(request, &entry))
            .flatten();
        let position = JournalSender::write(&self.registry, view, self.municipality, &entry, step);
        let note = Note {
            resident: resident.to_vec(),
            code: entry.record.code.reveal().to_owned(),
            epoch: position.epoch,
            seq: position.seq,
            from_stock,
            certificate,
            number: number.to_owned(),
            ..note
        };
        step.append(REGISTRATION, note.encode_to_vec());
        Ok(told(&note, RegistrationOutcome::Accepted))
    }

    /// The latest record of a resident with this code.
    pub(super) fn record_of(&self, view: &View, code: &str) -> Option<StoredRecord> {
        let code = code.parse().ok()?;
        self.registry.own_record(view, &code, self.municipality)
    }

    fn state(&self, key: &str, view: &View) -> Registered {
        let key = self.pseudonyms.pseudonym(key.as_bytes());
        match Note::load(view, BY_KEY, &key) {
            Some(note) => self.with_heights(view, told(&note, RegistrationOutcome::Accepted)),
            None => Registered {
                outcome: RegistrationOutcome::Unknown as u32,
                ..Registered::default()
            },
        }
    }

    /// Says how far receipts report the entry to have come.
    fn with_heights(&self, view: &View, registered: Registered) -> Registered {
        let heights = Heights::load(view, self.municipality);
        Registered {
            at_prefecture: heights.prefecture >= registered.seq,
            at_national: heights.national >= registered.seq,
            ..registered
        }
    }
}

/// What is asked, by whatever way it came.
struct Asked<'a> {
    request: ChangeRequest,
    certificate: Option<&'a Certificate>,
    /// It is a row of a file of all residents.
    initial: bool,
}

fn told(note: &Note, outcome: RegistrationOutcome) -> Registered {
    Registered {
        outcome: outcome as u32,
        epoch: note.epoch,
        seq: note.seq,
        code: note.code.clone(),
        certificate: note.certificate.clone(),
        ..Registered::default()
    }
}

/// What a row hears that says what the record that stands says already.
fn already(before: &StoredRecord) -> Registered {
    Registered {
        outcome: RegistrationOutcome::Duplicate as u32,
        epoch: before.position.epoch,
        seq: before.position.seq,
        code: before.change.record.code.reveal().to_owned(),
        ..Registered::default()
    }
}

fn stands(record: &StoredRecord) -> bool {
    record.standing() == Standing::Present
}

fn same_items(request: &ChangeRequest, record: &IdentityRecord) -> bool {
    request.name.as_ref() == Some(&record.name)
        && request.birth == Some(record.birth)
        && request.sex == Some(record.sex)
        && request.address.as_ref() == Some(&record.address)
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
        let kind = LocalRegistration::decode(request)
            .ok()
            .and_then(|local| local.kind);
        let answer = match kind {
            Some(Kind::Change(change)) => self
                .register(&change, view, &mut step)
                .unwrap_or_else(refused)
                .encode_to_vec(),
            Some(Kind::Row(row)) => self
                .take_row(&row, view, &mut step)
                .unwrap_or_else(refused)
                .encode_to_vec(),
            Some(Kind::State(key)) => self.state(&key, view).encode_to_vec(),
            Some(Kind::Residents(ask)) => self.page(&ask, view).encode_to_vec(),
            Some(Kind::Find(number)) => self.find(&number, view).encode_to_vec(),
            None => refused(ErrorCode::FrameGarbage).encode_to_vec(),
        };
        step.answer_local(ticket, answer);
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
        note.store(view);
    }
}
