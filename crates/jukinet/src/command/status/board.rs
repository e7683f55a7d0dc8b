//! The view of `status --watch`: totals, what happened lately, the worst nodes first.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

use comfy_table::{Table, presets};
use juki_domain::{Lang, NodeRole};

use super::NodeStatus;
use crate::supervisor::ProcessState;
use crate::text::{self, watch as say};

/// What was seen before, and what has changed since.
#[derive(Debug, Default)]
pub(super) struct Board {
    before: HashMap<String, (String, u32)>,
    events: VecDeque<String>,
}

/// The terminal, in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) lines: usize,
}

impl Board {
    /// Notes what has changed since the last look; `time` is that of this look.
    pub(super) fn note(&mut self, rows: &[NodeStatus], time: &str, lang: Lang) {
        for row in rows {
            let now = (row.state.clone(), row.pid);
            let Some(before) = self.before.insert(row.node.clone(), now) else {
                continue;
            };
            if before.0 != row.state {
                let event = say::state_changed(lang, time, &row.node, &before.0, &row.state);
                self.events.push_back(event);
            } else if before.1 != row.pid {
                self.events
                    .push_back(say::started_anew(lang, time, &row.node));
            }
        }
        while self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    /// The lines that fit the terminal.
    pub(super) fn paint(
        &self,
        rows: &[NodeStatus],
        date: &str,
        size: Size,
        lang: Lang,
    ) -> Vec<String> {
        let mut lines = vec![
            say::head(lang, ready(rows), rows.len(), date),
            kinds(rows, lang),
            sums(rows, lang),
        ];
        if self.events.is_empty() {
            lines.push(say::nothing_changed(lang));
        }
        lines.extend(self.events.iter().cloned());
        lines.push(String::new());
        // Its own head, and one line for those that are not shown.
        let room = size.lines.saturating_sub(lines.len() + 2).max(1);
        let sorted = worst_first(rows);
        let (shown, hidden) = sorted.split_at(room.min(sorted.len()));
        lines.extend(table(shown, lang));
        if !hidden.is_empty() {
            let quiet = hidden.iter().all(|row| rank(row) == Rank::Quiet);
            lines.push(say::not_shown(lang, hidden.len(), quiet));
        }
        lines
            .into_iter()
            .map(|line| fitting(line.trim_end(), size.columns))
            .collect()
    }
}

/// How urgently a node wants to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Failed,
    Restarting,
    Starting,
    Connecting,
    Stopped,
    Behind,
    Quiet,
}

fn rank(row: &NodeStatus) -> Rank {
    match row.state.as_str() {
        "failed" => Rank::Failed,
        "restarting" => Rank::Restarting,
        "starting" => Rank::Starting,
        "connecting" => Rank::Connecting,
        "stopped" => Rank::Stopped,
        _ if row.behind > 0 => Rank::Behind,
        _ => Rank::Quiet,
    }
}

/// The worst first; among equals those with most memory, by powers of two, so that rows do not change
/// places over some kilobytes; then the network's order.
fn worst_first(rows: &[NodeStatus]) -> Vec<&NodeStatus> {
    let mut sorted: Vec<&NodeStatus> = rows.iter().collect();
    sorted.sort_by_key(|row| {
        let memory = row.rss_bytes.checked_ilog2().unwrap_or(0);
        (rank(row), Reverse(memory))
    });
    sorted
}

fn ready(rows: &[NodeStatus]) -> usize {
    let is_ready = |row: &&NodeStatus| row.state == ProcessState::Ready.name();
    rows.iter().filter(is_ready).count()
}

fn kinds(rows: &[NodeStatus], lang: Lang) -> String {
    let of = |role: NodeRole| {
        let own: Vec<NodeStatus> = rows
            .iter()
            .filter(|row| row.kind == role.program())
            .cloned()
            .collect();
        let label = say::kind(lang, role);
        (!own.is_empty()).then(|| format!("{label} {}/{}", ready(&own), own.len()))
    };
    let kinds: Vec<String> = NodeRole::ALL.into_iter().filter_map(of).collect();
    kinds.join("  ")
}

fn sums(rows: &[NodeStatus], lang: Lang) -> String {
    let residents = |role: NodeRole| -> u64 {
        let own = rows.iter().filter(|row| row.kind == role.program());
        own.filter_map(|row| row.report.as_ref())
            .map(|report| report.residents)
            .sum()
    };
    let behind: u64 = rows
        .iter()
        .filter(|row| row.kind == NodeRole::MunicipalCs.program())
        .map(|row| row.behind)
        .sum();
    let memory: u64 = rows.iter().map(|row| row.rss_bytes).sum();
    say::sums(
        lang,
        residents(NodeRole::MunicipalCs),
        residents(NodeRole::NationalCenter),
        behind,
        memory >> 20,
    )
}

fn table(rows: &[&NodeStatus], lang: Lang) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        text::head_node(lang),
        text::head_kind(lang),
        text::head_state(lang),
        text::head_behind(lang),
        text::head_memory(lang),
        text::head_pid(lang),
        text::head_address(lang),
    ]);
    for row in rows {
        table.add_row([
            row.node.clone(),
            row.kind.clone(),
            row.state.clone(),
            row.behind.to_string(),
            format!("{} MiB", row.rss_bytes >> 20),
            row.pid.to_string(),
            row.address.clone(),
        ]);
    }
    table.to_string().lines().map(str::to_owned).collect()
}

/// The part of a line that fits; letters of East Asia take two columns.
fn fitting(line: &str, columns: usize) -> String {
    let mut used = 0;
    line.chars()
        .take_while(|letter| {
            used += if ('\u{1100}'..='\u{fffd}').contains(letter) && !is_narrow(*letter) {
                2
            } else {
                1
            };
            used <= columns
        })
        .collect()
}

/// Dashes, arrows, lines: above U+1100 and yet narrow.
fn is_narrow(letter: char) -> bool {
    ('\u{2000}'..'\u{2e80}').contains(&letter)
}

/// What happened before is in the supervisor's log.
const EVENTS_MAX: usize = 3;

#[cfg(test)]
mod tests;
