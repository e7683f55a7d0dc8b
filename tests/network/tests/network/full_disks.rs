//! A communication server whose disk is full.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use network::{Deployment, until};

const CS: &str = "cs-352047";
const HEADER: &str = "宛名番号,氏名,生年月日,性別,住所\n";

fn file_of(rows: u32) -> String {
    let row = |number: u32| {
        format!("{number:010},検査　一郎,1970-01-02,男,山口県萩市大字江向{number}番地\n")
    };
    let rows: String = (1..=rows).map(row).collect();
    format!("{HEADER}{rows}")
}

/// A small disk in place of a node's data folder.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount anything: then there is nothing to test with.
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={size},mode=0700"))
            .arg("none")
            .arg(&folder)
            .status();
        let mounted = mounted.is_ok_and(|status| status.success());
        assert!(
            mounted || !rustix::process::geteuid().is_root(),
            "root cannot mount a small disk"
        );
        mounted.then_some(Self(folder))
    }

    fn grow(&self, size: &str) {
        let grown = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.0)
            .status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Its node may still run: then the disk goes with it.
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_file_that_finds_no_room_is_refused_whole_and_the_server_goes_on() {
    let net = Deployment::made();
    let Some(_disk) = SmallDisk::mount(net.node(CS).join("data"), "24m") else {
        return;
    };
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    let large = format!("{}{}", file_of(100), "x\n".repeat(16 << 20));
    fs::write(net.folder().join("large.csv"), large).unwrap();
    let pid = net.pid(CS);
    let said = net.jukinet(&["cs", "net", CS, "import", "large.csv"]);
    assert!(
        said.code() == Some(1) && said.text().contains("JKS-1003"),
        "{}",
        said.text()
    );
    assert_eq!(net.report(CS).unwrap().residents, 0, "a row was taken");
    fs::write(net.folder().join("small.csv"), file_of(100)).unwrap();
    let said = net.jukinet(&["cs", "net", CS, "import", "small.csv", "--json"]);
    assert_eq!(said.held().json()["accepted"], 100);
    assert_eq!(net.pid(CS), pid, "the server was started anew");
}

#[test]
fn a_server_whose_ledger_finds_no_room_stops_and_an_import_after_it_loses_and_doubles_nothing() {
    let net = Deployment::made();
    let Some(disk) = SmallDisk::mount(net.node(CS).join("data"), "10m") else {
        return;
    };
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    let rows = 30_000;
    fs::write(net.folder().join("all.csv"), file_of(rows)).unwrap();
    let import = ["cs", "net", CS, "import", "all.csv", "--json"];
    let said = net.jukinet(&import);
    assert_eq!(said.code(), Some(1), "{}", said.text());
    net.down();
    disk.grow("400m");
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    let kept = until("the server's next run", || net.report(CS));
    let kept = kept.more.get("journal").unwrap()["head"].as_u64().unwrap();
    assert!(kept < u64::from(rows), "the disk was large enough");
    let said = net.jukinet(&import).held().json();
    let count = |what: &str| said[what].as_u64().unwrap();
    assert_eq!(
        (count("accepted"), count("duplicates"), count("rejected")),
        (u64::from(rows) - kept, kept, 0),
        "{said}"
    );
    net.settles(u64::from(rows));
}
