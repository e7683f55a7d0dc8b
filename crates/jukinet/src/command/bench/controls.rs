//! What the protections cost, and how fast and how surely they take effect.

use std::path::Path;

use juki_admin::Hop;
use juki_domain::ErrorCode;
use serde_json::Value;

use super::bare::{BareNetwork, Sizes};
use super::figures::{Figures, quantile};
use super::{ASKED, SCALE, SEED, alert, analysis, change, flood, query, revocation, verify};
use crate::cli::Preset;
use crate::failure::Failure;
use crate::live_network::{LiveNetwork, Sample};
use crate::screen::Screen;
use crate::text;

const TOWN: &str = "cs-352047";
const WRITTEN: usize = 1_280;
/// Questions and changes at once, as many as a bench query has.
const IN_FLIGHT: usize = 64;

/// All of it, each figure by itself.
pub(super) async fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    verify::measure(&folder.join("ledger"), runs, figures, screen)?;
    analysis::analysis_rows(runs, figures)?;
    revocation::measure(&folder.join("prefecture"), runs, figures, screen).await?;
    alert::measure(&folder.join("alert"), runs, figures, screen).await?;
    throughput(folder, runs, figures, screen).await
}

/// The network and the bare pipeline take turns on the same machine.
async fn throughput(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    screen.line(text::bench_preparing(screen.lang));
    let mut network = LiveNetwork::make(&folder.join("real"), Preset::Demo, SEED, SCALE, screen)?;
    let stand_in = LiveNetwork::make(&folder.join("bare"), Preset::Demo, SEED, SCALE, screen)?;
    network.start(screen).await?;
    let measured = async {
        network.load(screen).await?;
        let sizes = sizes(&network, screen).await?;
        let bare = BareNetwork::start(&stand_in, sizes).await?;
        let both = Both {
            network: &network,
            stand_in: &stand_in,
            // Whoever moves is no longer found under the address of the files.
            asked: network.samples(TOWN, WRITTEN + ASKED)?.split_off(WRITTEN),
            written: network.samples(TOWN, WRITTEN)?,
            date: network.civil_date()?,
        };
        for run in 1..=runs {
            screen.line(text::bench_run(screen.lang, run, runs));
            both.run(run, figures, screen).await?;
        }
        bare.stop().await;
        flood::measure(&network, &both.asked, runs, figures, screen).await
    }
    .await;
    network.stop().await?;
    measured
}

struct Both<'a> {
    network: &'a LiveNetwork,
    stand_in: &'a LiveNetwork,
    asked: Vec<Sample>,
    written: Vec<Sample>,
    date: String,
}

impl Both<'_> {
    async fn run(&self, run: u32, figures: &mut Figures, screen: Screen) -> Result<(), Failure> {
        // A grant lives fifteen minutes; every run has its own.
        self.network.log_in(screen).await?;
        let mut rates = Vec::new();
        let mut tails = Vec::new();
        for network in [self.stand_in, self.network] {
            let times = query::serial(&network.terminal(screen)?, &self.asked).await?;
            tails.push(quantile(&times, 0.99));
            let queries = query::busy(network, &self.asked, screen).await?;
            let (changes, _) = change::rate(
                network,
                (&self.written, IN_FLIGHT),
                (run, &self.date),
                screen,
            )
            .await?;
            rates.push((queries, changes));
        }
        let (&[bare, real], &[bare_tail, tail]) = (rates.as_slice(), tails.as_slice()) else {
            return Ok(());
        };
        figures.add("bare_query_per_s", "1/s", bare.0);
        figures.add("bare_change_per_s", "1/s", bare.1);
        figures.add("bare_query_p99_ms", "ms", bare_tail);
        figures.add("query_per_s", "1/s", real.0);
        figures.add("change_per_s", "1/s", real.1);
        figures.add("query_p99_ms", "ms", tail);
        let (queries, changes) = (real.0 / bare.0, real.1 / bare.1);
        figures.add("controls_query_ratio", "1", queries);
        figures.add("controls_change_ratio", "1", changes);
        // Each of the two must hold: no gain of one makes up for a loss of the other.
        figures.add("controls_throughput_ratio", "1", queries.min(changes));
        figures.add("controls_p99_added_ms", "ms", tail - bare_tail);
        Ok(())
    }
}

/// Lengths as they are in this network now: what the controls add to frames is in them.
async fn sizes(network: &LiveNetwork, screen: Screen) -> Result<Sizes, Failure> {
    network.log_in(screen).await?;
    let sample = network.sample(TOWN)?;
    let terminal = network.terminal(screen)?;
    // The first opens the session and is longer than those that follow.
    let _first: Value = terminal
        .post_json("/query", &query::question(&sample))
        .await?;
    let answer: Value = terminal
        .post_json("/query", &query::question(&sample))
        .await?;
    let message = answer
        .get("message_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let hops: Vec<Hop> = terminal.get_json(&format!("/trace/{message}")).await?;
    let lengths: Vec<usize> = hops
        .iter()
        .filter_map(|hop| usize::try_from(hop.length).ok())
        .collect();
    let &[question, answered] = lengths.as_slice() else {
        let what = format!("a question's way: {answer} {hops:?}");
        return Err(Failure::new(ErrorCode::CheckFailed, what));
    };
    let date = network.civil_date()?;
    let accepted = network
        .submit(TOWN, &change::change("sizes", &sample, &date, 1), screen)
        .await?;
    Ok(Sizes {
        question,
        answer: answered,
        shown: answer.to_string().len(),
        audit_record: AUDIT_RECORD,
        entry: ENTRY,
        entry_on_line: ENTRY_ON_LINE,
        block: BLOCK,
        receipt: RECEIPT,
        accepted: accepted.to_string().len(),
    })
}

// Of the network's own ledgers and firewalls, read while it was measured.

/// Bytes that an audit record takes in the center's ledger, its leaf included.
const AUDIT_RECORD: usize = 468;
/// Bytes that a change of address takes in its server's ledger: two entries with their leaves.
const ENTRY: usize = 320;
/// Bytes that it adds to a compressed block.
const ENTRY_ON_LINE: usize = 55;
/// Bytes of a block's frame without entries.
const BLOCK: usize = 350;
/// Bytes of a receipt's frame.
const RECEIPT: usize = 220;
