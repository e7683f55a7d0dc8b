//! A network that delays, repeats, loses and refuses frames, as a seed decides.

use std::collections::BTreeMap;

use bytes::Bytes;
use juki_crypto::{Digest, sha256};
use juki_domain::ErrorCode;
use juki_wire::{FrameParts, Priority, Refusal};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::Post;

/// A frame under way.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Who sent it.
    pub from: Post,
    /// Whom it reaches.
    pub to: Post,
    /// Its bytes.
    pub frame: Bytes,
}

/// All lines between nodes.
pub struct Network {
    rng: ChaCha8Rng,
    faults: bool,
    under_way: BTreeMap<(u64, u64), Flight>,
    /// Arrival of the last frame by direction and urgency: within each, order is kept.
    last: BTreeMap<(Post, Post, Priority), u64>,
    down: BTreeMap<(Post, Post), u64>,
    numbered: u64,
    trace: Digest,
    /// How many frames arrived twice.
    pub repeated: u64,
    /// How many frames were lost.
    pub lost: u64,
    /// How many frames were refused on the way.
    pub refused: u64,
}

impl Network {
    /// All lines up. Without `faults` every frame arrives once.
    #[must_use]
    pub fn new(seed: u64, faults: bool) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            faults,
            under_way: BTreeMap::new(),
            last: BTreeMap::new(),
            down: BTreeMap::new(),
            numbered: 0,
            trace: [0; 32],
            repeated: 0,
            lost: 0,
            refused: 0,
        }
    }

    /// Sends a frame.
    pub fn send(&mut self, now_ms: u64, flight: Flight, priority: Priority) {
        self.note(now_ms, &flight);
        if self.is_down(now_ms, flight.from, flight.to) {
            self.refuse(now_ms, &flight);
            return;
        }
        let again = self.faults && self.rng.random_bool(0.04);
        if again {
            self.repeated += 1;
            let at = now_ms + self.rng.random_range(1..400) * 4;
            self.put(at, flight.clone());
        }
        let slow = self.faults && self.rng.random_bool(0.03);
        let delay = if slow {
            self.rng.random_range(100..900)
        } else {
            self.rng.random_range(1..12)
        } * 4;
        let last = self
            .last
            .entry((flight.from, flight.to, priority))
            .or_insert(0);
        *last = (now_ms + delay).max(*last);
        let at = *last;
        self.put(at, flight);
    }

    /// Takes the frames that have arrived.
    pub fn arrived(&mut self, now_ms: u64) -> Vec<Flight> {
        let later = self.under_way.split_off(&(now_ms + 1, 0));
        std::mem::replace(&mut self.under_way, later)
            .into_values()
            .collect()
    }

    /// When the next frame arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<u64> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    /// Cuts the line between two nodes until a time; about half of what is under way is lost.
    pub fn cut(&mut self, between: (Post, Post), until_ms: u64) {
        let (one, other) = between;
        for pair in [(one, other), (other, one)] {
            self.down.insert(pair, until_ms);
        }
        let rng = &mut self.rng;
        let before = self.under_way.len();
        self.under_way.retain(|_, flight| {
            let here = (flight.from, flight.to) == (one, other)
                || (flight.to, flight.from) == (one, other);
            !here || rng.random_bool(0.5)
        });
        self.lost += (before - self.under_way.len()) as u64;
    }

    /// Mends every line and stops all faults.
    pub fn heal(&mut self) {
        self.down.clear();
        self.faults = false;
    }

    /// Answers a frame that its destination cannot take, as a firewall would; sometimes it is lost.
    pub fn refuse(&mut self, now_ms: u64, flight: &Flight) {
        if self.faults && self.rng.random_bool(0.3) {
            self.lost += 1;
            return;
        }
        let refusal = Refusal {
            node: "fw".to_owned(),
            rule: "line".to_owned(),
            code: ErrorCode::LineDown.code().to_owned(),
        };
        let parts = FrameParts::decode(&flight.frame).expect("nodes send frames");
        if let Some(frame) = refusal.frame_for(&parts.header) {
            self.refused += 1;
            let at = now_ms + self.rng.random_range(1..5) * 4;
            self.put(
                at,
                Flight {
                    from: flight.to,
                    to: flight.from,
                    frame,
                },
            );
        }
    }

    /// A digest over time, ends, kind and length of every frame that was sent.
    #[must_use]
    pub fn trace(&self) -> Digest {
        self.trace
    }

    fn is_down(&self, now_ms: u64, from: Post, to: Post) -> bool {
        self.down
            .get(&(from, to))
            .is_some_and(|until| now_ms < *until)
    }

    fn put(&mut self, at: u64, flight: Flight) {
        self.numbered += 1;
        self.under_way.insert((at, self.numbered), flight);
    }

    fn note(&mut self, now_ms: u64, flight: &Flight) {
        let kind = flight.frame.get(1).copied().unwrap_or(0);
        let line = format!(
            "{now_ms} {} {} {kind} {}",
            flight.from.name(),
            flight.to.name(),
            flight.frame.len()
        );
        self.trace = sha256(&[&self.trace[..], line.as_bytes()].concat());
    }
}
