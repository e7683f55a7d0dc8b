//! What the detectors find in traffic, and what they do not.

use crate::fixture::{CS, FAR_FIREWALL, OTHER_CS, PREFECTURE, config, header, node};
use juki_domain::{ErrorCode, ServiceId};
use juki_firewall::{Finding, FindingKind, Policy, RateLimit, Rates, Verdict, Watcher};
use juki_topology::{Interface, NodeConfig, Watch};
use juki_wire::Header;
use proptest::prelude::*;

/// A firewall whose frames are judged and watched.
struct Watched {
    policy: Policy,
    watcher: Watcher,
    found: Vec<Finding>,
}

impl Watched {
    fn new(config: &NodeConfig) -> Self {
        let policy = Policy::new(config).unwrap();
        Self {
            watcher: Watcher::new(config, &policy),
            policy,
            found: Vec::new(),
        }
    }

    fn frame(&mut self, now_ms: u64, peer: &str, header: &Header, bytes: usize) {
        let peer = node(peer);
        let found = &mut self.found;
        match self.policy.judge(now_ms, &peer, header, bytes) {
            Verdict::Pass { flow, .. } => {
                self.watcher
                    .on_passed(now_ms, &peer, header, flow, bytes, found);
            }
            Verdict::Refuse { rule, .. } => {
                self.watcher.on_refused(now_ms, &peer, header, rule, found);
            }
        }
    }

    /// The kinds that were found, with subject and count.
    fn found(&mut self) -> Vec<(FindingKind, String, u64)> {
        let found = std::mem::take(&mut self.found).into_iter();
        found
            .map(|finding| (finding.kind, finding.subject, finding.count))
            .collect()
    }
}

fn watching(watch: Watch) -> Watched {
    Watched::new(&NodeConfig { watch, ..config() })
}

fn journal_up() -> Header {
    header(CS, PREFECTURE, ServiceId::Journal)
}

#[test]
fn many_different_things_tried_in_vain_are_a_scan_and_one_thing_often_is_none() {
    let mut watched = watching(Watch::default());
    let query = header(CS, PREFECTURE, ServiceId::Query);
    for at in 0..100 {
        watched.frame(at, CS, &query, 10);
    }
    assert_eq!(watched.found(), []);
    for target in 0..5 {
        let probe = header(CS, &format!("cs-{target}"), ServiceId::Journal);
        watched.frame(200, CS, &probe, 10);
    }
    let scan = (FindingKind::Scan, CS.to_owned(), 6);
    assert_eq!(watched.found(), [scan], "the query and five more");
}

#[test]
fn a_finding_is_said_once_a_window_and_its_rest_at_the_end() {
    let mut watched = watching(Watch::default());
    let forged = header(PREFECTURE, CS, ServiceId::Journal);
    for at in 0..50 {
        watched.frame(at, CS, &forged, 10);
    }
    let of_forging = |count| (FindingKind::ForgedHeader, CS.to_owned(), count);
    assert_eq!(watched.found(), [of_forging(3)]);
    watched.watcher.on_timeout(59_999, &mut watched.found);
    assert_eq!(watched.found(), []);
    watched.watcher.on_timeout(60_000, &mut watched.found);
    assert_eq!(watched.found(), [of_forging(50)]);
    watched.watcher.on_timeout(120_000, &mut watched.found);
    assert_eq!(watched.found(), [], "nothing came since");
    watched.frame(130_000, CS, &forged, 10);
    watched.frame(130_000, CS, &forged, 10);
    assert_eq!(watched.found(), [], "below the threshold in a new window");
}

#[test]
fn frames_over_their_rate_are_a_flood() {
    let mut watched = watching(Watch {
        rate_refusals: 20,
        ..Watch::default()
    });
    watched.policy.set_rates(Rates::all(RateLimit {
        frames_per_s: 1,
        burst_frames: 5,
    }));
    for _ in 0..24 {
        watched.frame(1_000, CS, &journal_up(), 10);
    }
    assert_eq!(watched.found(), []);
    watched.frame(1_000, CS, &journal_up(), 10);
    assert_eq!(watched.found(), [(FindingKind::Flood, CS.to_owned(), 20)]);
}

#[test]
fn work_outside_the_usual_hours_is_found_whether_it_passes_or_not() {
    let mut config = config();
    config.watch = Watch {
        hours: Some("Tue 08:00-20:00".parse().unwrap()),
        hours_services: vec![ServiceId::Journal],
        ..Watch::default()
    };
    config.rule[1].hours = Some("Tue 08:00-20:00".parse().unwrap());
    let mut watched = Watched::new(&config);
    let noon = (1 + 12 * 3_600) * 1_000;
    let night = (1 + 23 * 3_600) * 1_000;
    let down = header(PREFECTURE, CS, ServiceId::Journal);
    watched.frame(noon, CS, &journal_up(), 10);
    watched.frame(noon, FAR_FIREWALL, &down, 10);
    assert_eq!(watched.found(), []);
    watched.frame(night, CS, &journal_up(), 10);
    watched.frame(night, FAR_FIREWALL, &down, 10);
    assert_eq!(
        watched.found(),
        [
            (FindingKind::OffHours, CS.to_owned(), 1),
            (FindingKind::OffHours, FAR_FIREWALL.to_owned(), 1)
        ]
    );
}

#[test]
fn a_flow_that_carries_far_more_than_usual_is_a_spike() {
    let mut watched = watching(Watch {
        spike_bytes_min: 10_000,
        spike_warm_up: 10,
        spike_factor: 4,
        ..Watch::default()
    });
    for at in 1..=20 {
        watched.frame(at * 10_000, CS, &journal_up(), 5_000);
    }
    assert_eq!(watched.found(), []);
    for _ in 0..10 {
        watched.frame(210_000, CS, &journal_up(), 5_000);
    }
    assert_eq!(
        watched.found(),
        [(FindingKind::VolumeSpike, CS.to_owned(), 25_000)]
    );
}

#[test]
fn failed_handshakes_and_floods_of_them_are_told_apart() {
    let mut watched = watching(Watch::default());
    let (line, unknown) = (Interface::Line, ErrorCode::CertificateUnknownAuthority);
    for at in 0..10 {
        watched
            .watcher
            .on_link_refused(at, line, unknown, 1, &mut watched.found);
    }
    let busy = ErrorCode::ListenerBusy;
    watched
        .watcher
        .on_link_refused(10, line, busy, 4_000, &mut watched.found);
    assert_eq!(
        watched.found(),
        [
            (FindingKind::HandshakeFailures, "line".to_owned(), 10),
            (FindingKind::Flood, "line".to_owned(), 4_000)
        ]
    );
}

#[test]
fn windows_and_usual_volumes_outlive_a_change_of_policy() {
    let config = config();
    let mut watched = Watched::new(&config);
    let forged = header(PREFECTURE, CS, ServiceId::Journal);
    watched.frame(0, CS, &forged, 10);
    watched.frame(0, CS, &forged, 10);
    let next = Policy::new(&config).unwrap();
    watched
        .watcher
        .change_policy(&config, &watched.policy, &next);
    watched.policy = next;
    watched.frame(0, CS, &forged, 10);
    assert_eq!(
        watched.found(),
        [(FindingKind::ForgedHeader, CS.to_owned(), 3)]
    );
}

proptest! {
    #[test]
    fn whatever_comes_a_window_says_little_and_holds_little(
        frames in prop::collection::vec((0u8..4, 0u16..600, 0usize..3, 0u64..50), 0..600),
    ) {
        let mut watched = watching(Watch { scan_combinations: 2, forged_headers: 1, ..Watch::default() });
        let mut now_ms = 0;
        for (peer, target, service, step) in frames {
            now_ms += step;
            let peer = [CS, FAR_FIREWALL, OTHER_CS, "stranger"][usize::from(peer)];
            let probe = header(peer, &format!("n-{target}"), ServiceId::ALL[service]);
            watched.frame(now_ms, peer, &probe, 100);
            watched.watcher.on_timeout(now_ms, &mut watched.found);
        }
        // One of each kind for each peer, once at the threshold and once at the end of a window.
        let windows = now_ms / 60_000 + 1;
        prop_assert!(watched.found.len() as u64 <= windows * 2 * 4 * 6);
    }
}
