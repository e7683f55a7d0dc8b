//! The memory of a running process, as whoever dumps its core would have it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use crate::{Needles, Seen};

const PAGE: u64 = 4_096;
/// So much is read at once.
const PIECE: u64 = 1 << 20;

/// Looks through every page of a process that is present or swapped out, and says what was seen and
/// how many bytes were looked at.
///
/// # Panics
/// Where the system does not permit it, with the reason: nothing is left out in silence.
#[must_use]
pub fn search_memory(pid: u32, needles: &Needles) -> (Seen, u64) {
    let open = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}: a test that reads the memory of other processes needs the right to trace them"))
    };
    let (memory, pages) = (open("mem"), open("pagemap"));
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let (mut seen, mut looked_at) = (Seen::new(), 0);
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let name = words.nth(3).unwrap_or_default();
        // The kernel's own pages in every process hold nothing of it and cannot be read so.
        if !rights.starts_with('r') || name.starts_with("[v") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        for (from, to) in runs(&pages, number(from), number(to)) {
            // Pieces overlap by the longest needle.
            let overlap = needles.longest() as u64;
            let mut at = from;
            while at < to {
                let end = (at + PIECE + overlap).min(to);
                let mut bytes = vec![0; usize::try_from(end - at).unwrap()];
                match memory.read_exact_at(&mut bytes, at) {
                    Ok(()) => {
                        looked_at += end - at;
                        seen.extend(needles.in_bytes(&bytes));
                    }
                    // It was given back to the system meanwhile.
                    Err(_) if !is_present(&pages, at) => {}
                    Err(error) => panic!("memory of {pid} at {at:x} ({name}): {error}"),
                }
                at += PIECE;
            }
        }
    }
    (seen, looked_at)
}

/// The runs of pages in a range that hold something.
fn runs(pages: &File, from: u64, to: u64) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut entries = vec![0; usize::try_from((to - from) / PAGE * 8).unwrap()];
    if pages.read_exact_at(&mut entries, from / PAGE * 8).is_err() {
        return vec![(from, to)];
    }
    for (page, entry) in (from / PAGE..).zip(entries.as_chunks::<8>().0) {
        if holds_something(*entry) {
            let (start, end) = (page * PAGE, (page + 1) * PAGE);
            match runs.last_mut() {
                Some(last) if last.1 == start => last.1 = end,
                _ => runs.push((start, end)),
            }
        }
    }
    runs
}

fn is_present(pages: &File, at: u64) -> bool {
    let mut entry = [0; 8];
    pages.read_exact_at(&mut entry, at / PAGE * 8).is_ok() && holds_something(entry)
}

/// Bit 63: present; bit 62: swapped out.
fn holds_something(entry: [u8; 8]) -> bool {
    u64::from_ne_bytes(entry) >> 62 != 0
}
