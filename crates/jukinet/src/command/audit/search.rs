//! `jukinet audit search`: requests for identity records.

use std::collections::VecDeque;

use serde_json::json;

use super::ledgers::Ledgers;
use super::requests::{Filter, Request};
use crate::cli::SearchArgs;
use crate::failure::{Ending, Outcome};
use crate::screen::Screen;
use crate::text;

/// Shows the latest requests that are wanted.
pub(super) fn run(args: &SearchArgs, screen: Screen) -> Ending {
    let filter = Filter::new(&args.wanted)?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut found: VecDeque<Request> = VecDeque::new();
    let mut left_out = 0_u64;
    Ledgers::open(&args.sources)?.for_each(|ledger, entry| {
        if let Some(request) = filter.request(ledger, entry) {
            found.push_back(request);
            if found.len() > limit {
                found.pop_front();
                left_out += 1;
            }
        }
        Ok(())
    })?;
    let rows = found.iter().map(row).collect();
    let header = text::audit::search_header(screen.lang);
    screen.table(&header.split('|').collect::<Vec<_>>(), rows);
    screen.line(text::audit::requests_found(
        screen.lang,
        found.len(),
        left_out,
    ));
    screen.document(&json!({"requests": found, "left_out": left_out}))?;
    Ok(Outcome::Held)
}

fn row(request: &Request) -> Vec<String> {
    let result = if request.refusal.is_empty() {
        request.outcome.to_owned()
    } else {
        format!("{} {}", request.outcome, request.refusal)
    };
    vec![
        format!("{} {}", request.date, request.time),
        request.operator.clone(),
        request.terminal.clone(),
        request.body.clone(),
        request.affair.clone(),
        result,
        format!("{} {}", request.node, request.entry),
    ]
}
