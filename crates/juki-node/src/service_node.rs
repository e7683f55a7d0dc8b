//! A node with services and its admin API: what most nodes are.

use std::sync::Arc;

use axum::Router;
use juki_admin::{AdminProvider, base_router, serve};
use juki_domain::ErrorCode;

use crate::{Engine, EngineHandle, EngineParts, Prepared, StartError, Stop};

/// An engine with an admin API in front.
pub struct ServiceNode {
    engine: Engine,
    admin: tokio::task::JoinHandle<()>,
    stop: Stop,
    addresses: Vec<(String, String)>,
}

impl ServiceNode {
    /// Starts the engine and serves the admin API with the node's own routes beside the common ones.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(prepared: Arc<Prepared>, stop: Stop, parts: EngineParts, routes: impl FnOnce(EngineHandle) -> Router) -> Result<Self, StartError> {
        let socket = prepared.admin_socket();
        let engine = Engine::start(prepared, parts, stop.clone())?;
        let handle = engine.handle();
        let addresses = handle.transport().bound().iter().map(|(interface, address)| (interface.name().to_owned(), address.to_string())).collect();
        let provider: Arc<dyn AdminProvider> = Arc::new(handle.clone());
        let router = base_router(provider).merge(routes(handle));
        let (asked, failing) = (stop.clone(), stop.clone());
        let admin = tokio::spawn(async move {
            if let Err(error) = serve(&socket, router, async move { asked.asked().await }).await {
                tracing::error!(event = "admin.failed", code = error.code().code(), %error);
                failing.stop();
            }
        });
        Ok(Self { engine, admin, stop, addresses })
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

    /// Waits until every dialled peer is up and gives the addresses.
    pub async fn ready(&self) -> Vec<(String, String)> {
        self.engine.peers_up().await;
        self.addresses.clone()
    }

    /// Waits until the engine fails.
    pub async fn failure(&self) -> String {
        self.engine.failure().await
    }

    /// Ends the admin API, then the engine.
    ///
    /// # Errors
    /// The sentence with which the engine failed.
    pub async fn shutdown(self) -> Result<(), String> {
        self.stop.stop();
        let ended = self.engine.shutdown().await;
        if let Err(error) = self.admin.await {
            tracing::warn!(event = "admin.unfinished", %error);
        }
        ended
    }
}

impl StartError {
    /// A legal-basis table, a peer or a section that this role needs is missing.
    #[must_use]
    pub fn missing(what: &str) -> Self {
        Self::configuration(ErrorCode::ConfigMissingKey, what)
    }
}
