use juki_admin::{NodeState, PeerReport, StatusReport};
use juki_domain::NodeRole;
use juki_topology::Network;

use super::super::ahead::Ahead;
use super::super::facts::{Certificate, LineFacts, Listening};
use super::*;

const NOW_S: u64 = 1_700_000_000;

fn network() -> Network {
    Network::demo(1, "demo", NOW_S).unwrap()
}

fn end(name: &str, role: NodeRole, pid: u32) -> End {
    let mut report = StatusReport::new(name, role.program(), NodeState::Ready);
    for (member, value) in [
        ("calendar_version", 1),
        ("civil_date", 20_021_015),
        ("wire", 1),
    ] {
        report.more.insert(member.to_owned(), value.into());
    }
    report.more.insert("version".to_owned(), "0.1.0".into());
    End {
        name: name.to_owned(),
        role,
        pid,
        presence: Presence::Here,
        config: Ok(network().node_config(&name.parse().unwrap()).unwrap()),
        config_file: format!("/n/nodes/{name}/node.toml"),
        log: format!("/n/logs/{name}.log"),
        certificate: Certificate {
            file: format!("/n/nodes/{name}/keys/node.crt"),
            serial: vec![u8::try_from(pid).unwrap()],
            not_after: NOW_S + 1,
            revokes: Vec::new(),
        },
        report: Some(report),
        ledger: "/n/data/ledger".into(),
        has_ledger: true,
    }
}

fn seen(name: &str) -> PeerReport {
    PeerReport {
        name: name.to_owned(),
        up: true,
        calendar_version: 1,
        civil_date: 20_021_015,
        wire: 1,
        version: "0.1.0".to_owned(),
        clock_ahead_ms: Some(3),
        ..PeerReport::default()
    }
}

/// A link between two firewalls with everything in order.
fn link() -> Link {
    let mut node = end("fw-cs-352047", NodeRole::FirewallProxy, 11);
    let mut peer = end("fw-prefecture-35", NodeRole::FirewallProxy, 12);
    report(&mut node).peers.push(seen("fw-prefecture-35"));
    report(&mut peer).peers.push(seen("fw-cs-352047"));
    let place = |node: &str, pid| Listening {
        node: node.to_owned(),
        pid,
        file: Some(format!("/n/run/{node}.addr")),
        address: Some("127.0.0.1:4433".to_owned()),
        is_bound: Some(true),
    };
    Link {
        node,
        peer,
        line: Some(LineFacts {
            name: "cs-352047".to_owned(),
            access_point: "ap-35-1".to_owned(),
            presence: Presence::Here,
            log: "/n/logs/ap-35-1.log".to_owned(),
            is_relayed: true,
            up: Some(true),
        }),
        listening: vec![place("ap-35-1", 13), place("fw-prefecture-35", 12)],
        ahead: Vec::new(),
    }
}

fn report(end: &mut End) -> &mut StatusReport {
    end.report.as_mut().unwrap()
}

/// The link of the two ends down for this reason.
fn down(code: &str) -> Link {
    let mut link = link();
    for end in [&mut link.node, &mut link.peer] {
        let peer = &mut report(end).peers[0];
        peer.up = false;
        peer.last_error = code.to_owned();
    }
    link
}

fn marks(link: &Link) -> Vec<(Check, Mark)> {
    let cells = Check::ALL.map(|check| (check, judged(link, check).mark));
    cells
        .into_iter()
        .filter(|(_, mark)| *mark != Mark::Good)
        .collect()
}

fn judged(link: &Link, check: Check) -> Cell {
    let network = network();
    let bench = Bench {
        folder: "/n",
        calendar: network.calendar(),
        now_s: NOW_S,
        lang: Lang::En,
    };
    judge(link, check, &bench)
}

/// The one finding of a link: its check, with these words in its cause and its next command.
fn finds(link: &Link, check: Check, mark: Mark, cause: &str, todo: &str) {
    let mut findings = marks(link);
    findings.retain(|(_, mark)| mark.is_finding());
    assert_eq!(findings, [(check, mark)]);
    let cell = judged(link, check);
    assert!(cell.cause.contains(cause), "{cell:?}");
    assert!(cell.todo.contains(todo), "{cell:?}");
}

#[test]
fn a_link_in_order_has_no_finding() {
    assert_eq!(marks(&link()), []);
}

#[test]
fn a_peer_that_a_configuration_does_not_name_is_a_wrong_route() {
    let mut wrong = link();
    wrong.peer.config.as_mut().unwrap().peer.clear();
    finds(
        &wrong,
        Check::Route,
        Mark::Bad,
        "/n/nodes/fw-prefecture-35/node.toml does not name fw-cs-352047",
        "firewall-proxy --config /n/nodes/fw-prefecture-35/node.toml --check",
    );
    let mut wrong = link();
    wrong.line.as_mut().unwrap().is_relayed = false;
    finds(&wrong, Check::Route, Mark::Bad, "no line cs-352047", "tail");
    let mut wrong = link();
    wrong.node.config = Err("JKC-1002 node.toml:3".to_owned());
    finds(&wrong, Check::Route, Mark::Bad, "JKC-1002", "--check");
}

#[test]
fn a_node_that_does_not_run_a_cut_line_and_a_silent_place_are_told_at_the_port() {
    let mut stopped = down("JKL-2001");
    stopped.peer.presence = Presence::Down("failed exit status: 1".to_owned());
    finds(
        &stopped,
        Check::Port,
        Mark::Bad,
        "fw-prefecture-35 does not run",
        "tail -n 20 /n/logs/fw-prefecture-35.log",
    );
    let mut cut = down("JKL-2001");
    cut.line.as_mut().unwrap().up = Some(false);
    finds(
        &cut,
        Check::Port,
        Mark::Bad,
        "the line cs-352047 is cut",
        "jukinet line /n up cs-352047",
    );
    let mut silent = link();
    silent.listening[1].address = None;
    finds(
        &silent,
        Check::Port,
        Mark::Doubtful,
        "/n/run/fw-prefecture-35.addr",
        "kill 12",
    );
    let mut unbound = down("JKL-2001");
    unbound.listening[0].is_bound = Some(false);
    finds(
        &unbound,
        Check::Port,
        Mark::Bad,
        "nobody has bound",
        "kill 13",
    );
    finds(
        &down("JKL-2001"),
        Check::Port,
        Mark::Bad,
        "JKL-2001",
        "jukinet line /n list",
    );
}

#[test]
fn a_revoked_an_expired_and_a_refused_certificate_are_told_with_the_end_that_has_it() {
    let mut revoked = down("JKT-1003");
    revoked.peer.certificate.revokes = vec![vec![11]];
    finds(
        &revoked,
        Check::Tls,
        Mark::Bad,
        "fw-cs-352047 is revoked, fw-prefecture-35 refuses",
        "jukinet new",
    );
    let mut expired = link();
    expired.peer.certificate.not_after = NOW_S;
    finds(
        &expired,
        Check::Tls,
        Mark::Bad,
        "fw-prefecture-35 is expired",
        "openssl x509",
    );
    finds(
        &down("JKT-1005"),
        Check::Tls,
        Mark::Bad,
        "JKT-1005",
        "nodes/fw-prefecture-35/node.toml --check",
    );
}

#[test]
fn clocks_that_differ_by_more_than_a_slow_line_feigns_are_told() {
    let apart = |ahead_ms| {
        let mut link = link();
        report(&mut link.node).peers[0].clock_ahead_ms = Some(ahead_ms);
        link
    };
    assert_eq!(marks(&apart(-4_999)), []);
    let cause = "the clock of fw-prefecture-35 is 7 s ahead of that of fw-cs-352047";
    finds(
        &apart(7_000),
        Check::Clock,
        Mark::Doubtful,
        cause,
        "timedatectl",
    );
    let cause = "the clock of fw-cs-352047 is 61 s ahead of that of fw-prefecture-35";
    finds(
        &apart(-61_000),
        Check::Clock,
        Mark::Bad,
        cause,
        "timedatectl",
    );
}

#[test]
fn a_calendar_that_is_not_the_networks_is_told_with_its_file() {
    let mut wrong = link();
    let more = &mut report(&mut wrong.node).more;
    more.insert("calendar_version".to_owned(), 2.into());
    finds(
        &wrong,
        Check::Calendar,
        Mark::Bad,
        "fw-cs-352047 has version 2",
        "/n/nodes/fw-cs-352047/node.toml",
    );
}

#[test]
fn programs_of_different_age_are_doubtful_and_other_protocols_bad() {
    let newer = |member: &str, value: Value| {
        let mut link = link();
        report(&mut link.peer).more.insert(member.to_owned(), value);
        link
    };
    let todo = "cargo build --release";
    let cause = "fw-prefecture-35 0.2.0";
    finds(
        &newer("version", "0.2.0".into()),
        Check::Version,
        Mark::Doubtful,
        cause,
        todo,
    );
    finds(
        &newer("wire", 2.into()),
        Check::Version,
        Mark::Bad,
        "fw-prefecture-35 2",
        todo,
    );
}

#[test]
fn a_journal_that_a_tier_holds_more_of_and_a_lost_ledger_are_told() {
    let ahead = Ahead {
        municipality: "352047".to_owned(),
        own: 3,
        tier: "prefecture-35".to_owned(),
        held: 5,
    };
    let mut copy = link();
    copy.ahead.push(ahead.clone());
    finds(
        &copy,
        Check::Chain,
        Mark::Doubtful,
        "the tier below sends again",
        "jukinet doctor /n",
    );
    let mut behind = link();
    behind.node.role = NodeRole::MunicipalCs;
    behind.ahead.push(ahead);
    finds(
        &behind,
        Check::Chain,
        Mark::Bad,
        "JKJ-1008",
        "jukinet down /n",
    );
    let mut lost = link();
    lost.node.has_ledger = false;
    finds(
        &lost,
        Check::Chain,
        Mark::Bad,
        "no ledger at /n/data/ledger",
        "tail",
    );
    let mut failed = link();
    report(&mut failed.node).state = NodeState::Failed;
    finds(
        &failed,
        Check::Chain,
        Mark::Bad,
        "can no longer write",
        "jukinet audit verify",
    );
}

#[test]
fn what_is_on_another_machine_or_not_started_is_no_finding() {
    let mut away = down("JKL-2001");
    away.peer.presence = Presence::Elsewhere;
    away.peer.report = None;
    away.listening.clear();
    assert!(
        marks(&away)
            .iter()
            .all(|(_, mark)| *mark == Mark::Elsewhere),
        "{:?}",
        marks(&away)
    );
    let mut idle = link();
    for end in [&mut idle.node, &mut idle.peer] {
        end.presence = Presence::NotStarted;
        end.report = None;
        end.has_ledger = false;
        end.pid = 0;
    }
    for place in &mut idle.listening {
        place.pid = 0;
        place.address = None;
    }
    assert!(
        marks(&idle).iter().all(|(_, mark)| *mark == Mark::Unknown),
        "{:?}",
        marks(&idle)
    );
}
