//! The admin API that every node serves on a Unix socket: types, server, client.
//!
//! HTTP/1 on a socket of mode 0600. Every refusal is a problem document (RFC 9457) built from an
//! [`juki_domain::ErrorCode`]: see [`Problem`].

mod api;
mod client;
mod client_error;
mod file_body;
mod lines;
mod problem;
mod server;

pub use api::{Hop, NodeState, PeerReport, StatusReport};
pub use client::AdminClient;
pub use client_error::ClientError;
pub use lines::{JSON_LINES, accepts_json_lines, lines_response};
pub use problem::{JsonBody, Problem, accepted_lang};
pub use server::{AdminProvider, AdminSocket, BODY_BYTES_MAX, ServeError, base_router, serve};
