//! What one judgement costs, in time and allocations: `cargo bench --bench judge`.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot begin ends at once"
)]

use divan::{AllocProfiler, Bencher, black_box};
use juki_domain::{NodeId, ServiceId};
use juki_firewall::{Policy, Verdict, Watcher};
use juki_topology::{Network, NodeConfig};
use juki_wire::{Flags, FrameKind, Header, MessageId, Priority};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The firewall with the most peers of the demo, as the prefecture's office has it.
fn prefecture() -> NodeConfig {
    let network = Network::demo(1, "bench", 1_000_000).unwrap();
    network.node_config(&node("fw-prefecture-35")).unwrap()
}

fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn journal(source: &str) -> Header {
    Header {
        kind: FrameKind::Message,
        service: ServiceId::Journal,
        priority: Priority::Bulk,
        flags: Flags::default(),
        source: node(source),
        destination: node("prefecture-35"),
        calendar_version: 1,
        message_id: MessageId([7; 16]),
        session: [0; 16],
        sequence: 1,
    }
}

/// A second goes by between two frames, so that no rate is ever used up.
#[divan::bench]
fn a_frame_that_passes(bencher: Bencher<'_, '_>) {
    let (mut policy, peer) = (Policy::new(&prefecture()).unwrap(), node("fw-cs-352047"));
    let (header, mut now_ms) = (journal("cs-352047"), 0);
    bencher.bench_local(|| {
        now_ms += 1_000;
        let verdict = policy.judge(now_ms, &peer, black_box(&header), 2_000);
        assert!(matches!(verdict, Verdict::Pass { .. }));
    });
}

/// Under a rule with hours, a rate and bytes of its own.
#[divan::bench]
fn a_frame_that_passes_every_limit(bencher: Bencher<'_, '_>) {
    let mut config = prefecture();
    for rule in &mut config.rule {
        rule.bytes_max = Some(100_000);
        rule.frames_per_s = Some(1_000);
        rule.bytes_per_s = Some(1_000_000);
        rule.hours = Some("daily 00:00-24:00".parse().unwrap());
    }
    let (mut policy, peer) = (Policy::new(&config).unwrap(), node("fw-cs-352047"));
    let (header, mut now_ms) = (journal("cs-352047"), 0);
    bencher.bench_local(|| {
        now_ms += 1_000;
        let verdict = policy.judge(now_ms, &peer, black_box(&header), 2_000);
        assert!(matches!(verdict, Verdict::Pass { .. }));
    });
}

#[divan::bench]
fn a_frame_that_is_forged(bencher: Bencher<'_, '_>) {
    let (mut policy, peer) = (Policy::new(&prefecture()).unwrap(), node("fw-cs-352047"));
    let header = journal("cs-355011");
    bencher.bench_local(|| {
        let verdict = policy.judge(0, &peer, black_box(&header), 2_000);
        assert!(matches!(verdict, Verdict::Refuse { .. }));
    });
}

#[divan::bench]
fn a_passed_frame_is_watched(bencher: Bencher<'_, '_>) {
    let config = prefecture();
    let (mut policy, peer) = (Policy::new(&config).unwrap(), node("fw-cs-352047"));
    let mut watcher = Watcher::new(&config, &policy);
    let (header, mut now_ms, mut found) = (journal("cs-352047"), 0, Vec::new());
    let Verdict::Pass { flow, .. } = policy.judge(0, &peer, &header, 2_000) else {
        return;
    };
    bencher.bench_local(|| {
        now_ms += 1_000;
        watcher.on_passed(now_ms, &peer, black_box(&header), flow, 2_000, &mut found);
    });
}
