//! The programs under test, built beside this test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the programs, which are those of the present sources.
///
/// A test run builds only the programs of packages that have tests of their own, so cargo is asked
/// for all: once in a run, and with the tests named, so that the features are those of the run.
/// `JUKI_PROGRAMS` names a folder of programs to be tested instead.
///
/// # Panics
/// Where they cannot be built.
#[must_use]
pub fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| std::env::var_os("JUKI_PROGRAMS").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    // TARGET/PROFILE/deps/network-0123456789abcdef
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(Path::parent).unwrap().to_owned();
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let lock = File::create(folder.join("network-programs.lock")).unwrap();
    lock.lock().unwrap();
    let mark = folder.join("network-programs.run");
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_default();
    if !run.is_empty() && fs::read_to_string(&mark).is_ok_and(|built| built == run) {
        return folder;
    }
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "build",
            "--workspace",
            "--bins",
            "--tests",
            "--locked",
            "--profile",
            profile,
            "--target-dir",
        ])
        .arg(folder.parent().unwrap())
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the programs do not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(&mark, run).unwrap();
    folder
}
