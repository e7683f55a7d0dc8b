//! Reminds of the end of the node's certificate: once a day from thirty days before it on.

use std::path::PathBuf;
use std::time::Duration;

use juki_pki::Expiry;
use juki_runtime::{Clock as _, SystemClock};

/// When a reminder is due.
#[derive(Debug, Default)]
struct Reminder {
    told: Option<(u64, Expiry)>,
}

impl Reminder {
    /// How near the end is, where that is to be told now: once a day, and when it gets nearer.
    fn due(&mut self, not_after_s: u64, now_s: u64) -> Option<Expiry> {
        let expiry = Expiry::of(not_after_s, now_s);
        let now = (now_s / DAY_S, expiry);
        if !expiry.warns() || self.told == Some(now) {
            return None;
        }
        self.told = Some(now);
        Some(expiry)
    }
}

/// Looks at the certificate in its file, which is always the one in force, again and again.
pub(crate) async fn remind(certificate: PathBuf) {
    let mut reminder = Reminder::default();
    loop {
        let now_s = SystemClock.now_ms() / 1000;
        let chain = juki_pki::read_certificates(&certificate).unwrap_or_default();
        let end = chain
            .first()
            .and_then(|own| juki_pki::not_after_of(own).ok());
        if let Some(end) = end
            && let Some(expiry) = reminder.due(end, now_s)
        {
            let days = end.saturating_sub(now_s) / DAY_S;
            tracing::warn!(
                event = "certificate.ends_soon",
                class = expiry.name(),
                days,
                not_after_unix_s = end
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

const DAY_S: u64 = 86_400;
/// A certificate made for an exercise may end within minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_comes_once_a_day_and_when_the_end_gets_nearer() {
        let midnight = 20_000 * DAY_S;
        let end = midnight + 8 * DAY_S + 100;
        let mut reminder = Reminder::default();
        assert_eq!(reminder.due(end, midnight - 23 * DAY_S), None);
        assert_eq!(reminder.due(end, midnight), Some(Expiry::Month));
        assert_eq!(reminder.due(end, midnight + 60), None);
        // Seven days before the end, on the same day as the reminder before it.
        assert_eq!(reminder.due(end, midnight + DAY_S), Some(Expiry::Month));
        assert_eq!(
            reminder.due(end, midnight + DAY_S + 100),
            Some(Expiry::Week)
        );
        assert_eq!(reminder.due(end, midnight + DAY_S + 200), None);
        assert_eq!(reminder.due(end, midnight + 2 * DAY_S), Some(Expiry::Week));
        assert_eq!(reminder.due(end, end + 1), Some(Expiry::Ended));
    }
}
