//! The admin API beside a node's work.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use juki_admin::serve;
use tokio::net::UnixStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// How often the socket is tried while nobody answers on it.
const ANSWER_CHECK: Duration = Duration::from_millis(5);

/// A served admin socket.
pub(crate) struct AdminTask {
    socket: PathBuf,
    task: JoinHandle<()>,
    end: Arc<Notify>,
    failed: watch::Receiver<Option<String>>,
}

impl AdminTask {
    /// Begins to serve; where that fails, [`Self::failure`] says so.
    pub(crate) fn start(socket: PathBuf, router: Router) -> Self {
        let end = Arc::new(Notify::new());
        let (failure, failed) = watch::channel(None);
        let (path, told) = (socket.clone(), Arc::clone(&end));
        let task = tokio::spawn(async move {
            if let Err(error) = serve(&path, router, async move { told.notified().await }).await {
                tracing::error!(event = "admin.failed", code = error.code().code(), %error);
                failure.send_replace(Some(error.to_string()));
            }
        });
        Self {
            socket,
            task,
            end,
            failed,
        }
    }

    /// Waits until somebody answers on the socket, so that whoever reads the ready line can ask.
    pub(crate) async fn answers(&self) {
        while UnixStream::connect(&self.socket).await.is_err() {
            tokio::time::sleep(ANSWER_CHECK).await;
        }
    }

    /// Waits until serving fails; a sound one never ends this.
    pub(crate) async fn failure(&self) -> String {
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().unwrap_or_default(),
            Err(_) => "the admin API ended".to_owned(),
        }
    }

    /// Lets requests in work end and removes the socket.
    pub(crate) async fn end(self) {
        self.end.notify_one();
        if let Err(error) = self.task.await {
            tracing::warn!(event = "admin.unfinished", %error);
        }
    }
}
