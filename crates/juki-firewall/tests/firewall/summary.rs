//! What the ledger hears of the traffic.

use crate::fixture::{CS, FAR_FIREWALL, PREFECTURE, config, header, node};
use juki_domain::{ErrorCode, ServiceId};
use juki_firewall::{Entry, Policy, RateLimit, Rates, Run, RunVerdict, Summary};
use juki_wire::WireError;
use proptest::prelude::*;

struct Firewall {
    policy: Policy,
    summary: Summary,
    out: Vec<Entry>,
}

impl Firewall {
    fn new() -> Self {
        let mut policy = Policy::new(&config()).unwrap();
        policy.set_rates(Rates::all(RateLimit {
            frames_per_s: u32::MAX,
            burst_frames: u32::MAX,
        }));
        Self {
            summary: Summary::new(&policy),
            policy,
            out: Vec::new(),
        }
    }

    fn frame(
        &mut self,
        now_ms: u64,
        peer: &str,
        source: &str,
        destination: &str,
        service: ServiceId,
        bytes: usize,
    ) {
        let (peer, header) = (node(peer), header(source, destination, service));
        let verdict = self.policy.judge(now_ms, &peer, &header, bytes);
        self.summary
            .note(now_ms, &peer, &header, bytes, verdict, &mut self.out);
    }

    fn up(&mut self, now_ms: u64, bytes: usize) {
        self.frame(now_ms, CS, CS, PREFECTURE, ServiceId::Journal, bytes);
    }

    fn refused(&mut self, now_ms: u64) {
        self.frame(now_ms, CS, CS, PREFECTURE, ServiceId::Query, 50);
    }

    fn taken(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.out)
    }

    fn timeout(&mut self, now_ms: u64) -> Vec<Entry> {
        self.summary.on_timeout(now_ms, &mut self.out);
        self.taken()
    }

    fn close(&mut self) -> Vec<Entry> {
        self.summary.close(&mut self.out);
        self.taken()
    }
}

fn upward(first_ms: u64, last_ms: u64, count: u64, bytes: u64) -> Entry {
    let verdict = RunVerdict::Passed { rule: 1 };
    Entry::Run(Run {
        from: node(CS),
        to: Some(node(PREFECTURE)),
        service: Some(ServiceId::Journal),
        verdict,
        first_ms,
        last_ms,
        count,
        bytes,
    })
}

#[test]
fn like_frames_become_one_run_closed_after_ten_seconds() {
    let mut firewall = Firewall::new();
    assert_eq!(firewall.summary.next_timeout(), None);
    firewall.up(1_000, 100);
    firewall.up(2_000, 200);
    assert_eq!(firewall.summary.next_timeout(), Some(11_000));
    assert_eq!(firewall.timeout(10_999), []);
    assert_eq!(firewall.timeout(11_000), [upward(1_000, 2_000, 2, 300)]);
    assert_eq!(firewall.summary.next_timeout(), None);
    assert_eq!(firewall.timeout(99_000), [], "a closed run is told once");
}

#[test]
fn a_late_frame_closes_the_old_run_before_it_opens_its_own() {
    let mut firewall = Firewall::new();
    firewall.up(0, 1);
    firewall.up(10_000, 2);
    assert_eq!(firewall.taken(), [upward(0, 0, 1, 1)]);
    assert_eq!(firewall.close(), [upward(10_000, 10_000, 1, 2)]);
}

#[test]
fn a_run_is_closed_after_a_thousand_frames() {
    let mut firewall = Firewall::new();
    for n in 0..2_500 {
        firewall.up(n, 10);
    }
    assert_eq!(
        firewall.taken(),
        [
            upward(0, 999, 1_000, 10_000),
            upward(1_000, 1_999, 1_000, 10_000)
        ]
    );
    assert_eq!(firewall.close(), [upward(2_000, 2_499, 500, 5_000)]);
}

#[test]
fn unlike_frames_keep_their_own_runs() {
    let mut firewall = Firewall::new();
    firewall.up(0, 1);
    firewall.frame(1, CS, CS, PREFECTURE, ServiceId::CodeAllocation, 1);
    firewall.frame(2, FAR_FIREWALL, PREFECTURE, CS, ServiceId::Journal, 1);
    assert_eq!(firewall.close().len(), 3);
}

#[test]
fn refusals_are_recorded_one_by_one_with_what_the_header_claimed() {
    let mut firewall = Firewall::new();
    firewall.refused(5);
    let [Entry::Refused(refused)] = &firewall.taken()[..] else {
        panic!("one single record")
    };
    assert_eq!(
        (refused.at_ms, &refused.peer, refused.code, refused.bytes),
        (5, &node(CS), ErrorCode::PolicyNoRule, 50)
    );
    assert_eq!(refused.rule, "deny-by-default");
    let frame = refused.frame.as_ref().unwrap();
    assert_eq!(
        (frame.service, &frame.source, &frame.destination),
        (ServiceId::Query, &node(CS), &node(PREFECTURE))
    );
}

#[test]
fn a_flood_of_refusals_is_summarised_after_a_hundred_and_told_again_singly_later() {
    let mut firewall = Firewall::new();
    for n in 0..10_000 {
        firewall.refused(20_000 + n / 2);
    }
    assert_eq!(firewall.taken().len(), 100);
    assert_eq!(firewall.summary.next_timeout(), Some(30_000));
    let run = Run {
        from: node(CS),
        to: None,
        service: Some(ServiceId::Query),
        verdict: RunVerdict::Refused {
            code: ErrorCode::PolicyNoRule,
        },
        first_ms: 20_050,
        last_ms: 24_999,
        count: 9_900,
        bytes: 9_900 * 50,
    };
    assert_eq!(firewall.timeout(30_000), [Entry::Run(run)]);
    firewall.refused(30_001);
    assert!(
        matches!(&firewall.taken()[..], [Entry::Refused(_)]),
        "the next window records singly again"
    );
}

#[test]
fn a_flood_of_several_kinds_is_summarised_kind_by_kind() {
    let mut firewall = Firewall::new();
    for _ in 0..Summary::REFUSALS_SINGLE_MAX {
        firewall.refused(1);
    }
    firewall.taken();
    for n in 0..9 {
        match n % 3 {
            0 => firewall.refused(2),
            1 => firewall.frame(2, CS, PREFECTURE, CS, ServiceId::Query, 50),
            _ => firewall.frame(2, CS, PREFECTURE, CS, ServiceId::Journal, 50),
        }
    }
    let runs: Vec<_> = firewall
        .close()
        .into_iter()
        .map(|entry| match entry {
            Entry::Run(run) => (run.service, run.verdict, run.count),
            Entry::Refused(refused) => panic!("{} was recorded singly", refused.rule),
        })
        .collect();
    let refused = |code| RunVerdict::Refused { code };
    assert_eq!(
        runs,
        [
            (Some(ServiceId::Query), refused(ErrorCode::PolicyNoRule), 3),
            (
                Some(ServiceId::Query),
                refused(ErrorCode::SourceNotSpokenFor),
                3
            ),
            (
                Some(ServiceId::Journal),
                refused(ErrorCode::SourceNotSpokenFor),
                3
            ),
        ]
    );
}

#[test]
fn one_peers_flood_does_not_hide_another_peers_refusal() {
    let mut firewall = Firewall::new();
    for _ in 0..1_000 {
        firewall.refused(1);
    }
    firewall.taken();
    firewall.frame(2, FAR_FIREWALL, PREFECTURE, CS, ServiceId::Query, 1);
    assert!(
        matches!(&firewall.taken()[..], [Entry::Refused(refused)] if refused.peer == node(FAR_FIREWALL))
    );
}

#[test]
fn an_unreadable_frame_is_recorded_without_a_header() {
    let mut firewall = Firewall::new();
    firewall
        .summary
        .note_unreadable(3, &node(CS), 17, WireError::Truncated, &mut firewall.out);
    let [Entry::Refused(refused)] = &firewall.out[..] else {
        panic!("one single record")
    };
    assert_eq!(
        (
            refused.rule.as_str(),
            refused.code,
            refused.bytes,
            &refused.frame
        ),
        ("header", ErrorCode::FrameTruncated, 17, &None)
    );
}

#[test]
fn a_peer_that_the_policy_does_not_name_is_recorded_each_time() {
    let mut firewall = Firewall::new();
    for _ in 0..150 {
        firewall.frame(0, "stranger", CS, PREFECTURE, ServiceId::Journal, 1);
    }
    assert_eq!(firewall.taken().len(), 150);
    assert_eq!(firewall.close(), []);
}

proptest! {
    #[test]
    fn entries_account_for_every_frame_and_byte(
        frames in proptest::collection::vec((0u64..3_000, 0u8..4, 1usize..2_000), 0..600),
        timeouts in any::<bool>(),
    ) {
        let mut firewall = Firewall::new();
        let (mut now_ms, mut bytes_in) = (0, 0u64);
        for (step, kind, bytes) in &frames {
            now_ms += step * u64::from(*kind == 0);
            match kind {
                0 | 1 => firewall.up(now_ms, *bytes),
                2 => firewall.frame(now_ms, CS, CS, PREFECTURE, ServiceId::Query, *bytes),
                _ => firewall.frame(now_ms, CS, PREFECTURE, CS, ServiceId::Journal, *bytes),
            }
            bytes_in += *bytes as u64;
            if timeouts && firewall.summary.next_timeout().is_some_and(|due| due <= now_ms) {
                firewall.summary.on_timeout(now_ms, &mut firewall.out);
                prop_assert!(firewall.summary.next_timeout().is_none_or(|due| due > now_ms));
            }
        }
        let mut entries = firewall.taken();
        entries.extend(firewall.close());
        let (mut count, mut bytes_out) = (0, 0);
        for entry in &entries {
            match entry {
                Entry::Refused(refused) => { count += 1; bytes_out += refused.bytes; }
                Entry::Run(run) => {
                    count += run.count;
                    bytes_out += run.bytes;
                    prop_assert!(run.first_ms <= run.last_ms);
                    prop_assert!(run.last_ms - run.first_ms < Summary::RUN_MS_MAX);
                }
            }
        }
        prop_assert_eq!(count, frames.len() as u64);
        prop_assert_eq!(bytes_out, bytes_in);
        prop_assert_eq!(firewall.close(), []);
    }

    #[test]
    fn no_window_holds_more_than_a_hundred_single_refusals(steps in proptest::collection::vec(0u64..50, 1..2_000)) {
        let mut firewall = Firewall::new();
        let mut now_ms = 0;
        for step in steps { now_ms += step; firewall.refused(now_ms); }
        let singles: Vec<u64> = firewall.taken().iter().filter_map(|entry| match entry {
            Entry::Refused(refused) => Some(refused.at_ms),
            Entry::Run(_) => None,
        }).collect();
        // A window is fixed, so two of them can meet within one span of its length.
        for span in singles.windows(2 * Summary::REFUSALS_SINGLE_MAX as usize + 1) {
            prop_assert!(span[span.len() - 1] - span[0] >= Summary::RUN_MS_MAX);
        }
    }
}
