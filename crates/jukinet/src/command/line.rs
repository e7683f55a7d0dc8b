//! `jukinet line`: leased lines, while they run.

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, NodeRole};
use serde_json::{Map, Value, json};

use crate::cli::{LineAction, LineArgs};
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

pub(crate) async fn run(args: &LineArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let (line, path, body) = match &args.action {
        LineAction::List => return list(&deployment, screen).await,
        LineAction::Down { line } => (line, format!("/lines/{line}/down"), json!({})),
        LineAction::Up { line } => (line, format!("/lines/{line}/up"), json!({})),
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
            (line, format!("/lines/{line}"), Value::Object(settings))
        }
    };
    for (client, lines) in access_points(&deployment, screen).await? {
        if lines.iter().any(|known| known["name"] == line.as_str()) {
            let answer: Value = client.post_json(&path, &body).await?;
            screen.line(text::line_changed(screen.lang, line));
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

async fn list(deployment: &Deployment, screen: Screen) -> Ending {
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for (_, lines) in access_points(deployment, screen).await? {
        for line in lines {
            let cell = |value: &Value| value.to_string().trim_matches('"').to_owned();
            let state = if line["up"] == true { "up" } else { "down" };
            rows.push(vec![
                cell(&line["name"]),
                state.to_owned(),
                cell(&line["settings"]["bandwidth_bps"]),
                cell(&line["settings"]["delay_us"]),
                cell(&line["settings"]["loss"]),
                cell(&line["upward"]["delivered"]),
                cell(&line["downward"]["delivered"]),
            ]);
            all.push(line);
        }
    }
    let header = text::line_header(screen.lang);
    let header: Vec<&str> = header.split('|').collect();
    screen.table(&header, rows);
    screen.document(&all)?;
    Ok(Outcome::Held)
}

async fn access_points(
    deployment: &Deployment,
    screen: Screen,
) -> Result<Vec<(AdminClient, Vec<Value>)>, Failure> {
    let mut found = Vec::new();
    let points = deployment.places();
    for place in points
        .into_iter()
        .filter(|place| place.role == NodeRole::AccessPoint)
    {
        let client = AdminClient::new(place.admin_socket()).with_lang(screen.lang);
        let lines: Vec<Value> = client.get_json("/lines").await?;
        found.push((client, lines));
    }
    Ok(found)
}
