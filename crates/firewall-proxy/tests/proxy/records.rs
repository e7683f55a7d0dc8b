//! What the firewall's ledger says afterwards.

use bytes::Bytes;
use firewall_proxy::FirewallRecord;
use juki_domain::ServiceId;
use serde_json::json;

use crate::office::{CS, OTHER_CS, PREFECTURE, World, frame, header};

#[tokio::test]
async fn passed_frames_are_recorded_as_a_run_and_refused_ones_by_themselves() {
    let mut world = World::start().await;
    for number in 0..3 {
        world
            .cs
            .send(frame(&header(CS, PREFECTURE, ServiceId::Journal, number)))
            .await;
        world.far.frame().await;
    }
    world
        .cs
        .send(frame(&header(CS, PREFECTURE, ServiceId::Query, 4)))
        .await;
    world.cs.refusal().await;
    world.cs.send(Bytes::from_static(b"\x09")).await;
    world
        .until(|status| status.more["refused"]["JKW-1001"] == json!(1))
        .await;
    world.lose_far().await;
    world
        .cs
        .send(frame(&header(CS, PREFECTURE, ServiceId::Journal, 5)))
        .await;
    world.cs.refusal().await;

    let (runs, refused) = texts(&world.records().await);
    assert_eq!(runs, ["cs-352047 > prefecture-35 journal 3 passed"]);
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    assert_eq!(
        refused,
        [
            "cs-352047 deny-by-default JKP-1001 [4, 4] > prefecture-35",
            "cs-352047 header JKW-1001 [] > ",
            "cs-352047 line JKL-2001 [5, 5] > prefecture-35",
        ]
    );
}

/// Runs and refused frames as short texts.
fn texts(records: &[FirewallRecord]) -> (Vec<String>, Vec<String>) {
    let (mut runs, mut refused) = (Vec::new(), Vec::new());
    for record in records {
        match record {
            FirewallRecord::Run(run) => {
                let (from, to, service) = (&run.from, &run.to, &run.service);
                let verdict = if run.rule > 0 { "passed" } else { &run.code };
                runs.push(format!("{from} > {to} {service} {} {verdict}", run.count));
            }
            FirewallRecord::RefusedFrame(one) => {
                let id = one.message_id.iter().take(2).collect::<Vec<_>>();
                let (peer, rule, code) = (&one.peer, &one.rule, &one.code);
                refused.push(format!("{peer} {rule} {code} {id:?} > {}", one.destination));
            }
            FirewallRecord::LinkRefused(_)
            | FirewallRecord::Lost(_)
            | FirewallRecord::Policy(_)
            | FirewallRecord::Alert(_) => {}
        }
    }
    (runs, refused)
}

#[tokio::test]
async fn a_flood_for_a_line_that_is_down_makes_a_bounded_number_of_records() {
    let mut world = World::start().await;
    world.lose_far().await;
    for number in 0..250 {
        world
            .cs
            .send(frame(&header(CS, PREFECTURE, ServiceId::Journal, number)))
            .await;
        world.cs.refusal().await;
    }
    let (mut singles, mut counted) = (0, 0);
    for record in world.records().await {
        match record {
            FirewallRecord::RefusedFrame(one) => singles += u64::from(one.code == "JKL-2001"),
            FirewallRecord::Run(run) => {
                counted += if run.code == "JKL-2001" { run.count } else { 0 }
            }
            FirewallRecord::LinkRefused(_)
            | FirewallRecord::Lost(_)
            | FirewallRecord::Policy(_)
            | FirewallRecord::Alert(_) => {}
        }
    }
    assert_eq!(singles + counted, 250);
    assert!(
        (100..=200).contains(&singles),
        "{singles} records of single frames"
    );
}

#[tokio::test]
async fn a_stranger_at_the_door_is_recorded_with_the_name_it_claims() {
    let world = World::start().await;
    let stranger = world.stranger();
    let mut found = stranger.transport.peers();
    while found[0].code.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        found = stranger.transport.peers();
    }
    stranger.transport.shutdown().await;
    let records = world.records().await;
    let at_the_door = records.iter().find_map(|record| match record {
        FirewallRecord::LinkRefused(link) => Some(link),
        FirewallRecord::Run(_)
        | FirewallRecord::RefusedFrame(_)
        | FirewallRecord::Lost(_)
        | FirewallRecord::Policy(_)
        | FirewallRecord::Alert(_) => None,
    });
    let link = at_the_door.expect("a refused link");
    assert_eq!(
        (
            link.interface.as_str(),
            link.claimed.as_str(),
            link.code.as_str(),
            link.count
        ),
        ("inside", OTHER_CS, "JKT-1005", 1)
    );
    assert!(link.remote.starts_with("127.0.0.1:"), "{}", link.remote);
}

#[tokio::test]
async fn a_configuration_that_makes_no_policy_is_refused_at_the_start() {
    let world = World::start().await;
    let mut config = (*world.prepared.config).clone();
    config.route[0].via = juki_domain::NodeId::clone(&config.node.name);
    let prepared = juki_node::Prepared {
        config: std::sync::Arc::new(config),
        folder: world.prepared.folder.join("other"),
        secrets: world.prepared.secrets.clone(),
        lang: juki_domain::Lang::En,
        machine: juki_node::Machine::system(),
        keys: juki_node::Keys {
            identity: world.prepared.keys.identity.clone(),
            signing: world.prepared.keys.signing.clone(),
            sealing: world.prepared.keys.sealing.clone(),
            storage: world.prepared.keys.storage.clone(),
            directory: world.prepared.keys.directory.clone(),
        },
    };
    let check = <firewall_proxy::FirewallProxy as juki_node::Node>::check;
    assert!(check(&world.prepared).is_ok());
    assert_eq!(check(&prepared).map_err(|error| error.exit), Err(2));
}
