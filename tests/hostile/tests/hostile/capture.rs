//! Whoever reads the lines, the logs, the disks and the firewalls' memory finds no resident.

use std::fs;
use std::net::UdpSocket;

use hostile::{Needles, Seen, Taps, search_memory};
use network::{Deployment, until};
use serde_json::Value;

const TOWN: &str = "cs-355011";
const FIREWALLS: [&str; 6] = [
    "fw-national",
    "fw-prefecture-35",
    "fw-cs-352047",
    "fw-cs-355011",
    "fw-cs-355020",
    "fw-agency-mhlw",
];

/// Names, addresses and codes of all residents of a town: what nobody may find.
fn secrets(net: &Deployment, file: &std::path::Path) -> Vec<String> {
    let rows = fs::read_to_string(file).unwrap();
    let rows = rows.lines().skip(1).map(|row| {
        let cells: Vec<&str> = row.split(',').collect();
        (cells[1].to_owned(), cells[4].to_owned())
    });
    let (names, addresses): (Vec<String>, Vec<String>) = rows.unzip();
    let out = net.folder().join("codes.csv");
    let path = out.to_str().unwrap();
    let _codes = net
        .jukinet(&["cs", "net", TOWN, "codes", "--out", path])
        .held();
    let codes = fs::read_to_string(&out).unwrap();
    let codes: Vec<String> = codes
        .split(|c: char| !c.is_ascii_digit())
        .filter(|word| word.len() == 11 && word.starts_with('9'))
        .map(str::to_owned)
        .collect();
    assert_eq!(codes.len(), names.len(), "a code for each resident");
    let spaced = names.iter().map(|name| name.replace('　', " "));
    let spaced: Vec<String> = spaced.collect();
    [names, spaced, addresses, codes].concat()
}

/// Questions by code and by the four items, and a refused one.
fn asks(net: &Deployment, file: &std::path::Path, code: &str) {
    let rows = fs::read_to_string(file).unwrap();
    let person: Vec<&str> = rows.lines().nth(1).unwrap().split(',').collect();
    let query = |affair: &str, more: &[&str]| -> Value {
        net.jukinet(&[&["query", "net", "--json", "--affair", affair], more].concat())
            .json()
    };
    let lawful = "war-bereaved-pension";
    assert_eq!(query(lawful, &["--code", code])["outcome"], "match");
    let sex = if person[3] == "男" { "male" } else { "female" };
    let items = [
        "--name",
        person[1],
        "--birth",
        person[2],
        "--sex",
        sex,
        "--address",
        person[4],
    ];
    let found = query(lawful, &items);
    assert!(
        ["match", "several"].contains(&found["outcome"].as_str().unwrap()),
        "{}",
        found["outcome"]
    );
    let refused = query("radio-station-licence", &["--code", code]);
    assert_eq!(refused["outcome"], "refused");
}

#[test]
fn no_line_log_disk_or_firewall_memory_holds_a_residents_name_code_or_address() {
    let net = Deployment::made();
    let taps = Taps::before(&net, "ap-35-1");
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    let (file, rows) = net.residents("355011", "0.05");
    let _imported = net
        .jukinet(&["cs", "net", TOWN, "import", file.to_str().unwrap()])
        .held();
    net.settles(rows as u64);
    let secrets = secrets(&net, &file);
    let needles = Needles::of(&secrets);
    net.log_in();
    asks(&net, &file, secrets.last().unwrap());

    // The lines, both ways: whatever crossed the access point.
    let datagrams = taps.kept();
    assert!(datagrams.len() > 200, "{} datagrams", datagrams.len());
    let on_lines: Seen = datagrams
        .iter()
        .flat_map(|datagram| needles.in_bytes(datagram))
        .collect();
    assert_eq!(on_lines, Seen::new(), "texts on the lines");
    // The memory of every firewall, in which its own name stands.
    for firewall in FIREWALLS {
        let pid = net.pid(firewall);
        let (seen, looked_at) = search_memory(pid, &needles);
        assert_eq!(seen, Seen::new(), "texts in the memory of {firewall}");
        assert!(looked_at > 1 << 20, "{firewall}: {looked_at} bytes");
        let itself = Needles::of(&[firewall.to_owned()]);
        let (seen, _) = search_memory(pid, &itself);
        assert!(seen.contains(&0), "the search misses what is there");
    }

    // What somebody sends in clear is found on the lines. Only now, since it reaches a firewall's memory.
    let planted = &secrets[0];
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender
        .send_to(planted.as_bytes(), taps.addresses()[0])
        .unwrap();
    until("the planted datagram", || {
        let kept = taps.kept();
        let mut kept = kept.iter();
        kept.any(|datagram| needles.in_bytes(datagram).contains(&0))
            .then_some(())
    });

    // Ledgers, indexes, logs, papers, while it runs and after.
    let search = |when: &str| {
        let mut bytes = 0;
        for folder in ["nodes", "logs", "papers", "run"] {
            let folder = net.net().join(folder);
            if folder.exists() {
                let (found, read) = needles.in_folder(&folder);
                assert_eq!(found, Vec::<std::path::PathBuf>::new(), "{when}");
                bytes += read;
            }
        }
        assert!(bytes > 1 << 18, "{when}: {bytes} bytes");
    };
    search("while it runs");
    net.down();
    net.is_quiet();
    search("after it stopped");
    let (found, _) = needles.in_folder(&net.folder().join("residents"));
    assert_eq!(found, [file], "the search itself finds what is there");
}
