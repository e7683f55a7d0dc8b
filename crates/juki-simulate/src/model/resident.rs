//! A resident as the model sees one, and what can happen to them.

use juki_domain::{
    Address, BirthDate, Change, ChangeReason, ChangeRequest, CivilDate, IdentityRecord,
    MunicipalityCode, Origin, PersonName, RegisterNumber, ResidentRecordCode, Sex,
};
use juki_services::registration::Certificate;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// Where a resident is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Not entered anywhere yet.
    Unborn,
    /// In a town.
    In(usize),
    /// Left a town with this paper, which is presented from a time on.
    Between(Certificate, u64),
    /// Left a town without a paper, or was deleted there.
    Gone(usize),
    /// Died in a town.
    Dead(usize),
}

/// One resident.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Number among all residents.
    pub number: usize,
    /// Where they are.
    pub place: Place,
    /// The items, as the last entry or correction left them.
    pub name: PersonName,
    /// 住所
    pub address: Address,
    /// 生年月日
    pub birth: BirthDate,
    /// 性別
    pub sex: Sex,
    /// The code, once entered.
    pub code: Option<ResidentRecordCode>,
    /// Codes they had before.
    pub former_codes: Vec<ResidentRecordCode>,
    /// What the standing entry cites.
    pub origin: Option<Origin>,
    /// The last change and the town that said it.
    pub last: Option<(usize, Change)>,
    /// Whether a request about them is under way.
    pub busy: bool,
    day: i64,
}

/// What a request must become in the journal.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The town.
    pub town: usize,
    /// The change, with the code that is known so far.
    pub change: Change,
    /// The code comes from the town's stock.
    pub from_stock: bool,
    /// Where the resident is afterwards; a certificate is filled in from the answer.
    pub place: Place,
}

/// A request with its paper and what it must become.
pub(crate) type Act = (ChangeRequest, Option<Certificate>, Draft);

/// A first day of events: afterwards each act of a resident is on a later day.
const FIRST_DAY: i64 = 11_900;

impl Resident {
    /// A resident nobody has entered.
    #[must_use]
    pub fn new(number: usize, rng: &mut ChaCha8Rng) -> Self {
        let birth = 19_300_000 + rng.random_range(0..70) * 10_000 + rng.random_range(0..13) * 100;
        Self {
            number,
            place: Place::Unborn,
            name: PersonName::parse(&format!("試験　{number}")).expect("a name"),
            address: address(rng, number),
            birth: BirthDate::from_number(birth).expect("a month, its day not known"),
            sex: if rng.random_bool(0.5) {
                Sex::Female
            } else {
                Sex::Male
            },
            code: None,
            former_codes: Vec::new(),
            origin: None,
            last: None,
            busy: false,
            day: FIRST_DAY,
        }
    }

    /// The number a town's register has for them.
    #[must_use]
    pub fn register_number(&self, town: usize) -> RegisterNumber {
        RegisterNumber::parse(&format!("{town}-{:05}", self.number)).expect("a register number")
    }

    /// A request about them that carries nothing but a reason.
    #[must_use]
    pub fn bare(&self, town: usize, reason: ChangeReason) -> ChangeRequest {
        ChangeRequest {
            resident: self.register_number(town),
            reason,
            event_date: CivilDate::from_days(self.day).expect("a day of this century"),
            name: None,
            birth: None,
            sex: None,
            address: None,
            certificate: None,
            counterpart: None,
        }
    }

    /// A request that enters them.
    #[must_use]
    pub fn entry(&self, town: usize, reason: ChangeReason) -> ChangeRequest {
        ChangeRequest {
            name: Some(self.name.clone()),
            birth: Some(self.birth),
            sex: Some(self.sex),
            address: Some(self.address.clone()),
            ..self.bare(town, reason)
        }
    }

    /// What happens to them next, if anything can now.
    pub(crate) fn next_act(
        &mut self,
        rng: &mut ChaCha8Rng,
        now_ms: u64,
        towns: &[MunicipalityCode],
    ) -> Option<Act> {
        self.day += rng.random_range(1..4);
        match self.place.clone() {
            Place::Unborn => {
                let reason = pick(
                    rng,
                    &[
                        ChangeReason::Birth,
                        ChangeReason::Birth,
                        ChangeReason::MoveIn,
                        ChangeReason::ExOfficioEntry,
                    ],
                );
                let town = rng.random_range(0..towns.len());
                Some(self.enter(rng, (town, reason), None, towns))
            }
            Place::Gone(town) => {
                let reason = pick(rng, &[ChangeReason::MoveIn, ChangeReason::ExOfficioEntry]);
                Some(self.enter(rng, (town, reason), None, towns))
            }
            Place::Between(paper, ready_ms) if ready_ms <= now_ms => {
                let town = towns
                    .iter()
                    .position(|town| town.number() == paper.destination);
                let town = town.unwrap_or_else(|| rng.random_range(0..towns.len()));
                Some(self.enter(rng, (town, ChangeReason::MoveIn), Some(paper), towns))
            }
            Place::Between(..) | Place::Dead(_) => None,
            Place::In(town) => Some(match rng.random_range(0..100) {
                0..40 => self.move_out(rng, town, now_ms, towns),
                40..48 => self.end(town, ChangeReason::Death, Place::Dead(town)),
                48..54 => self.end(town, ChangeReason::ExOfficioDeletion, Place::Gone(town)),
                54..85 => self.correct(rng, town),
                _ => self.change_code(rng, town),
            }),
        }
    }

    fn enter(
        &mut self,
        rng: &mut ChaCha8Rng,
        (town, reason): (usize, ChangeReason),
        paper: Option<Certificate>,
        towns: &[MunicipalityCode],
    ) -> Act {
        self.address = address(rng, self.number);
        let mut request = self.entry(town, reason);
        let origin = paper.as_ref().and_then(|paper| {
            let is_of = |town: &&MunicipalityCode| town.number() == paper.municipality;
            towns.iter().find(is_of).copied()
        });
        if let Some(paper) = &paper {
            request.certificate = Some(paper.number.clone());
            request.counterpart = origin.filter(|_| rng.random_bool(0.5));
        }
        // Only a move from elsewhere cites where it came from.
        let origin = origin
            .filter(|from| towns.get(town) != Some(from))
            .map(|municipality| Origin { municipality });
        let change = Change {
            origin: origin.or(self.origin),
            ..self.said(reason)
        };
        let from_stock = self.code.is_none();
        (
            request,
            paper,
            Draft {
                town,
                change,
                from_stock,
                place: Place::In(town),
            },
        )
    }

    fn move_out(
        &mut self,
        rng: &mut ChaCha8Rng,
        town: usize,
        now_ms: u64,
        towns: &[MunicipalityCode],
    ) -> Act {
        let (mut request, paper, mut draft) =
            self.end(town, ChangeReason::MoveOut, Place::Gone(town));
        if rng.random_bool(0.9) {
            let number = format!("転出-{}-{}", self.number, self.day);
            let elsewhere = (town + rng.random_range(1..towns.len())) % towns.len();
            let elsewhere = towns.get(elsewhere).copied();
            request.counterpart = elsewhere.filter(|_| rng.random_bool(0.8));
            request.certificate = Some(number.clone());
            // Some come at once, some late.
            let ready_ms = now_ms
                + if rng.random_bool(0.8) {
                    rng.random_range(0..3_000)
                } else {
                    rng.random_range(3_000..40_000)
                };
            let record = &draft.change.record;
            let paper = Certificate {
                number,
                municipality: towns.get(town).map_or(0, |town| town.number()),
                destination: request.counterpart.map_or(0, |code| code.number()),
                code: record.code.reveal().to_owned(),
                birth: record.birth.number(),
                sex: record.sex as u32,
            };
            draft.place = Place::Between(paper, ready_ms);
        }
        (request, paper, draft)
    }

    fn end(&mut self, town: usize, reason: ChangeReason, place: Place) -> Act {
        (
            self.bare(town, reason),
            None,
            Draft {
                town,
                change: self.said(reason),
                from_stock: false,
                place,
            },
        )
    }

    fn correct(&mut self, rng: &mut ChaCha8Rng, town: usize) -> Act {
        let reason = pick(
            rng,
            &[
                ChangeReason::AddressChange,
                ChangeReason::AddressChange,
                ChangeReason::ExOfficioCorrection,
            ],
        );
        let mut request = self.bare(town, reason);
        if reason == ChangeReason::AddressChange || rng.random_bool(0.3) {
            request.address = Some(address(rng, self.number));
        } else {
            let name = format!("試験　{}の{}", self.number, self.day);
            request.name = Some(PersonName::parse(&name).expect("a name"));
        }
        let mut change = self.said(reason);
        change.record.name = request.name.clone().unwrap_or(change.record.name);
        change.record.address = request.address.clone().unwrap_or(change.record.address);
        (
            request,
            None,
            Draft {
                town,
                change,
                from_stock: false,
                place: Place::In(town),
            },
        )
    }

    fn change_code(&mut self, rng: &mut ChaCha8Rng, town: usize) -> Act {
        let reason = pick(
            rng,
            &[ChangeReason::CodeChangeRequest, ChangeReason::CodeExOfficio],
        );
        let change = Change {
            previous_code: self.code,
            ..self.said(reason)
        };
        (
            self.bare(town, reason),
            None,
            Draft {
                town,
                change,
                from_stock: true,
                place: Place::In(town),
            },
        )
    }

    /// A change of this reason, saying of them what is known.
    fn said(&self, reason: ChangeReason) -> Change {
        // Whoever has no code yet gets one from the stock, and this one is replaced.
        let code = self
            .code
            .unwrap_or_else(|| ResidentRecordCode::from_body(b"9000000000").expect("a body"));
        let record = IdentityRecord {
            code,
            name: self.name.clone(),
            birth: self.birth,
            sex: self.sex,
            address: self.address.clone(),
        };
        let event_date = CivilDate::from_days(self.day).expect("a day of this century");
        Change {
            reason,
            event_date,
            record,
            previous_code: None,
            origin: self.origin,
        }
    }

    /// The change was said.
    pub fn take(&mut self, draft: &Draft, change: &Change) {
        if let Some(former) = self.code.filter(|code| *code != change.record.code) {
            self.former_codes.push(former);
        }
        self.code = Some(change.record.code);
        self.name = change.record.name.clone();
        self.address = change.record.address.clone();
        self.origin = change.origin;
        self.place = draft.place.clone();
        self.last = Some((draft.town, change.clone()));
    }
}

fn address(rng: &mut ChaCha8Rng, number: usize) -> Address {
    let text = format!(
        "山口県試験市{}丁目{}番{number}号",
        rng.random_range(1..9),
        rng.random_range(1..99)
    );
    Address::parse(&text).expect("an address")
}

fn pick<T: Copy>(rng: &mut ChaCha8Rng, of: &[T]) -> T {
    of.get(rng.random_range(0..of.len()))
        .copied()
        .expect("one of some")
}
