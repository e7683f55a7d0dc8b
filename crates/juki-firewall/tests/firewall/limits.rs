//! How long frames may be and how many may come.

use crate::fixture::{CS, FAR_FIREWALL, PREFECTURE, config, header, judge, node};
use juki_domain::{ErrorCode, ServiceId};
use juki_firewall::{Policy, RateLimit, Rates, RefusedBy, Verdict};
use juki_wire::{FrameKind, Header};

#[test]
fn each_service_has_its_longest_frame() {
    let mut open = config();
    open.limits.frame_bytes_max = 300 * 1024;
    for rule in &mut open.rule {
        rule.services = ServiceId::ALL.to_vec();
    }
    for (service, bytes_max) in [
        (ServiceId::Journal, 300 * 1024),
        (ServiceId::CodeAllocation, 128 * 1024),
        (ServiceId::Query, 16 * 1024),
    ] {
        let up = header(CS, PREFECTURE, service);
        assert!(judge(&open, CS, &up, bytes_max).is_ok(), "{service:?}");
        assert_eq!(
            judge(&open, CS, &up, bytes_max + 1),
            Err((RefusedBy::Size(1), ErrorCode::FrameOverPolicySize)),
            "{service:?}"
        );
        let down = header(PREFECTURE, CS, service);
        assert_eq!(
            judge(&open, FAR_FIREWALL, &down, bytes_max + 1),
            Err((RefusedBy::Size(2), ErrorCode::FrameOverPolicySize))
        );
    }
}

#[test]
fn a_lowered_frame_limit_lowers_every_service() {
    let mut small = config();
    small.limits.frame_bytes_max = 1000;
    assert!(
        judge(
            &small,
            CS,
            &header(CS, PREFECTURE, ServiceId::CodeAllocation),
            1000
        )
        .is_ok()
    );
    assert!(
        judge(
            &small,
            CS,
            &header(CS, PREFECTURE, ServiceId::CodeAllocation),
            1001
        )
        .is_err()
    );
}

#[test]
fn refusals_and_resets_pass_only_where_a_message_would_and_only_small() {
    for kind in [FrameKind::Refusal, FrameKind::Reset] {
        let down = Header {
            kind,
            ..header(PREFECTURE, CS, ServiceId::Journal)
        };
        assert_eq!(
            judge(&config(), FAR_FIREWALL, &down, 1024),
            Ok(CS.to_owned())
        );
        assert_eq!(
            judge(&config(), FAR_FIREWALL, &down, 1025),
            Err((RefusedBy::Size(2), ErrorCode::FrameOverPolicySize))
        );
        let unnamed = Header {
            kind,
            ..header(PREFECTURE, CS, ServiceId::Query)
        };
        assert_eq!(
            judge(&config(), FAR_FIREWALL, &unnamed, 100),
            Err((RefusedBy::DenyByDefault, ErrorCode::PolicyNoRule))
        );
        let forged = Header {
            kind,
            ..header(PREFECTURE, CS, ServiceId::Journal)
        };
        assert_eq!(
            judge(&config(), CS, &forged, 100),
            Err((RefusedBy::SpeaksFor, ErrorCode::SourceNotSpokenFor))
        );
    }
}

#[test]
fn a_flooding_source_is_held_to_its_rate_and_its_neighbour_is_not() {
    let mut policy = Policy::new(&config()).unwrap();
    policy.set_rates(Rates {
        journal: RateLimit {
            frames_per_s: 10,
            burst_frames: 5,
        },
        ..Rates::default()
    });
    let up = header(CS, PREFECTURE, ServiceId::Journal);
    let mut passed = 0;
    for _ in 0..100 {
        match policy.judge(1_000, &node(CS), &up, 10) {
            Verdict::Pass { .. } => passed += 1,
            Verdict::Refuse { rule, code } => {
                assert_eq!((rule, code), (RefusedBy::Rate(1), ErrorCode::RateExceeded))
            }
        }
    }
    assert_eq!(passed, 5);
    let codes = header(CS, PREFECTURE, ServiceId::CodeAllocation);
    assert!(
        matches!(
            policy.judge(1_000, &node(CS), &codes, 10),
            Verdict::Pass { .. }
        ),
        "another service of the same source"
    );
    let down = header(PREFECTURE, CS, ServiceId::Journal);
    assert!(
        matches!(
            policy.judge(1_000, &node(FAR_FIREWALL), &down, 10),
            Verdict::Pass { .. }
        ),
        "the same service of another source"
    );
    assert!(
        matches!(
            policy.judge(1_100, &node(CS), &up, 10),
            Verdict::Pass { .. }
        ),
        "a tenth of a second brings one frame back"
    );
}

#[test]
fn a_refused_frame_uses_up_no_rate() {
    let mut policy = Policy::new(&config()).unwrap();
    policy.set_rates(Rates::all(RateLimit {
        frames_per_s: 0,
        burst_frames: 1,
    }));
    let up = header(CS, PREFECTURE, ServiceId::Journal);
    for _ in 0..10 {
        assert!(matches!(
            policy.judge(0, &node(CS), &up, usize::MAX),
            Verdict::Refuse {
                rule: RefusedBy::Size(1),
                ..
            }
        ));
    }
    assert!(matches!(
        policy.judge(0, &node(CS), &up, 10),
        Verdict::Pass { .. }
    ));
}
