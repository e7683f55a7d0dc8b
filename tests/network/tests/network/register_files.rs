//! Files of the register: the drop folder, what is refused whole, what is told back.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use network::{Deployment, until};
use serde_json::Value;

const CS: &str = "cs-352047";
const HEADER: &str = "宛名番号,氏名,生年月日,性別,住所\n";

fn row(number: u32) -> String {
    format!("{number:010},検査　一郎,1970-01-02,男,山口県萩市大字江向{number}番地\n")
}

fn file_of(rows: impl Iterator<Item = u32>) -> String {
    let rows: String = rows.map(row).collect();
    format!("{HEADER}{rows}")
}

/// The demo's network, whose servers look at their folders often.
fn up() -> Deployment {
    let net = Deployment::made();
    let config = net.node(CS).join("node.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("poll_ms = 1000"), "{text}");
    fs::write(&config, text.replace("poll_ms = 1000", "poll_ms = 50")).unwrap();
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    net
}

fn drop_folder(net: &Deployment) -> PathBuf {
    net.net().join("registers").join(CS)
}

/// Leaves a file as a careful register does: complete when it has its name.
fn leave(net: &Deployment, name: &str, content: &[u8]) {
    let path = drop_folder(net).join("in").join(name);
    let part = path.with_extension("part");
    fs::write(&part, content).unwrap();
    fs::rename(part, path).unwrap();
}

fn report(net: &Deployment, name: &str) -> Value {
    let folder = drop_folder(net);
    let path = folder.join("out").join(format!("{name}.report.json"));
    until(&format!("the report {name}"), || {
        let text = fs::read(&path).ok()?;
        // The file is put away behind its report.
        let away = ["done", "refused"].map(|part| folder.join(part).join(name).exists());
        away.contains(&true)
            .then(|| serde_json::from_slice(&text).unwrap())
    })
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The numbers of a file of codes, each with a code of eleven digits and none of them twice.
fn numbers(codes: &str) -> BTreeSet<String> {
    let mut lines = codes.lines();
    assert_eq!(lines.next(), Some("宛名番号,住民票コード"));
    let pairs: Vec<(&str, &str)> = lines.map(|line| line.split_once(',').unwrap()).collect();
    let distinct: BTreeSet<&str> = pairs.iter().map(|(_, code)| *code).collect();
    assert!(distinct.iter().all(|code| code.len() == 11));
    assert_eq!(distinct.len(), pairs.len());
    pairs
        .iter()
        .map(|(number, _)| (*number).to_owned())
        .collect()
}

#[test]
fn a_file_left_in_the_folder_is_taken_in_and_its_codes_lie_beside_its_report() {
    let net = up();
    let folder = drop_folder(&net);
    fs::write(folder.join("in/not-yet.csv.part"), "half").unwrap();
    let content = format!(
        "{}0000000099,検査　次郎,2002-02-30,男,山口県萩市\n",
        file_of(1..=50)
    );
    leave(&net, "all.csv", content.as_bytes());
    let said = report(&net, "all.csv");
    assert_eq!(
        (&said["state"], &said["accepted"], &said["rejected"]),
        (&"imported".into(), &50.into(), &1.into()),
        "{said}"
    );
    let out = folder.join("out");
    let rejects = read(&out, "all.csv.rejects.csv");
    assert!(rejects.contains("52,JKD-1003,生年月日,"), "{rejects}");
    assert!(!rejects.contains("02-30"), "a value is repeated: {rejects}");
    assert_eq!(numbers(&read(&out, "all.csv.codes.csv")).len(), 50);
    assert_eq!(read(&folder.join("done"), "all.csv"), content);
    // The same file again: nothing changes, and its codes are told again, under another name.
    leave(&net, "all.csv", content.as_bytes());
    let again = report(&net, "all.csv.2");
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&0.into(), &50.into())
    );
    assert_eq!(again["sha256"], said["sha256"]);
    assert_eq!(
        read(&out, "all.csv.2.codes.csv"),
        read(&out, "all.csv.codes.csv")
    );
    let left = fs::read_dir(folder.join("in")).unwrap().count();
    assert_eq!(left, 1, "only the unfinished file is left");
    net.settles(50);
}

#[test]
fn a_file_that_is_cut_or_none_of_the_registers_is_refused_whole() {
    let net = up();
    let whole = file_of(1..=200);
    let cut = &whole.as_bytes()[..whole.len() - 60];
    leave(&net, "cut.csv", cut);
    leave(&net, "other.csv", b"a,b\n1,2\n");
    for (name, code) in [("cut.csv", "JKI-2006"), ("other.csv", "JKI-2001")] {
        let said = report(&net, name);
        assert_eq!(
            (&said["state"], &said["problem"]["code"]),
            (&"refused".into(), &code.into()),
            "{said}"
        );
        assert!(drop_folder(&net).join("refused").join(name).exists());
    }
    let path = net.folder().join("cut.csv");
    fs::write(&path, cut).unwrap();
    let said = net.jukinet(&["cs", "net", CS, "import", "cut.csv"]);
    assert!(
        said.code() == Some(1) && said.text().contains("JKI-2006"),
        "{}",
        said.text()
    );
    assert_eq!(net.report(CS).unwrap().residents, 0, "a row was taken");
    fs::write(&path, &whole).unwrap();
    let said = net.jukinet(&["cs", "net", CS, "import", "cut.csv", "--json"]);
    assert_eq!(said.held().json()["accepted"], 200);
}

/// A connection to the register's interface with the head of an import sent.
fn begin_import(net: &Deployment, length: usize) -> TcpStream {
    let address = read(&net.net().join("run"), "cs-352047.register.addr");
    let token = read(&net.node(CS), "keys/register.token");
    let mut stream = TcpStream::connect(address.trim()).unwrap();
    write!(
        stream,
        "POST /v1/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
        token.trim()
    )
    .unwrap();
    stream
}

#[test]
fn one_file_is_taken_in_at_a_time_and_a_broken_connection_takes_nothing() {
    let net = Deployment::up();
    let whole = file_of(1..=300);
    fs::write(net.folder().join("all.csv"), &whole).unwrap();
    let import = ["cs", "net", CS, "import", "all.csv", "--json"];
    let mut stream = begin_import(&net, whole.len());
    stream
        .write_all(&whole.as_bytes()[..whole.len() / 2])
        .unwrap();
    // Half of a file is on its way: another is told to wait.
    until("a refusal of the second", || {
        net.jukinet(&import)
            .text()
            .contains("JKI-2011")
            .then_some(())
    });
    drop(stream);
    let said = until("the end of the first", || {
        let said = net.jukinet(&import);
        (!said.text().contains("JKI-2011")).then_some(said)
    });
    assert_eq!(said.held().json()["accepted"], 300, "the half was taken");
}

#[test]
fn an_import_goes_on_when_nobody_listens_any_more() {
    let net = Deployment::up();
    let rows = 8_000;
    let whole = file_of(1..=rows);
    let mut stream = begin_import(&net, whole.len());
    stream.write_all(whole.as_bytes()).unwrap();
    until("the first rows", || {
        net.report(CS).filter(|report| report.residents > 0)
    });
    drop(stream);
    net.settles(u64::from(rows));
}

#[test]
fn an_answer_in_lines_tells_every_code_and_every_reject_and_the_whole_list_again() {
    let net = Deployment::up();
    let bad: String = (0..1_500).map(|_| "x,y\n").collect();
    let file = format!("{}{bad}{}", file_of(1..=120), row(120));
    fs::write(net.folder().join("all.csv"), file).unwrap();
    let said = net.jukinet(&[
        "cs",
        "net",
        CS,
        "import",
        "all.csv",
        "--json",
        "--rejects",
        "no.csv",
        "--codes",
        "yes.csv",
    ]);
    let counts = said.json();
    assert_eq!(
        (
            &counts["accepted"],
            &counts["duplicates"],
            &counts["rejected"]
        ),
        (&120.into(), &1.into(), &1_500.into()),
        "{counts}"
    );
    assert_eq!(read(net.folder(), "no.csv").lines().count(), 1_501);
    let told = read(net.folder(), "yes.csv");
    assert_eq!(
        told.lines().count(),
        122,
        "a duplicate is told its code too"
    );
    let all = net.jukinet(&["cs", "net", CS, "codes", "--out", "codes.csv", "--json"]);
    assert_eq!(all.held().json()["residents"], 120);
    let list = read(net.folder(), "codes.csv");
    assert_eq!(numbers(&list).len(), 120);
    assert_eq!(
        list.lines().collect::<BTreeSet<_>>(),
        told.lines().collect::<BTreeSet<_>>()
    );
    let mut answer = String::new();
    let mut stream = begin_import(&net, 0);
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("JKI-2001"),
        "{answer}"
    );
}

#[test]
fn rows_that_cannot_be_are_rejected_each_with_its_code() {
    let net = Deployment::up();
    let item = |number: u32, name: &str, birth: &str, place: &str, code: &str| {
        format!("{number},{name},{birth},男,{place},{code}\n")
    };
    let here = "山口県萩市大字江向1番地";
    let file = [
        "宛名番号,氏名,生年月日,性別,住所,市区町村コード\n".to_owned(),
        item(1, "検査　一郎", "1970-01-02", here, "352047"),
        item(1, "検査　一郎", "1970-01-02", here, ""),
        item(1, "検査　二郎", "1970-01-02", here, ""),
        item(2, "検査　三郎", "1867-12-31", here, ""),
        item(3, "検査　四郎", "2002-10-17", here, ""),
        item(4, "検査　五郎", "1970-01-02", here, "355020"),
        item(
            5,
            "検査　六郎",
            "1970-01-02",
            "山口県阿武郡阿武町大字奈古1番地",
            "",
        ),
        item(6, "検査　七郎", "1970-01-02", "大字江向2番地", ""),
    ]
    .concat();
    fs::write(net.folder().join("all.csv"), file).unwrap();
    let said = net.jukinet(&["cs", "net", CS, "import", "all.csv", "--json"]);
    let said = said.json();
    assert_eq!(
        (&said["accepted"], &said["duplicates"], &said["rejected"]),
        (&2.into(), &1.into(), &5.into()),
        "{said}"
    );
    let mut rejects: Vec<(u64, &str)> = said["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| {
            (
                reject["line"].as_u64().unwrap(),
                reject["code"].as_str().unwrap(),
            )
        })
        .collect();
    rejects.sort_unstable();
    assert_eq!(
        rejects,
        [
            (4, "JKI-2008"),
            (5, "JKI-2009"),
            (6, "JKI-2009"),
            (7, "JKI-2010"),
            (8, "JKI-2010")
        ]
    );
}

#[test]
fn rubbish_is_rejected_row_by_row_and_takes_no_memory() {
    let net = up();
    // From here on the server has done what it does once.
    leave(&net, "first.csv", file_of(1..=100).as_bytes());
    let _first = report(&net, "first.csv");
    let rss = || net.row(CS)["rss_bytes"].as_u64().unwrap();
    let before = rss();
    let rows = 200_000;
    let rubbish: String = (0..rows)
        .map(|n| match n % 4 {
            0 => "x,y,z\n",
            1 => "1,検査　一郎,昭和99年1月1日,男,山口県萩市\n",
            2 => "\u{1}\u{2},,,,\n",
            _ => "2,検査　二郎,1970-01-02,狐,東京都千代田区\n",
        })
        .collect();
    leave(&net, "rubbish.csv", format!("{HEADER}{rubbish}").as_bytes());
    let said = report(&net, "rubbish.csv");
    let grown = rss().saturating_sub(before);
    assert_eq!(
        (&said["rows"], &said["rejected"], &said["accepted"]),
        (&rows.into(), &rows.into(), &0.into()),
        "{said}"
    );
    let rejects = read(&drop_folder(&net).join("out"), "rubbish.csv.rejects.csv");
    assert_eq!(rejects.lines().count(), rows + 1);
    assert!(grown < 32 << 20, "the server grew by {grown} bytes");
}

#[test]
fn a_file_whose_server_is_killed_in_the_middle_is_taken_in_again_with_all_its_codes() {
    let net = up();
    let rows = 6_000;
    leave(&net, "all.csv", file_of(1..=rows).as_bytes());
    until("a part of the rows", || {
        net.report(CS).filter(|report| report.residents > 100)
    });
    network::kill(net.pid(CS));
    let said = report(&net, "all.csv");
    let count = |what: &str| said[what].as_u64().unwrap();
    assert_eq!(
        count("accepted") + count("duplicates"),
        u64::from(rows),
        "{said}"
    );
    let codes = read(&drop_folder(&net).join("out"), "all.csv.codes.csv");
    assert_eq!(numbers(&codes).len(), rows as usize);
    net.settles(u64::from(rows));
    let spool = fs::read_dir(net.node(CS).join("data/spool")).unwrap();
    assert_eq!(spool.count(), 0, "something is left of the file");
}
