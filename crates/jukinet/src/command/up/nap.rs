//! The machine slept, or its clock was set: said once, when the nodes are connected again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use juki_domain::Lang;
use juki_runtime::{ClockJump, ClockReader, ClockWatch};
use serde_json::json;

use super::Start;
use crate::command::status::{Lookout, NodeStatus};
use crate::local_time::clock_text;
use crate::screen::Screen;
use crate::supervisor::{LOG_BYTES_MAX, LogFile};
use crate::text::naps as say;

/// Watches the clocks without end. While nodes come back after a sleep, `quiet` is set: what happens
/// to them then belongs to the sleep.
pub(super) async fn tell(
    start: &Start,
    clocks: impl ClockReader,
    quiet: &AtomicBool,
    screen: Screen,
) {
    let mut watch = ClockWatch::new(clocks);
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        match watch.look() {
            None => {}
            Some(ClockJump::Set { by_ms }) => {
                note(start, &json!({"event": "clock.set", "by_ms": by_ms}));
                screen.line(say::clock_set(screen.lang, by_ms / 1_000));
            }
            Some(ClockJump::Slept { from_ms, to_ms }) => {
                quiet.store(true, Ordering::Relaxed);
                let back = until_connected(start).await;
                quiet.store(false, Ordering::Relaxed);
                note(start, &event(from_ms, to_ms, &back));
                screen.line(sentence(from_ms, to_ms, &back, screen.lang));
            }
        }
    }
}

/// How the nodes came back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Back {
    nodes: usize,
    took: Duration,
    /// Those that did not.
    late: Vec<String>,
}

async fn until_connected(start: &Start) -> Back {
    let lookout = Lookout::new(&start.deployment);
    let began = Instant::now();
    loop {
        let rows = lookout.look().await.rows;
        let own = |row: &&NodeStatus| start.starts(&row.node);
        let late: Vec<String> = rows
            .iter()
            .filter(own)
            .filter(|row| !is_connected(row, start))
            .map(|row| row.node.clone())
            .collect();
        if late.is_empty() || began.elapsed() > BACK_MAX {
            return Back {
                nodes: start.places.len(),
                took: began.elapsed(),
                late,
            };
        }
        tokio::time::sleep(BACK_INTERVAL).await;
    }
}

/// Whether a node works and the link to every peer that it dials and that runs here is up.
fn is_connected(row: &NodeStatus, start: &Start) -> bool {
    row.report.as_ref().is_some_and(|report| {
        let dialled = report.peers.iter().filter(|peer| peer.dialled);
        dialled
            .filter(|peer| start.reaches(&row.node, &peer.name))
            .all(|peer| peer.up)
    })
}

fn sentence(from_ms: u64, to_ms: u64, back: &Back, lang: Lang) -> String {
    let slept = say::slept(
        lang,
        &hour(from_ms),
        &hour(to_ms),
        &duration(to_ms.saturating_sub(from_ms) / 1_000, lang),
    );
    let after = match back.late.len() {
        0 => {
            let seconds = format!("{:.1}", back.took.as_secs_f64());
            say::connected_again(lang, back.nodes, &seconds)
        }
        late => {
            let first = back.late.first().map(String::as_str).unwrap_or_default();
            say::not_connected(lang, back.took.as_secs(), late, first)
        }
    };
    format!("{slept}{after}")
}

fn event(from_ms: u64, to_ms: u64, back: &Back) -> serde_json::Value {
    json!({
        "event": "clock.slept",
        "from_unix_s": from_ms / 1_000,
        "to_unix_s": to_ms / 1_000,
        "nodes": back.nodes,
        "connected_after_ms": u64::try_from(back.took.as_millis()).unwrap_or(u64::MAX),
        "not_connected": back.late,
    })
}

/// One line in the supervisor's log.
fn note(start: &Start, event: &serde_json::Value) {
    let path = start.deployment.logs().join("supervisor.log");
    // The line for people is said in any case.
    let _lost = LogFile::open(&path, LOG_BYTES_MAX)
        .and_then(|mut log| log.write(format!("{event}\n").as_bytes()));
}

/// Hour and minute, UTC.
fn hour(unix_ms: u64) -> String {
    let text = clock_text(unix_ms.saturating_mul(1_000));
    text.get(11..16).unwrap_or_default().to_owned()
}

fn duration(seconds: u64, lang: Lang) -> String {
    match seconds {
        0..120 => say::seconds(lang, seconds),
        120..7_200 => say::minutes(lang, seconds / 60),
        7_200.. => say::hours(lang, seconds / 3_600, seconds / 60 % 60),
    }
}

const LOOK_INTERVAL: Duration = Duration::from_secs(1);
const BACK_INTERVAL: Duration = Duration::from_millis(200);

/// Links whose other end slept longer than they wait are dialled anew within seconds.
const BACK_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: u64 = 1_700_049_600_000;

    fn back(late: &[&str]) -> Back {
        Back {
            nodes: 142,
            took: Duration::from_millis(1_432),
            late: late.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn a_sleep_is_one_sentence_in_both_languages() {
        let (from, to) = (NOON_MS + 3 * 60_000, NOON_MS + 41 * 60_000 + 100);
        assert_eq!(
            sentence(from, to, &back(&[]), Lang::En),
            "the machine slept from 12:03 to 12:41 UTC (38 min); all 142 nodes are connected again after 1.4 s"
        );
        assert_eq!(
            sentence(from, to, &back(&[]), Lang::Ja),
            "計算機は 12:03 から 12:41（UTC）まで眠っていました（38 分）。142 ノードすべてが 1.4 秒後に再び接続しました"
        );
        let late = sentence(from, to, &back(&["cs-352047", "national"]), Lang::En);
        assert!(
            late.ends_with(
                "2 nodes are not connected again after 1 s, cs-352047 among them: jukinet doctor"
            ),
            "{late}"
        );
    }

    #[test]
    fn a_duration_is_told_in_the_unit_that_fits() {
        let told = [6, 119, 120, 7_199, 7_200, 90_061].map(|seconds| duration(seconds, Lang::En));
        assert_eq!(
            told,
            [
                "6 s",
                "119 s",
                "2 min",
                "119 min",
                "2 h 0 min",
                "25 h 1 min"
            ]
        );
    }

    #[test]
    fn the_event_holds_what_the_sentence_says() {
        let event = event(NOON_MS, NOON_MS + 60_000, &back(&["cs-352047"]));
        assert_eq!(event["event"], "clock.slept");
        assert_eq!(event["to_unix_s"], 1_700_049_660_u64);
        assert_eq!(event["not_connected"][0], "cs-352047");
    }
}
