//! The access point as a node: its relays and its admin API.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use juki_admin::{AdminProvider, Hop, NodeState, StatusReport, base_router};
use juki_domain::{ErrorCode, NodeId, NodeRole};
use juki_node::{AdminTask, Node, Prepared, StartError, Stop};
use tokio::sync::Mutex;

use crate::{AccessPoint, RelayControl, lines};

/// A running access point. It opens no links of its own and keeps no ledger: what passes is sealed
/// and none of its business.
pub struct AccessPointNode {
    relays: Mutex<AccessPoint>,
    addresses: Vec<(String, String)>,
    admin: AdminTask,
}

impl Node for AccessPointNode {
    const ROLE: NodeRole = NodeRole::AccessPoint;

    async fn start(prepared: Arc<Prepared>, stop: Stop) -> Result<Self, StartError> {
        let disk = |error| StartError::failed(ErrorCode::DiskFailed, error);
        make_data(&prepared.data()).map_err(disk)?;
        let relays = AccessPoint::start(&prepared.config, &prepared.folder)
            .await
            .map_err(|error| StartError::failed(ErrorCode::ConfigBadValue, error))?;
        let bound = relays.bound().iter();
        let addresses = bound.map(|(line, address)| (line.clone(), address.to_string()));
        let control = relays.control();
        let provider: Arc<dyn AdminProvider> = Arc::new(Provider {
            name: prepared.config.node.name.clone(),
            control: control.clone(),
            stop,
        });
        let router = base_router(provider).merge(lines::routes(control, prepared.data()));
        Ok(Self {
            addresses: addresses.collect(),
            relays: Mutex::new(relays),
            admin: AdminTask::start(&prepared.admin_socket(), router).await?,
        })
    }

    async fn ready(&self) -> Vec<(String, String)> {
        self.addresses.clone()
    }

    async fn failure(&self) -> String {
        tokio::select! {
            failure = self.admin.failure() => failure,
            () = a_relay_ended(&self.relays) => "a relay ended".to_owned(),
        }
    }

    async fn shutdown(self) -> Result<(), String> {
        self.admin.end().await;
        self.relays.into_inner().stop().await;
        Ok(())
    }
}

/// Relays end only by a defect; without any relay there is none to end.
async fn a_relay_ended(relays: &Mutex<AccessPoint>) {
    if relays.lock().await.tasks.join_next().await.is_none() {
        std::future::pending().await
    }
}

/// Other nodes' ledgers make the data folder; here it holds the admin socket alone.
fn make_data(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

struct Provider {
    name: NodeId,
    control: RelayControl,
    stop: Stop,
}

impl AdminProvider for Provider {
    fn status(&self) -> StatusReport {
        let program = NodeRole::AccessPoint.program();
        let mut status = StatusReport::new(self.name.as_str(), program, NodeState::Ready);
        let lines = self.control.list();
        // A list of plain names and numbers always has a JSON form.
        let lines = serde_json::to_value(lines).unwrap_or_default();
        status.more.insert("lines".to_owned(), lines);
        status
    }

    fn metrics(&self) -> String {
        juki_node::render_metrics()
    }

    fn trace(&self, _message: [u8; 16]) -> Vec<Hop> {
        Vec::new()
    }

    fn stop(&self) {
        self.stop.stop();
    }
}
