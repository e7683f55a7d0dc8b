//! Tells the program which commit it was built from, for the figures of `jukinet bench`.

use std::process::Command;

fn main() {
    let commit = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let commit = commit
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let commit = commit.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned());
    // Build scripts speak to cargo through standard output.
    #[allow(
        clippy::print_stdout,
        reason = "cargo reads the build script's standard output"
    )]
    {
        println!("cargo::rustc-env=JUKI_COMMIT={commit}");
        println!("cargo::rerun-if-changed=../../.git/HEAD");
        println!("cargo::rerun-if-changed=../../.git/refs/heads");
    }
}
