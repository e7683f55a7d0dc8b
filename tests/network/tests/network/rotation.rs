//! New certificates and new roots while the network works.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use network::{Deployment, until};
use serde_json::{Value, json};

/// The demo's network, in which an operator may ask without a pause.
fn up() -> Deployment {
    let net = Deployment::nowhere();
    let new = ["new", "net", "--preset", "demo", "--seed", "7"];
    let rates = ["--operator-per-min", "1000000", "--body-per-min", "1000000"];
    let _made = net.jukinet(&[&new[..], &rates].concat()).held();
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    net
}

/// Asks one question after the other until told to stop; none may fail.
fn ask(net: &Deployment, code: &str, stop: &AtomicBool, answered: &AtomicU64) {
    let question = json!({"affair": "war-bereaved-pension", "code": code});
    while !stop.load(Ordering::Relaxed) {
        let answer = net.post("agency-mhlw", "/query", &question).unwrap();
        assert_eq!(answer["outcome"], "match", "{answer} after {answered:?}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Does something while questions are asked and changes are made, none of which may fail.
fn under_traffic<T>(net: &Deployment, key: &str, work: impl FnOnce() -> T) -> T {
    let birth = net.birth("cs-352047", &format!("{key}-asked"));
    net.arrives("cs-352047", &format!("{key}-asked"));
    let code = birth["resident_code"].as_str().unwrap().to_owned();
    net.log_in();
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let done = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask(net, &code, &stop, &answered));
        until("the first answer", || {
            (answered.load(Ordering::Relaxed) > 0).then_some(())
        });
        let done = work();
        let before = answered.load(Ordering::Relaxed);
        until("an answer afterwards", || {
            (answered.load(Ordering::Relaxed) > before).then_some(())
        });
        stop.store(true, Ordering::Relaxed);
        asking.join().unwrap();
        done
    });
    net.passes("cs-352047", &format!("{key}-after"));
    done
}

fn serials(net: &Deployment) -> Vec<(String, String)> {
    let status = net
        .jukinet(&["pki", "status", "net", "--json"])
        .held()
        .json();
    let nodes = status["nodes"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    nodes
        .iter()
        .map(|row| {
            assert_eq!(row["class"], "valid", "{row}");
            (text(&row["node"]), text(&row["serial"]))
        })
        .collect()
}

#[test]
fn every_node_gets_a_new_certificate_while_questions_are_asked_and_none_fails() {
    let net = up();
    let before = serials(&net);
    let rotated = under_traffic(&net, "rotated", || {
        let rotate = ["pki", "rotate", "net", "--all", "--revoke-old", "--json"];
        net.jukinet(&rotate).held().json()
    });
    assert_eq!(rotated.as_array().unwrap().len(), before.len());
    let after = serials(&net);
    for ((node, old), (_, new)) in before.iter().zip(&after) {
        assert_ne!(old, new, "{node}");
    }
    // The keys folder holds what is shown: the next run works with it.
    for node in ["fw-cs-352047", "cs-352047"] {
        network::kill(net.pid(node));
        until("its next run", || {
            net.report(node)
                .filter(|report| report.peers.iter().all(|peer| peer.up || !peer.dialled))
        });
    }
    assert_eq!(serials(&net), after);
    net.passes("cs-352047", "after-a-restart");
    assert!(net.node("cs-352047").join("keys/link.key").exists());
    // A short certificate is told, and a node whose last one is revoked gets no other.
    let short = ["pki", "rotate", "net", "cs-355011", "--days", "5"];
    let _rotated = net.jukinet(&short).held();
    let status = net.jukinet(&["status", "net"]).held().text();
    // By the second at which it is asked, a day more or less is left.
    assert!(
        status.contains("the certificate of cs-355011 ends in "),
        "{status}"
    );
    let _revoked = net.jukinet(&["pki", "revoke", "net", "cs-355011"]).held();
    let refused = net.jukinet(&short);
    assert!(
        refused.code() == Some(1) && refused.text().contains("JKP-1102"),
        "{}",
        refused.text()
    );
    net.down();
}

/// The roots that a node trusts, from its folder.
fn roots(net: &Deployment, node: &str) -> Vec<Vec<u8>> {
    juki_pki::read_certificates(&net.node(node).join("keys/root.crt")).unwrap()
}

#[test]
fn the_network_moves_to_a_new_root_step_by_step_while_questions_are_asked() {
    let net = up();
    let step = |step: &str| net.jukinet(&["pki", "roll-ca", "net", "--step", step]);
    let first = roots(&net, "national");
    // No step before the one before it.
    for early in ["trust", "move", "drop"] {
        let refused = step(early);
        assert!(refused.text().contains("JKP-1106"), "{}", refused.text());
    }
    under_traffic(&net, "rolled", || {
        let _new = step("new").held();
        assert!(step("move").text().contains("JKP-1106"));
        let _trust = step("trust").held();
        assert_eq!(roots(&net, "cs-355020").len(), 2);
        let refused = step("drop");
        assert!(refused.text().contains("JKP-1106"), "{}", refused.text());
        // A step can be repeated.
        let _trust = step("trust").held();
        let _move = step("move").held();
        let _move = step("move").held();
        let _drop = step("drop").held();
    });
    for node in ["national", "cs-355020", "fw-agency-mhlw", "agency-mhlw"] {
        let now = roots(&net, node);
        assert!(now.len() == 1 && now != first, "{node}");
    }
    assert!(!net.net().join("pki/next").exists());
    // The next run of every node works with what lies in the folders, and so do revocations.
    net.down();
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    net.passes("cs-355020", "after-the-roll-over");
    let told = net
        .jukinet(&["pki", "revoke", "net", "cs-355011", "--json"])
        .held()
        .json();
    assert_eq!(told["not_informed"], json!([]), "{told}");
    // And once more in one go; whoever is revoked is left behind.
    let left = roots(&net, "cs-355011");
    let second = roots(&net, "national");
    let _rolled = net.jukinet(&["pki", "roll-ca", "net"]).held();
    assert_eq!(roots(&net, "cs-355011"), left);
    assert_ne!(roots(&net, "national"), second);
    net.passes("cs-355020", "after-the-second");
    net.down();
}
