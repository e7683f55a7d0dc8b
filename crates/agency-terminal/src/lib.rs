//! Terminal of a body that receives identity records: an operator's session and questions.
//!
//! One program is two things: the node, and the operator's means to ask the running node over its
//! admin socket ([`run`] decides by the arguments).

mod api;
mod desk;
mod duties;
mod operator;

pub use desk::run;

use std::sync::Arc;

use juki_dispatch::{MemoryIndex, Service};
use juki_domain::{NodeId, NodeRole};
use juki_incident::{Monitor, MonitorSettings};
use juki_node::{
    EngineHandle, EngineParts, Node, Prepared, Reports, ServiceNode, StartError, Stop,
};
use juki_services::query::Asker;

/// A running terminal.
pub struct AgencyTerminal(ServiceNode);

impl AgencyTerminal {
    /// What interfaces hold of it.
    #[must_use]
    pub fn handle(&self) -> EngineHandle {
        self.0.handle()
    }
}

impl Node for AgencyTerminal {
    const ROLE: NodeRole = NodeRole::AgencyTerminal;

    fn check(prepared: &Prepared) -> Result<(), StartError> {
        answering(prepared).map(|_| ())
    }

    async fn start(prepared: Arc<Prepared>, stop: Stop) -> Result<Self, StartError> {
        let upper = answering(&prepared)?;
        let monitor = Monitor::new(MonitorSettings {
            upper: Some(upper.clone()),
            ..MonitorSettings::default()
        });
        let idle_ms = prepared.config.limits.session_idle_s * 1000;
        let asker = Asker::with_idle_ms(upper, idle_ms);
        let services: Vec<Box<dyn Service>> = vec![Box::new(asker), Box::new(monitor)];
        // A terminal keeps no record of anybody, so it has nothing to look up.
        let parts = EngineParts {
            services,
            index: Arc::new(MemoryIndex::default()),
            reporter: Box::new(|_| Reports::default()),
        };
        ServiceNode::start(prepared, stop, parts, api::routes)
            .await
            .map(Self)
    }

    async fn ready(&self) -> Vec<(String, String)> {
        self.0.ready().await
    }

    async fn failure(&self) -> String {
        self.0.failure().await
    }

    async fn shutdown(self) -> Result<(), String> {
        self.0.shutdown().await
    }
}

/// The node that answers: the prefecture's for a terminal of a prefecture, else the national center.
fn answering(prepared: &Prepared) -> Result<NodeId, StartError> {
    let role = if prepared.config.node.prefecture.is_some() {
        NodeRole::PrefectureServer
    } else {
        NodeRole::NationalCenter
    };
    let found = prepared
        .keys
        .directory
        .nodes
        .iter()
        .find(|(_, entry)| entry.role == role);
    found
        .map(|(node, _)| node.clone())
        .ok_or_else(|| StartError::missing("directory.bin: the node that answers"))
}
