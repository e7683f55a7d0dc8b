//! Server of the designated information processing organisation: holds all records, allocates
//! codes, answers national bodies, and keeps the registrar.

mod registrar;

use std::sync::Arc;

use juki_crypto::BodyPermutation;
use juki_dispatch::Service;
use juki_domain::NodeRole;
use juki_journal::{JournalReceiver, Tier};
use juki_node::{EngineHandle, EngineParts, Node, Prepared, ServiceNode, StartError, Stop};
use juki_record_node as records;
use juki_services::cards::CardRegistrar;
use juki_services::codes::CodeAllocator;
use juki_services::orders::{BASIS, OrderDesk, REVOCATION};
use juki_services::query::QueryAnswerer;

use registrar::Registrar;

/// A running national center.
pub struct NationalCenter(ServiceNode);

impl NationalCenter {
    /// What interfaces hold of it.
    #[must_use]
    pub fn handle(&self) -> EngineHandle {
        self.0.handle()
    }
}

impl Node for NationalCenter {
    const ROLE: NodeRole = NodeRole::NationalCenter;

    fn check(prepared: &Prepared) -> Result<(), StartError> {
        records::check_basis(prepared)?;
        Registrar::open(prepared).map(|_| ())
    }

    async fn start(prepared: Arc<Prepared>, stop: Stop) -> Result<Self, StartError> {
        let registry = records::registry(&prepared, true);
        let access = records::access_control(&prepared)?;
        // The permutation hangs on the storage key, which lies outside the data folder: a center
        // that lost only its index goes on where its ledger's counter stands.
        let permutation = BodyPermutation::new(
            *prepared
                .keys
                .storage_key()
                .derive("code permutation")
                .reveal(),
        );
        let timeout_ms = prepared.config.limits.receipt_timeout_ms;
        let now_ms = prepared.machine.clock.now_ms();
        let services: Vec<Box<dyn Service>> = vec![
            Box::new(JournalReceiver::new(
                Tier::National,
                None,
                registry.clone(),
                timeout_ms,
            )),
            Box::new(CodeAllocator::new(permutation)),
            Box::new(records::monitor(None)),
            Box::new(QueryAnswerer::new(
                access,
                &records::NATIONAL_TABLES,
                registry.clone(),
            )),
            Box::new(CardRegistrar::new(records::registrar(&prepared)?, now_ms)),
            Box::new(OrderDesk::new(
                BASIS,
                records::registrar(&prepared)?,
                now_ms,
            )),
            Box::new(OrderDesk::new(
                REVOCATION,
                records::registrar(&prepared)?,
                now_ms,
            )),
        ];
        let registrar = Registrar::open(&prepared)?;
        let index = records::open_index(&prepared)?;
        let parts = EngineParts {
            services,
            index,
            reporter: records::tier_reporter(registry, false),
        };
        ServiceNode::start(prepared, stop, parts, |handle| {
            records::basis_routes(handle.clone(), &records::NATIONAL_TABLES)
                .merge(registrar.routes(handle))
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
