//! Checks of what runs: supervisor, nodes, peers.

use juki_admin::NodeState;
use juki_domain::Lang;

use super::Finding;
use crate::command::status::{NodeStatus, Sight, supervised};
use crate::command::up::{is_supervised, last_supervisor};
use crate::deployment::Deployment;
use crate::supervisor::{ProcessState, last_line};
use crate::text;

pub(super) async fn examine(deployment: &Deployment, sight: &Sight, lang: Lang) -> Vec<Finding> {
    let mut findings = vec![supervisor(deployment, lang).await];
    let start = text::start_with(lang, &deployment.folder().display().to_string());
    // Where nothing runs the supervisor's finding says it; nodes that others run are not this
    // machine's.
    let here = |row: &&NodeStatus| row.pid != 0 || sight.is_supervised(&row.node);
    let rows = sight.rows.iter().filter(here);
    findings.extend(rows.map(|row| node(row, &start, lang)));
    findings
}

async fn supervisor(deployment: &Deployment, lang: Lang) -> Finding {
    let check = text::check_supervisor(lang);
    let place = deployment.supervisor_socket().display().to_string();
    let start = text::start_with(lang, &deployment.folder().display().to_string());
    if is_supervised(deployment) {
        return match supervised(deployment).await {
            Some(nodes) => Finding::good(check, place, text::supervisor_runs(lang, nodes.len())),
            None => Finding::bad(
                check,
                place,
                last_line(&deployment.logs().join("supervisor.log")),
                start,
            ),
        };
    }
    match last_supervisor(deployment) {
        0 => Finding::doubtful(check, place, text::not_started(lang), start),
        pid => Finding::bad(check, place, text::supervisor_gone(lang, pid), start),
    }
}

fn node(row: &NodeStatus, start: &str, lang: Lang) -> Finding {
    let check = text::check_node(lang);
    let name = row.node.as_str();
    if row.state == NodeState::Ready.name() {
        return Finding::good(check, name, row.state.as_str());
    }
    if row.state == ProcessState::Stopped.name() {
        return Finding::doubtful(check, name, text::not_started(lang), start);
    }
    let cause = text::node_state_is(lang, &row.state, &row.ended, &last_line(row.log.as_ref()));
    let todo = text::read_log(lang, &row.log);
    let failed = row.state == ProcessState::Failed.name();
    if failed {
        Finding::bad(check, name, cause, todo)
    } else {
        Finding::doubtful(check, name, cause, todo)
    }
}
