//! Server of one prefecture: holds its municipalities' records, passes their blocks on, designates
//! codes, answers the prefecture's own offices.

use std::sync::Arc;

use juki_dispatch::Service;
use juki_domain::{NodeId, NodeRole};
use juki_journal::{JournalReceiver, Tier};
use juki_node::{EngineHandle, EngineParts, Node, Prepared, ServiceNode, StartError, Stop};
use juki_record_node as records;
use juki_services::codes::CodeDesignator;
use juki_services::query::QueryAnswerer;

/// A running prefecture server.
pub struct PrefectureServer(ServiceNode);

impl PrefectureServer {
    /// What interfaces hold of it.
    #[must_use]
    pub fn handle(&self) -> EngineHandle {
        self.0.handle()
    }
}

impl Node for PrefectureServer {
    const ROLE: NodeRole = NodeRole::PrefectureServer;

    fn check(prepared: &Prepared) -> Result<(), StartError> {
        records::check_basis(prepared)?;
        upper(prepared).map(|_| ())
    }

    async fn start(prepared: Arc<Prepared>, stop: Stop) -> Result<Self, StartError> {
        let upper = upper(&prepared)?;
        let registry = records::registry(&prepared, true);
        let access = records::access_control(&prepared)?;
        let timeout_ms = prepared.config.limits.receipt_timeout_ms;
        let services: Vec<Box<dyn Service>> = vec![
            Box::new(JournalReceiver::new(
                Tier::Prefecture,
                Some(upper.clone()),
                registry.clone(),
                timeout_ms,
            )),
            Box::new(CodeDesignator::new(upper.clone())),
            Box::new(records::monitor(Some(upper))),
            Box::new(QueryAnswerer::new(
                access,
                &records::PREFECTURE_TABLES,
                registry.clone(),
            )),
        ];
        let index = records::open_index(&prepared)?;
        let reporter = records::tier_reporter(registry, true);
        let parts = EngineParts {
            services,
            index,
            reporter,
        };
        ServiceNode::start(prepared, stop, parts, |handle| {
            records::basis_routes(handle, &records::PREFECTURE_TABLES)
        })
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

fn upper(prepared: &Prepared) -> Result<NodeId, StartError> {
    records::only_node(prepared, NodeRole::NationalCenter)
}
