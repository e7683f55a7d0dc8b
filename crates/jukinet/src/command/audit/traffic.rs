//! `jukinet audit traffic`: the history of communication, run by run.

use std::collections::VecDeque;

use juki_audit::TRAFFIC_RUN;
use juki_dispatch::{COMMUNICATION, CommunicationRecord};
use juki_ledger::Entry;
use prost::Message as _;
use serde::Serialize;
use serde_json::json;

use super::analyse::clock;
use super::ledgers::{Ledgers, OpenLedger};
use crate::cli::TrafficArgs;
use crate::failure::{Ending, Outcome};
use crate::screen::Screen;
use crate::text;

/// One run of like frames.
#[derive(Debug, Serialize)]
struct Run {
    node: String,
    entry: u64,
    from: String,
    to: String,
    service: String,
    code: String,
    first: String,
    last: String,
    first_ms: u64,
    last_ms: u64,
    frames: u64,
    bytes: u64,
}

/// Shows the latest runs that are wanted.
pub(super) fn run(args: &TrafficArgs, screen: Screen) -> Ending {
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut found: VecDeque<Run> = VecDeque::new();
    let mut left_out = 0_u64;
    Ledgers::open(&args.sources)?.for_each(|ledger, entry| {
        if let Some(run) = wanted(args, ledger, entry) {
            found.push_back(run);
            if found.len() > limit {
                found.pop_front();
                left_out += 1;
            }
        }
        Ok(())
    })?;
    let rows = found.iter().map(|run| {
        vec![
            format!("{} - {}", run.first, run.last),
            run.from.clone(),
            run.to.clone(),
            run.service.clone(),
            run.frames.to_string(),
            run.bytes.to_string(),
            run.code.clone(),
            format!("{} {}", run.node, run.entry),
        ]
    });
    let header = text::audit::traffic_header(screen.lang);
    screen.table(&header.split('|').collect::<Vec<_>>(), rows.collect());
    screen.line(text::audit::runs_found(screen.lang, found.len(), left_out));
    screen.document(&json!({"runs": found, "left_out": left_out}))?;
    Ok(Outcome::Held)
}

fn wanted(args: &TrafficArgs, ledger: &OpenLedger, entry: &Entry) -> Option<Run> {
    if entry.kind != COMMUNICATION && entry.kind != TRAFFIC_RUN {
        return None;
    }
    let run = CommunicationRecord::decode(entry.payload.as_slice()).ok()?;
    let (first, last) = (
        ledger.source.moment(run.first_ms),
        ledger.source.moment(run.last_ms),
    );
    let is_wanted = args.days.contain(last.date)
        && args
            .service
            .as_deref()
            .is_none_or(|service| service == run.service)
        && args
            .peer
            .as_deref()
            .is_none_or(|peer| peer == run.from || peer == run.to)
        && (!args.refused || !run.code.is_empty());
    is_wanted.then(|| Run {
        node: ledger.source.node.to_string(),
        entry: entry.seq,
        from: run.from,
        to: run.to,
        service: run.service,
        code: run.code,
        first: clock(&first),
        last: clock(&last),
        first_ms: run.first_ms,
        last_ms: run.last_ms,
        frames: run.count,
        bytes: run.bytes,
    })
}
