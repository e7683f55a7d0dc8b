//! In place of a communication server: each change durable here, then up in blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_transport::LinkEvent;
use juki_wire::Header;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::durable_log::DurableLog;
use super::network::Sizes;
use super::office::{About, Office};
use super::terminal;
use super::tier::NATIONAL;
use crate::failure::Failure;

/// Entries of one block, as many as the network's blocks hold.
const BLOCK_MAX: u64 = 200;

struct Desk {
    log: DurableLog,
    sizes: Sizes,
    written: AtomicU64,
    at_prefecture: AtomicU64,
    at_national: AtomicU64,
    turn: Notify,
}

/// Its interface; blocks go up one at a time for as long as links bring confirmations.
pub(super) fn routes(
    office: Arc<Office>,
    events: mpsc::Receiver<LinkEvent>,
    log: DurableLog,
    sizes: Sizes,
) -> Result<Router, Failure> {
    let above = office.above()?;
    let desk = Arc::new(Desk {
        log,
        sizes,
        written: AtomicU64::new(0),
        at_prefecture: AtomicU64::new(0),
        at_national: AtomicU64::new(0),
        turn: Notify::new(),
    });
    tokio::spawn(hear(events, Arc::clone(&desk)));
    let sender = Arc::clone(&desk);
    tokio::spawn(async move {
        let mut sent = 0;
        loop {
            let written = sender.written.load(Ordering::Acquire);
            if written > sent && sender.at_prefecture.load(Ordering::Acquire) == sent {
                let entries = (written - sent).min(BLOCK_MAX);
                sent += entries;
                let length = sender.sizes.block
                    + usize::try_from(entries).unwrap_or(0) * sender.sizes.entry_on_line;
                office.send(&above, &About::journal(sent), length);
            }
            sender.turn.notified().await;
        }
    });
    Ok(Router::new()
        .route("/v1/changes", post(change))
        .route("/status", get(status))
        .with_state(desk))
}

async fn hear(mut events: mpsc::Receiver<LinkEvent>, desk: Arc<Desk>) {
    while let Some(event) = events.recv().await {
        if let LinkEvent::Frame { frame, .. } = event
            && let Ok((header, _)) = Header::decode(&frame)
        {
            let number = header.sequence & !NATIONAL;
            if header.sequence == number {
                desk.at_prefecture.fetch_max(number, Ordering::AcqRel);
            } else {
                desk.at_national.fetch_max(number, Ordering::AcqRel);
            }
            desk.turn.notify_one();
        }
    }
}

async fn change(State(desk): State<Arc<Desk>>, _change: Body) -> Response {
    if desk.log.append(desk.sizes.entry).await.is_err() {
        return StatusCode::INSUFFICIENT_STORAGE.into_response();
    }
    desk.written.fetch_add(1, Ordering::AcqRel);
    desk.turn.notify_one();
    terminal::json(r#"{"state":"at-cs","filler":""#, desk.sizes.accepted)
}

async fn status(State(desk): State<Arc<Desk>>) -> Json<Value> {
    let written = desk.written.load(Ordering::Acquire);
    let behind = written - desk.at_national.load(Ordering::Acquire).min(written);
    Json(json!({"journal": {"head": written}, "behind": behind}))
}
