//! Nothing of a person lies about in clear.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use network::Deployment;
use serde_json::{Value, json};

const NEW_ADDRESS: &str = "山口県萩市大字平安古町209番地";
/// The name in everything that is refused.
const REJECTED: &str = "秘匿　太郎";

/// Files under these folders in which one of the words stands.
fn holding(words: &[String], folders: &[PathBuf]) -> Vec<String> {
    let mut grep = Command::new("grep");
    grep.args(["-rlaF"]);
    for word in words {
        grep.args(["-e", word]);
    }
    let output = grep.args(folders).env("LC_ALL", "C").output().unwrap();
    assert!(
        output.status.code().is_some_and(|code| code < 2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// A move between two towns, from the row of a register's file: the answers to both changes.
fn moves(net: &Deployment, mover: &[&str]) -> [Value; 2] {
    let leaves = json!({
        "key": "out", "resident": mover[0], "reason": "move-out", "event_date": "2002-10-15", "certificate": "P-1", "counterpart": "352047",
    });
    let arrives = json!({
        "key": "in", "resident": "N-1", "reason": "move-in", "event_date": "2002-10-15", "name": mover[1], "birth": mover[2],
        "sex": if mover[3] == "男" { "male" } else { "female" }, "address": NEW_ADDRESS, "certificate": "P-1", "counterpart": "355011",
    });
    let left = net.post("cs-355011", "/v1/changes", &leaves).unwrap();
    let arrived = net.post("cs-352047", "/v1/changes", &arrives).unwrap();
    net.arrives("cs-352047", "in");
    [left, arrived]
}

/// Refusals of many kinds, all of which have to do with a person.
fn is_refused(net: &Deployment, mover: &[&str], code: &str) {
    let rejected = net.folder().join("residents/rejected.csv");
    fs::write(&rejected, format!("宛名番号,氏名,生年月日,性別,住所\n0000000001,{REJECTED},1970-13-45,男,山口県萩市大字江向9番地\n")).unwrap();
    let import = net.jukinet(&[
        "cs",
        "net",
        "cs-352047",
        "import",
        rejected.to_str().unwrap(),
    ]);
    assert_eq!(import.code(), Some(1), "{}", import.text());
    let wrong = json!({"key": "w", "resident": "W-1", "reason": "birth", "event_date": "2002-10-15", "name": REJECTED, "birth": REJECTED, "sex": "male", "address": NEW_ADDRESS});
    assert!(net.post("cs-352047", "/v1/changes", &wrong).is_err());
    let known =
        json!({"key": "in", "resident": "N-1", "reason": "death", "event_date": "2002-10-15"});
    assert!(
        net.post("cs-352047", "/v1/changes", &known).is_err(),
        "the key is used"
    );
    let query = |affair: &str, more: &[&str]| {
        net.jukinet(&[&["query", "net", "--json", "--affair", affair], more].concat())
            .json()
    };
    assert_eq!(
        query("radio-station-licence", &["--code", code])["outcome"],
        "refused"
    );
    let items = [
        "--name",
        mover[1],
        "--birth",
        "1901-01-01",
        "--sex",
        "male",
        "--address",
        mover[4],
    ];
    assert_eq!(query("war-bereaved-pension", &items)["outcome"], "no-match");
}

#[test]
fn neither_data_nor_logs_nor_papers_hold_a_resident_in_clear() {
    let net = Deployment::up();
    let (file, rows) = net.residents("355011", "0.05");
    let _imported = net
        .jukinet(&["cs", "net", "cs-355011", "import", file.to_str().unwrap()])
        .held();
    net.settles(rows as u64);
    let text = fs::read_to_string(&file).unwrap();
    let mover: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
    let [_, arrived] = moves(&net, &mover);
    let code = arrived["resident_code"].as_str().unwrap();
    assert_eq!(code.len(), 11, "{arrived}");
    net.log_in();
    let shown = net
        .jukinet(&[
            "query",
            "net",
            "--affair",
            "war-bereaved-pension",
            "--code",
            code,
            "--json",
        ])
        .held()
        .json();
    assert_eq!(
        (shown["outcome"].as_str(), shown["record"]["name"].as_str()),
        (Some("match"), Some(mover[1])),
        "{shown}"
    );
    is_refused(&net, &mover, code);
    let names = text
        .lines()
        .skip(1)
        .take(40)
        .map(|line| line.split(',').nth(1).unwrap().to_owned());
    let words: Vec<String> = [code, mover[4], NEW_ADDRESS, REJECTED]
        .map(str::to_owned)
        .into_iter()
        .chain(names)
        .chain([mover[1].replace('　', " ")])
        .collect();
    let folders: Vec<PathBuf> = ["nodes", "logs", "papers", "run"]
        .iter()
        .map(|name| net.net().join(name))
        .collect();
    assert_eq!(
        holding(&words, &[net.folder().join("residents")]).len(),
        2,
        "the search itself finds what is there"
    );
    assert!(
        fs::read_dir(net.net().join("papers")).unwrap().count() > 0
            && fs::read_dir(net.net().join("logs")).unwrap().count() > 12
    );
    assert_eq!(
        holding(&words, &folders),
        Vec::<String>::new(),
        "while it runs"
    );
    net.down();
    assert_eq!(
        holding(&words, &folders),
        Vec::<String>::new(),
        "after it stopped"
    );
}
