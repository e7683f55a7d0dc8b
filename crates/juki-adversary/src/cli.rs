//! The command line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use juki_domain::{NodeId, ServiceId};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::stolen::read_address;
use crate::{Fault, Mischief, Report, SlowPeers, Slowness, StolenNode, Tampering, attack, flood};

/// A hostile peer for networks of one's own: it uses what was stolen from a node or an operator, and
/// says whether the network held.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit code: 0 the network held, 1 it did not or the attack could not be made, 2 wrong usage.\n\nExamples:\n  jukinet up net --detach --except cs-355011\n  juki-adversary frames --node net/nodes/cs-355011\n  juki-adversary flood --run net/run --per-s 2000 --seconds 5"
)]
struct Cli {
    /// Print one JSON object and nothing else
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    attack: Attack,
}

#[derive(Debug, Subcommand)]
enum Attack {
    /// In a communication server's place: repeat, alter and reorder frames
    Frames {
        #[command(flatten)]
        node: Node,
    },
    /// In a communication server's place: speak for another municipality
    Names {
        #[command(flatten)]
        node: Node,
        /// The other municipality's server
        #[arg(long, value_name = "NODE")]
        other: NodeId,
    },
    /// In a prefecture server's place: forge a municipality's entries
    Forgery {
        #[command(flatten)]
        node: Node,
        /// The municipality's server, which has a change to report
        #[arg(long, value_name = "NODE")]
        writer: NodeId,
    },
    /// With a node's key that was revoked: come back
    StolenKey {
        #[command(flatten)]
        node: Node,
    },
    /// In a terminal's place, with an operator's card and no PIN: ask for records
    Card {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        card: CardArgs,
    },
    /// At a terminal, with a card and its PIN: set the clock back
    Clock {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        card: CardArgs,
        /// The file with the PIN
        #[arg(long, value_name = "FILE")]
        pin_file: PathBuf,
    },
    /// With a node's keys: read and use bodies that are sealed for others
    Body {
        #[command(flatten)]
        node: Node,
        /// The frames that a captured firewall kept
        #[arg(long, value_name = "FILE")]
        frames: PathBuf,
    },
    /// In a firewall's place, until it is told to stop: drop, delay, alter, repeat or swap frames
    Firewall {
        #[command(flatten)]
        node: Node,
        /// nothing, drop, delay=MILLISECONDS, alter, repeat or swap
        #[arg(long = "do", value_name = "WHAT")]
        mischief: Mischief,
        /// To messages of this service alone
        #[arg(long, value_name = "SERVICE", value_parser = service)]
        service: Option<ServiceId>,
        /// To so many frames; later ones pass
        #[arg(long, value_name = "N", default_value_t = u64::MAX)]
        count: u64,
        /// Keep every frame in this file
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
    },
    /// Slow peers at every announced listener, with a node's keys
    Slow {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        targets: Targets,
        /// Where they stop
        #[arg(long, value_enum)]
        how: How,
        /// So many at each listener
        #[arg(long, value_name = "N", default_value_t = 8)]
        each: usize,
        /// For so long, at most a minute
        #[arg(long, value_name = "SECONDS", default_value_t = 5)]
        seconds: u64,
    },
    /// A flood of first packets at every announced listener
    Flood {
        #[command(flatten)]
        targets: Targets,
        /// First packets a second in all
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        per_s: u32,
        /// For so long, at most a minute
        #[arg(long, value_name = "SECONDS", default_value_t = 5)]
        seconds: u64,
    },
}

#[derive(Debug, clap::Args)]
struct Node {
    /// The folder of the node whose keys were stolen
    #[arg(long = "node", value_name = "FOLDER")]
    folder: PathBuf,
}

#[derive(Debug, clap::Args)]
struct CardArgs {
    /// The card's file
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
    /// The affair to ask within
    #[arg(long, value_name = "AFFAIR", default_value = "war-bereaved-pension")]
    affair: String,
}

#[derive(Debug, clap::Args)]
struct Targets {
    /// The folder in which the nodes announce where they listen
    #[arg(long, value_name = "FOLDER")]
    run: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum How {
    /// After TLS
    NoHello,
    /// In the hello
    HalfHello,
    /// In a frame
    HalfFrame,
}

pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(Fault::refused)
        .and_then(|runtime| runtime.block_on(attack_with(cli.attack, cli.json)));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            let line = format!("{}: {fault}\n", fault.code());
            // A closed error output leaves nowhere to report to.
            let _closed = std::io::stderr().write_all(line.as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// Whether the network held.
async fn attack_with(attack: Attack, json: bool) -> Result<bool, Fault> {
    let read = |node: &Node| StolenNode::read(&node.folder);
    let report = match attack {
        Attack::Frames { node } => attack::frames(&read(&node)?).await?,
        Attack::Names { node, other } => attack::names(&read(&node)?, &other).await?,
        Attack::Forgery { node, writer } => attack::forgery(&read(&node)?, &writer).await?,
        Attack::StolenKey { node } => attack::stolen_key(&read(&node)?).await?,
        Attack::Card { node, card } => {
            attack::card(&read(&node)?, &card.card, &card.affair).await?
        }
        Attack::Clock {
            node,
            card,
            pin_file,
        } => {
            let pin = std::fs::read_to_string(&pin_file).map_err(|source| Fault::File {
                path: pin_file,
                source,
            })?;
            attack::clock_set_back(&read(&node)?, &card.card, pin.trim(), &card.affair).await?
        }
        Attack::Body { node, frames } => attack::body(&read(&node)?, &frames).await?,
        Attack::Firewall {
            node,
            mischief,
            service,
            count,
            keep,
        } => {
            let tampering = Tampering {
                mischief,
                service,
                count,
            };
            let ready = || print("ready");
            let stolen = read(&node)?;
            let done = tampering.run(&stolen, keep.as_deref(), ready, told_to_stop());
            print_json(&done.await?)?;
            return Ok(true);
        }
        Attack::Slow {
            node,
            targets,
            how,
            each,
            seconds,
        } => {
            let peers = SlowPeers::new(&read(&node)?, listeners(&targets.run)?)?;
            let lasting = Duration::from_secs(seconds.min(60));
            print_json(&peers.run(how.into(), each, lasting).await)?;
            return Ok(true);
        }
        Attack::Flood {
            targets,
            per_s,
            seconds,
        } => {
            let targets = listeners(&targets.run)?;
            let targets = targets.into_iter().map(|(_, address)| address).collect();
            print_json(&flood(targets, per_s, Duration::from_secs(seconds)).await?)?;
            return Ok(true);
        }
    };
    if json {
        print_json(&report)?;
    } else {
        print(&table(&report));
    }
    Ok(report.held)
}

/// The listeners of firewalls that are announced in a folder: files `NODE.SIDE.addr`.
fn listeners(run: &Path) -> Result<Vec<(NodeId, SocketAddr)>, Fault> {
    let unreadable = |source| Fault::File {
        path: run.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(run).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let node = name.and_then(|name| {
            let (node, side) = name.strip_suffix(".addr")?.split_once('.')?;
            let is_listener = juki_topology::Interface::ALL
                .iter()
                .any(|known| known.name() == side);
            node.parse().ok().filter(|_| is_listener)
        });
        if let Some(node) = node {
            found.push((node, read_address(&path)?));
        }
    }
    found.sort();
    Ok(found)
}

async fn told_to_stop() {
    match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(_), _) | (_, Err(_)) => {}
    }
}

fn table(report: &Report) -> String {
    let mut text = format!("{} in the place of {}\n", report.attack, report.node);
    for attempt in &report.attempts {
        let mark = if attempt.held { "held" } else { "FELL" };
        let by = [&attempt.node, &attempt.rule, &attempt.code]
            .map(String::as_str)
            .join(" ");
        let line = format!("  {mark}  {}: {} {by}", attempt.what, attempt.heard);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(if report.held {
        "the network held"
    } else {
        "the network did NOT hold"
    });
    text
}

fn print_json(value: &impl Serialize) -> Result<(), Fault> {
    print(&serde_json::to_string(value).map_err(Fault::refused)?);
    Ok(())
}

fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be reading any more.
    let _closed = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn service(text: &str) -> Result<ServiceId, String> {
    ServiceId::ALL
        .into_iter()
        .find(|service| service.name() == text)
        .ok_or_else(|| "journal, code-allocation, query, monitor or registrar".to_owned())
}

impl From<How> for Slowness {
    fn from(how: How) -> Self {
        match how {
            How::NoHello => Self::NoHello,
            How::HalfHello => Self::HalfHello,
            How::HalfFrame => Self::HalfFrame,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn only_listeners_of_nodes_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str| std::fs::write(folder.path().join(name), "127.0.0.1:4433\n").unwrap();
        for name in [
            "fw-national.inside.addr",
            "fw-national.line.addr",
            "cs-352047.register.addr",
            "lock",
        ] {
            write(name);
        }
        let found = listeners(folder.path()).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(node, _)| node.as_str() == "fw-national"));
    }
}
