//! The committed corpus: messages that are worth throwing, each in a file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::all;

/// The corpus of a decoder, in the order of its files' names; empty where there is none.
///
/// # Panics
/// Where a file cannot be read.
#[must_use]
pub fn corpus_of(name: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder().join(name)) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Writes the samples of all decoders that have no corpus yet; files that are there stay.
///
/// # Panics
/// Where a file cannot be written.
pub fn write_corpus() {
    for decoder in all() {
        let folder = folder().join(decoder.name);
        if folder.exists() {
            continue;
        }
        fs::create_dir_all(&folder).unwrap();
        for (number, sample) in (decoder.samples)().iter().enumerate() {
            fs::write(folder.join(format!("sample-{number}")), sample).unwrap();
        }
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}
