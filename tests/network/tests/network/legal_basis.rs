//! What the legal-basis table lets be asked and shown, and how often.

use juki_audit::Outcome;
use network::{Deployment, audits};
use serde_json::{Value, json};

const ADDRESS: &str = "山口県萩市大字江向510番地";

fn ask(net: &Deployment, terminal: &str, affair: &str, more: &Value) -> Value {
    let mut question = json!({"affair": affair});
    let members = question.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    net.post(terminal, "/query", &question).unwrap()
}

fn code_of(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or_default()
}

/// One town, its prefecture and the prefecture's office, of the whole prefecture's network.
fn prefecture_with_one_office() -> Deployment {
    let net = Deployment::nowhere();
    let new = ["new", "net", "--preset", "yamaguchi-2002", "--unshaped"];
    let _made = net.jukinet(&new).held();
    let nodes = [
        "*national",
        "*prefecture-35",
        "*agency-yamaguchi",
        "*cs-352047",
        "kind:access-point",
    ];
    let _up = net
        .jukinet(&[&["up", "net", "--detach", "--only"], &nodes[..]].concat())
        .held();
    net
}

/// The prefecture's own offices ask the prefecture's server, under 別表第五.
#[test]
fn a_prefectures_office_is_answered_by_its_server_with_the_items_of_its_affair() {
    let net = prefecture_with_one_office();
    let born = net.birth("cs-352047", "applicant");
    net.arrives("cs-352047", "applicant");
    let (office, login) = ("agency-yamaguchi", ["operator", "login", "net", "--card"]);
    let _in = net
        .jukinet(&[&login[..], &[office, "--node", office]].concat())
        .held();
    let by_code = json!({"code": born["resident_code"]});
    let by_items =
        json!({"name": "検査　届出", "birth": "2002-10-15", "sex": "female", "address": ADDRESS});
    let by_fewer = json!({"name": "検査　届出", "birth": "2002-10-15"});
    for keys in [&by_code, &by_items] {
        let shown = ask(&net, office, "passport", keys);
        assert_eq!(shown["outcome"], "match", "{shown}");
        let record = &shown["record"];
        assert_eq!(record["items"], json!([1, 2, 3, 4]));
        assert_eq!(record["address"], ADDRESS);
        assert!(
            record.get("code").is_none() && record.get("change").is_none(),
            "{record}"
        );
    }
    let refusals = [
        // Its affairs differ in what they may be asked by, and none of them lists.
        ("construction-business-licence", &by_code, "JKA-1103"),
        ("passport", &by_fewer, "JKA-1304"),
        ("passport", &json!({}), "JKA-1303"),
        (
            "passport",
            &json!({"name": "検*", "birth": "2002-10-15"}),
            "JKA-1303",
        ),
        ("architect-registration", &by_items, "JKA-1102"),
        ("war-bereaved-pension", &by_code, "JKA-1101"),
        ("radio-station-licence", &by_code, "JKA-1101"),
    ];
    for (affair, keys, code) in refusals {
        let refused = ask(&net, office, affair, keys);
        assert_eq!(
            (code_of(&refused), &refused["outcome"]),
            (code, &json!("refused"))
        );
    }
    let licence = ask(&net, office, "construction-business-licence", &by_items);
    assert_eq!(licence["outcome"], "match", "{licence}");
    net.down();
    let records = audits(&net, "prefecture-35");
    assert_eq!(records.len(), 3 + refusals.len());
    assert!(
        records
            .iter()
            .all(|record| record.body == "yamaguchi" && record.basis_version > 0)
    );
    for record in records {
        let shown: &[u32] = if record.outcome == Outcome::Match as u32 {
            &[1, 2, 3, 4]
        } else {
            &[]
        };
        assert_eq!(record.items, shown);
    }
    assert_eq!(audits(&net, "national").len(), 0);
}

#[test]
fn fewer_items_are_enough_only_where_the_affair_permits_it() {
    let net = Deployment::up();
    let born = net.birth("cs-352047", "half-remembered");
    net.arrives("cs-352047", "half-remembered");
    net.log_in();
    let pension = |keys: Value| ask(&net, "agency-mhlw", "war-bereaved-pension", &keys);
    for keys in [
        json!({"name": "検査届出", "birth": "2002-10-15"}),
        json!({"name": "検査届出", "birth": "2002-10-15", "sex": "female"}),
        json!({"name": "検", "name_begins": true, "birth": "2002-10-15", "address": ADDRESS}),
    ] {
        let found = pension(keys);
        assert_eq!(found["record"]["code"], born["resident_code"], "{found}");
    }
    let nobody = pension(json!({"name": "検査", "birth": "2002-10-15"}));
    assert_eq!(nobody["outcome"], "no-match", "a whole name is whole");
    let vague = pension(json!({"name": "検", "name_begins": true, "birth": "2002-10-15"}));
    assert_eq!(code_of(&vague), "JKA-1103");
    let asked = net.jukinet(&[
        "query",
        "net",
        "--affair",
        "war-bereaved-pension",
        "--name",
        "検査",
        "--name-begins",
        "--birth",
        "2002-10-15",
        "--sex",
        "female",
        "--json",
    ]);
    assert_eq!(asked.held().json()["outcome"], "match");
    let twin = net.birth("cs-355011", "twin");
    net.arrives("cs-355011", "twin");
    assert_ne!(twin["resident_code"], born["resident_code"]);
    let several = pension(json!({"name": "検査届出", "birth": "2002-10-15"}));
    assert_eq!(
        (several["outcome"].as_str(), several.get("record")),
        (Some("several"), None)
    );
    net.down();
    assert!(
        audits(&net, "national")
            .iter()
            .all(|record| record.keys == 3 || record.refusal == "JKA-1103")
    );
}

#[test]
fn who_asks_too_often_is_refused_with_the_time_to_go_on_and_recorded_in_sums() {
    let net = Deployment::nowhere();
    let new = ["new", "net", "--preset", "demo", "--operator-per-min", "30"];
    let _made = net.jukinet(&new).held();
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    net.log_in();
    let question = json!({"code": "91234567891"});
    let mut refused = Vec::new();
    let mut answered = 0;
    for _ in 0..300 {
        let answer = ask(&net, "agency-mhlw", "war-bereaved-pension", &question);
        if answer["outcome"] == "no-match" {
            answered += 1;
        } else {
            refused.push(answer);
        }
    }
    assert!(answered >= 30 && !refused.is_empty(), "{answered} answered");
    for answer in &refused {
        let wait = answer["ask_again_s"].as_u64().unwrap();
        assert!(
            code_of(answer) == "JKA-1301" && (1..=2).contains(&wait),
            "{answer}"
        );
    }
    let of_rate = |net: &Deployment| -> Vec<_> {
        let records = audits(net, "national").into_iter();
        records
            .filter(|record| record.refusal == "JKA-1301")
            .collect()
    };
    let of_rate = network::until("a record of every refusal", || {
        let records = of_rate(&net);
        let told: u64 = records.iter().map(|record| record.summed.max(1)).sum();
        (told == refused.len() as u64).then_some(records)
    });
    assert_eq!(of_rate[0].summed, 0, "the first has a record of its own");
    assert!(
        of_rate.len() <= 2 + refused.len() / 4,
        "{} records for {} refusals",
        of_rate.len(),
        refused.len()
    );
    assert!(of_rate.iter().all(|record| record.operator == "mhlw-1"));
}

fn publish(net: &Deployment, name: &str, table: &str) -> network::Printed {
    std::fs::write(net.folder().join(name), table).unwrap();
    net.jukinet(&["basis", "publish", "net", "--file", name, "--json"])
}

/// The registrar's new table holds at once, on every tier, and both ledgers say so.
#[test]
fn a_new_table_is_in_force_everywhere_at_once_and_on_record() {
    let net = Deployment::up();
    let first = std::fs::read_to_string(net.net().join("legal-basis.csv")).unwrap();
    let born = net.birth("cs-352047", "asked-about");
    net.arrives("cs-352047", "asked-about");
    net.log_in();
    let question = json!({"code": born["resident_code"]});
    let pension = || ask(&net, "agency-mhlw", "war-bereaved-pension", &question);
    assert_eq!(pension()["record"]["items"], json!([1, 2, 3, 4, 5, 6]));
    let checked = net
        .jukinet(&["basis", "check", "net", "--json"])
        .held()
        .json();
    assert_eq!(
        (&checked["rows"], &checked["number_in_force"]),
        (&json!(20), &json!(1))
    );
    assert_eq!(
        (&checked["added"], &checked["changed"]),
        (&json!([]), &json!([]))
    );

    let narrower = first.replace(
        "2002-09,src,both,123456,yes,,,design",
        "2002-09,src,both,16,yes,,,design",
    );
    let published = publish(&net, "narrower.csv", &narrower).held().json();
    assert_eq!(published["number"], 2);
    assert_eq!(
        published["changed"],
        json!([{"body": "mhlw", "affair": "war-bereaved-pension"}])
    );
    let shown = pension();
    assert_eq!(shown["record"]["items"], json!([1, 6]));
    assert!(shown["record"].get("address").is_none() && shown["record"].get("code").is_none());

    for (name, garbled) in [
        ("garbled.csv", narrower.replace("both", "all")),
        ("cut.csv", narrower.chars().take(1_007).collect()),
        ("empty.csv", String::new()),
    ] {
        let refused = publish(&net, name, &garbled);
        assert!(refused.code() == Some(1) && refused.text().contains("JKA-1306"));
        let direct = net.post("national", "/basis", &json!({"table": garbled, "act": ""}));
        assert_eq!(direct.unwrap_err(), "JKA-1306");
    }
    // Nobody but a system manager orders a table.
    let unsigned = net.post("national", "/basis", &json!({"table": first, "act": ""}));
    assert_eq!(unsigned.unwrap_err(), "JKA-1203");
    let by_manager_of_cards = ["basis", "publish", "net", "--by", "card-manager"];
    let refused = net.jukinet(&by_manager_of_cards);
    assert!(refused.text().contains("JKA-1005"), "{}", refused.text());
    assert_eq!(pension()["record"]["items"], json!([1, 6]));

    let gone = narrower.replace("war-bereaved-pension,mhlw", "former-pension,mhlw");
    let _third = publish(&net, "gone.csv", &gone).held();
    assert_eq!(code_of(&pension()), "JKA-1101");
    for node in ["national", "prefecture-35"] {
        let number = || {
            let show = ["basis", "show", "net", "--node", node, "--json"];
            (net.jukinet(&show).held().json()["number"] == 3).then_some(())
        };
        network::until("the third table", number);
    }
    net.down();
    both_tiers_recorded_three_tables(&net, &gone);
    // What was in force is in force again after the start, and recorded once.
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    net.log_in();
    assert_eq!(code_of(&pension()), "JKA-1101");
    net.down();
    assert_eq!(network::basis_records(&net, "national").len(), 3);
}

fn both_tiers_recorded_three_tables(net: &Deployment, third: &str) {
    let versions: Vec<u64> = audits(net, "national")
        .iter()
        .map(|record| record.basis_version)
        .collect();
    assert_eq!(versions, [1, 2, 2, 3]);
    let orders = network::payloads(net, "national", juki_ledger::EntryKind(82));
    assert_eq!(orders.len(), 2);
    for node in ["national", "prefecture-35"] {
        let tables = network::basis_records(net, node);
        let told: Vec<_> = tables
            .iter()
            .map(|record| {
                (
                    record.number,
                    record.added.len(),
                    record.removed.len(),
                    record.changed.len(),
                )
            })
            .collect();
        assert_eq!(told, [(1, 20, 0, 0), (2, 0, 0, 1), (3, 1, 1, 0)], "{node}");
        assert_eq!(tables[2].table, third);
    }
}

/// Somebody with a node's files can neither bring back an old table nor make one.
#[test]
fn old_and_forged_tables_are_not_taken() {
    let net = Deployment::made();
    let other = Deployment::made();
    let notice = |net: &Deployment, node: &str| net.node(node).join("keys/legal-basis.notice");
    let table = std::fs::read_to_string(net.net().join("legal-basis.csv")).unwrap();
    let first = std::fs::read(notice(&net, "prefecture-35")).unwrap();
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    let wider = table.replace("2002-12,reading,both", "2002-10,reading,both");
    let _second = publish(&net, "wider.csv", &wider).held();
    let in_force = |node: &str| net.get(node, "/basis")["number"].as_u64().unwrap();
    network::until("the second table", || {
        (in_force("prefecture-35") == 2).then_some(())
    });
    net.down();
    // The old one beside the keys: the neighbour brings back the new one.
    std::fs::write(notice(&net, "prefecture-35"), &first).unwrap();
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    network::until("the second table again", || {
        (in_force("prefecture-35") == 2).then_some(())
    });
    net.down();
    let numbers: Vec<u64> = network::basis_records(&net, "prefecture-35")
        .iter()
        .map(|record| record.number)
        .collect();
    assert_eq!(numbers, [1, 2]);
    // Another registrar's, and one that was altered, are none: the check says so.
    let foreign = std::fs::read(notice(&other, "national")).unwrap();
    let second = std::fs::read(notice(&net, "national")).unwrap();
    let mut altered = second.clone();
    let at = altered
        .windows(4)
        .position(|bytes| bytes == b"mhlw")
        .unwrap();
    altered[at] = b'n';
    for forged in [foreign, altered, b"no notice".to_vec()] {
        std::fs::write(notice(&net, "national"), forged).unwrap();
        let config = net.node("national").join("node.toml");
        let refused = net.run(
            "national-center",
            &[
                "--lang",
                "en",
                "--check",
                "--config",
                config.to_str().unwrap(),
            ],
        );
        assert!(
            refused.code() == Some(2) && refused.text().contains("legal-basis.notice"),
            "{}",
            refused.text()
        );
    }
    std::fs::write(notice(&net, "national"), second).unwrap();
}
