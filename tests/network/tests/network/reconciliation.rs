//! A register against its communication server.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use network::{Deployment, Printed, until};
use serde_json::{Value, json};

const CS: &str = "cs-352047";
const HEADER: &str = "宛名番号,氏名,生年月日,性別,住所\n";

fn row(number: u32, name: &str, birth: &str, sex: &str, place: &str) -> String {
    format!("{number:010},{name},{birth},{sex},山口県萩市大字江向{place}番地\n")
}

fn plain(number: u32) -> String {
    row(
        number,
        "検査　一郎",
        "1970-01-02",
        "男",
        &number.to_string(),
    )
}

fn write(net: &Deployment, name: &str, rows: impl Iterator<Item = String>) {
    let text = format!("{HEADER}{}", rows.collect::<String>());
    fs::write(net.folder().join(name), text).unwrap();
}

fn import(net: &Deployment, name: &str) -> Value {
    net.jukinet(&["cs", "net", CS, "import", name, "--json"])
        .json()
}

fn reconcile(net: &Deployment, name: &str, more: &[&str]) -> Printed {
    let command = ["reconcile", "register", "net", CS, name, "--json"];
    net.jukinet(&[&command[..], more].concat())
}

/// The export with disagreements of every kind that the server's side can be corrected in.
fn disagreeing() -> Vec<String> {
    let mut rows: Vec<String> = (4..=300).map(plain).collect();
    rows[6] = row(10, "検査　花子", "1970-01-02", "男", "10");
    rows[7] = row(11, "検査　一郎", "1970-01-00", "男", "11");
    rows[8] = row(12, "検査　一郎", "1970-01-02", "女", "12");
    rows[9] = row(13, "検査　一郎", "1970-01-02", "男", "1313");
    rows[10] = row(14, "検査　二郎", "1970-01-02", "男", "1414");
    rows.extend((901..=904).map(plain));
    rows
}

#[test]
fn every_kind_of_difference_is_found_and_corrections_leave_none_while_work_goes_on() {
    let net = Deployment::up();
    write(&net, "all.csv", (1..=300).map(plain));
    assert_eq!(import(&net, "all.csv")["accepted"], 300);
    assert_eq!(reconcile(&net, "all.csv", &[]).code(), Some(0));
    let left = json!({"key": "left", "resident": "0000000299", "reason": "move-out", "event_date": "2002-10-15"});
    net.post(CS, "/v1/changes", &left).unwrap();
    let good = disagreeing();
    let bad = [
        row(20, "検査　三郎", "1970-01-02", "男", "20"),
        row(20, "検査　一郎", "1970-01-02", "男", "20"),
        row(905, "検査　一郎", "1970-02-30", "男", "905"),
    ];
    write(&net, "export.csv", good.iter().chain(&bad).cloned());
    let files = ["--worklist", "work.csv", "--corrections", "fix.csv"];
    let found = reconcile(&net, "export.csv", &files);
    assert_eq!(found.code(), Some(1));
    let counts = found.json()["counts"].clone();
    let wanted = json!({
        "rows": 304, "residents": 299, "missing-at-cs": 5, "missing-in-register": 3, "altered": 5,
        "contradictory": 1, "refused-row": 1, "late": 0,
    });
    assert_eq!(counts, wanted);
    let list = fs::read_to_string(net.folder().join("work.csv")).unwrap();
    // One row for each item that differs: the fifth altered resident has two.
    assert_eq!(list.lines().count(), 1 + 5 + 3 + 6 + 1 + 1, "{list}");
    assert!(list.contains("検査　花子,検査　一郎,職権修正等"), "{list}");
    let shown = net.jukinet(&["reconcile", "register", "net", CS, "export.csv"]);
    assert!(!shown.text().contains("検査"), "{}", shown.text());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // New codes for residents whose records agree: live work that is no difference.
        scope.spawn(|| {
            for number in (100..200).cycle() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let key = format!("c-{number}-{:?}", std::time::Instant::now());
                let change = json!({"key": key.get(..60).unwrap_or(&key), "resident": format!("{number:010}"), "reason": "code-change-request", "event_date": "2002-10-15"});
                net.post(CS, "/v1/changes", &change).unwrap();
            }
        });
        write(&net, "export.csv", good.iter().cloned());
        let applied = reconcile(&net, "export.csv", &["--apply"]);
        stop.store(true, Ordering::Relaxed);
        let said = applied.json();
        assert_eq!(applied.code(), Some(0), "{said}");
        assert_eq!(
            (&said["corrections"], &said["applied"]["accepted"]),
            (&13.into(), &13.into())
        );
        for kind in ["missing-at-cs", "missing-in-register", "altered"] {
            assert_eq!(said["left"][kind], 0, "{said}");
        }
    });
    assert_eq!(reconcile(&net, "export.csv", &[]).code(), Some(0));
    net.settles(301);
    let run = fs::read_dir(net.net().join("run")).unwrap();
    let left = run.filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("reconcile")
    });
    assert_eq!(left.count(), 0, "the corrections stay in clear");
}

#[test]
fn a_resident_who_comes_during_the_comparison_is_late_and_no_difference() {
    let net = Deployment::up();
    write(&net, "all.csv", (1..=4_000).map(plain));
    assert_eq!(import(&net, "all.csv")["accepted"], 4_000);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let _born = net.birth(CS, &format!("L-{number}"));
            }
        });
        let late = until("a birth within a comparison", || {
            let counts = reconcile(&net, "all.csv", &[]).json()["counts"].clone();
            (counts["late"].as_u64().unwrap() > 0).then_some(counts)
        });
        stop.store(true, Ordering::Relaxed);
        assert_eq!(
            (&late["altered"], &late["missing-at-cs"]),
            (&0.into(), &0.into())
        );
    });
}

#[test]
fn a_file_of_changes_is_no_full_export() {
    let net = Deployment::up();
    let daily = "宛名番号,異動事由,異動日,氏名,生年月日,性別,住所\n";
    fs::write(net.folder().join("day.csv"), daily).unwrap();
    let said = reconcile(&net, "day.csv", &[]);
    assert!(
        said.code() == Some(1) && said.text().contains("JKI-2001"),
        "{}",
        said.text()
    );
}
