//! Files that are not what a register should send.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::Instant;

use network::{Deployment, Printed};

const HEADER: &str = "宛名番号,氏名,生年月日,性別,住所\n";
const LINE_BYTES: usize = 100 << 20;

fn import(net: &Deployment, bytes: &[u8]) -> Printed {
    let file = net.folder().join("bad.csv");
    fs::write(&file, bytes).unwrap();
    net.jukinet(&["cs", "net", "cs-352047", "import", "bad.csv", "--json"])
}

#[test]
fn a_file_with_wrong_columns_is_refused_as_a_whole_and_a_broken_row_by_itself() {
    let net = Deployment::up();
    let wrong = import(&net, "番号,名前\n1,検査\n".as_bytes());
    assert!(
        wrong.code() == Some(1) && wrong.text().contains("JKI-2001"),
        "{}",
        wrong.text()
    );
    let row = |number: u32, name: &[u8]| {
        [
            format!("{number:010},").as_bytes(),
            name,
            ",1970-01-02,男,山口県萩市大字江向1番地\n".as_bytes(),
        ]
        .concat()
    };
    let file = [
        HEADER.as_bytes().to_vec(),
        row(1, "検査　一郎".as_bytes()),
        row(2, b"\xe6\xa4"),
        row(3, "検査　三郎".as_bytes()),
    ]
    .concat();
    let broken = import(&net, &file);
    assert_eq!(broken.code(), Some(1), "{}", broken.text());
    let report = broken.json();
    assert_eq!(
        (
            report["rows"].as_u64(),
            report["accepted"].as_u64(),
            report["rejected"].as_u64()
        ),
        (Some(3), Some(2), Some(1)),
        "{report}"
    );
    assert_eq!(
        (
            report["rejects"][0]["line"].as_u64(),
            report["rejects"][0]["code"].as_str()
        ),
        (Some(3), Some("JKI-2002")),
        "{report}"
    );
    let few = import(
        &net,
        format!("{HEADER}0000000009,検査　九郎,1970-01-02\n").as_bytes(),
    );
    assert!(
        few.json()["rejects"][0]["code"] == "JKI-2004",
        "{}",
        few.text()
    );
    net.settles(2);
}

#[test]
fn a_line_of_a_hundred_megabytes_costs_neither_memory_nor_the_rows_after_it() {
    let net = Deployment::up();
    let path = net.folder().join("long.csv");
    let mut file = File::create(&path).unwrap();
    file.write_all(HEADER.as_bytes()).unwrap();
    file.write_all(b"0000000001,").unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..LINE_BYTES / piece.len() {
        file.write_all(&piece).unwrap();
    }
    file.write_all("\n0000000002,検査　二郎,1970-01-02,男,山口県萩市大字江向2番地\n".as_bytes())
        .unwrap();
    drop(file);
    let began = Instant::now();
    let import = net.start(
        "jukinet",
        &["cs", "net", "cs-352047", "import", "long.csv", "--json"],
    );
    let mut most = 0;
    while !import.printed().contains('}') {
        most = most.max(net.row("cs-352047")["rss_bytes"].as_u64().unwrap());
        assert!(began.elapsed().as_secs() < 40, "it does not come to an end");
    }
    let said = import.printed();
    assert_eq!(import.code(), Some(1), "{said}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (report["accepted"].as_u64(), report["rejected"].as_u64()),
        (Some(1), Some(1)),
        "{report}"
    );
    assert_eq!(report["rejects"][0]["code"], "JKI-2003", "{report}");
    assert!(most > 0 && most < 100 << 20, "the server took {most} bytes");
    net.settles(1);
}
