//! A node with services and its admin API: what most nodes are.

use std::sync::Arc;

use axum::Router;
use juki_admin::{AdminProvider, base_router};
use juki_domain::ErrorCode;

use crate::{AdminTask, Engine, EngineHandle, EngineParts, Prepared, StartError, Stop, pki_routes};

/// An engine with an admin API in front.
pub struct ServiceNode {
    engine: Engine,
    admin: AdminTask,
    addresses: Vec<(String, String)>,
}

impl ServiceNode {
    /// Starts the engine and serves the admin API with the node's own routes beside the common ones.
    ///
    /// # Errors
    /// [`StartError`]; then nothing runs any more.
    pub async fn start(
        prepared: Arc<Prepared>,
        stop: Stop,
        parts: EngineParts,
        routes: impl FnOnce(EngineHandle) -> Router,
    ) -> Result<Self, StartError> {
        let engine = Engine::start(Arc::clone(&prepared), parts, stop)?;
        let handle = engine.handle();
        let addresses = handle
            .transport()
            .bound()
            .iter()
            .map(|(interface, address)| (interface.name().to_owned(), address.to_string()))
            .collect();
        let provider: Arc<dyn AdminProvider> = Arc::new(handle.clone());
        let pki = pki_routes(
            Arc::clone(handle.prepared()),
            handle.transport().as_ref().clone(),
        );
        let router = base_router(provider)
            .merge(crate::monitor_api::router(handle.clone()))
            .merge(pki)
            .merge(routes(handle));
        match AdminTask::of(&prepared, router).await {
            Ok(admin) => Ok(Self {
                engine,
                admin,
                addresses,
            }),
            Err(error) => {
                if let Err(sentence) = engine.shutdown().await {
                    tracing::error!(event = "engine.failed", error = sentence);
                }
                Err(error)
            }
        }
    }

    /// What interfaces hold.
    #[must_use]
    pub fn handle(&self) -> EngineHandle {
        self.engine.handle()
    }

    /// Names another address in the ready line.
    pub fn add_address(&mut self, name: &str, address: String) {
        self.addresses.push((name.to_owned(), address));
    }

    /// Waits until every dialled peer is up and gives the addresses. The admin API answers since the start.
    pub async fn ready(&self) -> Vec<(String, String)> {
        self.engine.peers_up().await;
        self.addresses.clone()
    }

    /// Waits until the engine or the admin API fails.
    pub async fn failure(&self) -> String {
        tokio::select! {
            biased;
            failure = self.engine.failure() => failure,
            failure = self.admin.failure() => failure,
        }
    }

    /// Ends the admin API, then the engine.
    ///
    /// # Errors
    /// The sentence with which the engine failed.
    pub async fn shutdown(self) -> Result<(), String> {
        self.admin.end().await;
        self.engine.shutdown().await
    }
}

impl StartError {
    /// A legal-basis table, a peer or a section that this role needs is missing.
    #[must_use]
    pub fn missing(what: &str) -> Self {
        Self::configuration(ErrorCode::ConfigMissingKey, what)
    }
}
