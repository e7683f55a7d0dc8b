//! What must not be found, in every form in which it could lie about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use encoding_rs::{EUC_JP, SHIFT_JIS};

/// Shorter ones could be found by chance.
const NEEDLE_BYTES_MIN: usize = 6;

/// Texts about residents, in UTF-8, UTF-16 of both byte orders, Shift_JIS and EUC-JP.
pub struct Needles {
    machine: AhoCorasick,
    /// Which text each pattern is a form of.
    text_of: Vec<usize>,
    longest: usize,
}

/// Which texts were seen: their numbers, so that a failing test prints nobody's data.
pub type Seen = BTreeSet<usize>;

impl Needles {
    /// The needles of some texts; empty ones are left out.
    ///
    /// # Panics
    /// Where a text is too short to be told from chance.
    #[must_use]
    pub fn of(texts: &[String]) -> Self {
        let mut patterns: Vec<(Vec<u8>, usize)> = Vec::new();
        for (number, text) in texts
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
        {
            let mut forms = vec![text.clone().into_bytes()];
            forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
            forms.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
            for encoding in [SHIFT_JIS, EUC_JP] {
                let (bytes, _, lossy) = encoding.encode(text);
                if !lossy {
                    forms.push(bytes.into_owned());
                }
            }
            for form in forms {
                assert!(form.len() >= NEEDLE_BYTES_MIN, "text {number} is too short");
                patterns.push((form, number));
            }
        }
        let (forms, text_of): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        Self {
            longest: forms.iter().map(Vec::len).max().unwrap_or(0),
            machine: AhoCorasick::new(forms).unwrap(),
            text_of,
        }
    }

    /// The longest of them in bytes.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The texts of which a form lies in these bytes.
    #[must_use]
    pub fn in_bytes(&self, bytes: &[u8]) -> Seen {
        let hits = self.machine.find_overlapping_iter(bytes);
        hits.map(|hit| self.text_of[hit.pattern().as_usize()])
            .collect()
    }

    /// The files below a folder that hold one, and how many bytes were read.
    ///
    /// # Panics
    /// Where a file cannot be read that is still there.
    #[must_use]
    pub fn in_folder(&self, folder: &Path) -> (Vec<PathBuf>, u64) {
        let (mut found, mut read, mut open) = (Vec::new(), 0, vec![folder.to_owned()]);
        while let Some(path) = open.pop() {
            let Ok(kind) = fs::symlink_metadata(&path).map(|data| data.file_type()) else {
                // A node renames its files while it works.
                continue;
            };
            if kind.is_dir() {
                open.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            } else if kind.is_file()
                && let Ok(bytes) = fs::read(&path)
            {
                read += bytes.len() as u64;
                if !self.in_bytes(&bytes).is_empty() {
                    found.push(path);
                }
            }
        }
        (found, read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_encoding_and_another_is_not() {
        let needles = Needles::of(&["大森　全".to_owned(), "91234567891".to_owned()]);
        let (sjis, _, _) = SHIFT_JIS.encode("..大森　全..");
        let (euc, _, _) = EUC_JP.encode("..大森　全..");
        let wide: Vec<u8> = "91234567891"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(needles.in_bytes("x大森　全x".as_bytes()), [0].into());
        assert_eq!(needles.in_bytes(&sjis), [0].into());
        assert_eq!(needles.in_bytes(&euc), [0].into());
        assert_eq!(needles.in_bytes(&wide), [1].into());
        assert!(
            needles
                .in_bytes("大森　太郎 9123456789".as_bytes())
                .is_empty()
        );
    }
}
