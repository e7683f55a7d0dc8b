//! The population is reproducible, exact in number, plausible in age and readable as a register's file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed helper is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};

use juki_domain::{ChangeReason, ChangeRequest, MunicipalityCode};
use juki_intake::{FileEncoding, FileKind, Reader, ReaderSettings, WriteError, Writer};
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
fn parts_made_in_any_order_are_the_same_file() {
    for residents in [0, 1, 4096, 4097, 20_000] {
        let settings = settings("352047", residents, 9);
        let population = Population::new(settings).unwrap();
        let mut parts: Vec<(u64, Vec<u8>)> = (0..population.blocks())
            .rev()
            .map(|block| (block, population.initial_part(block).unwrap()))
            .collect();
        assert_eq!(parts.len(), residents.div_ceil(4096).max(1));
        parts.sort_by_key(|(block, _)| *block);
        let joined: Vec<u8> = parts.into_iter().flat_map(|(_, part)| part).collect();
        assert_eq!(joined, initial_file(settings));
        let rows = joined.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(rows, residents + 1, "one header row and one row for each");
    }
}

#[test]
fn variation_selectors_stand_in_the_file_and_read_back() {
    let file = initial_file(settings("352047", 60_000, 2));
    let names: Vec<String> = read(&file)
        .into_iter()
        .map(|request| request.name.unwrap().reveal().to_owned())
        .collect();
    let mut bearers_of_all = 0;
    for (sequence, bytes) in [
        ("邉\u{e0101}", b"\xe9\x82\x89\xf3\xa0\x84\x81"),
        ("邊\u{e0101}", b"\xe9\x82\x8a\xf3\xa0\x84\x81"),
        ("葛\u{e0100}", b"\xe8\x91\x9b\xf3\xa0\x84\x80"),
        ("辻\u{e0101}", b"\xe8\xbe\xbb\xf3\xa0\x84\x81"),
    ] {
        let bearers = names.iter().filter(|name| name.contains(sequence)).count();
        let written = file.windows(7).filter(|window| window == bytes).count();
        assert_eq!(written, bearers, "{sequence}");
        bearers_of_all += bearers;
    }
    assert!(bearers_of_all > 3, "{bearers_of_all} of 60,000");
}

#[test]
fn a_name_that_cp932_cannot_hold_is_refused_by_its_column_and_the_file_goes_on() {
    let residents: Vec<Resident> = Population::new(settings("352047", 20_000, 2))
        .unwrap()
        .collect();
    let mut bytes = Vec::new();
    let mut writer = Writer::new(FileKind::Initial, FileEncoding::Cp932, |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
    });
    let mut kept = Vec::new();
    let mut refused = 0;
    for resident in &residents {
        let request = resident.entry("2002-08-05".parse().unwrap());
        let beyond = ['𠮷', '\u{e0100}', '\u{e0101}', '\u{e0102}'];
        match writer.row(&request) {
            Ok(()) => {
                assert!(!resident.name.reveal().contains(beyond));
                kept.push(request);
            }
            Err(error) => {
                // Nothing is put in a rare character's place: the row is left out whole.
                assert_eq!(error, WriteError::NotInEncoding("氏名"));
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && kept.len() > 19_000, "{refused} refused");
    assert_eq!(read(&bytes), kept);
    let held: String = kept
        .iter()
        .map(|request| request.name.as_ref().unwrap().reveal())
        .collect();
    for rare in ["髙", "﨑", "邊", "邉"] {
        assert!(held.contains(rare), "CP932 holds {rare}");
    }
}

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
