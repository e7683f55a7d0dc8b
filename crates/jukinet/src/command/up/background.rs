//! `up --detach`: starts the supervisor in the background and waits for the nodes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, Lang};

use super::readiness::{Arrival, Readiness};
use super::{Start, lock};
use crate::cli::UpArgs;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::supervisor::{SupervisedNode, last_line};
use crate::text;

pub(super) async fn run(start: Start, args: &UpArgs, screen: Screen) -> Ending {
    // Taken and given back: a second `up` is told at once, not by the background process's log.
    drop(lock(&start.deployment, screen.lang)?);
    let mut child = spawn(&start, args, screen.lang)?;
    let readiness = wait(&start, args, &mut child, screen).await?;
    readiness.tell(&start, screen)?;
    Ok(Outcome::Held)
}

fn spawn(start: &Start, args: &UpArgs, lang: Lang) -> Result<Child, Failure> {
    let failed = |error: std::io::Error| Failure::new(ErrorCode::ProgramMissing, error.to_string());
    let log = log_file(start)?;
    let errors = log.try_clone().map_err(failed)?;
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args([
        "--lang",
        match lang {
            Lang::Ja => "ja",
            Lang::En => "en",
        },
    ]);
    command
        .arg("up")
        .arg(start.deployment.folder())
        .arg("--in-background");
    command
        .arg("--ready-timeout-s")
        .arg(args.ready_timeout_s.to_string());
    for (flag, names) in [
        ("--only", &args.selection.only),
        ("--except", &args.selection.except),
    ] {
        if !names.is_empty() {
            command
                .arg(flag)
                .args(names.iter().map(ToString::to_string));
        }
    }
    // Its own process group: the terminal's interrupt is for the command that was typed.
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0);
    command.spawn().map_err(failed)
}

fn log_file(start: &Start) -> Result<File, Failure> {
    let path = start.deployment.logs().join("supervisor.log");
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| Failure::file(&path, &error))
}

async fn wait(
    start: &Start,
    args: &UpArgs,
    child: &mut Child,
    screen: Screen,
) -> Result<Readiness, Failure> {
    let client =
        AdminClient::new(start.deployment.supervisor_socket()).with_timeout(ANSWER_TIMEOUT);
    let limit = Duration::from_secs(args.ready_timeout_s);
    let mut arrival = Arrival::new(start, screen);
    let mut nodes: Vec<SupervisedNode> = Vec::new();
    loop {
        if let Ok(Some(_)) = child.try_wait() {
            let line = last_line(&start.deployment.logs().join("supervisor.log"));
            return Err(Failure::new(
                ErrorCode::NodeNotReady,
                text::supervisor_ended(screen.lang, &line),
            ));
        }
        if let Ok(seen) = client.get_json::<Vec<SupervisedNode>>("/nodes").await {
            nodes = seen;
            if let Some(readiness) = arrival.look(&nodes).await {
                return Ok(readiness);
            }
        }
        if arrival.waited() > limit {
            return Ok(arrival.result(&nodes));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const LOOK_INTERVAL: Duration = Duration::from_millis(30);
