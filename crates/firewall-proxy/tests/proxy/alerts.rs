//! What the detectors find in real traffic, as evidence in the ledger.

use std::time::Duration;

use firewall_proxy::FirewallRecord;
use juki_domain::ServiceId;

use crate::office::{CS, FAR, OTHER_CS, PREFECTURE, World, frame, header};

/// The alerts in a firewall's ledger: kind, subject, code and count.
fn alerts(records: &[FirewallRecord]) -> Vec<(String, String, String, u64)> {
    let alerts = records.iter().filter_map(|record| match record {
        FirewallRecord::Alert(alert) => {
            assert_eq!(alert.level, 2, "a firewall stopped it");
            assert!(alert.first_ms <= alert.last_ms);
            let (kind, subject) = (alert.kind.clone(), alert.subject.clone());
            Some((kind, subject, alert.code.clone(), alert.count))
        }
        FirewallRecord::Run(_)
        | FirewallRecord::RefusedFrame(_)
        | FirewallRecord::LinkRefused(_)
        | FirewallRecord::Lost(_)
        | FirewallRecord::Policy(_) => None,
    });
    alerts.collect()
}

fn alert(kind: &str, subject: &str, code: &str, count: u64) -> (String, String, String, u64) {
    (kind.to_owned(), subject.to_owned(), code.to_owned(), count)
}

#[tokio::test]
async fn forging_and_scanning_are_found_while_honest_frames_pass() {
    let mut world = World::start().await;
    for number in 0..3 {
        let forged = header(OTHER_CS, PREFECTURE, ServiceId::Journal, number);
        world.cs.send(frame(&forged)).await;
        world.cs.refusal().await;
    }
    for (number, target) in (10..).zip(["a", "b", "c", "d", "e", "f", "g"]) {
        let probe = header(PREFECTURE, target, ServiceId::Journal, number);
        world.far.send(frame(&probe)).await;
        world.far.refusal().await;
    }
    let honest = frame(&header(CS, PREFECTURE, ServiceId::Journal, 30));
    world.cs.send(honest.clone()).await;
    assert_eq!(world.far.frame().await, honest);
    let report = world.proxy.handle().policy_report().await.unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 2);
    assert_eq!(
        alerts(&world.records().await),
        [
            alert("forged-header", CS, "JKP-1002", 3),
            alert("scan", FAR, "JKP-1005", 6),
        ]
    );
}

#[tokio::test]
async fn honest_traffic_raises_nothing() {
    let mut world = World::start().await;
    for number in 0..200 {
        let up = frame(&header(CS, PREFECTURE, ServiceId::Journal, number));
        world.cs.send(up).await;
        world.far.frame().await;
    }
    assert_eq!(alerts(&world.records().await), []);
}

#[tokio::test]
async fn strangers_who_knock_again_and_again_are_found() {
    let world = World::start().await;
    let stranger = world.stranger();
    let found = async {
        loop {
            let report = world.proxy.handle().policy_report().await.unwrap();
            if !report["findings"].as_array().unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .expect("found in time");
    stranger.transport.shutdown().await;
    let alerts = alerts(&world.records().await);
    assert_eq!(
        alerts[0],
        alert("handshake-failures", "inside", "JKT-1005", 10)
    );
}
