//! The whole prefecture of August 2002 as processes, and the files of its registers.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use juki_admin::{AdminClient, ClientError, StatusReport};
use serde::Deserialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::Deployment;

/// How long a load with everything behind it may take, whatever else the machine does.
pub const LOAD_PATIENCE: Duration = Duration::from_secs(60);

/// How often is looked whether something has come true.
const LOOK: Duration = Duration::from_millis(20);

/// The network of the preset `yamaguchi-2002` with unshaped lines.
pub struct Prefecture {
    deployment: Deployment,
    /// One for each municipality, in the order of their codes.
    pub registers: Vec<Register>,
}

/// A register's full export and the server that it is for.
#[derive(Debug, Clone)]
pub struct Register {
    /// The municipality's code.
    pub municipality: String,
    /// Its communication server.
    pub server: String,
    /// The export.
    pub file: PathBuf,
    /// Its residents.
    pub rows: u64,
}

/// A node as the supervisor sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct Supervised {
    /// Its name.
    pub node: String,
    /// Its program.
    pub kind: String,
    /// `starting`, `ready`, `restarting`, `failed` or `stopped`.
    pub state: String,
    /// Its process; 0 where none runs.
    pub pid: u32,
    /// How often it was started again.
    pub restarts: u32,
    /// Why the last process ended.
    pub ended: String,
}

/// The codes of residents by their numbers, by server.
pub type Codes = BTreeMap<String, BTreeMap<String, String>>;

/// What all imports of a load have told up to now.
#[derive(Debug, Default)]
pub struct Told {
    codes: Mutex<Codes>,
}

impl Told {
    /// How many residents have been told the code of: these rows are acknowledged.
    ///
    /// # Panics
    /// Where a listener has panicked.
    #[must_use]
    pub fn count(&self) -> u64 {
        let codes = self.codes.lock().unwrap();
        codes.values().map(|codes| codes.len() as u64).sum()
    }

    /// How many rows of a register are not acknowledged yet.
    ///
    /// # Panics
    /// Where a listener has panicked.
    #[must_use]
    pub fn left(&self, register: &Register) -> u64 {
        let codes = self.codes.lock().unwrap();
        let told = codes.get(&register.server).map_or(0, BTreeMap::len);
        register.rows.saturating_sub(told as u64)
    }

    /// Every code that was told.
    ///
    /// # Panics
    /// Where a listener has panicked.
    #[must_use]
    pub fn codes(&self) -> Codes {
        self.codes.lock().unwrap().clone()
    }

    /// Keeps a code that was told.
    ///
    /// # Panics
    /// Where the same resident had another one before.
    pub fn keep(&self, server: &str, resident: &str, code: &str) {
        let mut codes = self.codes.lock().unwrap();
        let codes = codes.entry(server.to_owned()).or_default();
        let before = codes.insert(resident.to_owned(), code.to_owned());
        assert!(
            before.is_none_or(|before| before == code),
            "{resident} of {server} was told another code"
        );
    }
}

impl Deref for Prefecture {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.deployment
    }
}

impl Prefecture {
    /// The network with registers of this part of the real residents, made and not started.
    ///
    /// # Panics
    /// As every step of a test.
    #[must_use]
    pub fn made(scale: &str) -> Self {
        let deployment = Deployment::nowhere();
        let preset = ["new", "net", "--preset", "yamaguchi-2002", "--unshaped"];
        // Questions go on for as long as a load takes.
        let rates = [
            "--operator-per-min",
            "60000000",
            "--body-per-min",
            "60000000",
        ];
        let more = ["--seed", "7", "--scale", scale];
        let _made = deployment
            .jukinet(&[&preset[..], &rates, &more].concat())
            .held();
        let files = fs::read_dir(deployment.net().join("residents")).unwrap();
        let mut registers: Vec<Register> = files
            .filter_map(|file| register(file.unwrap().path()))
            .collect();
        registers.sort_by(|a, b| a.municipality.cmp(&b.municipality));
        Self {
            deployment,
            registers,
        }
    }

    /// Starts the nodes, with these further arguments of `up`.
    ///
    /// # Panics
    /// Where they do not become ready.
    pub fn start(&self, more: &[&str]) {
        let up = [&["up", "net", "--detach"], more].concat();
        let _up = self.jukinet(&up).held();
    }

    /// All residents of all registers.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.registers.iter().map(|register| register.rows).sum()
    }

    /// Every node as the supervisor sees it.
    ///
    /// # Panics
    /// Where the supervisor does not answer.
    #[must_use]
    pub fn supervised(&self) -> Vec<Supervised> {
        let client = AdminClient::new(self.net().join("run/supervisor.sock"));
        self.ask(|| async { client.get_json("/nodes").await })
            .unwrap()
    }

    /// Imports these registers' files, all at once. A file whose import was cut is posted again,
    /// until it is through; gives how often that was.
    ///
    /// # Panics
    /// Where a file or a row is refused or they do not get through in time.
    #[must_use]
    pub fn load(&self, registers: &[Register], told: &Arc<Told>) -> u64 {
        let begin = || async {
            let mut imports = JoinSet::new();
            for register in registers {
                let socket = self.node(&register.server).join("data/admin.sock");
                imports.spawn(import(socket, register.clone(), Arc::clone(told)));
            }
            tokio::time::timeout(LOAD_PATIENCE, imports.join_all()).await
        };
        let cut = self.ask(begin).unwrap();
        cut.into_iter().sum()
    }

    /// The codes of all residents that a server holds, by their numbers.
    ///
    /// # Panics
    /// Where a number or a line is there twice or is none.
    #[must_use]
    pub fn codes(&self, server: &str) -> BTreeMap<String, String> {
        let client = AdminClient::new(self.node(server).join("data/admin.sock"));
        let list = self
            .ask(|| async { client.get_text("/v1/codes").await })
            .unwrap();
        let mut codes = BTreeMap::new();
        for line in list.lines().skip(1) {
            let (number, code) = line.split_once(',').unwrap();
            let before = codes.insert(number.to_owned(), code.to_owned());
            assert!(before.is_none(), "{server} lists {number} twice");
        }
        codes
    }

    /// Looks again and again until nothing is missing.
    ///
    /// # Panics
    /// Where something still is when the time is over, saying what.
    pub fn until_nothing_misses(&self, mut look: impl FnMut(&Self) -> Vec<String>) {
        let began = Instant::now();
        loop {
            let missing = look(self);
            if missing.is_empty() {
                return;
            }
            assert!(began.elapsed() < LOAD_PATIENCE, "still: {missing:#?}");
            std::thread::sleep(LOOK);
        }
    }

    /// Where the three tiers do not hold this many entries of each municipality, alike and with as
    /// many residents.
    #[must_use]
    pub fn differences(&self, entries: impl Fn(&Register) -> u64) -> Vec<String> {
        let tiers = ["prefecture-35", "national"].map(|tier| (tier, self.report(tier)));
        let mut differences = Vec::new();
        let mut all = 0;
        for register in &self.registers {
            let (server, town) = (&register.server, register.municipality.as_str());
            let wanted = entries(register);
            all += wanted;
            let own = self.report(server);
            let digest = member(own.as_ref(), "digests", town);
            let (head, held) = (
                member(own.as_ref(), "journal", "head"),
                residents(own.as_ref()),
            );
            if head != wanted || held != Some(wanted) {
                differences.push(format!(
                    "{server}: {head} entries, {held:?} residents, not {wanted}"
                ));
            }
            for (name, tier) in &tiers {
                let there = member(tier.as_ref(), "digests", town);
                let head = member(tier.as_ref(), "journals", town);
                if there != digest || digest.is_null() || head != wanted {
                    differences.push(format!(
                        "{server} at {name}: {head} entries, not {wanted}; {there} and {digest}"
                    ));
                }
            }
        }
        for (name, tier) in &tiers {
            let held = residents(tier.as_ref());
            if held != Some(all) {
                differences.push(format!("{name}: {held:?} residents, not {all}"));
            }
        }
        differences
    }
}

/// A member of a report's object; null where the node does not answer or has not counted yet.
fn member(report: Option<&StatusReport>, object: &str, name: &str) -> Value {
    let object = report.and_then(|report| report.more.get(object));
    object.map_or(Value::Null, |object| object[name].clone())
}

fn residents(report: Option<&StatusReport>) -> Option<u64> {
    report.map(|report| report.residents)
}

/// A register, where the file is a full export and not a day's changes.
fn register(file: PathBuf) -> Option<Register> {
    let municipality = file.file_stem()?.to_str()?.to_owned();
    if file.extension()? != "csv" || municipality.contains('-') {
        return None;
    }
    Some(Register {
        server: format!("cs-{municipality}"),
        rows: fs::read_to_string(&file).unwrap().lines().count() as u64 - 1,
        municipality,
        file,
    })
}

/// Posts a file until it is through, and gives how often it was cut.
async fn import(socket: PathBuf, register: Register, told: Arc<Told>) -> u64 {
    let mut cut = 0;
    loop {
        let client = AdminClient::new(&socket).with_timeout(LOAD_PATIENCE);
        let mut report = None;
        let hear = |line: &[u8]| {
            let mut line: Value = serde_json::from_slice(line).unwrap();
            if let Some(code) = line.get("code") {
                let text = |member: &str| code[member].as_str().unwrap();
                told.keep(&register.server, text("resident"), text("code"));
            }
            report = report.take().or(line.get_mut("report").map(Value::take));
            Ok(())
        };
        let path = "/v1/import?codes=true";
        match client.post_file_lines(path, &register.file, hear).await {
            Ok(()) => {
                let report = report.unwrap();
                let count = |what: &str| report[what].as_u64().unwrap();
                assert_eq!(
                    (count("rows"), count("accepted") + count("duplicates")),
                    (register.rows, register.rows),
                    "{report}"
                );
                return cut;
            }
            // The server was killed, or is not there yet.
            Err(ClientError::NotReachable { .. } | ClientError::Broken { .. }) => cut += 1,
            Err(error) => panic!("{}: {error}", register.server),
        }
        tokio::time::sleep(LOOK).await;
    }
}
