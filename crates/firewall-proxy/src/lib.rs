//! The firewall: passes the frames that a rule names from one interface to another, unchanged, and
//! refuses all others with a refusal frame to the peer that brought them.
//!
//! It reads clear headers and never a body. Its ledger says what passed and what was refused, but
//! gates nothing: a frame does not wait for the disk. Frames leave as fast as the next link takes
//! them: bulk at the pace of its line, which the links keep, interactive ones at once. How fast a source
//! may send is the policy's rate, and a next link that cannot keep up is answered for with a refusal,
//! never with silence.
//!
//! The policy is a file of its own, taken in force anew without touching a link. Detectors watch
//! what passes and what does not.

mod admin;
mod desk;
mod explained;
mod floods;
mod forwarder;
mod orders;
mod policy_source;
mod proxy;
mod recorder;
mod records;
mod reporter;
mod traffic;

use std::sync::Arc;

use juki_admin::{AdminProvider, Hop, StatusReport, base_router};
use juki_domain::{ErrorCode, NodeRole};
use juki_node::{AdminTask, Node, Prepared, StartError, Stop};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

pub use desk::run;
pub use orders::ReloadBy;
pub use proxy::{Proxy, ProxyHandle};
pub use records::{
    ALERT, AlertRecord, FirewallRecord, LINK_REFUSED, LinkRefusals, LostRecords, POLICY_IN_FORCE,
    PolicyRecord, RECORDS_LOST, REFUSED_FRAME, RUN, RefusedFrameRecord, RunRecord,
};

/// A running firewall: the proxy with its admin API.
pub struct FirewallProxy {
    proxy: Proxy,
    admin: AdminTask,
    signals: JoinHandle<()>,
}

impl Node for FirewallProxy {
    const ROLE: NodeRole = NodeRole::FirewallProxy;

    fn check(prepared: &Prepared) -> Result<(), StartError> {
        policy_source::read(&prepared.config, &prepared.folder).map(|_| ())
    }

    async fn start(prepared: Arc<Prepared>, stop: Stop) -> Result<Self, StartError> {
        let proxy = Proxy::start(Arc::clone(&prepared))?;
        let handle = proxy.handle();
        let hangups = prepared
            .machine
            .serves
            .then(|| signal(SignalKind::hangup()))
            .transpose()
            .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
        let provider: Arc<dyn AdminProvider> = Arc::new(Provider {
            handle: proxy.handle(),
            stop,
        });
        let router = base_router(provider)
            .merge(handle.pki_routes())
            .merge(admin::router(handle.clone()));
        match AdminTask::of(&prepared, router).await {
            Ok(admin) => Ok(Self {
                proxy,
                admin,
                signals: juki_runtime::spawn(reload_on(hangups, handle)),
            }),
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
            biased;
            failure = self.proxy.failure() => failure,
            failure = self.admin.failure() => failure,
        }
    }

    async fn shutdown(self) -> Result<(), String> {
        self.signals.abort();
        self.admin.end().await;
        self.proxy.shutdown().await
    }
}

/// Takes the policy in force anew whenever the signal comes.
async fn reload_on(hangups: Option<Signal>, handle: ProxyHandle) {
    let Some(mut hangups) = hangups else {
        return;
    };
    while hangups.recv().await.is_some() {
        // What became of it is logged and recorded; nobody waits for an answer.
        let _told = handle.reload(ReloadBy::Signal).await;
    }
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
