//! `jukinet operator ledger`: the card ledger (管理簿).

use juki_access::Role;
use juki_admin::AdminClient;
use juki_domain::{Lang, NodeRole};
use serde::{Deserialize, Serialize};

use crate::cli::FolderArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Outcome};
use crate::screen::Screen;
use crate::text::operators as text;

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    card: String,
    operator: String,
    body: String,
    roles: Vec<String>,
    state: String,
    since_unix_s: u64,
    valid_until_unix_s: u64,
    unlockings: u64,
    acts: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    act: Option<String>,
    at_unix_ms: u64,
    date: Option<String>,
    by: String,
    note: String,
}

pub(super) async fn show(args: &FolderArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let client = AdminClient::new(center.admin_socket()).with_lang(screen.lang);
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let after = rows.last().map_or("", |row| row.card.as_str());
        let page: Vec<Row> = client.get_json(&format!("/cards?after={after}")).await?;
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    let header = text::ledger_header(screen.lang);
    let header: Vec<&str> = header.split('|').collect();
    let cells = rows.iter().map(|row| row_cells(row, screen.lang)).collect();
    screen.table(&header, cells);
    screen.line(text::ledger_count(screen.lang, rows.len()));
    screen.document(&rows)?;
    Ok(Outcome::Held)
}

fn row_cells(row: &Row, lang: Lang) -> Vec<String> {
    let role = |name: &String| match (lang, name.parse::<Role>()) {
        (Lang::Ja, Ok(role)) => role.ja().to_owned(),
        (Lang::Ja | Lang::En, _) => name.clone(),
    };
    let roles: Vec<String> = row.roles.iter().map(role).collect();
    let acts: Vec<String> = row.acts.iter().map(|line| line_cell(line, lang)).collect();
    vec![
        row.card.clone(),
        row.operator.clone(),
        row.body.clone(),
        roles.join(" "),
        text::state(lang, &row.state),
        acts.join("\n"),
    ]
}

fn line_cell(line: &Line, lang: Lang) -> String {
    let date = line.date.as_deref().unwrap_or("-");
    let act = text::act(lang, line.act.as_deref().unwrap_or("-"));
    let parts = [date, act.as_str(), line.by.as_str(), line.note.as_str()];
    let given: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    given.join(" ")
}
