//! The firewall: passes the frames that a rule names from one interface to another, unchanged, and
//! refuses all others with a refusal frame to the peer that brought them.
//!
//! It reads clear headers and never a body. Its ledger says what passed and what was refused, but
//! gates nothing: a frame does not wait for the disk. Frames leave as fast as the next link takes
//! them, with no pacing here; how fast a source may send is the policy's rate, and a next link that
//! cannot keep up is answered for with a refusal, never with silence.

mod floods;
mod forwarder;
mod proxy;
mod recorder;
mod records;
mod traffic;

use std::sync::Arc;

use juki_admin::{AdminProvider, Hop, StatusReport, base_router};
use juki_domain::NodeRole;
use juki_firewall::Policy;
use juki_node::{AdminTask, Node, Prepared, StartError, Stop};

pub use proxy::{Proxy, ProxyHandle};
pub use records::{
    FirewallRecord, LINK_REFUSED, LinkRefusals, LostRecords, RECORDS_LOST, REFUSED_FRAME, RUN,
    RefusedFrameRecord, RunRecord,
};

/// A running firewall: the proxy with its admin API.
pub struct FirewallProxy {
    proxy: Proxy,
    admin: AdminTask,
}

impl Node for FirewallProxy {
    const ROLE: NodeRole = NodeRole::FirewallProxy;

    fn check(prepared: &Prepared) -> Result<(), StartError> {
        policy(prepared).map(|_| ())
    }

    async fn start(prepared: Arc<Prepared>, stop: Stop) -> Result<Self, StartError> {
        let socket = prepared.admin_socket();
        let proxy = Proxy::start(prepared)?;
        let provider: Arc<dyn AdminProvider> = Arc::new(Provider {
            handle: proxy.handle(),
            stop,
        });
        match AdminTask::start(&socket, base_router(provider)).await {
            Ok(admin) => Ok(Self { proxy, admin }),
            Err(error) => {
                // What it says has been logged; the socket is what the start failed with.
                let _ = proxy.shutdown().await;
                Err(error)
            }
        }
    }

    async fn ready(&self) -> Vec<(String, String)> {
        self.proxy.peers_up().await;
        self.proxy.handle().addresses()
    }

    async fn failure(&self) -> String {
        tokio::select! {
            failure = self.proxy.failure() => failure,
            failure = self.admin.failure() => failure,
        }
    }

    async fn shutdown(self) -> Result<(), String> {
        self.admin.end().await;
        self.proxy.shutdown().await
    }
}

/// The policy that a configuration makes.
pub(crate) fn policy(prepared: &Prepared) -> Result<Policy, StartError> {
    Policy::new(&prepared.config).map_err(|error| StartError::configuration(error.code(), error))
}

/// What the admin API asks.
struct Provider {
    handle: ProxyHandle,
    stop: Stop,
}

impl AdminProvider for Provider {
    fn status(&self) -> StatusReport {
        self.handle.status()
    }

    fn metrics(&self) -> String {
        juki_node::render_metrics()
    }

    fn trace(&self, message: [u8; 16]) -> Vec<Hop> {
        self.handle.trace(message)
    }

    fn stop(&self) {
        self.stop.stop();
    }
}
