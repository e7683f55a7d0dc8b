//! The matrix of links and checks: gathered, judged, shown.

use std::time::Duration;

use juki_domain::Lang;

use super::ahead::Ahead;
use super::cell::{Cell, Check, Mark};
use super::facts::{Link, Presence, gather};
use super::judge::{Bench, judge};
use super::sockets::BoundPorts;
use super::{Finding, Grade};
use crate::command::status::{Lookout, Sight};
use crate::deployment::Deployment;
use crate::local_time::unix_now;
use crate::screen::{Screen, table_text};
use crate::text;
use crate::text::matrix as say;

/// One link with its checks.
pub(super) struct Row {
    node: String,
    peer: String,
    cells: Vec<(Check, Cell)>,
}

/// All links of a deployment.
pub(super) struct Matrix {
    rows: Vec<Row>,
    /// How many nodes have their place on another machine.
    elsewhere: usize,
}

/// Examines every link.
pub(super) async fn examine(
    deployment: &Deployment,
    lookout: &Lookout,
    sight: &Sight,
    lang: Lang,
) -> Matrix {
    let ports = BoundPorts::read();
    let mut links = gather(deployment, sight, &ports);
    if links.iter().any(|link| !link.ahead.is_empty()) {
        // The tiers were asked after the node, which may have gone on in between: only what its later
        // word does not reach either has been lost.
        tokio::time::sleep(SECOND_LOOK).await;
        confirm(
            &mut links,
            &gather(deployment, &lookout.look().await, &ports),
        );
    }
    let folder = deployment.folder().display().to_string();
    let bench = Bench {
        folder: &folder,
        calendar: deployment.network().calendar(),
        now_s: unix_now(),
        lang,
    };
    let elsewhere = |presence: &Presence| *presence == Presence::Elsewhere;
    let mut names: Vec<&str> = links
        .iter()
        .flat_map(|link| [&link.node, &link.peer])
        .filter(|end| elsewhere(&end.presence))
        .map(|end| end.name.as_str())
        .chain(
            links
                .iter()
                .filter_map(|link| link.line.as_ref())
                .filter(|line| elsewhere(&line.presence))
                .map(|line| line.access_point.as_str()),
        )
        .collect();
    names.sort_unstable();
    names.dedup();
    Matrix {
        elsewhere: names.len(),
        rows: links.iter().map(|link| row(link, &bench)).collect(),
    }
}

fn row(link: &Link, bench: &Bench<'_>) -> Row {
    let cells = Check::ALL.map(|check| (check, judge(link, check, bench)));
    Row {
        node: link.node.name.clone(),
        peer: link.peer.name.clone(),
        cells: cells.into(),
    }
}

/// Keeps of each link's journals those that are still behind what a tier held at the first look.
fn confirm(links: &mut [Link], later: &[Link]) {
    for link in links {
        let same = |now: &&Link| now.node.name == link.node.name && now.peer.name == link.peer.name;
        let now = later.iter().find(same).map(|now| now.ahead.as_slice());
        let still = |first: &Ahead| {
            let again = now
                .unwrap_or_default()
                .iter()
                .find(|ahead| ahead.municipality == first.municipality && ahead.tier == first.tier);
            again.is_some_and(|again| again.own < first.held)
        };
        link.ahead.retain(still);
    }
}

impl Matrix {
    /// Every cell as a finding: those of the JSON document.
    pub(super) fn findings(&self, lang: Lang) -> Vec<Finding> {
        let of_row = |row: &Row| {
            let finding = |(check, cell): &(Check, Cell)| Finding {
                check: check.label(lang),
                place: format!("{} - {}", row.node, row.peer),
                grade: match cell.mark {
                    Mark::Good => Grade::Good,
                    Mark::Doubtful => Grade::Doubtful,
                    Mark::Bad => Grade::Bad,
                    Mark::Unknown => Grade::Unknown,
                    Mark::Elsewhere => Grade::Elsewhere,
                },
                cause: cell.cause.clone(),
                todo: cell.todo.clone(),
                node: Some(row.node.clone()),
                peer: Some(row.peer.clone()),
            };
            row.cells.iter().map(finding).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(of_row).collect()
    }

    /// Shows the rows with a finding, or all.
    pub(super) fn show(&self, all: bool, screen: Screen) {
        let lang = screen.lang;
        let wanted = |row: &&Row| all || row.cells.iter().any(|(_, cell)| cell.mark.is_finding());
        let shown: Vec<&Row> = self.rows.iter().filter(wanted).collect();
        if shown.is_empty() {
            return;
        }
        let head = [text::head_node(lang), say::head_peer(lang)];
        let head: Vec<String> = head
            .into_iter()
            .chain(Check::ALL.map(|check| check.label(lang)))
            .collect();
        let line = |row: &&Row| {
            let signs = row
                .cells
                .iter()
                .map(|(_, cell)| cell.mark.sign().to_owned());
            [row.node.clone(), row.peer.clone()]
                .into_iter()
                .chain(signs)
                .collect()
        };
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        screen.line(table_text(&head, shown.iter().map(line).collect()));
        screen.line(say::signs(lang));
    }

    /// One line for the whole.
    pub(super) fn summary(&self, lang: Lang) -> String {
        let count = |mark: Mark| {
            let cells = self.rows.iter().flat_map(|row| &row.cells);
            cells.filter(|(_, cell)| cell.mark == mark).count()
        };
        let (links, checks) = (self.rows.len(), Check::ALL.len());
        let (bad, doubtful) = (count(Mark::Bad), count(Mark::Doubtful));
        let unknown = count(Mark::Unknown) + count(Mark::Elsewhere);
        let line = if bad + doubtful + unknown == 0 {
            say::all_good(lang, links, checks)
        } else if bad + doubtful == 0 {
            say::nothing_wrong(lang, links, checks, unknown)
        } else {
            say::some_wrong(lang, links, checks, bad, doubtful)
        };
        match self.elsewhere {
            0 => line,
            nodes => format!("{line}\n{}", say::elsewhere(lang, nodes)),
        }
    }
}

/// Some rounds of a node's report on itself.
const SECOND_LOOK: Duration = Duration::from_millis(500);
