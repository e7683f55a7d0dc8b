//! `jukinet firewall`: the policy of a firewall that runs.

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, NodeRole};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::{ExplainArgs, FirewallAction, FirewallArgs};
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::utc;
use crate::screen::Screen;
use crate::text::firewall as say;

#[derive(Debug, Serialize, Deserialize)]
struct Report {
    digest: String,
    since_unix_s: u64,
    by: String,
    file: String,
    rules: Vec<RuleReport>,
    findings: Vec<FindingReport>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RuleReport {
    rule: u64,
    says: String,
    frames: u64,
    bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct FindingReport {
    kind: String,
    subject: String,
    code: String,
    service: String,
    first_unix_ms: u64,
    last_unix_ms: u64,
    count: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Explained {
    passes: bool,
    to: String,
    code: String,
    rule: String,
    steps: Vec<StepReport>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StepReport {
    step: String,
    held: bool,
    says: String,
}

pub(crate) async fn run(args: &FirewallArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let place = deployment.place(&args.node, screen.lang)?;
    if place.role != NodeRole::FirewallProxy {
        let sentence = say::not_a_firewall(screen.lang, &args.node);
        return Err(Failure::new(ErrorCode::ConfigBadValue, sentence));
    }
    let client = AdminClient::new(place.admin_socket()).with_lang(screen.lang);
    match &args.action {
        FirewallAction::Status => status(&client, screen).await,
        FirewallAction::Reload => reload(&client, &args.node, screen).await,
        FirewallAction::Explain(asked) => explain(&client, &args.node, asked, screen).await,
    }
}

async fn status(client: &AdminClient, screen: Screen) -> Ending {
    let report: Report = client.get_json("/firewall").await?;
    let lang = screen.lang;
    let since = utc(report.since_unix_s);
    screen.line(say::policy(
        lang,
        &report.digest,
        &report.file,
        &report.by,
        &since,
    ));
    let rules = report.rules.iter().map(|rule| {
        vec![
            rule.rule.to_string(),
            rule.says.clone(),
            rule.frames.to_string(),
            rule.bytes.to_string(),
        ]
    });
    let header = say::rule_header(lang);
    screen.table(&header.split('|').collect::<Vec<_>>(), rules.collect());
    if report.findings.is_empty() {
        screen.line(say::no_findings(lang));
    } else {
        let findings = report.findings.iter().map(|finding| {
            vec![
                finding.kind.clone(),
                finding.subject.clone(),
                finding.code.clone(),
                finding.service.clone(),
                finding.count.to_string(),
                utc(finding.last_unix_ms / 1000),
            ]
        });
        let header = say::finding_header(lang);
        screen.table(&header.split('|').collect::<Vec<_>>(), findings.collect());
    }
    screen.document(&report)?;
    Ok(Outcome::Held)
}

async fn reload(client: &AdminClient, node: &str, screen: Screen) -> Ending {
    let change: Value = client.post_json("/firewall/reload", &json!({})).await?;
    let count = |name: &str| change.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (added, removed, changed) = (count("added"), count("removed"), count("changed"));
    screen.line(say::reloaded(screen.lang, node, added, removed, changed));
    screen.document(&change)?;
    Ok(Outcome::Held)
}

async fn explain(client: &AdminClient, node: &str, asked: &ExplainArgs, screen: Screen) -> Ending {
    let question = json!({
        "source": asked.source,
        "destination": asked.destination,
        "service": asked.service,
        "peer": asked.peer,
        "bytes": asked.bytes,
        "at": asked.at,
    });
    let explained: Explained = client.post_json("/firewall/explain", &question).await?;
    for step in &explained.steps {
        let mark = if step.held { "ok" } else { "NO" };
        screen.line(format!("{mark}  {:<10}  {}", step.step, step.says));
    }
    screen.line(if explained.passes {
        say::passes(screen.lang, node, &explained.to)
    } else {
        say::refused(screen.lang, node, &explained.code)
    });
    screen.document(&explained)?;
    Ok(if explained.passes {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}
