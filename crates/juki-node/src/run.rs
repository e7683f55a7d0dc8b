//! From the command line to an orderly end.

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use juki_domain::{ErrorCode, Lang, NodeRole};
use juki_runtime::{ClockJump, ClockWatch, SystemClocks};
use juki_store::LedgerError;
use juki_topology::{ConfigError, NodeConfig};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::data_lock::DataLock;
use crate::expiry_reminder::remind;
use crate::secrets::{CREDENTIALS_VARIABLE, findings, secrets_folder};
use crate::{Arguments, Keys, Machine, telemetry};

/// A node cannot start, or ended badly.
#[derive(Debug)]
pub struct StartError {
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, for the log and the person who reads it.
    pub sentence: String,
    /// 1 failed, 2 wrong configuration.
    pub exit: u8,
}

impl StartError {
    /// Something failed at the start or while running.
    pub fn failed(code: ErrorCode, error: impl std::fmt::Display) -> Self {
        Self {
            code,
            sentence: error.to_string(),
            exit: 1,
        }
    }

    /// Configuration or keys are wrong.
    pub fn configuration(code: ErrorCode, error: impl std::fmt::Display) -> Self {
        Self {
            code,
            sentence: error.to_string(),
            exit: 2,
        }
    }

    /// Says what, why and what to do in one clear block on standard error, and gives the exit code.
    #[must_use]
    pub fn say(&self, lang: Lang) -> ExitCode {
        let explanation = self.code.explain(lang);
        let (why, todo) = match lang {
            Lang::En => ("why", "do"),
            Lang::Ja => ("理由", "対処"),
        };
        let text = format!(
            "{}: {}\n  {}\n  {why}: {}\n  {todo}: {}\n",
            self.code, explanation.what, self.sentence, explanation.why, explanation.todo
        );
        // A closed error output leaves nowhere to report to.
        let _ = std::io::stderr().write_all(text.as_bytes());
        ExitCode::from(self.exit)
    }
}

impl From<LedgerError> for StartError {
    fn from(error: LedgerError) -> Self {
        Self::failed(error.code(), error)
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::configuration(error.code(), error)
    }
}

/// Configuration and keys, read and checked.
pub struct Prepared {
    /// The configuration.
    pub config: Arc<NodeConfig>,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// The folder of the secret keys.
    pub secrets: PathBuf,
    /// The keys.
    pub keys: Keys,
    /// The language of what the node writes for people.
    pub lang: Lang,
    /// The machine it runs on.
    pub machine: Machine,
}

impl Prepared {
    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join(&self.config.node.data)
    }

    /// The keys folder.
    #[must_use]
    pub fn keys_folder(&self) -> PathBuf {
        self.folder.join(&self.config.node.keys)
    }

    /// The folder of the secret keys: the keys folder, where the configuration names no other.
    #[must_use]
    pub fn secrets_folder(&self) -> &Path {
        &self.secrets
    }

    /// Where the admin API listens.
    #[must_use]
    pub fn admin_socket(&self) -> PathBuf {
        self.data().join(ADMIN_SOCKET)
    }
}

/// Asks a node to stop, from anywhere in it.
#[derive(Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::channel(false).0)
    }
}

impl Stop {
    /// Asks.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Waits until somebody has asked.
    pub async fn asked(&self) {
        let mut asked = self.0.subscribe();
        // The sender lives as long as self.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}

/// What a node's program has of its own.
pub trait Node: Sized {
    /// Its role.
    const ROLE: NodeRole;

    /// Reads what else the configuration names, without starting anything: also what `--check` does.
    ///
    /// # Errors
    /// [`StartError`].
    fn check(prepared: &Prepared) -> Result<(), StartError> {
        let _ = prepared;
        Ok(())
    }

    /// Starts the node.
    fn start(prepared: Arc<Prepared>, stop: Stop)
    -> impl Future<Output = Result<Self, StartError>>;

    /// Waits until every peer that it dials is up, and gives what the ready line names beside the
    /// node: pairs of interface and address.
    fn ready(&self) -> impl Future<Output = Vec<(String, String)>>;

    /// Waits until it fails; a sound node never ends this.
    fn failure(&self) -> impl Future<Output = String>;

    /// Ends it in order.
    fn shutdown(self) -> impl Future<Output = Result<(), String>>;
}

/// Runs a node: the whole of its `main`.
#[must_use]
pub fn run<N: Node>() -> ExitCode {
    run_with::<N>(&Arguments::parse())
}

/// Runs a node with arguments that are read already.
#[must_use]
pub fn run_with<N: Node>(arguments: &Arguments) -> ExitCode {
    match run_checked::<N>(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.say(arguments.lang()),
    }
}

/// Where the admin API of a node listens, after its configuration alone: for programs that ask a running node.
///
/// # Errors
/// [`StartError`] where the configuration cannot be read or is another role's.
pub fn admin_socket(config: &Path, role: NodeRole) -> Result<PathBuf, StartError> {
    let (config, folder) = read_config(config, role)?;
    Ok(folder.join(&config.node.data).join(ADMIN_SOCKET))
}

/// The configuration of a node of this role, and the folder that relative paths start from: for
/// programs that explain it without running the node.
///
/// # Errors
/// [`StartError`] where it cannot be read or is another role's.
pub fn configuration(path: &Path, role: NodeRole) -> Result<(NodeConfig, PathBuf), StartError> {
    read_config(path, role)
}

fn run_checked<N: Node>(arguments: &Arguments) -> Result<(), StartError> {
    let prepared = prepare(&arguments.config, N::ROLE, arguments.lang())?;
    N::check(&prepared)?;
    let open = findings(&prepared.secrets, &prepared.keys_folder(), &prepared.data());
    if arguments.check {
        for sentence in open {
            // It works all the same: a warning with all that an error says.
            let _warned =
                StartError::configuration(ErrorCode::SecretsOpen, sentence).say(prepared.lang);
        }
        return Ok(());
    }
    telemetry::start(arguments.log);
    for sentence in open {
        tracing::warn!(
            event = "secrets.open",
            code = ErrorCode::SecretsOpen.code(),
            sentence
        );
    }
    // On a machine with a whole network, what one municipality does must not hold up what all wait
    // for: its registers are loaded behind the servers above and the firewalls.
    if N::ROLE == NodeRole::MunicipalCs && is_supervised() {
        juki_runtime::give_way(MUNICIPAL_NICENESS);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
    runtime.block_on(live::<N>(Arc::new(prepared)))
}

fn prepare(path: &Path, role: NodeRole, lang: Lang) -> Result<Prepared, StartError> {
    let (config, folder) = read_config(path, role)?;
    let keys_folder = folder.join(&config.node.keys);
    let credentials = std::env::var_os(CREDENTIALS_VARIABLE).map(PathBuf::from);
    let secrets = secrets_folder(&config, &folder, credentials)
        .map_err(|error| StartError::configuration(ErrorCode::ConfigBadValue, error))?;
    let keys = Keys::read_apart(&keys_folder, &secrets, &config.node.name, role)
        .map_err(|error| StartError::configuration(error.code(), error))?;
    Ok(Prepared {
        config: Arc::new(config),
        folder,
        secrets,
        keys,
        lang,
        machine: Machine::system(),
    })
}

/// The configuration of a node of this role, and the folder that relative paths start from.
fn read_config(path: &Path, role: NodeRole) -> Result<(NodeConfig, PathBuf), StartError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        StartError::configuration(
            ErrorCode::ConfigUnreadable,
            format!("{}: {error}", path.display()),
        )
    })?;
    let config = NodeConfig::parse(&text, &path.display().to_string())?;
    if config.node.role != role {
        let sentence = format!(
            "{}: node.role is {}, this program is {}: start {0} with the program of its role",
            path.display(),
            config.node.role.program(),
            role.program()
        );
        return Err(StartError::configuration(
            ErrorCode::ConfigBadValue,
            sentence,
        ));
    }
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok((config, folder))
}

/// Whether `jukinet` started this node and ends with it.
fn is_supervised() -> bool {
    std::env::var_os("JUKINET_SUPERVISED").is_some()
}

async fn live<N: Node>(prepared: Arc<Prepared>) -> Result<(), StartError> {
    let failed = |error: String| StartError::failed(ErrorCode::DiskFailed, error);
    let stop = Stop::default();
    let name = prepared.config.node.name.clone();
    tracing::info!(event = "node.starting", node = %name, version = env!("CARGO_PKG_VERSION"));
    let _data = DataLock::take(&prepared.data())?;
    let node = N::start(Arc::clone(&prepared), stop.clone()).await?;
    let mut terminated =
        signal(SignalKind::terminate()).map_err(|error| failed(error.to_string()))?;
    let mut interrupted =
        signal(SignalKind::interrupt()).map_err(|error| failed(error.to_string()))?;
    if is_supervised() {
        let stop = stop.clone();
        // A thread, since a blocking read of standard input must not keep the runtime from ending.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            stop.stop();
        });
    }
    let clocks = tokio::spawn(watch_clocks());
    let reminder = tokio::spawn(remind(prepared.keys_folder().join("node.crt")));
    let mut said = false;
    let ended = loop {
        tokio::select! {
            biased;
            _ = terminated.recv() => break Ok("signal"),
            _ = interrupted.recv() => break Ok("signal"),
            () = stop.asked() => break Ok("asked"),
            failure = node.failure() => break Err(failure),
            addresses = wait_ready(&node, said) => {
                said = true;
                say_ready(&prepared, &addresses);
                tracing::info!(event = "node.ready", node = %name);
            }
        }
    };
    if let Ok(reason) = &ended {
        tracing::info!(event = "node.stopping", node = %name, reason);
    }
    clocks.abort();
    reminder.abort();
    let closed = node.shutdown().await;
    ended.map(|_| ()).and(closed).map_err(failed)?;
    tracing::info!(event = "node.stopped", node = %name);
    Ok(())
}

/// Steps by which a municipality's server goes behind the other programs of one machine.
const MUNICIPAL_NICENESS: i32 = 19;

/// Notes that the machine slept or that its clock was set: links that break or certificates that end
/// then have their reason in the log, once.
async fn watch_clocks() {
    let mut watch = ClockWatch::new(SystemClocks);
    loop {
        tokio::time::sleep(CLOCK_CHECK).await;
        match watch.look() {
            None => {}
            Some(ClockJump::Slept { from_ms, to_ms }) => {
                let seconds = to_ms.saturating_sub(from_ms) / 1000;
                tracing::warn!(event = "clock.jumped", how = "slept", seconds);
            }
            Some(ClockJump::Set { by_ms }) => {
                tracing::warn!(event = "clock.jumped", how = "set", seconds = by_ms / 1000);
            }
        }
    }
}

async fn wait_ready<N: Node>(node: &N, said: bool) -> Vec<(String, String)> {
    if said {
        std::future::pending::<()>().await;
    }
    node.ready().await
}

fn say_ready(prepared: &Prepared, addresses: &[(String, String)]) {
    let section = &prepared.config.node;
    let mut line = format!(
        "ready node={} role={} admin={}",
        section.name,
        section.role.program(),
        prepared.admin_socket().display()
    );
    for (interface, address) in addresses {
        line.push_str(&format!(" {interface}={address}"));
    }
    line.push('\n');
    let mut out = std::io::stdout().lock();
    // Nobody may be reading; the node runs all the same.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// How often a node looks at the machine's clocks.
const CLOCK_CHECK: Duration = Duration::from_secs(5);

/// The admin API's socket in the data folder.
const ADMIN_SOCKET: &str = "admin.sock";
