//! `jukinet line`: leased lines, while they run.

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, Lang, NodeRole};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cli::{LineAction, LineArgs, LineChoice, OutageArgs, SetArgs};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::{DAY_S, parse_utc};
use crate::screen::Screen;
use crate::text;

/// A line as its access point shows it.
#[derive(Debug, Serialize, Deserialize)]
struct LineReport {
    name: String,
    upward: DirectionReport,
    downward: DirectionReport,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DirectionReport {
    up: bool,
    settings: Settings,
    delivered: u64,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    bandwidth_bps: u64,
    delay_us: u64,
    loss: f64,
    #[serde(flatten)]
    more: Map<String, Value>,
}

pub(crate) async fn run(args: &LineArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let (line, path, body) = match &args.action {
        LineAction::List => return list(&deployment, screen).await,
        LineAction::Down { line } => (&line.line, path(line, "/down"), json!({})),
        LineAction::Up { line } => (&line.line, path(line, "/up"), json!({})),
        LineAction::Set { line, numbers } => (&line.line, path(line, ""), new_numbers(numbers)),
        LineAction::Flap { line, flap } => {
            let for_ms = flap.for_s.saturating_mul(1_000);
            let flaps = json!({"down_ms": flap.down_ms, "up_ms": flap.up_ms, "for_ms": for_ms});
            (line, format!("/lines/{line}/flap"), flaps)
        }
        LineAction::Schedule { line, outage } => {
            let planned = planned(outage, screen.lang)?;
            (line, format!("/lines/{line}/schedule"), planned)
        }
        LineAction::Capture { line, off } => {
            (line, format!("/lines/{line}/capture"), json!({"on": !off}))
        }
    };
    for (place, client, lines) in access_points(&deployment, screen).await? {
        if lines.iter().any(|known| known.name == *line) {
            let answer: LineReport = client.post_json(&path, &body).await?;
            screen.line(text::line_changed(screen.lang, line));
            table(std::slice::from_ref(&answer), screen);
            if let LineAction::Capture { off: false, .. } = &args.action {
                let file = place.data().join(format!("{line}.pcap"));
                screen.line(text::line_captured(
                    screen.lang,
                    &file.display().to_string(),
                ));
            }
            screen.document(&answer)?;
            return Ok(Outcome::Held);
        }
    }
    let names = deployment.network().line_names();
    let names: Vec<&str> = names.iter().map(juki_domain::NodeId::as_str).collect();
    Err(Failure::new(
        ErrorCode::ConfigBadValue,
        text::unknown_line(screen.lang, line, &names.join(", ")),
    ))
}

/// What is named of a line's numbers.
fn new_numbers(numbers: &SetArgs) -> Value {
    let given = |pairs: &[(&str, Option<Value>)]| {
        let given = pairs.iter().cloned();
        let given = given.filter_map(|(key, value)| Some((key.to_owned(), value?)));
        given.collect::<Map<String, Value>>()
    };
    let number = |value: Option<u64>| value.map(Value::from);
    let part = |value: Option<f64>| value.map(Value::from);
    let mut disturbance = given(&[
        ("duplicate", part(numbers.duplicate)),
        ("corrupt", part(numbers.corrupt)),
        ("reorder", part(numbers.reorder)),
        ("reorder_us", number(numbers.reorder_us)),
    ]);
    if let (Some(enter), Some(leave)) = (numbers.burst_enter, numbers.burst_leave) {
        let burst = json!({"enter": enter, "leave": leave});
        disturbance.insert("burst".to_owned(), burst);
    }
    let disturbance = (!disturbance.is_empty()).then_some(Value::Object(disturbance));
    Value::Object(given(&[
        ("bandwidth_bps", number(numbers.bandwidth_bps)),
        ("delay_us", number(numbers.delay_us)),
        ("jitter_us", number(numbers.jitter_us)),
        ("loss", part(numbers.loss)),
        ("queue_bytes", number(numbers.queue_bytes)),
        ("mtu", number(numbers.mtu.map(u64::from))),
        ("disturbance", disturbance),
    ]))
}

/// The schedule with the window, or with none.
fn planned(outage: &OutageArgs, lang: Lang) -> Result<Value, Failure> {
    let (Some(from), Some(minutes)) = (&outage.from, outage.minutes) else {
        return Ok(json!({}));
    };
    let Some(from_s) = parse_utc(from) else {
        let sentence = text::line_no_time(lang, from);
        return Err(Failure::new(ErrorCode::ValueInvalid, sentence));
    };
    let from_ms = from_s.saturating_mul(1_000);
    let until_ms = from_ms.saturating_add(minutes * 60_000);
    let every_ms = outage.every_days.unwrap_or(0) * DAY_S * 1_000;
    let window = json!({"from_ms": from_ms, "until_ms": until_ms, "every_ms": every_ms});
    Ok(json!({"outages": [window]}))
}

/// The request that changes a line: its name is of the configuration or else never sent.
fn path(choice: &LineChoice, action: &str) -> String {
    let direction = choice
        .direction
        .map(|way| format!("?direction={}", way.name()));
    format!(
        "/lines/{}{action}{}",
        choice.line,
        direction.unwrap_or_default()
    )
}

async fn list(deployment: &Deployment, screen: Screen) -> Ending {
    let points = access_points(deployment, screen).await?;
    let lines: Vec<LineReport> = points.into_iter().flat_map(|(_, _, lines)| lines).collect();
    table(&lines, screen);
    screen.document(&lines)?;
    Ok(Outcome::Held)
}

fn table(lines: &[LineReport], screen: Screen) {
    let lang = screen.lang;
    let rows = lines.iter().flat_map(|line| {
        [
            row(&line.name, text::line_upward(lang), &line.upward, lang),
            row("", text::line_downward(lang), &line.downward, lang),
        ]
    });
    let header = text::line_header(lang);
    let header: Vec<&str> = header.split('|').collect();
    screen.table(&header, rows.collect());
}

fn row(name: &str, way: String, direction: &DirectionReport, lang: Lang) -> Vec<String> {
    let state = if direction.up {
        text::line_up(lang)
    } else {
        text::line_down(lang)
    };
    let settings = &direction.settings;
    vec![
        name.to_owned(),
        way,
        state,
        settings.bandwidth_bps.to_string(),
        settings.delay_us.to_string(),
        settings.loss.to_string(),
        direction.delivered.to_string(),
    ]
}

async fn access_points(
    deployment: &Deployment,
    screen: Screen,
) -> Result<Vec<(NodePlace, AdminClient, Vec<LineReport>)>, Failure> {
    let mut found = Vec::new();
    let points = deployment.places();
    for place in points
        .into_iter()
        .filter(|place| place.role == NodeRole::AccessPoint)
    {
        let client = AdminClient::new(place.admin_socket()).with_lang(screen.lang);
        let lines: Vec<LineReport> = client.get_json("/lines").await?;
        found.push((place, client, lines));
    }
    Ok(found)
}
