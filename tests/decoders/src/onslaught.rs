//! Throws mutations at a decoder.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::{Decoder, Mutator, corpus_of};

/// How much is thrown.
#[derive(Debug, Clone, Copy)]
pub struct Onslaught {
    /// At least so many mutations.
    pub mutations: u64,
    /// After them, more for so long.
    pub lasting: Duration,
    /// The memory of the process may grow by so many bytes meanwhile.
    pub growth_max: u64,
}

/// What a decoder has survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survived {
    /// Inputs in all.
    pub inputs: u64,
    /// Of these, taken.
    pub taken: u64,
    /// Bytes by which the memory of the process grew at its highest.
    pub growth: u64,
}

impl Default for Onslaught {
    /// 10,000 mutations, then 1.5 s of more or what `JUKI_FUZZ_MS` says; 64 MiB.
    fn default() -> Self {
        let lasting = std::env::var("JUKI_FUZZ_MS").ok();
        Self {
            mutations: 10_000,
            lasting: Duration::from_millis(lasting.map_or(1_500, |ms| ms.parse().unwrap())),
            growth_max: 64 << 20,
        }
    }
}

impl Onslaught {
    /// Throws the decoder's messages and corpus at it, then mutations of them.
    ///
    /// # Errors
    /// A sentence with the input, in hexadecimal, at which it panicked, or by how much its memory
    /// grew, or that it refuses every message it should take.
    pub fn at(self, decoder: &Decoder) -> Result<Survived, String> {
        let mut messages = (decoder.samples)();
        if let Some(refused) = messages.iter().find(|message| !(decoder.decode)(message)) {
            return Err(format!(
                "{} refuses a valid message: {}",
                decoder.name,
                hex(refused)
            ));
        }
        messages.extend(corpus_of(decoder.name));
        let before = highest_memory();
        let mut survived = Survived {
            inputs: 0,
            taken: 0,
            growth: 0,
        };
        let mut mutator = Mutator::new(seed_of(decoder.name));
        let began = Instant::now();
        for message in &messages {
            survived.taken += u64::from(throw(decoder, message)?);
            survived.inputs += 1;
        }
        while survived.inputs < self.mutations || began.elapsed() < self.lasting {
            let input = mutator.mutate(&messages);
            survived.taken += u64::from(throw(decoder, &input)?);
            survived.inputs += 1;
        }
        survived.growth = highest_memory().saturating_sub(before);
        if survived.growth > self.growth_max {
            return Err(format!(
                "{}: the memory grew by {} bytes",
                decoder.name, survived.growth
            ));
        }
        Ok(survived)
    }
}

/// Whether the decoder takes the input; a panic is told with the input that caused it.
fn throw(decoder: &Decoder, input: &[u8]) -> Result<bool, String> {
    catch_unwind(AssertUnwindSafe(|| (decoder.decode)(input)))
        .map_err(|_| format!("{} panics at: {}", decoder.name, hex(input)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each decoder has mutations of its own.
fn seed_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The highest resident memory of this process so far, in bytes.
fn highest_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Onslaught = Onslaught {
        mutations: 2_000,
        lasting: Duration::ZERO,
        growth_max: 16 << 20,
    };

    fn samples() -> Vec<Vec<u8>> {
        vec![vec![0, 4, 1, 2, 3, 4]]
    }

    #[test]
    fn a_decoder_that_trusts_a_length_is_found_out() {
        let decoder = Decoder {
            name: "trusting",
            decode: |bytes| {
                let Some((length, rest)) = bytes.split_first_chunk::<2>() else {
                    return false;
                };
                let length = usize::from(u16::from_be_bytes(*length));
                !rest[..length].is_empty()
            },
            samples,
        };
        let found = SMALL.at(&decoder).unwrap_err();
        assert!(found.contains("panics at"), "{found}");
    }

    #[test]
    fn a_decoder_that_reserves_whatever_it_is_told_is_found_out() {
        let decoder = Decoder {
            name: "greedy",
            decode: |bytes| {
                let length = bytes.first().map_or(0, |byte| usize::from(*byte));
                !vec![1u8; (length + 1) << 18].is_empty()
            },
            samples,
        };
        let few = Onslaught {
            mutations: 200,
            ..SMALL
        };
        let found = few.at(&decoder).unwrap_err();
        assert!(found.contains("memory"), "{found}");
    }

    #[test]
    fn a_decoder_that_takes_nothing_is_found_out() {
        let decoder = Decoder {
            name: "closed",
            decode: |_| false,
            samples,
        };
        let found = SMALL.at(&decoder).unwrap_err();
        assert!(found.contains("refuses a valid message"), "{found}");
    }
}
