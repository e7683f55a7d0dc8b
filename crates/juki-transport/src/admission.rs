//! Who of those that knock is let begin a handshake.
//!
//! A handshake costs this side a key exchange and a signature, a refusal next to nothing: what goes
//! beyond the limits is dropped without an answer. QUIC asks again by itself, so an honest dialler
//! only waits a little. When many handshakes are under way, a stranger has to prove by a retry that
//! its address is its own, which a flood with invented addresses cannot.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use juki_domain::ErrorCode;

use crate::settings::LinkLimits;
use crate::token_bucket::TokenBucket;

/// The door of one listener.
pub(crate) struct Admission {
    limits: LinkLimits,
    hashing: RandomState,
    state: Mutex<State>,
}

struct State {
    under_way: u32,
    by_address: HashMap<IpAddr, u32>,
    by_socket: HashMap<SocketAddr, u32>,
    begun: TokenBucket,
    retries: TokenBucket,
    /// By the hash of the other end's socket: a fixed table, since anybody can name addresses.
    sockets: Vec<TokenBucket>,
    /// Where peers have proved themselves before; one for each at most.
    known: HashSet<SocketAddr>,
    turned_away: [Option<TurnedAway>; 2],
}

/// Those that were turned away since this was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TurnedAway {
    pub(crate) code: ErrorCode,
    pub(crate) count: u64,
    /// The last one's address.
    pub(crate) remote: SocketAddr,
}

/// What becomes of a first packet.
pub(crate) enum Admitted {
    /// The handshake begins, and counts for as long as this is held.
    Begin(Begun),
    /// The other end has to show that it receives what is sent to its address.
    ProveAddress,
    /// Nothing is answered.
    Ignore,
}

/// A handshake under way.
pub(crate) struct Begun {
    admission: Arc<Admission>,
    remote: SocketAddr,
}

impl Admission {
    pub(crate) fn new(limits: LinkLimits) -> Self {
        let per_s = u64::from(limits.handshakes_per_s);
        Self {
            limits,
            hashing: RandomState::new(),
            state: Mutex::new(State {
                under_way: 0,
                by_address: HashMap::new(),
                by_socket: HashMap::new(),
                begun: TokenBucket::new(per_s, per_s.saturating_mul(2)),
                retries: TokenBucket::new(RETRIES_PER_S, RETRIES_PER_S),
                sockets: vec![TokenBucket::new(SOCKET_PER_S, SOCKET_BURST); SOCKETS],
                known: HashSet::new(),
                turned_away: [None; 2],
            }),
        }
    }

    /// Decides about a first packet. `is_proven` says that the other end has shown its address to be
    /// its own.
    pub(crate) fn ask(
        self: &Arc<Self>,
        now_ms: u64,
        remote: SocketAddr,
        is_proven: bool,
    ) -> Admitted {
        let slot = usize::try_from(self.hashing.hash_one(remote)).unwrap_or(0) % SOCKETS;
        let mut state = self.state();
        let asks_too_often = state
            .sockets
            .get_mut(slot)
            .is_none_or(|bucket| !bucket.take(now_ms, 1));
        if asks_too_often {
            return state.turn_away(ErrorCode::ListenerBusy, remote);
        }
        let is_known = state.known.contains(&remote);
        if !is_proven && state.under_way >= self.limits.retry_from {
            return if is_known || state.retries.take(now_ms, 1) {
                Admitted::ProveAddress
            } else {
                state.turn_away(ErrorCode::ListenerBusy, remote)
            };
        }
        let has_room = state.under_way < self.limits.handshakes_max
            && state.count_of_socket(remote) < SOCKET_HANDSHAKES_MAX
            && state.count_of_address(remote) < self.limits.handshakes_per_address_max;
        // Who has proved itself before is let in beside a flood from elsewhere.
        let is_welcome = is_known && is_proven && state.count_of_socket(remote) == 0;
        let is_admitted = is_welcome || (has_room && state.begun.take(now_ms, 1));
        if !is_admitted {
            return state.turn_away(ErrorCode::ListenerBusy, remote);
        }
        state.under_way += 1;
        *state.by_address.entry(remote.ip()).or_default() += 1;
        *state.by_socket.entry(remote).or_default() += 1;
        Admitted::Begin(Begun {
            admission: Arc::clone(self),
            remote,
        })
    }

    /// Remembers where a peer has proved itself, in the place of where it did before.
    pub(crate) fn remember(&self, before: Option<SocketAddr>, now: SocketAddr) {
        let mut state = self.state();
        if let Some(before) = before {
            state.known.remove(&before);
        }
        state.known.insert(now);
    }

    /// Counts a handshake that was not completed in time.
    pub(crate) fn note_unfinished(&self, remote: SocketAddr) {
        self.state().turn_away(ErrorCode::HandshakeTooSlow, remote);
    }

    /// Those that were turned away since the last call, by code: the codes are few, whoever calls.
    pub(crate) fn take_turned_away(&self) -> impl Iterator<Item = TurnedAway> + use<> {
        std::mem::take(&mut self.state().turned_away)
            .into_iter()
            .flatten()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count_of_socket(&self, remote: SocketAddr) -> u32 {
        self.by_socket.get(&remote).copied().unwrap_or(0)
    }

    fn count_of_address(&self, remote: SocketAddr) -> u32 {
        self.by_address.get(&remote.ip()).copied().unwrap_or(0)
    }

    fn turn_away(&mut self, code: ErrorCode, remote: SocketAddr) -> Admitted {
        let fits = |slot: &&mut Option<TurnedAway>| slot.is_none_or(|away| away.code == code);
        if let Some(slot) = self.turned_away.iter_mut().find(fits) {
            let count = slot.map_or(0, |away| away.count).saturating_add(1);
            *slot = Some(TurnedAway {
                code,
                count,
                remote,
            });
        }
        Admitted::Ignore
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.under_way = state.under_way.saturating_sub(1);
        let ip = self.remote.ip();
        if let Some(count) = state.by_address.get_mut(&ip) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.by_address.remove(&ip);
            }
        }
        if let Some(count) = state.by_socket.get_mut(&self.remote) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.by_socket.remove(&self.remote);
            }
        }
    }
}

/// A dialler has one handshake under way; a second is one that it gave up a moment ago.
const SOCKET_HANDSHAKES_MAX: u32 = 4;
/// First packets a second that are looked at from one socket; a dialler sends one and repeats it.
const SOCKET_PER_S: u64 = 4;
const SOCKET_BURST: u64 = 12;
/// Sockets are told apart by this many; two of them seldom share one.
const SOCKETS: usize = 4_096;
/// Answers to strangers a second, each shorter than what it answers.
const RETRIES_PER_S: u64 = 1_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits() -> LinkLimits {
        LinkLimits {
            handshakes_max: 100,
            handshakes_per_address_max: 40,
            handshakes_per_s: 1_000,
            retry_from: 30,
            ..LinkLimits::default()
        }
    }

    fn remote(ip: u8, port: u16) -> SocketAddr {
        ([10, 0, 0, ip], port).into()
    }

    fn begun(admitted: Admitted) -> Option<Begun> {
        match admitted {
            Admitted::Begin(begun) => Some(begun),
            Admitted::ProveAddress | Admitted::Ignore => None,
        }
    }

    #[test]
    fn a_storm_of_sixty_honest_diallers_is_let_in_at_once_by_default() {
        let door = Arc::new(Admission::new(LinkLimits::default()));
        let storm: Vec<_> = (0..60)
            .map(|peer| begun(door.ask(1_000, remote(1, 4_000 + peer), false)))
            .collect();
        assert!(storm.iter().all(Option::is_some));
        assert_eq!(door.take_turned_away().count(), 0);
    }

    #[test]
    fn strangers_prove_their_address_when_many_are_under_way() {
        let door = Arc::new(Admission::new(limits()));
        let held: Vec<_> = (0..30)
            .map(|at| begun(door.ask(0, remote(at, 1), false)).expect("room"))
            .collect();
        let late = remote(99, 1);
        assert!(matches!(door.ask(0, late, false), Admitted::ProveAddress));
        assert!(begun(door.ask(0, late, true)).is_some());
        drop(held);
        assert!(begun(door.ask(0, remote(98, 1), false)).is_some());
    }

    #[test]
    fn one_address_and_one_socket_hold_no_more_than_their_share() {
        let door = Arc::new(Admission::new(limits()));
        let held: Vec<_> = (0..60)
            .filter_map(|port| begun(door.ask(0, remote(1, 1_000 + port), true)))
            .collect();
        assert_eq!(held.len(), 40, "of one address");
        let of_one_socket: Vec<_> = (0..10)
            .filter_map(|_| begun(door.ask(0, remote(2, 1), true)))
            .collect();
        assert_eq!(of_one_socket.len(), 4);
        let away: Vec<_> = door.take_turned_away().collect();
        assert_eq!(away.len(), 1);
        assert_eq!((away[0].code, away[0].count), (ErrorCode::ListenerBusy, 26));
        assert_eq!(door.take_turned_away().count(), 0, "said once");
    }

    #[test]
    fn a_known_peer_is_let_in_beside_a_flood() {
        let door = Arc::new(Admission::new(limits()));
        let peer = remote(7, 7);
        door.remember(None, peer);
        let mut held = Vec::new();
        for at in 0..=255u8 {
            held.extend(begun(door.ask(0, remote(at, 9), true)));
        }
        assert_eq!(held.len(), 100);
        assert!(begun(door.ask(0, remote(8, 10), true)).is_none());
        assert!(begun(door.ask(0, peer, true)).is_some());
        door.remember(Some(peer), remote(7, 8));
        assert!(begun(door.ask(0, peer, true)).is_none(), "it has moved");
    }

    proptest! {
        #[test]
        fn no_flood_holds_more_than_the_limits_and_all_is_given_back(
            asks in proptest::collection::vec((0u8..6, 0u16..40, any::<bool>(), 0u64..20, any::<bool>()), 1..600),
        ) {
            let door = Arc::new(Admission::new(limits()));
            let (mut now_ms, mut held) = (0, Vec::new());
            for (ip, port, is_proven, step, ends) in asks {
                now_ms += step;
                if ends { held.pop(); }
                held.extend(begun(door.ask(now_ms, remote(ip, port), is_proven)));
                let state = door.state();
                prop_assert!(state.under_way <= 100);
                prop_assert_eq!(usize::try_from(state.under_way).unwrap(), held.len());
                prop_assert!(state.by_address.values().all(|count| *count <= 40));
                prop_assert!(state.by_socket.values().all(|count| *count <= SOCKET_HANDSHAKES_MAX));
            }
            drop(held);
            let state = door.state();
            prop_assert!(state.under_way == 0 && state.by_address.is_empty() && state.by_socket.is_empty());
        }
    }
}
