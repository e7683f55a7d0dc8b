//! The tables against a model that reads the rules line by line.

use crate::fixture::{bare, header, node, nodes};
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_firewall::{Policy, RefusedBy, Sample, Verdict};
use juki_topology::{CivilTime, Hours, Interface, Limits, NodeConfig, Peer, Route, Rule};
use proptest::prelude::*;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn names() -> impl Strategy<Value = Vec<NodeId>> {
    proptest::sample::subsequence(&NAMES[..], 0..=NAMES.len()).prop_map(|names| nodes(&names))
}

fn peers() -> impl Strategy<Value = Vec<Peer>> {
    let chosen = proptest::sample::subsequence(&["p", "q", "r", "a"][..], 1..=4);
    (
        chosen,
        proptest::collection::vec((proptest::sample::select(&Interface::ALL[..]), names()), 4),
    )
        .prop_map(|(chosen, rest)| {
            let peer = |(name, (interface, speaks_for)): (&str, (Interface, Vec<NodeId>))| Peer {
                name: node(name),
                interface,
                dial: None,
                line_bps: 0,
                speaks_for,
            };
            chosen.into_iter().zip(rest).map(peer).collect()
        })
}

fn rule() -> impl Strategy<Value = Rule> {
    let interface = || proptest::sample::select(&Interface::ALL[..]);
    let services = proptest::sample::subsequence(&ServiceId::ALL[..], 0..=3);
    let own = (
        proptest::option::of(64u32..70_000),
        proptest::option::of(hours()),
    );
    (interface(), interface(), services, names(), names(), own).prop_map(
        |(from, to, services, sources, destinations, (bytes_max, hours))| Rule {
            services,
            sources,
            destinations,
            bytes_max,
            hours,
            ..Rule::new(from, to)
        },
    )
}

fn hours() -> impl Strategy<Value = Hours> {
    let texts = [
        "Mon-Fri 08:00-20:00",
        "daily 00:00-00:30",
        "Sat-Sun 10:00-24:00, Wed 12:00-13:00",
    ];
    proptest::sample::select(texts.to_vec()).prop_map(|text| text.parse().unwrap())
}

fn configs() -> impl Strategy<Value = NodeConfig> {
    let routed = proptest::sample::subsequence(&NAMES[..], 0..=NAMES.len());
    let via = proptest::collection::vec(any::<proptest::sample::Index>(), NAMES.len());
    let fallback = proptest::option::of(any::<proptest::sample::Index>());
    let limits = Limits {
        frame_bytes_max: 64 * 1024,
        ..Limits::default()
    };
    (
        peers(),
        routed,
        via,
        fallback,
        proptest::collection::vec(rule(), 0..5),
    )
        .prop_map(move |(peer, routed, via, fallback, rule)| {
            let mut route: Vec<_> = routed
                .iter()
                .zip(&via)
                .map(|(to, via)| Route {
                    to: (*to).to_owned(),
                    via: via.get(&peer).name.clone(),
                })
                .collect();
            route.extend(fallback.map(|via| Route {
                to: Route::ANY.to_owned(),
                via: via.get(&peer).name.clone(),
            }));
            NodeConfig {
                peer,
                route,
                rule,
                limits,
                ..bare()
            }
        })
}

/// What the rules say when they are read one after the other.
fn model(
    config: &NodeConfig,
    from: &NodeId,
    source: &NodeId,
    destination: &NodeId,
    service: ServiceId,
    bytes: usize,
    now_s: u64,
) -> Result<NodeId, RefusedBy> {
    let peer = config
        .peer
        .iter()
        .find(|peer| peer.name == *from && peer.speaks_for.contains(source))
        .ok_or(RefusedBy::SpeaksFor)?;
    let route = |wanted: &str| config.route.iter().find(|route| route.to == wanted);
    let via = &route(destination.as_str())
        .or(route(Route::ANY))
        .filter(|route| route.via != *from)
        .ok_or(RefusedBy::Route)?
        .via;
    let out = config
        .peer
        .iter()
        .find(|peer| peer.name == *via)
        .ok_or(RefusedBy::Route)?;
    let names = |rule: &Rule| {
        rule.from == peer.interface
            && rule.to == out.interface
            && rule.services.contains(&service)
            && rule.sources.contains(source)
            && rule.destinations.contains(destination)
    };
    let number = config
        .rule
        .iter()
        .position(names)
        .ok_or(RefusedBy::DenyByDefault)?;
    let bytes_max = match service {
        ServiceId::Journal
        | ServiceId::CodeAllocation
        | ServiceId::Monitor
        | ServiceId::Registrar => 64 * 1024,
        ServiceId::Query => 16 * 1024,
    };
    let rule = &config.rule[number];
    let number = u16::try_from(number + 1).unwrap();
    // 2002-10-15, the calendar's base, was a Tuesday, and its day began at second 1.
    let minutes = now_s.saturating_sub(1) / 60;
    let time = CivilTime {
        weekday: u8::try_from((minutes / 1_440 + 1) % 7).unwrap(),
        minute: u16::try_from(minutes % 1_440).unwrap(),
    };
    if rule
        .hours
        .as_ref()
        .is_some_and(|hours| !hours.contain(time))
    {
        return Err(RefusedBy::Hours(number));
    }
    let own = rule.bytes_max.map_or(usize::MAX, |bytes| bytes as usize);
    if bytes > bytes_max.min(own) {
        return Err(RefusedBy::Size(number));
    }
    Ok(via.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_frame_passes_that_no_rule_names_and_every_refusal_names_rule_and_code(config in configs(), bytes in 0usize..100_000, now_s in 0u64..1_300_000) {
        let mut policy = Policy::new(&config).unwrap();
        for from in ["p", "q", "r", "a", "stranger"] {
            for source in NAMES.into_iter().chain(["x"]) {
                for destination in NAMES.into_iter().chain(["y"]) {
                    for service in ServiceId::ALL {
                        let (peer, header) = (node(from), header(source, destination, service));
                        let expected = model(&config, &peer, &header.source, &header.destination, service, bytes, now_s);
                        let sample = Sample { peer: Some(peer.clone()), source: node(source), destination: node(destination), service, bytes };
                        let explained = policy.explain(now_s * 1000, &sample);
                        prop_assert_eq!(&explained.verdict, &expected);
                        prop_assert_eq!(explained.held.len() == 6, expected.is_ok());
                        match policy.judge(now_s * 1000, &peer, &header, bytes) {
                            Verdict::Pass { to, flow } => {
                                prop_assert_eq!(Ok(to.clone()), expected);
                                let flow = policy.flow(flow).unwrap();
                                prop_assert_eq!((flow.service, &flow.source, &flow.destination), (service, &header.source, &header.destination));
                            }
                            Verdict::Refuse { rule, code } => {
                                prop_assert_eq!(Err(rule), expected);
                                prop_assert!(!rule.to_string().is_empty());
                                prop_assert_eq!(code, rule.code());
                                prop_assert!(code.code().starts_with("JKP-") || code == ErrorCode::OutsideHours, "{}", code.code());
                                prop_assert_ne!(code, ErrorCode::RateExceeded);
                            }
                        }
                    }
                }
            }
        }
    }
}
