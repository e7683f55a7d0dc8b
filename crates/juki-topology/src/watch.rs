//! From when on a firewall's detectors raise an alert.

use juki_domain::ServiceId;
use serde::{Deserialize, Serialize};

use crate::hours::Hours;
use crate::text_form;

/// Thresholds of a firewall's detectors; each counts within one window for one peer or interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// How long like events are gathered into one alert: 1 second to 1 hour.
    pub window_s: u32,
    /// Different combinations of service, source and destination that one peer tried in vain: a scan.
    pub scan_combinations: u32,
    /// Failed or refused handshakes on one interface.
    pub handshake_failures: u32,
    /// Frames of one peer whose source it does not speak for.
    pub forged_headers: u32,
    /// Frames of one peer refused for their rate.
    pub rate_refusals: u32,
    /// Frames outside their rule's hours, or passed outside `hours`.
    pub off_hours_frames: u32,
    /// Hours in which the services below are usual; without this only the rules' own hours count.
    #[serde(
        default,
        with = "text_form::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub hours: Option<Hours>,
    /// The services that `hours` is about.
    #[serde(with = "text_form::list")]
    pub hours_services: Vec<ServiceId>,
    /// How many times its usual bytes a flow may carry in an interval.
    pub spike_factor: u32,
    /// Bytes in an interval below which nothing is a spike.
    pub spike_bytes_min: u64,
    /// How long an interval is: 1 second to 1 hour.
    pub spike_interval_s: u32,
    /// Intervals after which a flow's usual volume counts as known.
    pub spike_warm_up: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            window_s: 60,
            scan_combinations: 6,
            handshake_failures: 10,
            forged_headers: 3,
            rate_refusals: 100,
            off_hours_frames: 1,
            hours: None,
            hours_services: vec![ServiceId::Query],
            spike_factor: 8,
            spike_bytes_min: 16 * 1024 * 1024,
            spike_interval_s: 10,
            spike_warm_up: 30,
        }
    }
}

impl Watch {
    /// The first key that is out of bounds, with what to write.
    pub(crate) fn out_of_bounds(&self) -> Option<(&'static str, &'static str)> {
        let seconds = "is out of bounds; write 1 to 3600";
        let count = "is out of bounds; write 1 to 1000000";
        let is_time = |value: u32| (1..=3_600).contains(&value);
        let is_count = |value: u32| (1..=1_000_000).contains(&value);
        let checks = [
            ("window_s", is_time(self.window_s), seconds),
            ("scan_combinations", is_count(self.scan_combinations), count),
            (
                "handshake_failures",
                is_count(self.handshake_failures),
                count,
            ),
            ("forged_headers", is_count(self.forged_headers), count),
            ("rate_refusals", is_count(self.rate_refusals), count),
            ("off_hours_frames", is_count(self.off_hours_frames), count),
            ("spike_factor", is_count(self.spike_factor), count),
            ("spike_interval_s", is_time(self.spike_interval_s), seconds),
            ("spike_warm_up", is_count(self.spike_warm_up), count),
        ];
        checks
            .into_iter()
            .find(|(_, fits, _)| !fits)
            .map(|(key, _, sentence)| (key, sentence))
    }
}
