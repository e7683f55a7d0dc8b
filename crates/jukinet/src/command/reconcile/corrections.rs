//! The changes that make a communication server agree with its register.

use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, CivilDate, PersonName, RegisterNumber, Sex,
};
use juki_intake::{FileEncoding, FileKind, Writer};

use super::difference::{Difference, Side};

/// A daily file of changes ex officio.
pub(super) struct Corrections<S: FnMut(&[u8])> {
    date: CivilDate,
    writer: Writer<S>,
    count: u64,
}

impl<S: FnMut(&[u8])> Corrections<S> {
    pub(super) fn new(date: CivilDate, sink: S) -> Self {
        Self {
            date,
            writer: Writer::new(FileKind::Daily, FileEncoding::Utf8, sink),
            count: 0,
        }
    }

    /// Writes the correction of a difference, where it has one: rows that contradict each other or
    /// cannot be read are for the register to correct.
    pub(super) fn take(&mut self, difference: &Difference) {
        if let Some(request) = request(difference, self.date)
            // UTF-8 holds every text.
            && self.writer.row(&request).is_ok()
        {
            self.count += 1;
        }
    }

    pub(super) fn count(self) -> u64 {
        self.count
    }
}

fn request(difference: &Difference, date: CivilDate) -> Option<ChangeRequest> {
    let (reason, items): (_, &[&str]) = match difference.kind.as_str() {
        "missing-at-cs" => (
            ChangeReason::ExOfficioEntry,
            &["name", "birth", "sex", "address"],
        ),
        "missing-in-register" => (ChangeReason::ExOfficioDeletion, &[]),
        "altered" => (ChangeReason::ExOfficioCorrection, &[]),
        _ => return None,
    };
    let wanted = |item: &str| {
        items.contains(&item) || difference.items.iter().any(|altered| altered == item)
    };
    let empty = Side::default();
    let side = difference.register.as_ref().unwrap_or(&empty);
    let name = wanted("name").then(|| PersonName::parse(&side.name));
    let birth = wanted("birth").then(|| side.birth.parse::<BirthDate>());
    let sex = wanted("sex").then(|| sex(&side.sex));
    let address = wanted("address").then(|| Address::parse(&side.address));
    Some(ChangeRequest {
        resident: RegisterNumber::parse(&difference.resident).ok()?,
        reason,
        event_date: date,
        name: name.transpose().ok()?,
        birth: birth.transpose().ok()?,
        sex: sex.flatten(),
        address: address.transpose().ok()?,
        certificate: None,
        counterpart: None,
    })
}

fn sex(text: &str) -> Option<Sex> {
    [Sex::Male, Sex::Female]
        .into_iter()
        .find(|sex| sex.ja() == text)
}
