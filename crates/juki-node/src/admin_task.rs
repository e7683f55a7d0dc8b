//! The admin API beside a node's work.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use juki_admin::{AdminSocket, ServeError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::{Prepared, StartError};

/// How long the admin API may take to end; the server itself gives requests in work two seconds.
const END_MAX: Duration = Duration::from_secs(5);

/// A served admin socket: whoever holds this can be asked.
pub struct AdminTask {
    /// None on a machine that serves no interfaces.
    task: Option<JoinHandle<()>>,
    end: Arc<Notify>,
    failed: watch::Receiver<Option<String>>,
}

impl AdminTask {
    /// The admin API of a node, where its machine serves one.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn of(prepared: &Prepared, router: Router) -> Result<Self, StartError> {
        if prepared.machine.serves {
            return Self::start(&prepared.admin_socket(), router).await;
        }
        Ok(Self {
            task: None,
            end: Arc::default(),
            failed: watch::Sender::new(None).subscribe(),
        })
    }

    /// Binds the socket and serves the routes on it. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] naming the socket and what is in its way.
    pub async fn start(socket: &Path, router: Router) -> Result<Self, StartError> {
        let bound = AdminSocket::bind(socket)
            .await
            .map_err(|error| StartError::failed(error.code(), with_causes(&error)))?;
        let end = Arc::new(Notify::new());
        let (failure, failed) = watch::channel(None);
        let told = Arc::clone(&end);
        let task = tokio::spawn(async move {
            if let Err(error) = bound
                .serve(router, async move { told.notified().await })
                .await
            {
                tracing::error!(
                    event = "admin.failed",
                    code = error.code().code(),
                    error = with_causes(&error)
                );
                failure.send_replace(Some(with_causes(&error)));
            }
        });
        Ok(Self {
            task: Some(task),
            end,
            failed,
        })
    }

    /// Waits until serving fails; a sound one never ends this.
    pub async fn failure(&self) -> String {
        if self.task.is_none() {
            return std::future::pending().await;
        }
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().unwrap_or_default(),
            Err(_) => "the admin API ended".to_owned(),
        }
    }

    /// Lets requests in work end, for some seconds at most, and removes the socket.
    pub async fn end(self) {
        let Some(mut task) = self.task else {
            return;
        };
        self.end.notify_one();
        match tokio::time::timeout(END_MAX, &mut task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(event = "admin.unfinished", %error),
            Err(late) => {
                task.abort();
                tracing::warn!(event = "admin.unfinished", error = %late);
            }
        }
    }
}

fn with_causes(error: &ServeError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use juki_admin::AdminClient;
    use juki_domain::ErrorCode;
    use serde_json::{Value, json};

    use super::*;

    fn router() -> Router {
        Router::new()
            .route("/now", get(|| async { axum::Json(json!("now")) }))
            .route("/never", get(std::future::pending::<axum::Json<Value>>))
    }

    #[tokio::test]
    async fn a_started_admin_api_answers_at_once_and_takes_its_socket_away_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("admin.sock");
        let task = AdminTask::start(&socket, router()).await.unwrap();
        assert_eq!(
            AdminClient::new(&socket)
                .get_json::<Value>("/now")
                .await
                .unwrap(),
            json!("now")
        );
        task.end().await;
        assert!(!socket.exists());
    }

    #[tokio::test]
    async fn a_socket_that_another_process_serves_or_that_has_no_folder_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("admin.sock");
        let _served = AdminTask::start(&socket, router()).await.unwrap();
        let second = AdminTask::start(&socket, router()).await.err().unwrap();
        assert_eq!((second.code, second.exit), (ErrorCode::AlreadyRunning, 1));
        let nowhere = folder.path().join("nothing/admin.sock");
        let refused = AdminTask::start(&nowhere, router()).await.err().unwrap();
        assert_eq!((refused.code, refused.exit), (ErrorCode::DiskFailed, 1));
        assert!(
            refused.sentence.contains("nothing/admin.sock")
                && refused.sentence.contains("No such file"),
            "{}",
            refused.sentence
        );
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_keep_the_node_from_ending() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("admin.sock");
        let task = AdminTask::start(&socket, router()).await.unwrap();
        let client = AdminClient::new(&socket);
        let _asked = tokio::spawn(async move { client.get_json::<Value>("/never").await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        tokio::time::timeout(END_MAX, task.end()).await.unwrap();
        assert!(!socket.exists());
    }

    #[tokio::test]
    async fn a_socket_that_fails_while_it_is_served_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("admin.sock");
        let task = AdminTask::start(&socket, router()).await.unwrap();
        // The server finds at its end that somebody took its socket away.
        std::fs::remove_file(&socket).unwrap();
        task.end.notify_one();
        assert!(task.failure().await.contains("admin.sock"));
    }
}
