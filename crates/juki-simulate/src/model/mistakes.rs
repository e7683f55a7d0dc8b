//! What registers ask though they should not.

use juki_domain::{ChangeReason, ChangeRequest, ErrorCode, RegisterNumber};
use juki_services::registration::{Certificate, change_message};
use rand::Rng as _;

use super::clerk::{TownHall, Want};
use super::resident::{Place, Resident};

impl TownHall {
    /// A register asks again for what it was told long ago.
    pub(crate) fn repeat(&mut self, now_ms: u64) {
        if self.past.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..self.past.len());
        let reuse = self.rng.random_bool(0.3);
        let Some(past) = self.past.get(at) else {
            return;
        };
        let (town, key) = (past.town, past.key.clone());
        if reuse {
            // The key of one request for another.
            let stranger = Resident::new(90_000 + at, &mut self.rng);
            let bytes = change_message(&key, &stranger.entry(town, ChangeReason::Birth), None);
            self.ask(
                now_ms,
                town,
                None,
                Want::Refusal(ErrorCode::KeyReused),
                |_| bytes,
            );
        } else {
            let (bytes, want) = (
                past.bytes.clone(),
                Want::Told(past.position, past.code.clone()),
            );
            self.ask(now_ms, town, None, want, |_| bytes);
        }
    }

    /// A request that must be refused.
    pub(crate) fn err(&mut self, now_ms: u64, number: usize) {
        let town = self.rng.random_range(0..self.towns().len());
        let kind = self.rng.random_range(0..4);
        let keyless = self.rng.random_range(0..10) == 0;
        let Some(resident) = self
            .residents
            .get_mut(number)
            .filter(|resident| !resident.busy)
        else {
            return;
        };
        // Nothing may change about the resident until the refusal is there.
        resident.busy = true;
        let (town, request, paper, code) = mistake(resident, town, kind);
        let code = if keyless {
            ErrorCode::ValueInvalid
        } else {
            code
        };
        self.ask(now_ms, town, Some(number), Want::Refusal(code), |key| {
            change_message(if keyless { "" } else { key }, &request, paper)
        });
    }
}

type Mistake = (usize, ChangeRequest, Option<Certificate>, ErrorCode);

fn mistake(resident: &Resident, town: usize, kind: u32) -> Mistake {
    match (&resident.place, kind) {
        (Place::In(at), 0) => {
            let request = resident.entry(*at, ChangeReason::Birth);
            (*at, request, None, ErrorCode::ResidentKnown)
        }
        (Place::Gone(at) | Place::Dead(at), _) => {
            let request = resident.bare(*at, ChangeReason::Death);
            (*at, request, None, ErrorCode::ResidentGone)
        }
        (Place::Between(paper, _), _) => {
            let mut request = resident.entry(town, ChangeReason::MoveIn);
            request.certificate = Some(paper.number.clone());
            let shown = match kind {
                0 => None,
                1 => Some(Certificate {
                    birth: paper.birth + 1,
                    ..paper.clone()
                }),
                2 => Some(Certificate {
                    number: "another".to_owned(),
                    ..paper.clone()
                }),
                _ => Some(Certificate {
                    sex: 3 - paper.sex,
                    ..paper.clone()
                }),
            };
            (town, request, shown, ErrorCode::CertificateNotAtHand)
        }
        (_, 1) => {
            let request = ChangeRequest {
                name: None,
                ..resident.entry(town, ChangeReason::Birth)
            };
            (town, request, None, ErrorCode::ItemMissing)
        }
        (_, 2) => {
            let mut request = resident.bare(town, ChangeReason::Death);
            request.name = Some(resident.name.clone());
            (town, request, None, ErrorCode::ItemSurplus)
        }
        _ => {
            let mut request = resident.bare(town, ChangeReason::Death);
            request.resident = RegisterNumber::parse("unknown").expect("a register number");
            (town, request, None, ErrorCode::ResidentUnknown)
        }
    }
}
