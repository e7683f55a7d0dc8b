//! What a wrong `node.toml` or `network.toml` is told: code, line, key and fix.

mod examples;
mod fit;
mod form;
mod network;
