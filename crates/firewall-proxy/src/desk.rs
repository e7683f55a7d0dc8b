//! The command line: runs the firewall, or says what its policy would do.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use juki_domain::{CivilDate, ErrorCode, Lang, NodeId, NodeRole, ServiceId};
use juki_firewall::Sample;
use juki_node::StartError;
use juki_runtime::{Clock as _, SystemClock};
use juki_topology::NodeConfig;
use serde_json::json;

use crate::orders::hex;
use crate::policy_source::PolicyRead;
use crate::{FirewallProxy, explained, policy_source};

/// Firewall between an office and the lines: passes only the frames that its policy names
#[derive(Debug, Parser)]
#[command(
    name = "firewall-proxy",
    after_help = "Examples:\n  firewall-proxy --config nodes/fw-cs-352047/node.toml --check\n  firewall-proxy --config nodes/fw-cs-352047/node.toml --check --sample cs-352047 prefecture-35 journal --bytes 2000 --at 2002-10-15T09:30"
)]
struct FirewallArguments {
    #[command(flatten)]
    node: juki_node::Arguments,
    /// With --check: explain what would become of a frame of this service between these nodes
    #[arg(long, num_args = 3, value_names = ["SOURCE", "DESTINATION", "SERVICE"], requires = "check")]
    sample: Option<Vec<String>>,
    /// The peer that brings it [default: the one that speaks for SOURCE]
    #[arg(long, value_name = "NODE", requires = "sample")]
    peer: Option<NodeId>,
    /// Its length in bytes with its header
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "sample")]
    bytes: usize,
    /// The network's civil time, such as 2002-10-15T09:30 [default: now]
    #[arg(long, value_name = "TIME", requires = "sample")]
    at: Option<String>,
    /// With --check: print one JSON document
    #[arg(long, requires = "check")]
    json: bool,
}

/// The whole of `main`.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = FirewallArguments::parse();
    let lang = arguments.node.lang();
    if arguments.sample.is_none() {
        let ended = juki_node::run_with::<FirewallProxy>(&arguments.node);
        if !arguments.node.check || ended != ExitCode::SUCCESS {
            return ended;
        }
    }
    let said = read(&arguments).and_then(|read| match &arguments.sample {
        None => Ok(summary(&read, &arguments, lang)),
        Some(words) => explain(&read, words, &arguments, lang),
    });
    match said {
        Ok((text, code)) => {
            // A closed output leaves nobody to tell.
            let _ = std::io::stdout().write_all(text.as_bytes());
            code
        }
        Err(error) => error.say(lang),
    }
}

fn read(arguments: &FirewallArguments) -> Result<PolicyRead, StartError> {
    let (config, folder) =
        juki_node::configuration(&arguments.node.config, NodeRole::FirewallProxy)?;
    policy_source::read(&config, &folder)
}

fn summary(read: &PolicyRead, arguments: &FirewallArguments, lang: Lang) -> (String, ExitCode) {
    let config = &read.config;
    let digest = hex(&read.digest);
    let sentences: Vec<String> = config.rule.iter().map(|rule| rule.sentence()).collect();
    let flows = read.policy.flows().len();
    if arguments.json {
        let document = json!({
            "node": config.node.name.as_str(),
            "digest": digest,
            "flows": flows,
            "rules": sentences,
        });
        return (format!("{document}\n"), ExitCode::SUCCESS);
    }
    let mut text = match lang {
        Lang::En => format!(
            "{}: {} rules, {flows} combinations, all else is refused\npolicy {digest}\n",
            config.node.name,
            sentences.len()
        ),
        Lang::Ja => format!(
            "{}: 規則 {} 件、組合せ {flows} 通り、ほかはすべて拒む\n規則の要約値 {digest}\n",
            config.node.name,
            sentences.len()
        ),
    };
    for (number, sentence) in (1..).zip(&sentences) {
        text.push_str(&format!("{number:>4}  {sentence}\n"));
    }
    (text, ExitCode::SUCCESS)
}

fn explain(
    read: &PolicyRead,
    words: &[String],
    arguments: &FirewallArguments,
    lang: Lang,
) -> Result<(String, ExitCode), StartError> {
    let sample = sample(words, arguments)?;
    let now_ms = match &arguments.at {
        None => SystemClock.now_ms(),
        Some(text) => civil_ms(&read.config, text).ok_or_else(|| {
            usage("--at is a civil time of this network from its calendar's base on, such as 2002-10-15T09:30")
        })?,
    };
    let explanation = read.policy.explain(now_ms, &sample);
    // 0 says that every step held, as for every check.
    let code = ExitCode::from(u8::from(explanation.verdict.is_err()));
    if arguments.json {
        let document = explained::document(&sample, &explanation, lang);
        return Ok((format!("{document}\n"), code));
    }
    let lines = explained::lines(&sample, &explanation, lang);
    let text = lines.into_iter().map(|line| {
        let mark = if line.held { "ok" } else { "NO" };
        format!("{mark}  {:<10}  {}\n", line.step, line.says)
    });
    Ok((text.collect(), code))
}

fn sample(words: &[String], arguments: &FirewallArguments) -> Result<Sample, StartError> {
    let [source, destination, service] = words else {
        return Err(usage("--sample takes SOURCE DESTINATION SERVICE"));
    };
    let node = |text: &String| {
        text.parse::<NodeId>()
            .map_err(|_| usage(&format!("\"{text}\" is no node's name")))
    };
    let known: Vec<&str> = ServiceId::ALL.map(ServiceId::name).to_vec();
    let sentence = format!(
        "\"{service}\" is no service; write one of {}",
        known.join(", ")
    );
    Ok(Sample {
        peer: arguments.peer.clone(),
        source: node(source)?,
        destination: node(destination)?,
        service: service.parse().map_err(|_| usage(&sentence))?,
        bytes: arguments.bytes,
    })
}

/// The machine's time at a civil time of the network.
pub(crate) fn civil_ms(config: &NodeConfig, text: &str) -> Option<u64> {
    let (date, clock) = text.split_once('T')?;
    let date: CivilDate = date.parse().ok()?;
    let (hour, minute) = clock.split_once(':')?;
    let (hour, minute): (u64, u64) = (hour.parse().ok()?, minute.parse().ok()?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let calendar = &config.calendar;
    let days = u64::try_from(date.days() - calendar.base.days()).ok()?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60;
    calendar
        .anchor_unix_s
        .checked_add(seconds)?
        .checked_mul(1_000)
}

fn usage(sentence: &str) -> StartError {
    StartError::configuration(ErrorCode::ConfigBadValue, sentence)
}
