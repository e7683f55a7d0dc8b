//! What documents say of the sources is there.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The names of all functions in the sources.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["crates", "tests"] {
        gather(&Path::new(ROOT).join(folder), &mut names);
    }
    names
}

fn gather(path: &Path, names: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            gather(&entry.unwrap().path(), names);
        }
    } else if path.extension().is_some_and(|ending| ending == "rs") {
        let text = fs::read_to_string(path).unwrap();
        let declared = text.lines().filter_map(|line| {
            let name = line.trim_start();
            let name = name.strip_prefix("async ").unwrap_or(name);
            name.strip_prefix("fn ")?.split_once('(')
        });
        names.extend(declared.map(|(name, _)| name.to_owned()));
    }
}

/// The rows of a document's tables that begin so, in cells.
fn rows(document: &str, beginning: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(format!("{ROOT}/docs/{document}")).unwrap();
    text.lines()
        .filter(|line| line.starts_with(&format!("| {beginning}")))
        .map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The names of tests in a cell.
fn tests(cell: &str) -> Vec<&str> {
    let marked = cell.split('`').skip(1).step_by(2);
    marked.filter(|name| name.contains('_')).collect()
}

#[test]
fn every_threat_names_its_control_and_tests_that_exist() {
    let functions = functions();
    let threats = rows("threat-model.md", "T-");
    assert!(threats.len() >= 20, "{} threats", threats.len());
    for (number, threat) in (1..).zip(&threats) {
        assert_eq!(threat[1], format!("T-{number:02}"));
        assert!(!threat[2].is_empty() && !threat[3].is_empty(), "{threat:?}");
        let tests = tests(&threat[4]);
        assert!(!tests.is_empty(), "{} is attacked by no test", threat[1]);
        for test in tests {
            assert!(functions.contains(test), "{}: no test {test}", threat[1]);
        }
    }
}

#[test]
fn every_constraint_is_held_by_tests_that_exist() {
    let functions = functions();
    let all = rows("hazards.md", "C");
    // Once with its words, once with its tests.
    let (words, held): (Vec<_>, Vec<_>) = all.iter().partition(|row| row.len() == 5);
    let held: Vec<_> = held.into_iter().filter(|row| row.len() == 4).collect();
    assert!(words.len() > 20, "{} constraints", words.len());
    for constraint in words {
        let row = held
            .iter()
            .find(|row| row[1] == constraint[1])
            .unwrap_or_else(|| panic!("{} has no tests", constraint[1]));
        let tests = tests(&row[2]);
        assert!(!tests.is_empty(), "{} has no tests", row[1]);
        for test in tests {
            assert!(functions.contains(test), "{}: no test {test}", row[1]);
        }
    }
}
