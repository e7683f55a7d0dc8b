//! A deployment of the demo's network in a folder of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use juki_admin::{AdminClient, StatusReport};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{PATIENCE, Printed, programs, until};

/// The nodes that hold records: the servers of the towns first.
const TIERS: [&str; 5] = [
    "cs-352047",
    "cs-355011",
    "cs-355020",
    "prefecture-35",
    "national",
];

/// A deployment; dropping it stops every process that names its folder and removes the folder.
pub struct Deployment {
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Deployment {
    /// An empty place for one: what `demo --dir` and tests of single commands begin with.
    ///
    /// # Panics
    /// As every step of a test.
    #[must_use]
    pub fn nowhere() -> Self {
        // Short, since the paths of Unix sockets have room for 107 bytes.
        let folder = tempfile::Builder::new()
            .prefix("jn-")
            .rand_bytes(4)
            .tempdir_in("/tmp")
            .unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let _built = programs();
        Self { folder, runtime }
    }

    /// The demo's network, made and not started.
    ///
    /// # Panics
    /// As every step of a test.
    #[must_use]
    pub fn made() -> Self {
        let deployment = Self::nowhere();
        let _made = deployment
            .jukinet(&["new", "net", "--preset", "demo", "--seed", "7"])
            .held();
        deployment
    }

    /// The demo's network with all nodes ready.
    ///
    /// # Panics
    /// As every step of a test.
    #[must_use]
    pub fn up() -> Self {
        let deployment = Self::made();
        let _up = deployment.jukinet(&["up", "net", "--detach"]).held();
        deployment
    }

    /// The folder around the deployment, which is `net` in it; commands run here.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The deployment's folder.
    #[must_use]
    pub fn net(&self) -> PathBuf {
        self.folder().join("net")
    }

    /// A node's folder.
    #[must_use]
    pub fn node(&self, name: &str) -> PathBuf {
        self.net().join("nodes").join(name)
    }

    /// A program under test with these arguments, its language English, its environment without a PIN.
    #[must_use]
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs().join(program));
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("LANG", "C")
            .stdin(Stdio::null());
        for name in ["LC_ALL", "LC_MESSAGES", "JUKINET_PIN"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs `jukinet`.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn jukinet(&self, arguments: &[&str]) -> Printed {
        Printed::new(self.command("jukinet", arguments).output().unwrap())
    }

    /// Runs a program until it ends.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Printed {
        Printed::new(self.command(program, arguments).output().unwrap())
    }

    /// Runs a node by itself until it ends; it is expected to refuse.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn refuses(&self, program: &str, config: &Path) -> Printed {
        Printed::new(
            self.command(
                program,
                &["--lang", "en", "--config", config.to_str().unwrap()],
            )
            .output()
            .unwrap(),
        )
    }

    /// Starts a program whose output goes to `out` in the folder.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start(&self, program: &str, arguments: &[&str]) -> Running<'_> {
        let out = File::create(self.folder().join("out")).unwrap();
        let errors = out.try_clone().unwrap();
        let child = self
            .command(program, arguments)
            .stdout(out)
            .stderr(errors)
            .spawn()
            .unwrap();
        Running {
            child,
            deployment: self,
        }
    }

    /// `status --json`: one row per node.
    ///
    /// # Panics
    /// Where the command fails.
    #[must_use]
    pub fn status(&self) -> Vec<Value> {
        serde_json::from_value(self.jukinet(&["status", "net", "--json"]).held().json()).unwrap()
    }

    /// A node's row in the status.
    ///
    /// # Panics
    /// Where there is no such node.
    #[must_use]
    pub fn row(&self, node: &str) -> Value {
        self.status()
            .into_iter()
            .find(|row| row["node"] == node)
            .unwrap()
    }

    /// Where a node runs; 0 where it does not.
    ///
    /// # Panics
    /// Where there is no such node.
    #[must_use]
    pub fn pid(&self, node: &str) -> u32 {
        u32::try_from(self.row(node)["pid"].as_u64().unwrap()).unwrap()
    }

    /// `GET` from a node's admin socket.
    ///
    /// # Panics
    /// Where it is refused.
    #[must_use]
    pub fn get(&self, node: &str, path: &str) -> Value {
        self.ask(|| async { self.client(node).get_json(path).await })
            .unwrap()
    }

    /// What a node says of itself; `None` while it does not answer.
    #[must_use]
    pub fn report(&self, node: &str) -> Option<StatusReport> {
        self.ask(|| async { self.client(node).get_json("/status").await.ok() })
    }

    /// A node's metrics as text.
    ///
    /// # Panics
    /// Where it does not answer.
    #[must_use]
    pub fn metrics(&self, node: &str) -> String {
        self.ask(|| async { self.client(node).get_text("/metrics").await })
            .unwrap()
    }

    /// `POST` to a node's admin socket: the answer, or the code of the refusal.
    ///
    /// # Errors
    /// The code.
    pub fn post(&self, node: &str, path: &str, body: &impl Serialize) -> Result<Value, String> {
        self.ask(|| async {
            self.client(node)
                .post_json(path, body)
                .await
                .map_err(|error| error.code().code().to_owned())
        })
    }

    /// Runs a future to its end.
    pub fn ask<T, F: Future<Output = T>>(&self, work: impl FnOnce() -> F) -> T {
        self.runtime.block_on(async { work().await })
    }

    /// A birth that `key` names, at a communication server. Its answer holds the resident's code.
    ///
    /// # Panics
    /// Where it is refused.
    #[must_use]
    pub fn birth(&self, server: &str, key: &str) -> Value {
        let body = json!({
            "key": key, "resident": key, "reason": "birth", "event_date": "2002-10-15",
            "name": "検査　届出", "birth": "2002-10-15", "sex": "female", "address": "山口県萩市大字江向510番地",
        });
        // A server that has just begun has no codes in stock yet, and says that it is worth another try.
        until("codes in stock", || {
            match self.post(server, "/v1/changes", &body) {
                Err(code) if code == "JKR-3003" => None,
                answer => Some(answer.unwrap()),
            }
        })
    }

    /// A birth that reaches the national center: the whole way works.
    ///
    /// # Panics
    /// Where it does not arrive.
    pub fn passes(&self, server: &str, key: &str) {
        let answer = self.birth(server, key);
        assert_eq!(answer["outcome"], "accepted", "{answer}");
        self.arrives(server, key);
    }

    /// Waits until a change is at the national center.
    ///
    /// # Panics
    /// Where it does not arrive.
    pub fn arrives(&self, server: &str, key: &str) {
        until(&format!("{key} of {server} at the national center"), || {
            (self.get(server, &format!("/v1/changes/{key}"))["state"] == "at-national")
                .then_some(())
        });
    }

    /// Writes synthetic residents of a municipality: the file and its rows.
    ///
    /// # Panics
    /// As every step of a test.
    #[must_use]
    pub fn residents(&self, municipality: &str, scale: &str) -> (PathBuf, usize) {
        let out = self.folder().join("residents");
        let _written = self
            .jukinet(&[
                "population",
                "--municipality",
                municipality,
                "--scale",
                scale,
                "--seed",
                "7",
                "--out",
                out.to_str().unwrap(),
            ])
            .held();
        let file = out.join(format!("{municipality}.csv"));
        let rows = fs::read_to_string(&file).unwrap().lines().count() - 1;
        (file, rows)
    }

    /// Waits until the three tiers have the same digests and the center this many residents.
    ///
    /// # Panics
    /// Where they do not come to agree, showing how they stand.
    pub fn settles(&self, residents: u64) {
        let began = Instant::now();
        while self.is_settled(residents).is_none() {
            if began.elapsed() > PATIENCE {
                let stand: Vec<_> = TIERS.iter().map(|node| self.report(node)).collect();
                panic!("no {residents} residents, alike on three tiers: {stand:#?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_settled(&self, residents: u64) -> Option<()> {
        let (prefecture, center) = (self.report("prefecture-35")?, self.report("national")?);
        for server in TIERS.iter().take(3) {
            let report = self.report(server)?;
            // The tiers above know nothing of a town whose journal is empty.
            if report.more.get("journal")?["head"].as_u64()? > 0 {
                let (town, digest) = report.more.get("digests")?.as_object()?.iter().next()?;
                let alike = |tier: &StatusReport| {
                    tier.more
                        .get("digests")
                        .is_some_and(|digests| digests[town] == *digest)
                };
                if !alike(&prefecture) || !alike(&center) {
                    return None;
                }
            }
        }
        (center.residents == residents).then_some(())
    }

    /// Logs the demo's operator in.
    ///
    /// # Panics
    /// Where that is refused.
    pub fn log_in(&self) {
        let _in = self
            .jukinet(&["operator", "login", "net", "--card", "agency-mhlw"])
            .held();
    }

    /// Every process that names this deployment's folder on its command line.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let folder = self.folder().to_string_lossy().into_owned();
        let names = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&folder)
        };
        let entries = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(names)
            .collect()
    }

    /// Stops all nodes in order.
    ///
    /// # Panics
    /// Where that fails.
    pub fn down(&self) {
        let _down = self.jukinet(&["down", "net"]).held();
    }

    /// Waits until no process of this deployment is left.
    ///
    /// # Panics
    /// Where one stays.
    pub fn is_quiet(&self) {
        until("the end of all processes", || {
            self.processes().is_empty().then_some(())
        });
    }

    fn client(&self, node: &str) -> AdminClient {
        AdminClient::new(self.node(node).join("data/admin.sock"))
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // Nothing may be running, and a test that fails has said why: no step here panics.
        let failing = std::thread::panicking();
        let _asked = self.command("jukinet", &["down", "net"]).output();
        let began = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() || began.elapsed() > Duration::from_secs(5) {
                break;
            }
            left.into_iter().for_each(kill);
            std::thread::sleep(Duration::from_millis(10));
        }
        if failing && std::env::var_os("JUKI_KEEP").is_some() {
            self.folder.disable_cleanup(true);
        }
    }
}

/// Ends a process at once, as a power cut would.
pub fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _gone = kill_process(pid, Signal::KILL);
    }
}

/// A program that runs.
pub struct Running<'a> {
    child: Child,
    deployment: &'a Deployment,
}

impl Running<'_> {
    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed up to now.
    ///
    /// # Panics
    /// Where its output is gone.
    #[must_use]
    pub fn printed(&self) -> String {
        fs::read_to_string(self.deployment.folder().join("out")).unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _gone = kill_process(pid, signal);
        }
    }

    /// Waits for its end and gives its exit code.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn code(mut self) -> Option<i32> {
        until("the end of a program", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
