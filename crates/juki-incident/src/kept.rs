//! What the index holds of alerts and neighbours: a fold of the ledger.

use juki_dispatch::View;
use juki_domain::NodeId;
use prost::Message;

use crate::{Alert, KeptCheckpoint, ListedAlert, Neighbour};

/// Alerts that the index holds at most; the ledger has them all.
const KEPT_MAX: u64 = 1_000;
/// Neighbours that a node may have.
const NEIGHBOURS_MAX: usize = 10_000;

const ALERT: u8 = b'a';
const TALLY: u8 = b't';
const SEEN: u8 = b's';
const WINDOW: u8 = b'w';
const NEIGHBOUR: u8 = b'n';

/// Figures beside the alerts.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Tally {
    /// Alerts in the index.
    #[prost(uint64, tag = "1")]
    pub(crate) kept: u64,
    /// The entry of the newest alert that the tier above has.
    #[prost(uint64, tag = "2")]
    pub(crate) passed: u64,
    /// Alerts that left the index before the tier above had them.
    #[prost(uint64, tag = "3")]
    pub(crate) lost: u64,
}

/// The newest alert that was taken of a node.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Seen {
    #[prost(uint64, tag = "1")]
    at_ms: u64,
    #[prost(uint64, tag = "2")]
    evidence: u64,
}

/// Like refusals within a minute: the first is an alert, the others are counted.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Window {
    #[prost(uint64, tag = "1")]
    pub(crate) since_ms: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) counted: u64,
}

pub(crate) fn tally(view: &View) -> Tally {
    read(view, &key(TALLY, &[]))
}

/// Adds an alert under the number of its entry.
pub(crate) fn add(view: &mut View, entry: u64, alert: &Alert) {
    let mut tally = tally(view);
    view.put(alert_key(entry), alert.encode_to_vec());
    tally.kept += 1;
    if tally.kept > KEPT_MAX
        && let Some((oldest, _)) = view.scan(&key(ALERT, &[]), 1).into_iter().next()
    {
        tally.kept -= 1;
        tally.lost += u64::from(entry_of(&oldest) > tally.passed);
        view.delete(oldest);
    }
    view.put(key(TALLY, &[]), tally.encode_to_vec());
}

/// Notes that the tier above has all alerts up to an entry.
pub(crate) fn pass(view: &mut View, through: u64) {
    let mut tally = tally(view);
    tally.passed = tally.passed.max(through);
    view.put(key(TALLY, &[]), tally.encode_to_vec());
}

/// Alerts behind an entry, the oldest first.
pub(crate) fn alerts_after(view: &View, after: u64, limit: usize) -> Vec<(u64, Alert)> {
    let found = view.scan_after(&key(ALERT, &[]), Some(&alert_key(after)), limit);
    let alerts = found
        .into_iter()
        .filter_map(|(key, value)| Some((entry_of(&key), Alert::decode(value.as_slice()).ok()?)));
    alerts.collect()
}

/// The newest alerts, the oldest of them first.
pub(crate) fn newest(view: &View, limit: usize) -> Vec<ListedAlert> {
    let all = view.scan(
        &key(ALERT, &[]),
        usize::try_from(KEPT_MAX).unwrap_or(usize::MAX),
    );
    let skip = all.len().saturating_sub(limit);
    let listed = all.into_iter().skip(skip).map(|(key, value)| ListedAlert {
        entry: entry_of(&key),
        alert: Alert::decode(value.as_slice()).ok(),
    });
    listed.collect()
}

/// Whether an alert of another node was taken already.
pub(crate) fn is_seen(view: &View, alert: &Alert) -> bool {
    let seen: Seen = read(view, &key(SEEN, alert.node.as_bytes()));
    // A node whose ledger was restored counts its entries anew, at a later time.
    alert.evidence <= seen.evidence && alert.at_ms <= seen.at_ms
}

/// Alerts of a node do not come in order of time: a window's sum is told after what came later.
pub(crate) fn note_seen(view: &mut View, alert: &Alert) {
    let before: Seen = read(view, &key(SEEN, alert.node.as_bytes()));
    let seen = Seen {
        at_ms: before.at_ms.max(alert.at_ms),
        evidence: before.evidence.max(alert.evidence),
    };
    view.put(key(SEEN, alert.node.as_bytes()), seen.encode_to_vec());
}

pub(crate) fn window(view: &View, peer: &str, code: &str) -> Option<Window> {
    let value = view.get(&window_key(peer, code))?;
    Window::decode(value).ok()
}

pub(crate) fn put_window(view: &mut View, peer: &str, code: &str, window: &Window) {
    view.put(window_key(peer, code), window.encode_to_vec());
}

pub(crate) fn neighbour(view: &View, node: &NodeId) -> Option<Neighbour> {
    let value = view.get(&key(NEIGHBOUR, node.as_str().as_bytes()))?;
    Neighbour::decode(value).ok()
}

pub(crate) fn put_neighbour(view: &mut View, node: &str, neighbour: &Neighbour) {
    view.put(key(NEIGHBOUR, node.as_bytes()), neighbour.encode_to_vec());
}

pub(crate) fn neighbours(view: &View) -> Vec<KeptCheckpoint> {
    let prefix = key(NEIGHBOUR, &[]);
    let all = view.scan(&prefix, NEIGHBOURS_MAX).into_iter();
    let kept = all.filter_map(|(key, value)| {
        let neighbour = Neighbour::decode(value.as_slice()).ok()?;
        let node = key.get(prefix.len()..)?;
        Some(KeptCheckpoint {
            node: String::from_utf8_lossy(node).into_owned(),
            seq: neighbour.seq,
            kept_ms: neighbour.kept_ms,
        })
    });
    kept.collect()
}

fn read<M: Message + Default>(view: &View, key: &[u8]) -> M {
    view.get(key)
        .and_then(|value| M::decode(value).ok())
        .unwrap_or_default()
}

fn key(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = vec![b'm', kind];
    key.extend_from_slice(rest);
    key
}

fn alert_key(entry: u64) -> Vec<u8> {
    key(ALERT, &entry.to_be_bytes())
}

/// Whoever is no node shares a window with all strangers, so that addresses leave nothing behind.
fn window_key(peer: &str, code: &str) -> Vec<u8> {
    let peer = if peer.parse::<NodeId>().is_ok() {
        peer
    } else {
        ""
    };
    let rest = [peer.as_bytes(), b"\0", code.as_bytes()].concat();
    key(WINDOW, &rest)
}

fn entry_of(key: &[u8]) -> u64 {
    key.last_chunk::<8>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
