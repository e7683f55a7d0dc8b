//! The program as a person runs it, over nodes that are shell scripts.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use juki_domain::NodeRole;
use juki_topology::NodeConfig;
use prost::Message as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Says that it is ready, ends with its standard input or at SIGTERM; a file `wrong` beside its configuration stops it at once.
const NODE: &str = r#"#!/bin/sh
folder=$(dirname "$2")
[ -e "$folder/wrong" ] && { echo "no good" >&2; exit 1; }
trap 'exit 0' TERM
exec 3<&0
echo "ready node=$(basename "$folder") role=any admin=/none inside=127.0.0.1:7"
cat <&3 >/dev/null 2>&1 &
wait $!
"#;

/// A folder with the tool, scripts in the place of the nodes' programs, and room for a deployment.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("jukinet");
        if fs::hard_link(env!("CARGO_BIN_EXE_jukinet"), &tool).is_err() {
            fs::copy(env!("CARGO_BIN_EXE_jukinet"), &tool).unwrap();
        }
        for role in NodeRole::ALL {
            let program = folder.path().join(role.program());
            fs::write(&program, NODE).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn with_deployment() -> Self {
        let place = Self::new();
        let made = place.run(&["new", "net", "--preset", "demo"]);
        assert!(made.status.success(), "{}", said(&made));
        place
    }

    fn net(&self) -> PathBuf {
        self.folder.path().join("net")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.path().join("jukinet"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("LANG", "C")
            .env_remove("LC_ALL")
            .env_remove("LC_MESSAGES");
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn status(&self) -> Vec<Value> {
        let output = self.run(&["status", "net", "--json"]);
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _not_running = self.command(&["down", "net"]).output();
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn pids(status: &[Value]) -> Vec<u32> {
    status
        .iter()
        .map(|node| u32::try_from(node["pid"].as_u64().unwrap()).unwrap())
        .collect()
}

fn is_gone(pid: u32) -> bool {
    !Path::new("/proc")
        .join(pid.to_string())
        .join("exe")
        .exists()
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

fn until(what: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(15) {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    false
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .unwrap_or_else(|_| panic!("{} is missing", path.display()))
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn new_writes_a_deployment_that_only_its_owner_can_read() {
    let place = Place::new();
    let made = place.run(&["new", "net", "--preset", "demo", "--seed", "7", "--json"]);
    assert!(made.status.success(), "{}", said(&made));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let nodes: Vec<&str> = made["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node.as_str().unwrap())
        .collect();
    assert!(nodes.len() >= 12, "{nodes:?}");
    let net = place.net();
    for name in ["", "run", "logs", "papers", "cards", "pki", "nodes"] {
        assert_eq!(mode(&net.join(name)), 0o700, "{name}");
    }
    for name in [
        "network.toml",
        "legal-basis.csv",
        "pki/root.key",
        "pki/root.pass",
        "cards/agency-mhlw.card",
        "cards/agency-mhlw.pin",
    ] {
        assert_eq!(mode(&net.join(name)), 0o600, "{name}");
    }
    let mut storage_keys = std::collections::BTreeSet::new();
    for node in nodes {
        let folder = net.join("nodes").join(node);
        assert_eq!(
            (mode(&folder.join("data")), mode(&folder.join("keys"))),
            (0o700, 0o700)
        );
        for secret in ["node.key", "storage.key", "seal.key"] {
            assert_eq!(
                mode(&folder.join("keys").join(secret)),
                0o600,
                "{node} {secret}"
            );
        }
        for file in ["node.crt", "root.crt", "revocation.crl", "directory.bin"] {
            assert!(folder.join("keys").join(file).is_file(), "{node} {file}");
        }
        assert!(
            storage_keys.insert(fs::read(folder.join("keys/storage.key")).unwrap()),
            "two nodes have one storage key"
        );
        let config = NodeConfig::parse(
            &fs::read_to_string(folder.join("node.toml")).unwrap(),
            "node.toml",
        )
        .unwrap();
        assert_eq!(config.node.name.as_str(), node);
    }
    assert_eq!(mode(&net.join("nodes/national/keys/issuing.key")), 0o600);
    assert_eq!(
        mode(&net.join("nodes/cs-352047/keys/register.token")),
        0o600
    );
    assert!(!net.join("nodes/fw-national/keys/issuing.key").exists());
}

#[test]
fn the_keys_of_a_new_deployment_fit_each_other_and_its_card_opens_with_its_pin() {
    let place = Place::with_deployment();
    let keys = place.net().join("nodes/cs-352047/keys");
    let root = juki_pki::read_certificates(&keys.join("root.crt")).unwrap();
    let chain = juki_pki::read_certificates(&keys.join("node.crt")).unwrap();
    let list = juki_pki::read_revocation_list(&keys.join("revocation.crl")).unwrap();
    assert_eq!(juki_pki::verify_crl(&list, &chain[1]).unwrap().number, 1);
    let passphrase = fs::read(place.net().join("pki/root.pass")).unwrap();
    let root_key = juki_pki::open_key_file(&place.net().join("pki/root.key"), &passphrase).unwrap();
    assert!(juki_pki::Authority::open(&root[0], &root_key).is_ok());
    let root_public = juki_crypto::SigningKey::from_pkcs8(&root_key)
        .unwrap()
        .public();
    let directory = juki_crypto::Directory::verify(
        &fs::read(keys.join("directory.bin")).unwrap(),
        &root_public,
    )
    .unwrap();
    let own =
        juki_crypto::SigningKey::from_pkcs8(&juki_pki::read_key(&keys.join("node.key")).unwrap())
            .unwrap();
    let entry = directory.entry(&"cs-352047".parse().unwrap()).unwrap();
    assert_eq!(
        (
            entry.signing,
            entry.municipality.map(|code| code.to_string())
        ),
        (own.public(), Some("352047".to_owned()))
    );
    let sealing =
        juki_crypto::SealingKey::decode(&fs::read(keys.join("seal.key")).unwrap()).unwrap();
    assert_eq!(&entry.sealing, sealing.public());
    let card = juki_smartcard::SoftCard::open(&place.net().join("cards/agency-mhlw.card")).unwrap();
    let pin = fs::read_to_string(place.net().join("cards/agency-mhlw.pin")).unwrap();
    assert!(card.unlock(&pin).is_ok());
    let certificate = juki_access::CardCertificate::decode(card.certificate()).unwrap();
    let registrar = directory.registrar.unwrap();
    assert!(
        certificate.verify(&registrar, 0).is_ok() && certificate.verify(&own.public(), 0).is_err()
    );
    assert_eq!(
        (
            certificate.body.as_str(),
            certificate.has(juki_access::Role::BusinessOperator)
        ),
        ("mhlw", true)
    );
    let issuing_key =
        juki_pki::read_key(&place.net().join("nodes/national/keys/issuing.key")).unwrap();
    assert_eq!(
        juki_crypto::SigningKey::from_pkcs8(&issuing_key)
            .unwrap()
            .public(),
        registrar
    );
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_alone() {
    let place = Place::with_deployment();
    let before = fs::read(place.net().join("network.toml")).unwrap();
    let again = place.run(&["new", "net"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        said(&again).contains("JKN-1004") && again.stdout.is_empty(),
        "{}",
        said(&again)
    );
    assert_eq!(fs::read(place.net().join("network.toml")).unwrap(), before);
}

#[test]
fn a_path_too_long_for_sockets_is_refused_and_nothing_is_left() {
    let place = Place::new();
    let deep = "x".repeat(90);
    let refused = place.run(&["new", &deep]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!place.folder.path().join(deep).exists());
}

#[test]
fn a_deployment_goes_up_is_seen_comes_back_from_a_kill_and_goes_down() {
    let place = Place::with_deployment();
    assert!(
        place
            .status()
            .iter()
            .all(|node| node["state"] == "stopped" && node["pid"] == 0)
    );
    let up = place.run(&["up", "net", "--detach"]);
    assert!(up.status.success(), "{}", said(&up));
    let before = place.status();
    for node in &before {
        assert_eq!(
            (node["state"].as_str(), node["address"].as_str()),
            (Some("ready"), Some("127.0.0.1:7")),
            "{node}"
        );
        assert!(node["rss_bytes"].as_u64().unwrap() > 0 && node["behind"] == 0);
        assert!(
            NodeRole::ALL
                .iter()
                .any(|role| node["kind"] == role.program())
        );
        assert!(
            Path::new(node["log"].as_str().unwrap()).is_file()
                && Path::new(node["data"].as_str().unwrap()).is_dir()
        );
    }
    let second = place.run(&["up", "net", "--detach"]);
    assert!(
        second.status.code() == Some(1) && said(&second).contains("JKN-1006"),
        "{}",
        said(&second)
    );
    let victim = pids(&before)[0];
    signal(victim, Signal::KILL);
    assert!(until(|| {
        let now = &place.status()[0];
        now["state"] == "ready" && now["pid"] != 0 && now["pid"] != victim
    }));
    let after = pids(&place.status());
    let down = place.run(&["down", "net"]);
    assert!(down.status.success(), "{}", said(&down));
    assert!(after.iter().all(|pid| is_gone(*pid)), "processes are left");
    assert!(!place.net().join("run/supervisor.sock").exists());
    let again = place.run(&["down", "net"]);
    assert!(
        again.status.code() == Some(1) && said(&again).contains("JKN-1007"),
        "{}",
        said(&again)
    );
}

#[test]
fn a_node_that_does_not_come_up_is_named_with_its_last_word_and_the_others_go_on() {
    let place = Place::with_deployment();
    fs::write(place.net().join("nodes/national/wrong"), "").unwrap();
    let up = place.run(&["up", "net", "--detach"]);
    assert_eq!(up.status.code(), Some(1));
    assert!(
        said(&up).contains("national (failed) no good") && said(&up).contains("JKN-1003"),
        "{}",
        said(&up)
    );
    let status = place.status();
    let state =
        |name: &str| status.iter().find(|node| node["node"] == name).unwrap()["state"].clone();
    assert_eq!(
        (state("national"), state("fw-national")),
        (Value::from("failed"), Value::from("ready"))
    );
    let doctor = place.run(&["doctor", "net"]);
    assert!(
        doctor.status.code() == Some(1) && said(&doctor).contains("no good"),
        "{}",
        said(&doctor)
    );
}

#[test]
fn nodes_end_when_their_supervisor_is_killed() {
    let place = Place::with_deployment();
    assert!(
        place
            .run(&["up", "net", "--detach", "--only", "national", "fw-national"])
            .status
            .success()
    );
    let running: Vec<u32> = pids(&place.status())
        .into_iter()
        .filter(|pid| *pid != 0)
        .collect();
    assert_eq!(running.len(), 2);
    let state: Value =
        serde_json::from_slice(&fs::read(place.net().join("run/state.json")).unwrap()).unwrap();
    signal(
        u32::try_from(state["supervisor_pid"].as_u64().unwrap()).unwrap(),
        Signal::KILL,
    );
    assert!(until(|| running.iter().all(|pid| is_gone(*pid))));
    let doctor = place.run(&["doctor", "net", "--json"]);
    let findings: Vec<Value> = serde_json::from_slice(&doctor.stdout).unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["check"] == "supervisor" && finding["grade"] == "bad")
    );
    let up = place.run(&["up", "net", "--detach", "--only", "national"]);
    assert!(
        up.status.success(),
        "a killed supervisor does not keep the next one out: {}",
        said(&up)
    );
}

#[test]
fn the_supervisor_in_the_foreground_ends_at_a_signal_and_takes_its_nodes_along() {
    let place = Place::with_deployment();
    let log = fs::File::create(place.folder.path().join("out")).unwrap();
    let mut up = place
        .command(&["up", "net", "--except", "ap-35-1"])
        .stdout(log)
        .spawn()
        .unwrap();
    assert!(until(|| place
        .status()
        .iter()
        .filter(|node| node["state"] == "ready")
        .count()
        == place.status().len() - 1));
    let running: Vec<u32> = pids(&place.status())
        .into_iter()
        .filter(|pid| *pid != 0)
        .collect();
    signal(up.id(), Signal::TERM);
    assert!(up.wait().unwrap().success());
    assert!(running.iter().all(|pid| is_gone(*pid)));
    let out = fs::read_to_string(place.folder.path().join("out")).unwrap();
    assert!(
        out.contains("all nodes of this machine are ready: 12 of 13 in")
            && out.contains("all nodes are stopped"),
        "{out}"
    );
}

#[test]
fn missing_programs_are_named_before_anything_starts() {
    let place = Place::with_deployment();
    fs::remove_file(place.folder.path().join("firewall-proxy")).unwrap();
    let up = place.run(&["up", "net", "--detach"]);
    assert!(
        up.status.code() == Some(1)
            && said(&up).contains("JKN-1001")
            && said(&up).contains("firewall-proxy"),
        "{}",
        said(&up)
    );
    let doctor = place.run(&["--lang", "ja", "doctor"]);
    assert!(
        doctor.status.code() == Some(1) && said(&doctor).contains("次のプログラムがありません"),
        "{}",
        said(&doctor)
    );
}

#[test]
fn the_doctor_finds_a_key_that_others_can_read() {
    let place = Place::with_deployment();
    let healthy = place.run(&["doctor", "net"]);
    assert!(healthy.status.success(), "{}", said(&healthy));
    let key = place.net().join("nodes/cs-352047/keys/storage.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let found = place.run(&["doctor", "net", "--json"]);
    assert_eq!(found.status.code(), Some(1));
    let findings: Vec<Value> = serde_json::from_slice(&found.stdout).unwrap();
    let bad: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["grade"] == "bad")
        .collect();
    assert_eq!(bad.len(), 1, "{bad:?}");
    assert!(
        bad[0]["todo"]
            .as_str()
            .unwrap()
            .starts_with("chmod go-rwx ")
            && bad[0]["place"] == "cs-352047"
    );
}

#[test]
fn wrong_use_and_wrong_configuration_end_with_two_and_other_failures_with_one() {
    let place = Place::with_deployment();
    let code = |arguments: &[&str]| place.run(arguments).status.code();
    assert_eq!(code(&["nothing"]), Some(2));
    assert_eq!(code(&["up", "net", "--only", "no-such-node"]), Some(2));
    assert_eq!(code(&["status", "elsewhere"]), Some(1));
    assert_eq!(code(&["trace", "net", &"0".repeat(32)]), Some(1));
    assert_eq!(code(&["audit", "verify", "net/nothing"]), Some(2));
    assert_eq!(code(&["cs", "net", "national", "state", "1"]), Some(2));
    fs::write(
        place.net().join("network.toml"),
        "[network]\nnmae = \"x\"\n",
    )
    .unwrap();
    let wrong = place.run(&["status", "net"]);
    assert!(
        wrong.status.code() == Some(2) && said(&wrong).contains("network.toml"),
        "{}",
        said(&wrong)
    );
}

#[test]
fn help_completions_and_manual_pages_come_from_one_definition() {
    let place = Place::new();
    let english = place.run(&["--help"]);
    assert!(english.status.success() && said(&english).contains("Examples:"));
    let japanese = place.run(&["up", "--help", "--lang", "ja"]);
    assert!(
        japanese.status.success() && said(&japanese).contains("配備フォルダー"),
        "{}",
        said(&japanese)
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]);
        assert!(
            script.status.success() && said(&script).contains("detach"),
            "{shell}"
        );
    }
    let man = place.run(&["man", "pages", "--json"]);
    let pages: Value = serde_json::from_slice(&man.stdout).unwrap();
    assert!(pages["pages"].as_u64().unwrap() >= 12);
    assert!(
        fs::read_to_string(place.folder.path().join("pages/jukinet-up.1"))
            .unwrap()
            .contains("detach")
    );
}

#[test]
fn one_seed_gives_the_same_residents_and_another_gives_others() {
    let place = Place::new();
    let mut digests = Vec::new();
    for (seed, out, threads) in [("7", "a", "1"), ("7", "b", "3"), ("8", "c", "3")] {
        let made = place.run(&[
            "population",
            "--municipality",
            "355011",
            "35204",
            "--scale",
            "0.05",
            "--seed",
            seed,
            "--out",
            out,
            "--threads",
            threads,
            "--json",
        ]);
        assert!(made.status.success(), "{}", said(&made));
        let written: Value = serde_json::from_slice(&made.stdout).unwrap();
        let first = &written["files"][0];
        assert_eq!(first["residents"], 61, "five hundredths of 1,220");
        assert_eq!(first["residents_in_invented_towns"], 0);
        digests.push(written["digest"].as_str().unwrap().to_owned());
    }
    assert!(digests[0].len() == 64 && digests[0] == digests[1]);
    assert_ne!(digests[0], digests[2]);
    let files = |out: &str| {
        let names = [
            "355011.csv",
            "352047.csv",
            "355011-2002-10-16.csv",
            "352047-2002-10-16.csv",
        ];
        names.map(|name| fs::read(place.folder.path().join(out).join(name)).unwrap())
    };
    assert_eq!(files("a"), files("b"));
    assert_ne!(files("a")[0], files("c")[0]);
    let lines = String::from_utf8(files("a")[0].clone())
        .unwrap()
        .lines()
        .count();
    assert_eq!(lines, 62, "a header and a row for each resident");
    let unknown = place.run(&[
        "population",
        "--municipality",
        "999999",
        "--seed",
        "1",
        "--out",
        "d",
    ]);
    assert!(
        unknown.status.code() == Some(2) && said(&unknown).contains("999999"),
        "{}",
        said(&unknown)
    );
}

#[test]
fn a_new_deployment_with_a_scale_has_its_residents_beside_it() {
    let place = Place::new();
    let made = place.run(&["new", "net", "--scale", "0.01"]);
    assert!(made.status.success(), "{}", said(&made));
    for code in ["352047", "355011", "355020"] {
        assert!(
            place.net().join(format!("residents/{code}.csv")).is_file(),
            "{code}"
        );
    }
}
