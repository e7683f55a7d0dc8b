//! In place of the agency's terminal: one frame for each request, one answer for each answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes as Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use juki_domain::NodeId;
use juki_transport::LinkEvent;
use juki_wire::{Header, MessageId};
use tokio::sync::{mpsc, oneshot};

use super::network::Sizes;
use super::office::{About, Office, new_message};
use crate::failure::Failure;

struct Desk {
    office: Arc<Office>,
    above: NodeId,
    sizes: Sizes,
    waiting: Mutex<HashMap<MessageId, oneshot::Sender<()>>>,
}

impl Desk {
    fn waiting<T>(&self, act: impl FnOnce(&mut HashMap<MessageId, oneshot::Sender<()>>) -> T) -> T {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Its interface; answers are matched to requests for as long as links bring events.
pub(super) fn routes(
    office: Arc<Office>,
    mut events: mpsc::Receiver<LinkEvent>,
    sizes: Sizes,
) -> Result<Router, Failure> {
    let desk = Arc::new(Desk {
        above: office.above()?,
        office,
        sizes,
        waiting: Mutex::default(),
    });
    let answers = Arc::clone(&desk);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let LinkEvent::Frame { frame, .. } = event
                && let Ok((header, _)) = Header::decode(&frame)
                && let Some(waits) = answers.waiting(|waiting| waiting.remove(&header.message_id))
            {
                let _ = waits.send(());
            }
        }
    });
    Ok(Router::new().route("/query", post(ask)).with_state(desk))
}

async fn ask(State(desk): State<Arc<Desk>>, _question: Body) -> Response {
    let message = new_message();
    let (answer, answered) = oneshot::channel();
    desk.waiting(|waiting| waiting.insert(message, answer));
    desk.office
        .send(&desk.above, &About::question(message), desk.sizes.question);
    match answered.await {
        Ok(()) => json(r#"{"outcome":"match","filler":""#, desk.sizes.shown),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// A JSON object that begins like this and has this length.
pub(super) fn json(begin: &str, length: usize) -> Response {
    let filler = "x".repeat(length.saturating_sub(begin.len() + 2));
    (
        [(header::CONTENT_TYPE, "application/json")],
        format!("{begin}{filler}\"}}"),
    )
        .into_response()
}
