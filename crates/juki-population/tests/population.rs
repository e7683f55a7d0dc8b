//! The population is reproducible, exact in number, plausible in age and readable as a register's file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed helper is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};

use juki_domain::{ChangeReason, ChangeRequest, MunicipalityCode};
use juki_intake::{Reader, ReaderSettings};
use juki_population::{DailyChanges, Population, PopulationError, PopulationSettings, Resident};

fn settings(municipality: &str, residents: usize, seed: u64) -> PopulationSettings {
    PopulationSettings {
        municipality: municipality.parse().unwrap(),
        residents,
        seed,
        as_of: "2002-08-05".parse().unwrap(),
    }
}

fn initial_file(settings: PopulationSettings) -> Vec<u8> {
    let mut bytes = Vec::new();
    Population::new(settings)
        .unwrap()
        .write_initial(&mut |chunk: &[u8]| bytes.extend_from_slice(chunk))
        .unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Vec<ChangeRequest> {
    let mut reader = Reader::new(ReaderSettings {
        initial_date: "2002-08-05".parse().unwrap(),
        line_bytes_max: 65_536,
    });
    let mut requests = Vec::new();
    for chunk in bytes.chunks(65_536) {
        reader.feed(chunk);
        requests.extend(std::iter::from_fn(|| reader.next_row()).map(|row| row.result.unwrap()));
    }
    reader.finish();
    requests.extend(std::iter::from_fn(|| reader.next_row()).map(|row| row.result.unwrap()));
    requests
}

/// Full years on 2002-08-05; an unknown month or day counts as early in the year.
fn age(resident: &Resident) -> u32 {
    let birth = resident.birth.number();
    2002 - birth / 10_000 - u32::from(birth % 10_000 > 805)
}

#[test]
fn one_seed_gives_one_file_and_another_seed_another() {
    let one = initial_file(settings("355011", 1220, 7));
    assert_eq!(one, initial_file(settings("355011", 1220, 7)));
    assert_ne!(one, initial_file(settings("355011", 1220, 8)));
    assert_ne!(one, initial_file(settings("355020", 1220, 7)));
    // A change of the generator changes everybody's files: this line says that it was meant.
    assert_eq!(fingerprint(&one), FINGERPRINT);
}

/// FNV-1a, so that the test rests on nothing that the generator uses.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

const FINGERPRINT: u64 = 10_657_635_100_617_428_705;

#[test]
fn the_number_of_residents_is_exact() {
    for residents in [0, 1, 2, 3, 7, 50, 1220, 4096, 4097, 9001] {
        let all: Vec<Resident> = Population::new(settings("352047", residents, 3))
            .unwrap()
            .collect();
        assert_eq!(all.len(), residents);
        let numbers: BTreeSet<&str> = all
            .iter()
            .map(|resident| resident.register_number.reveal())
            .collect();
        assert_eq!(numbers.len(), residents);
    }
}

#[test]
fn ages_are_those_of_the_census_within_two_per_cent_of_each_group() {
    let census = include_str!("../../../configs/population/demography.csv");
    let groups: Vec<f64> = census
        .lines()
        .filter(|line| line.starts_with("age,"))
        .map(|line| line.split(',').nth(2).unwrap().parse().unwrap())
        .collect();
    let sum: f64 = groups.iter().sum();
    for (municipality, seed) in [("352047", 1), ("355020", 99)] {
        let mut found = vec![0_u32; groups.len()];
        for resident in Population::new(settings(municipality, 50_000, seed)).unwrap() {
            found[(age(&resident) / 5).min(17) as usize] += 1;
        }
        for (group, (found, expected)) in found.iter().zip(&groups).enumerate() {
            let apart = f64::from(*found) / 50_000.0 / (expected / sum) - 1.0;
            assert!(
                apart.abs() < 0.02,
                "ages from {}: {:.1} % apart",
                group * 5,
                apart * 100.0
            );
        }
    }
}

#[test]
fn households_have_the_sizes_of_the_census_and_no_child_lives_alone() {
    let mut households: BTreeMap<u64, Vec<Resident>> = BTreeMap::new();
    for resident in Population::new(settings("352047", 50_000, 5)).unwrap() {
        households
            .entry(resident.household)
            .or_default()
            .push(resident);
    }
    let mut sizes = [0_usize; 7];
    let (mut couples, mut siblings) = (0, 0);
    for household in households.values() {
        sizes[household.len().min(7) - 1] += 1;
        assert!(
            household
                .iter()
                .all(|resident| resident.address == household[0].address)
        );
        let eldest = household.iter().map(age).max().unwrap();
        for child in household.iter().filter(|resident| age(resident) < 18) {
            assert!(
                eldest >= age(child) + 16,
                "a child of {} with nobody above {eldest}",
                age(child)
            );
            let surname = |resident: &Resident| {
                resident
                    .name
                    .reveal()
                    .split('　')
                    .next()
                    .unwrap()
                    .to_owned()
            };
            assert!(
                household
                    .iter()
                    .filter(|other| age(other) >= age(child) + 16)
                    .any(|elder| surname(elder) == surname(child))
            );
        }
        let adults: Vec<&Resident> = household
            .iter()
            .filter(|resident| age(resident) >= 20)
            .collect();
        couples += usize::from(
            adults.len() >= 2
                && adults[0].sex != adults[1].sex
                && age(adults[0]).abs_diff(age(adults[1])) <= 16,
        );
        siblings += usize::from(
            household
                .iter()
                .filter(|resident| age(resident) < 18)
                .count()
                >= 2,
        );
    }
    for (size, expected) in (1..).zip([27.6, 25.1, 18.8, 16.9, 6.8, 3.1, 1.7]) {
        let found = sizes[size - 1] as f64 * 100.0 / households.len() as f64;
        assert!(
            (found - expected).abs() < 2.0,
            "{found:.1} % of households have {size} members, not {expected}"
        );
    }
    assert!(couples * 2 > households.len(), "{couples} couples");
    assert!(
        siblings * 10 > households.len(),
        "{siblings} households with siblings"
    );
}

#[test]
fn every_row_passes_the_reader_and_nothing_is_lost() {
    let expected: Vec<ChangeRequest> = Population::new(settings("352047", 20_000, 11))
        .unwrap()
        .map(|resident| resident.entry("2002-08-05".parse().unwrap()))
        .collect();
    let found = read(&initial_file(settings("352047", 20_000, 11)));
    assert_eq!(found, expected);
    assert!(
        found.iter().all(
            |request| request.check().is_ok() && request.reason == ChangeReason::ExOfficioEntry
        )
    );
    let names: String = found
        .iter()
        .map(|request| request.name.as_ref().unwrap().reveal())
        .collect();
    for rare in ["髙", "﨑", "𠮷", "渡邊", "齋藤"] {
        assert!(names.contains(rare), "{rare}");
    }
    assert!(found.iter().all(|request| {
        request
            .address
            .as_ref()
            .unwrap()
            .reveal()
            .starts_with("山口県萩市")
    }));
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let unknown: MunicipalityCode = "352152".parse().unwrap();
    assert_eq!(
        Population::new(PopulationSettings {
            municipality: unknown,
            ..settings("352047", 1, 1)
        })
        .err(),
        Some(PopulationError::UnknownMunicipality(unknown))
    );
    let too_early = PopulationSettings {
        as_of: "1950-01-01".parse().unwrap(),
        ..settings("352047", 1, 1)
    };
    assert_eq!(
        Population::new(too_early).err(),
        Some(PopulationError::TooEarly)
    );
    let too_many = settings("352047", 1_000_000_001, 1);
    assert_eq!(
        DailyChanges::new(vec![too_many]).err(),
        Some(PopulationError::TooManyResidents)
    );
}

#[test]
fn a_year_of_days_has_the_events_of_the_nation_and_each_only_once() {
    let populations = vec![settings("352047", 20_000, 4), settings("355020", 20_000, 4)];
    let daily = DailyChanges::new(populations.clone()).unwrap();
    let begin = populations[0].as_of.days();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut ended = BTreeSet::new();
    let mut entered = BTreeSet::new();
    let first = juki_domain::CivilDate::from_days(begin + 1).unwrap();
    let year = daily.days(first, 365);
    assert_eq!(year.len(), 365);
    assert_eq!(daily.day("2003-04-01".parse().unwrap()), year[238]);
    for (day, files) in (1..).zip(&year) {
        let date = juki_domain::CivilDate::from_days(begin + day).unwrap();
        for file in files {
            for request in &file.requests {
                assert_eq!((request.check(), request.event_date), (Ok(()), date));
                *counts.entry(request.reason.name()).or_default() += 1;
                let who = (file.municipality, request.resident.reveal().to_owned());
                match request.reason {
                    ChangeReason::Death | ChangeReason::MoveOut => assert!(ended.insert(who)),
                    ChangeReason::Birth | ChangeReason::MoveIn => assert!(entered.insert(who)),
                    ChangeReason::AddressChange => assert!(!ended.contains(&who)),
                    ChangeReason::ExOfficioEntry
                    | ChangeReason::ExOfficioDeletion
                    | ChangeReason::ExOfficioCorrection
                    | ChangeReason::CodeChangeRequest
                    | ChangeReason::CodeExOfficio => panic!("unexpected {:?}", request.reason),
                }
            }
        }
    }
    for (reason, per_mille) in [
        ("death", 7.7),
        ("birth", 9.1),
        ("move-out", 41.0),
        ("move-in", 41.0),
    ] {
        let found = f64::from(counts[reason]) / 40.0;
        assert!(
            (found / per_mille - 1.0).abs() < 0.15,
            "{reason}: {found:.1} per mille a year, not {per_mille}"
        );
    }
    assert!(counts["address-change"] > 500);
}

#[test]
fn both_files_of_a_move_agree_on_person_certificate_and_day() {
    let populations = vec![
        settings("352047", 5_000, 4),
        settings("355020", 3_000, 4),
        settings("355011", 1_220, 4),
    ];
    let residents: BTreeMap<(MunicipalityCode, String), Resident> = populations
        .iter()
        .flat_map(|settings| {
            Population::new(*settings).unwrap().map(|resident| {
                (
                    (
                        settings.municipality,
                        resident.register_number.reveal().to_owned(),
                    ),
                    resident,
                )
            })
        })
        .collect();
    let daily = DailyChanges::new(populations).unwrap();
    let mut moves = 0;
    for day in 6..=30 {
        let files = daily.day(format!("2002-08-{day:02}").parse().unwrap());
        let rows = |reason| {
            files.iter().flat_map(move |file| {
                file.requests
                    .iter()
                    .filter(move |request| request.reason == reason)
                    .map(move |request| (file.municipality, request))
            })
        };
        let ins: BTreeMap<&str, _> = rows(ChangeReason::MoveIn)
            .map(|row| (row.1.certificate.as_deref().unwrap(), row))
            .collect();
        assert_eq!(rows(ChangeReason::MoveOut).count(), ins.len());
        for (from, out) in rows(ChangeReason::MoveOut) {
            let (to, entry) = ins[out.certificate.as_deref().unwrap()];
            assert_eq!((out.counterpart, entry.counterpart), (Some(to), Some(from)));
            let person = &residents[&(from, out.resident.reveal().to_owned())];
            assert_eq!(
                (entry.name.as_ref(), entry.birth, entry.sex),
                (Some(&person.name), Some(person.birth), Some(person.sex))
            );
            assert_ne!(entry.address.as_ref(), Some(&person.address));
            moves += 1;
        }
        for file in &files {
            let mut bytes = Vec::new();
            file.write(&mut |chunk: &[u8]| bytes.extend_from_slice(chunk))
                .unwrap();
            assert_eq!(read(&bytes), file.requests);
        }
    }
    assert!(moves > 5, "{moves} moves");
}

#[test]
fn nothing_happens_up_to_the_day_of_counting() {
    let daily = DailyChanges::new(vec![
        settings("352047", 5_000, 4),
        settings("355020", 5_000, 4),
    ])
    .unwrap();
    for date in ["2002-08-05", "2001-01-01"] {
        assert!(
            daily
                .day(date.parse().unwrap())
                .iter()
                .all(|file| file.requests.is_empty())
        );
    }
}
