//! One process of the bare pipeline.

use std::io::Write as _;
use std::sync::Arc;

use juki_admin::AdminSocket;
use juki_domain::{ErrorCode, NodeRole};
use juki_topology::NodeConfig;
use juki_transport::LinkEvent;
use juki_wire::Header;
use tokio::sync::mpsc;

use super::durable_log::DurableLog;
use super::network::Sizes;
use super::office::Office;
use super::{register, terminal, tier};
use crate::cli::BareNodeArgs;
use crate::failure::{Ending, Failure, Outcome};

/// Runs until standard input ends.
pub(crate) fn run(args: &BareNodeArgs) -> Ending {
    // As the nodes: one thread for the links, another for the disk.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
    runtime.block_on(live(args))
}

async fn live(args: &BareNodeArgs) -> Ending {
    let text = std::fs::read_to_string(&args.config)
        .map_err(|error| Failure::file(&args.config, &error))?;
    let config = NodeConfig::parse(&text, &args.config.display().to_string())
        .map_err(|error| Failure::new(error.code(), error.to_string()))?;
    let sizes = Sizes::parse(&args.sizes)
        .ok_or_else(|| Failure::new(ErrorCode::ConfigBadValue, args.sizes.clone()))?;
    let folder = args
        .config
        .parent()
        .map(std::path::Path::to_owned)
        .unwrap_or_default();
    let data = folder.join(&config.node.data);
    std::fs::create_dir_all(&data).map_err(|error| Failure::file(&data, &error))?;
    let role = config.node.role;
    let (office, events) = Office::open(config, &folder)?;
    let log = || {
        let path = data.join("bare.log");
        DurableLog::open(&path).map_err(|error| Failure::file(&path, &error))
    };
    let router = match role {
        NodeRole::FirewallProxy | NodeRole::AccessPoint => {
            tokio::spawn(relay(Arc::clone(&office), events));
            None
        }
        NodeRole::PrefectureServer | NodeRole::NationalCenter => {
            tokio::spawn(tier::work(Arc::clone(&office), events, log()?, sizes));
            None
        }
        NodeRole::AgencyTerminal => Some(terminal::routes(Arc::clone(&office), events, sizes)?),
        NodeRole::MunicipalCs => Some(register::routes(
            Arc::clone(&office),
            events,
            log()?,
            sizes,
        )?),
    };
    office.up().await;
    if let Some(router) = router {
        let socket = AdminSocket::bind(&data.join("admin.sock"))
            .await
            .map_err(|error| Failure::new(error.code(), error.to_string()))?;
        tokio::spawn(socket.serve(router, std::future::pending()));
    }
    let mut out = std::io::stdout();
    out.write_all(b"ready\n")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
    let (ended, end) = tokio::sync::oneshot::channel();
    // A thread, since a blocking read of standard input must not hold up the links.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
    Ok(Outcome::Held)
}

async fn relay(office: Arc<Office>, mut events: mpsc::Receiver<LinkEvent>) {
    while let Some(event) = events.recv().await {
        if let LinkEvent::Frame { frame, .. } = event
            && let Ok((header, _)) = Header::decode(&frame)
        {
            office.pass(&header, frame);
        }
    }
}
