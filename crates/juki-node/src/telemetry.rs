//! Logs and metrics.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::arguments::LogFormat;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Sends log lines to standard error and metrics to the recorder that [`render`] reads.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("JUKI_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,quinn=warn,sled=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second start in one process, as in tests, keeps the first one's output.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let _ = metrics::set_global_recorder(recorder);
        handle
    });
}

/// All metrics as Prometheus text.
#[must_use]
pub fn render() -> String {
    METRICS
        .get()
        .map_or_else(String::new, PrometheusHandle::render)
}
