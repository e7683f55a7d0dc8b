//! `jukinet line`: leased lines, while they run.

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, Lang, NodeRole};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cli::{LineAction, LineArgs, LineChoice};
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
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
        LineAction::Down { line } => (line, path(line, "/down"), json!({})),
        LineAction::Up { line } => (line, path(line, "/up"), json!({})),
        LineAction::Set {
            line,
            bandwidth_bps,
            delay_us,
            loss,
        } => {
            let mut settings = Map::new();
            if let Some(bandwidth) = bandwidth_bps {
                settings.insert("bandwidth_bps".to_owned(), json!(bandwidth));
            }
            if let Some(delay) = delay_us {
                settings.insert("delay_us".to_owned(), json!(delay));
            }
            if let Some(loss) = loss {
                settings.insert("loss".to_owned(), json!(loss));
            }
            (line, path(line, ""), Value::Object(settings))
        }
    };
    for (client, lines) in access_points(&deployment, screen).await? {
        if lines.iter().any(|known| known.name == line.line) {
            let answer: LineReport = client.post_json(&path, &body).await?;
            screen.line(text::line_changed(screen.lang, &line.line));
            table(std::slice::from_ref(&answer), screen);
            screen.document(&answer)?;
            return Ok(Outcome::Held);
        }
    }
    let names = deployment.network().line_names();
    let names: Vec<&str> = names.iter().map(juki_domain::NodeId::as_str).collect();
    Err(Failure::new(
        ErrorCode::ConfigBadValue,
        text::unknown_line(screen.lang, &line.line, &names.join(", ")),
    ))
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
    let lines: Vec<LineReport> = points.into_iter().flat_map(|(_, lines)| lines).collect();
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
) -> Result<Vec<(AdminClient, Vec<LineReport>)>, Failure> {
    let mut found = Vec::new();
    let points = deployment.places();
    for place in points
        .into_iter()
        .filter(|place| place.role == NodeRole::AccessPoint)
    {
        let client = AdminClient::new(place.admin_socket()).with_lang(screen.lang);
        let lines: Vec<LineReport> = client.get_json("/lines").await?;
        found.push((client, lines));
    }
    Ok(found)
}
