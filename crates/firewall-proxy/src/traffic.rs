//! Totals of what passed and what was refused since the start, for status and metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use juki_domain::{ErrorCode, ServiceId};
use metrics::Counter;
use serde_json::{Value, json};

/// Counts frames; shared by the forwarder, which adds, and the admin API, which reads.
pub(crate) struct Traffic {
    passed: Vec<Passed>,
    refused: Mutex<BTreeMap<ErrorCode, u64>>,
}

/// The metrics' handles are kept, since looking them up costs more than passing a frame.
struct Passed {
    service: ServiceId,
    frames: AtomicU64,
    bytes: AtomicU64,
    frames_metric: Counter,
    bytes_metric: Counter,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        let passed = ServiceId::ALL.into_iter().map(|service| Passed {
            service,
            frames: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            frames_metric: metrics::counter!("juki_frames_passed_total", "service" => service.name()),
            bytes_metric: metrics::counter!("juki_frames_passed_bytes_total", "service" => service.name()),
        });
        Self {
            passed: passed.collect(),
            refused: Mutex::default(),
        }
    }

    pub(crate) fn pass(&self, service: ServiceId, bytes: usize) {
        let Some(passed) = self.passed.iter().find(|passed| passed.service == service) else {
            return;
        };
        let bytes = bytes as u64;
        passed.frames.fetch_add(1, Ordering::Relaxed);
        passed.bytes.fetch_add(bytes, Ordering::Relaxed);
        passed.frames_metric.increment(1);
        passed.bytes_metric.increment(bytes);
    }

    pub(crate) fn refuse(&self, code: ErrorCode) {
        metrics::counter!("juki_frames_refused_total", "error_code" => code.code()).increment(1);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(code).or_default() += 1;
    }

    /// What the status says: frames and bytes that passed by service, frames refused by code.
    pub(crate) fn report(&self) -> [(String, Value); 2] {
        let passed: BTreeMap<&str, Value> = self
            .passed
            .iter()
            .map(|passed| {
                let (frames, bytes) = (
                    passed.frames.load(Ordering::Relaxed),
                    passed.bytes.load(Ordering::Relaxed),
                );
                (
                    passed.service.name(),
                    json!({"frames": frames, "bytes": bytes}),
                )
            })
            .collect();
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let refused: BTreeMap<&str, u64> = refused
            .iter()
            .map(|(code, count)| (code.code(), *count))
            .collect();
        [
            ("passed".to_owned(), json!(passed)),
            ("refused".to_owned(), json!(refused)),
        ]
    }
}
