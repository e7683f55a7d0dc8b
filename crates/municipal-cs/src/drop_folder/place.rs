//! Where a file of the register lies before and after it was taken in.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use juki_admin::Problem;
use juki_domain::Lang;
use serde_json::json;

use crate::import::{Fingerprint, ImportFailure, ImportReport, Part};

/// Files of one name that are told apart by a number.
const SAME_NAME_MAX: u32 = 100_000;

/// The four folders.
#[derive(Clone)]
pub(super) struct Place {
    folder: PathBuf,
}

/// The name under which a file stays, which no other has had.
pub(super) struct Stay {
    name: String,
    out: PathBuf,
}

impl Place {
    /// Makes the folders where they are missing.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        for part in [IN, OUT, DONE, REFUSED] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder.join(part))?;
        }
        Ok(Self { folder })
    }

    /// The files that wait, at most so many, by name.
    pub(super) fn look(&self, files_max: usize) -> io::Result<BTreeMap<String, Fingerprint>> {
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(self.folder.join(IN))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let hidden = name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp");
            // A link could lead anywhere; a file that went away has been taken back.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if hidden || !metadata.is_file() {
                continue;
            }
            names.insert(name, Fingerprint::of(&metadata));
            if names.len() > files_max {
                names.pop_last();
            }
        }
        Ok(names)
    }

    pub(super) fn incoming(&self, name: &str) -> PathBuf {
        self.folder.join(IN).join(name)
    }

    /// The name for a file when it has been taken in: its own, or with a number behind it.
    pub(super) fn stay(&self, name: &str) -> io::Result<Stay> {
        (1..=SAME_NAME_MAX)
            .map(|number| match number {
                1 => name.to_owned(),
                number => format!("{name}.{number}"),
            })
            .find(|name| self.is_free(name))
            .map(|name| Stay {
                out: self.folder.join(OUT).join(&name),
                name,
            })
            .ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))
    }

    fn is_free(&self, name: &str) -> bool {
        let report = format!("{name}.{REPORT}");
        [(DONE, name), (REFUSED, name), (OUT, report.as_str())]
            .iter()
            .all(|(part, name)| fs::symlink_metadata(self.folder.join(part).join(name)).is_err())
    }

    /// Puts a file where it belongs now.
    pub(super) fn put_away(&self, name: &str, stay: &Stay, taken: bool) -> io::Result<()> {
        let part = if taken { DONE } else { REFUSED };
        fs::rename(self.incoming(name), self.folder.join(part).join(&stay.name))
    }
}

impl Stay {
    /// What the names of the files about it begin with.
    pub(super) fn out(&self) -> &Path {
        &self.out
    }

    /// Writes the report.
    pub(super) fn report(
        &self,
        name: &str,
        ended: &Result<ImportReport, ImportFailure>,
        lang: Lang,
        (began_ms, ended_ms): (u64, u64),
    ) -> io::Result<()> {
        let mut report = json!({
            "file": name,
            "state": if ended.is_ok() { "imported" } else { "refused" },
            "began_unix_ms": began_ms,
            "ended_unix_ms": ended_ms,
        });
        let more = match ended {
            Ok(report) => serde_json::to_value(report)?,
            Err(failure) => json!({ "problem": failure.problem(lang) }),
        };
        if let (Some(report), serde_json::Value::Object(more)) = (report.as_object_mut(), more) {
            report.extend(more);
        }
        let mut path = self.out.as_os_str().to_owned();
        path.push(".");
        path.push(REPORT);
        let part = Part::new(Path::new(&path))?;
        let mut text = serde_json::to_vec_pretty(&report)?;
        text.push(b'\n');
        part.sink()(&text);
        part.finish()
    }
}

impl ImportFailure {
    /// The problem document of the failure.
    pub(crate) fn problem(&self, lang: Lang) -> Problem {
        let problem = Problem::new(self.code, lang);
        match &self.detail {
            Some(detail) => problem.with_detail(detail),
            None => problem,
        }
    }
}

const IN: &str = "in";
const OUT: &str = "out";
const DONE: &str = "done";
const REFUSED: &str = "refused";
const REPORT: &str = "report.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_are_meant_are_seen_and_the_first_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path().join("cs")).unwrap();
        for name in ["b.csv", "a.csv", ".hidden", "c.csv.part", "d.tmp", "e.csv"] {
            fs::write(place.incoming(name), "x").unwrap();
        }
        fs::create_dir(place.incoming("folder")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", place.incoming("link.csv")).unwrap();
        let names = |max| {
            let seen = place.look(max).unwrap();
            seen.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(names(9), ["a.csv", "b.csv", "e.csv"]);
        assert_eq!(names(2), ["a.csv", "b.csv"]);
    }

    #[test]
    fn a_name_that_was_there_before_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path().to_owned()).unwrap();
        for wanted in ["day.csv", "day.csv.2", "day.csv.3"] {
            fs::write(place.incoming("day.csv"), "x").unwrap();
            let stay = place.stay("day.csv").unwrap();
            assert_eq!(stay.name, wanted);
            place
                .put_away("day.csv", &stay, wanted != "day.csv.2")
                .unwrap();
        }
        assert!(folder.path().join("refused/day.csv.2").exists());
        assert!(folder.path().join("done/day.csv.3").exists());
    }

    #[test]
    fn a_file_that_grows_is_another_at_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path().to_owned()).unwrap();
        fs::write(place.incoming("a.csv"), "x").unwrap();
        let first = place.look(9).unwrap();
        assert_eq!(first, place.look(9).unwrap());
        fs::write(place.incoming("a.csv"), "xy").unwrap();
        assert_ne!(first, place.look(9).unwrap());
    }
}
