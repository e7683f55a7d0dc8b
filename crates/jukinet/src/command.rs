//! One module per command.

mod alerts;
pub(crate) mod audit;
mod basis;
mod bench;
mod completions;
mod cs;
mod demo;
mod derive;
mod doctor;
mod down;
mod firewall;
mod line;
mod man;
pub(crate) mod new;
mod operator;
pub(crate) mod pki;
pub(crate) mod population;
mod query;
mod reconcile;
mod simulate;
pub(crate) mod status;
mod trace;
pub(crate) mod up;

use juki_domain::ErrorCode;

use crate::cli::{BasisCommand, Command, ReconcileCommand};
use crate::failure::{Ending, Failure};
use crate::screen::Screen;

/// Runs one command to its end.
pub(crate) fn run(command: Command, screen: Screen) -> Ending {
    match command {
        Command::New(args) => new::run(&args, screen),
        Command::Up(args) => waited(up::run(&args, screen)),
        Command::Derive(args) => derive::run(&args, screen),
        Command::Down(args) => waited(down::run(&args, screen)),
        Command::Status(args) => waited(status::run(&args, screen)),
        Command::Doctor(args) => waited(doctor::run(&args, screen)),
        Command::Trace(args) => waited(trace::run(&args, screen)),
        Command::Alerts(args) => waited(alerts::run(&args, screen)),
        Command::Audit(action) => audit::run(action, screen),
        Command::Cs(args) => waited(cs::run(&args, screen)),
        Command::Reconcile(ReconcileCommand::Register(args)) => {
            waited(reconcile::register(&args, screen))
        }
        Command::Query(args) => waited(query::run(&args, screen)),
        Command::Pki(command) => waited(pki::run(&command, screen)),
        Command::Operator(command) => waited(operator::run(&command, screen)),
        Command::Basis(BasisCommand::Show(args)) => waited(basis::show(&args, screen)),
        Command::Basis(BasisCommand::Check(args)) => basis::check(&args, screen),
        Command::Basis(BasisCommand::Publish(args)) => waited(basis::publish(&args, screen)),
        Command::Line(args) => waited(line::run(&args, screen)),
        Command::Firewall(args) => waited(firewall::run(&args, screen)),
        Command::Demo(args) => waited(demo::run(&args, screen)),
        Command::Bench(args) => waited(bench::run(&args, screen)),
        Command::Simulate(args) => simulate::run(&args, screen),
        Command::Population(args) => population::run(&args, screen),
        Command::Completions(args) => completions::run(&args, screen),
        Command::Man(args) => man::run(&args, screen),
        Command::BareNode(args) => bench::bare::run(&args),
    }
}

fn waited(work: impl Future<Output = Ending>) -> Ending {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
    runtime.block_on(work)
}

/// The tool waits much and computes little.
const WORKERS: usize = 2;
