//! Mutations that keep much of a message's structure, out of a seed.

mod protobuf;

use protobuf::{Contents, fields, message, number};

/// Draws mutations of some messages; the same seed draws the same ones (`SplitMix64`).
#[derive(Debug)]
pub struct Mutator {
    state: u64,
}

/// Numbers at the edges of what decoders count with.
const EDGES: [u64; 12] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];
/// Pieces that texts break on.
const WORDS: [&[u8]; 12] = [
    b"\"",
    b",",
    b"\r\n",
    b"=",
    b"[[",
    b"\\u0000",
    b"-1",
    b"99999999999999999999",
    b"\xf0\x9f\x92\xa9",
    b"\xed\xa0\x80",
    b"\xe9\x82\x8a\xf3\xa0\x84\x80",
    b"\x81",
];
const LENGTH_MAX: usize = 1 << 16;

impl Mutator {
    /// A mutator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// One of the messages with one to four things changed.
    ///
    /// # Panics
    /// Where there is no message.
    pub fn mutate(&mut self, messages: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.one(messages).clone();
        for _ in 0..=self.below(3) {
            self.change(&mut bytes, messages);
        }
        bytes.truncate(LENGTH_MAX);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, messages: &[Vec<u8>]) {
        if self.below(3) == 0
            && let Some(reshaped) = self.reshape(bytes, messages, 4)
        {
            *bytes = reshaped;
            return;
        }
        self.change_flat(bytes, messages);
    }

    fn change_flat(&mut self, bytes: &mut Vec<u8>, messages: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let end = (at + 1 + self.below(16)).min(bytes.len());
        match self.below(12) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                let value = u8::try_from(self.below(256)).unwrap();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at.min(end)..end)),
            4 => {
                let again = bytes[at.min(end)..end].to_vec();
                self.insert(bytes, at, &again);
            }
            5 => {
                let edge = *self.one(&EDGES);
                self.overwrite(bytes, at, &number(edge));
            }
            6 => {
                let edge = *self.one(&EDGES);
                let width = *self.one(&[1usize, 2, 4, 8]);
                let all = edge.to_be_bytes();
                self.overwrite(bytes, at, &all[8 - width..]);
            }
            7 => {
                let edge = *self.one(&EDGES);
                self.insert(bytes, at, &number(edge));
            }
            8 => {
                let word = *self.one(&WORDS);
                self.insert(bytes, at, word);
            }
            9 => {
                let word = *self.one(&WORDS);
                self.overwrite(bytes, at, word);
            }
            10 => {
                // The end of another message, from anywhere.
                let other = self.one(messages);
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let piece = bytes[at.min(end)..end].to_vec();
                let times = self.below(200);
                let many = piece.repeat(times);
                self.insert(bytes, at, &many);
            }
        }
    }

    /// A message with one field changed, at any depth, all lengths around it put right.
    fn reshape(&mut self, bytes: &[u8], messages: &[Vec<u8>], depth: usize) -> Option<Vec<u8>> {
        let mut fields = fields(bytes)?;
        let at = self.below(fields.len());
        match self.below(8) {
            0 => drop(fields.remove(at)),
            1 => fields.swap(0, at),
            _ => match &mut fields[at].contents {
                Contents::Number(value) => *value = *self.one(&EDGES),
                Contents::Fixed(fixed) => fixed.iter_mut().for_each(|byte| *byte = !*byte),
                Contents::Bytes(inner) => {
                    let deeper = if depth > 0 {
                        self.reshape(inner, messages, depth - 1)
                    } else {
                        None
                    };
                    match deeper {
                        Some(deeper) => *inner = deeper,
                        None => self.change_flat(inner, messages),
                    }
                }
            },
        }
        Some(message(&fields))
    }

    fn insert(&mut self, bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
        let _removed: Vec<u8> = bytes.splice(at..at, piece.iter().copied()).collect();
    }

    fn overwrite(&mut self, bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
        let end = (at + piece.len()).min(bytes.len());
        let _removed: Vec<u8> = bytes.splice(at..end, piece.iter().copied()).collect();
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.below(of.len());
        &of[at]
    }

    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = self.state;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((drawn ^ (drawn >> 31)) % end.max(1) as u64).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_mutations_and_another_seed_others() {
        let messages = [vec![7; 40], b"text,\"quoted\"\n".to_vec()];
        let draw = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..200)
                .map(|_| mutator.mutate(&messages))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let changed = draw(1)
            .iter()
            .filter(|mutation| !messages.contains(mutation))
            .count();
        assert!(changed > 150, "{changed} of 200 differ from the messages");
    }

    #[test]
    fn an_empty_message_is_mutated_too() {
        let mut mutator = Mutator::new(3);
        for _ in 0..1_000 {
            assert!(mutator.mutate(&[Vec::new()]).len() <= LENGTH_MAX);
        }
    }
}
