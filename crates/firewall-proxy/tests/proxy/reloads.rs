//! Another policy while frames flow, and a bad one.

use firewall_proxy::{FirewallRecord, PolicyRecord, ReloadBy};
use juki_domain::{ErrorCode, ServiceId};
use juki_firewall::Sample;
use juki_transport::Class;

use crate::office::{CS, FAR, FIREWALL, PREFECTURE, World, frame, header, id};

/// The policies in a firewall's ledger.
fn policies(records: &[FirewallRecord]) -> Vec<&PolicyRecord> {
    let policies = records.iter().filter_map(|record| match record {
        FirewallRecord::Policy(policy) => Some(policy),
        FirewallRecord::Run(_)
        | FirewallRecord::RefusedFrame(_)
        | FirewallRecord::LinkRefused(_)
        | FirewallRecord::Lost(_)
        | FirewallRecord::Alert(_) => None,
    });
    policies.collect()
}

#[tokio::test]
async fn frames_flow_through_a_reload_without_a_loss() {
    let mut world = World::start_with_file().await;
    let own = world.policy_text();
    // The same rules in another order, with a comment: every frame passes under both.
    let other = format!("# reviewed again\n{own}");
    let (transport, firewall) = (world.cs.transport.clone(), id(FIREWALL));
    let mut far = world.far.take_events();
    let sending = tokio::spawn(async move {
        for number in 0..3_000u32 {
            let mut one = header(CS, PREFECTURE, ServiceId::Journal, 1);
            one.sequence = u64::from(number);
            let sent = transport.send_wait(&firewall, Class::Interactive, frame(&one));
            sent.await.unwrap();
        }
    });
    let handle = world.proxy.handle();
    let reloading = async {
        for at in 0..20 {
            let text = if at % 2 == 0 { &other } else { &own };
            world.write_policy(text);
            let change = handle.reload(ReloadBy::Admin).await.map_err(|e| e.sentence);
            assert_eq!(change.unwrap(), juki_firewall::PolicyChange::default());
            tokio::task::yield_now().await;
        }
    };
    let receiving = async {
        for number in 0..3_000u32 {
            let came = far.frame().await;
            let (came, _) = juki_wire::Header::decode(&came).unwrap();
            assert_eq!(came.sequence, u64::from(number), "none lost, none twice");
        }
    };
    tokio::join!(reloading, receiving);
    sending.await.unwrap();
    let status = world.proxy.handle().status();
    assert!(
        status
            .peers
            .iter()
            .all(|peer| peer.up && peer.reconnects == 0)
    );
    assert_eq!(status.more["passed"]["journal"]["frames"], 3_000);
    let records = world.records().await;
    let policies = policies(&records);
    assert_eq!(policies.len(), 21, "the start and each reload");
    assert_eq!(policies[0].by, "start");
    assert!(policies[1..].iter().all(|policy| policy.by == "admin"));
    assert_ne!(policies[1].digest, policies[2].digest);
    let counted: u64 = records
        .iter()
        .map(|record| match record {
            FirewallRecord::Run(run) => run.count,
            FirewallRecord::RefusedFrame(_)
            | FirewallRecord::LinkRefused(_)
            | FirewallRecord::Lost(_)
            | FirewallRecord::Policy(_)
            | FirewallRecord::Alert(_) => 0,
        })
        .sum();
    assert_eq!(counted, 3_000, "every frame is in a run");
}

#[tokio::test]
async fn a_narrower_policy_holds_from_the_next_frame_on() {
    let mut world = World::start_with_file().await;
    let wide = world.policy_text();
    let up = header(CS, PREFECTURE, ServiceId::Journal, 1);
    world.cs.send(frame(&up)).await;
    world.far.frame().await;
    let narrow = wide.replace("\"journal\", ", "");
    world.write_policy(&narrow);
    let handle = world.proxy.handle();
    let change = handle
        .reload(ReloadBy::Signal)
        .await
        .map_err(|e| e.sentence)
        .unwrap();
    assert_eq!((change.added, change.removed), (0, 2));
    world
        .cs
        .send(frame(&header(CS, PREFECTURE, ServiceId::Journal, 2)))
        .await;
    assert_eq!(world.cs.refusal().await.1.code, "JKP-1001");
    let sample = Sample {
        peer: None,
        source: id(CS),
        destination: id(PREFECTURE),
        service: ServiceId::CodeAllocation,
        bytes: 100,
    };
    let explained = handle.explain(sample, None).await.unwrap();
    assert_eq!(explained.verdict, Ok(id(FAR)));
    let report = handle.policy_report().await.unwrap();
    assert_eq!(report["by"], "signal");
    assert!(
        report["rules"][0]["says"]
            .as_str()
            .unwrap()
            .contains("code-allocation")
    );
}

#[tokio::test]
async fn a_bad_policy_leaves_the_old_one_in_force_and_is_recorded() {
    let mut world = World::start_with_file().await;
    let good = world.policy_text();
    let handle = world.proxy.handle();
    let before = handle.policy_report().await.unwrap();
    for bad in [
        "[[rule]]\n".to_owned(),
        "not toml at all [".to_owned(),
        good.replace(PREFECTURE, "nobody"),
        "#".repeat((1 << 20) + 1),
    ] {
        world.write_policy(&bad);
        let error = handle.reload(ReloadBy::Admin).await.unwrap_err();
        assert_eq!(error.exit, 2);
        assert!(error.sentence.contains("policy.toml"), "{}", error.sentence);
    }
    world.remove_policy();
    assert!(handle.reload(ReloadBy::Admin).await.is_err());
    let after = handle.policy_report().await.unwrap();
    assert_eq!(before, after);
    let up = frame(&header(CS, PREFECTURE, ServiceId::Journal, 1));
    world.cs.send(up.clone()).await;
    assert_eq!(world.far.frame().await, up);
    let records = world.records().await;
    let policies = policies(&records);
    let codes: Vec<&str> = policies.iter().map(|policy| policy.code.as_str()).collect();
    let unreadable = ErrorCode::ConfigUnreadable.code();
    assert_eq!(
        codes,
        [
            "",
            ErrorCode::ConfigMissingKey.code(),
            ErrorCode::ConfigNotToml.code(),
            ErrorCode::ConfigBadValue.code(),
            unreadable,
            unreadable
        ]
    );
    assert!(
        policies
            .iter()
            .all(|policy| policy.digest == policies[0].digest)
    );
}
