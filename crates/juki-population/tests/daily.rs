//! Daily changes have the rates of the tables, and each row fits what the registers held before it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed helper is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};

use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, CivilDate, MunicipalityCode, PersonName, Sex,
};
use juki_intake::{Reader, ReaderSettings};
use juki_population::{DailyChanges, DayFile, Population, PopulationSettings};

fn settings(municipality: &str, residents: usize, as_of: &str) -> PopulationSettings {
    PopulationSettings {
        municipality: municipality.parse().unwrap(),
        residents,
        seed: 4,
        as_of: as_of.parse().unwrap(),
    }
}

fn after(settings: &PopulationSettings, days: i64) -> CivilDate {
    CivilDate::from_days(settings.as_of.days() + days).unwrap()
}

fn rows(days: &[Vec<DayFile>]) -> impl Iterator<Item = &ChangeRequest> {
    days.iter().flatten().flat_map(|file| &file.requests)
}

/// What a register holds of a resident.
#[derive(Clone)]
struct Held {
    name: PersonName,
    birth: BirthDate,
    sex: Sex,
    address: Address,
}

impl Held {
    fn surname(&self) -> &str {
        self.name.reveal().split('　').next().unwrap()
    }
}

/// The registers of several municipalities, which apply the rows of one day after the other.
struct Registers {
    held: BTreeMap<(MunicipalityCode, String), Held>,
    /// Women who had a child: a household with a newborn stays where it is.
    mothers: BTreeSet<(MunicipalityCode, String)>,
}

impl Registers {
    fn of(populations: &[PopulationSettings]) -> Self {
        let mut held = BTreeMap::new();
        for settings in populations {
            for resident in Population::new(*settings).unwrap() {
                let number = resident.register_number.reveal().to_owned();
                let record = Held {
                    name: resident.name,
                    birth: resident.birth,
                    sex: resident.sex,
                    address: resident.address,
                };
                held.insert((settings.municipality, number), record);
            }
        }
        Self {
            held,
            mothers: BTreeSet::new(),
        }
    }

    /// Applies a day's files, arrivals after all departures, and returns how many moves there were.
    fn apply(&mut self, files: &[DayFile]) -> usize {
        let mut departed = BTreeMap::new();
        for file in files {
            for request in &file.requests {
                if request.reason != ChangeReason::MoveIn {
                    self.apply_own(file.municipality, request, &mut departed);
                }
            }
        }
        let moves = departed.len();
        for file in files {
            for request in file
                .requests
                .iter()
                .filter(|request| request.reason == ChangeReason::MoveIn)
            {
                let certificate = request.certificate.clone().unwrap();
                let (from, to, date, record): (_, _, CivilDate, Held) = departed
                    .remove(&certificate)
                    .expect("a certificate was issued");
                assert_eq!(
                    (request.counterpart, to),
                    (Some(from), Some(file.municipality))
                );
                assert!(request.event_date >= date, "nobody arrives before leaving");
                assert_eq!(
                    (request.name.as_ref(), request.birth, request.sex),
                    (Some(&record.name), Some(record.birth), Some(record.sex))
                );
                assert_ne!(request.address.as_ref(), Some(&record.address));
            }
        }
        assert!(departed.is_empty(), "everybody who left arrived");
        moves
    }

    fn apply_own(
        &mut self,
        municipality: MunicipalityCode,
        request: &ChangeRequest,
        departed: &mut BTreeMap<
            String,
            (MunicipalityCode, Option<MunicipalityCode>, CivilDate, Held),
        >,
    ) {
        let key = (municipality, request.resident.reveal().to_owned());
        let moves = [ChangeReason::MoveOut, ChangeReason::AddressChange];
        assert!(
            !(moves.contains(&request.reason) && self.mothers.contains(&key)),
            "a newborn is left behind"
        );
        match request.reason {
            ChangeReason::Death => drop(self.held.remove(&key).expect("the dead were registered")),
            ChangeReason::MoveOut => {
                let record = self.held.remove(&key).expect("who leaves was registered");
                let certificate = request.certificate.clone().unwrap();
                let left = (
                    municipality,
                    request.counterpart,
                    request.event_date,
                    record,
                );
                assert!(departed.insert(certificate, left).is_none());
            }
            ChangeReason::AddressChange => {
                let record = self.held.get_mut(&key).expect("who moves is registered");
                record.address = request.address.clone().unwrap();
            }
            ChangeReason::ExOfficioCorrection => {
                let record = self
                    .held
                    .get_mut(&key)
                    .expect("the corrected are registered");
                let before = (record.name.clone(), record.birth);
                record.name = request.name.clone().unwrap_or(before.0.clone());
                record.birth = request.birth.unwrap_or(before.1);
                assert!((record.name.clone(), record.birth) != before);
                assert!(request.sex.is_none() && request.address.is_none());
            }
            ChangeReason::CodeChangeRequest => assert!(self.held.contains_key(&key)),
            ChangeReason::Birth => {
                let key = (municipality, key.1.strip_prefix('9').unwrap().to_owned());
                let mother = self.held.get(&key).expect("the mother is registered");
                let name = request.name.as_ref().unwrap().reveal();
                let (surname, given) = name.split_once('　').unwrap();
                assert_eq!(surname, mother.surname());
                assert!(!given.is_empty() && !given.contains('　'));
                assert_eq!(request.address.as_ref(), Some(&mother.address));
                assert_eq!(request.birth, Some(request.event_date.into()));
                self.mothers.insert(key);
            }
            ChangeReason::MoveIn
            | ChangeReason::ExOfficioEntry
            | ChangeReason::ExOfficioDeletion
            | ChangeReason::CodeExOfficio => panic!("unexpected {:?}", request.reason),
        }
    }
}

#[test]
fn every_row_of_a_year_fits_what_the_registers_hold_when_it_comes() {
    let populations = vec![
        settings("352047", 6_000, "2002-08-05"),
        settings("355020", 5_000, "2002-08-05"),
        settings("355011", 1_220, "2002-08-05"),
    ];
    let mut registers = Registers::of(&populations);
    let daily = DailyChanges::new(populations.clone()).unwrap();
    let year = daily.days(after(&populations[0], 1), 365);
    let moves: usize = year.iter().map(|files| registers.apply(files)).sum();
    assert!(moves > 300, "{moves} moves");
    let births = registers.mothers.len();
    assert!(births > 60, "{births} births");
    for reason in [
        ChangeReason::ExOfficioCorrection,
        ChangeReason::CodeChangeRequest,
        ChangeReason::AddressChange,
        ChangeReason::Death,
    ] {
        assert!(rows(&year).any(|row| row.reason == reason), "{reason:?}");
    }
}

#[test]
fn a_year_of_days_has_the_events_of_the_nation_and_each_only_once() {
    let populations = vec![
        settings("352047", 20_000, "2002-08-05"),
        settings("355020", 20_000, "2002-08-05"),
    ];
    let daily = DailyChanges::new(populations.clone()).unwrap();
    let year = daily.days(after(&populations[0], 1), 365);
    assert_eq!(year.len(), 365);
    assert_eq!(daily.day("2003-04-01".parse().unwrap()), year[238]);
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (day, files) in (1..).zip(&year) {
        for file in files {
            for request in &file.requests {
                let date = after(&populations[0], day);
                assert_eq!((request.check(), request.event_date), (Ok(()), date));
                *counts.entry(request.reason.name()).or_default() += 1;
                let who = (file.municipality, request.resident.reveal().to_owned());
                if request.reason != ChangeReason::ExOfficioCorrection {
                    assert!(seen.insert((who, request.reason)));
                }
            }
        }
    }
    for (reason, per_mille, bound) in [
        ("death", 7.7, 0.15),
        ("birth", 9.1, 0.15),
        ("move-out", 41.0, 0.15),
        ("move-in", 41.0, 0.15),
        // 757,331 surnames in 126.9 million, and one slip in a thousand.
        ("ex-officio-correction", 7.0, 0.2),
        // 335 of 1,527,964 in the first weeks, then 0.943 per mille a year.
        ("code-change-request", 1.1, 0.45),
    ] {
        let found = f64::from(counts[reason]) / 40.0;
        assert!(
            (found / per_mille - 1.0).abs() < bound,
            "{reason}: {found:.2} per mille a year, not {per_mille}"
        );
    }
    assert!(counts["address-change"] > 500);
}

#[test]
fn moves_crowd_in_april_and_nothing_else_does() {
    let populations = vec![
        settings("352047", 40_000, "2002-10-15"),
        settings("355020", 40_000, "2002-10-15"),
    ];
    let daily = DailyChanges::new(populations.clone()).unwrap();
    let year = daily.days(after(&populations[0], 1), 365);
    let months = |reason| {
        let mut months = [0_u32; 12];
        for row in rows(&year).filter(|row| row.reason == reason) {
            months[usize::from(row.event_date.month()) - 1] += 1;
        }
        months
    };
    for reason in [
        ChangeReason::MoveOut,
        ChangeReason::MoveIn,
        ChangeReason::AddressChange,
    ] {
        let months = months(reason);
        let all = f64::from(months.iter().sum::<u32>());
        let april = f64::from(months[3]) / all;
        assert!(
            (0.115..0.16).contains(&april),
            "{reason:?}: {april:.3} in April"
        );
        for (month, count) in (1..).zip(months).filter(|(month, _)| *month != 4) {
            assert!(
                count * 4 < months[3] * 3,
                "{reason:?}: {count} in month {month}, {months:?}"
            );
        }
    }
    let deaths = months(ChangeReason::Death);
    let share = f64::from(deaths[3]) / f64::from(deaths.iter().sum::<u32>());
    assert!(share < 0.115, "{share:.3} of deaths in April");
}

#[test]
fn blocks_gone_through_in_any_order_give_the_same_days() {
    let populations = vec![
        settings("352047", 9_000, "2002-10-15"),
        settings("355020", 4_555, "2002-10-15"),
        settings("355011", 1_220, "2002-10-15"),
    ];
    let daily = DailyChanges::new(populations.clone()).unwrap();
    let first = after(&populations[0], 160);
    let mut blocks: Vec<_> = (0..daily.blocks())
        .rev()
        .map(|number| daily.block(number, first, 30))
        .collect();
    assert_eq!(blocks.len(), 3 + 2 + 1);
    let mut files = daily.files(first, 30);
    while let Some(block) = blocks.pop() {
        files.add(block);
    }
    let month = daily.days(first, 30);
    assert!(rows(&month).count() > 50);
    assert_eq!(files.finish(), month);
}

#[test]
fn every_daily_file_reads_back_as_it_was_made() {
    let populations = vec![
        settings("352047", 9_000, "2002-08-05"),
        settings("355020", 4_555, "2002-08-05"),
    ];
    let daily = DailyChanges::new(populations.clone()).unwrap();
    for files in daily.days(after(&populations[0], 1), 60) {
        for file in files {
            let mut bytes = Vec::new();
            file.write(&mut |chunk: &[u8]| bytes.extend_from_slice(chunk))
                .unwrap();
            let mut reader = Reader::new(ReaderSettings {
                initial_date: "2002-08-05".parse().unwrap(),
                line_bytes_max: 65_536,
            });
            reader.feed(&bytes);
            reader.finish();
            let read: Vec<ChangeRequest> = std::iter::from_fn(|| reader.next_row())
                .map(|row| row.result.unwrap())
                .collect();
            assert_eq!(read, file.requests);
        }
    }
}

#[test]
fn nothing_happens_up_to_the_day_of_counting() {
    let daily = DailyChanges::new(vec![
        settings("352047", 5_000, "2002-08-05"),
        settings("355020", 5_000, "2002-08-05"),
    ])
    .unwrap();
    for date in ["2002-08-05", "2001-01-01"] {
        let files = daily.day(date.parse().unwrap());
        assert!(files.iter().all(|file| file.requests.is_empty()));
    }
}
