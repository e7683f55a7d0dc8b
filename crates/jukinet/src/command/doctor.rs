//! `jukinet doctor`: what is wrong, why, and what to do next.

mod ahead;
mod cell;
mod facts;
mod files;
mod judge;
mod machine;
mod matrix;
mod nodes;
mod sockets;
mod way;

use serde::Serialize;

use juki_domain::Lang;

use crate::cli::DoctorArgs;
use crate::command::status::Lookout;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Good,
    Doubtful,
    Bad,
    /// Nobody here can tell.
    Unknown,
    /// To be looked at on another machine.
    Elsewhere,
}

impl Grade {
    fn is_finding(self) -> bool {
        matches!(self, Self::Doubtful | Self::Bad)
    }
}

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    check: String,
    /// The node, file or folder that was looked at.
    place: String,
    grade: Grade,
    cause: String,
    todo: String,
    /// The dialling end, where a link was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// Its listening end.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
}

impl Finding {
    fn good(check: String, place: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            check,
            place: place.into(),
            grade: Grade::Good,
            cause: cause.into(),
            todo: String::new(),
            node: None,
            peer: None,
        }
    }

    fn doubtful(
        check: String,
        place: impl Into<String>,
        cause: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self {
            check,
            place: place.into(),
            grade: Grade::Doubtful,
            cause: cause.into(),
            todo: todo.into(),
            node: None,
            peer: None,
        }
    }

    fn bad(
        check: String,
        place: impl Into<String>,
        cause: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self {
            grade: Grade::Bad,
            ..Self::doubtful(check, place, cause, todo)
        }
    }

    fn of_failure(check: String, place: impl Into<String>, failure: &Failure, lang: Lang) -> Self {
        let explained = failure.explained(lang);
        let (cause, todo) = explained.split_once("\n  → ").unwrap_or((&explained, ""));
        Self::bad(check, place, cause, todo)
    }
}

pub(crate) async fn run(args: &DoctorArgs, screen: Screen) -> Ending {
    let lang = screen.lang;
    let mut findings = machine::examine(lang)?;
    let mut links = None;
    if let Some(folder) = &args.dir {
        match Deployment::open(folder) {
            Ok(deployment) => {
                findings.push(Finding::good(
                    text::check_folder(lang),
                    deployment.folder().display().to_string(),
                    String::new(),
                ));
                findings.push(machine::clock(&deployment, lang));
                findings.push(machine::space(deployment.folder(), lang));
                findings.extend(files::examine(&deployment, lang));
                let lookout = Lookout::new(&deployment);
                let sight = lookout.look().await;
                findings.extend(nodes::examine(&deployment, &sight, lang).await);
                links = Some(matrix::examine(&deployment, &lookout, &sight, lang).await);
            }
            Err(failure) => findings.push(Finding::of_failure(
                text::check_folder(lang),
                folder.display().to_string(),
                &failure,
                lang,
            )),
        }
    }
    let own = findings.len();
    findings.extend(links.iter().flat_map(|links| links.findings(lang)));
    screen.document(&findings)?;
    if let Some(links) = &links {
        links.show(args.all, screen);
    }
    show(&findings, own, screen);
    if let Some(links) = &links {
        screen.line(links.summary(lang));
    }
    let bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
    Ok(if bad { Outcome::NotHeld } else { Outcome::Held })
}

/// Shows what is wrong; `own` checks are not those of links, which have a summary of their own.
fn show(findings: &[Finding], own: usize, screen: Screen) {
    let lang = screen.lang;
    let mut wrong: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.grade.is_finding())
        .collect();
    wrong.sort_by_key(|finding| finding.grade != Grade::Bad);
    if wrong.is_empty() {
        screen.line(text::healthy(lang, own));
        return;
    }
    let header = [
        text::head_result(lang),
        text::head_check(lang),
        text::head_node(lang),
        text::head_cause(lang),
        text::head_todo(lang),
    ];
    let grade = |grade: Grade| match grade {
        Grade::Good => text::result_good(lang),
        Grade::Doubtful => text::result_doubtful(lang),
        Grade::Bad => text::result_bad(lang),
        Grade::Unknown | Grade::Elsewhere => String::new(),
    };
    let row = |alike: &Alike<'_>| {
        let first = alike.first;
        let place = match alike.more {
            0 => first.place.clone(),
            more => text::matrix::and_more(lang, &first.place, more),
        };
        vec![
            grade(first.grade),
            first.check.clone(),
            place,
            first.cause.clone(),
            first.todo.clone(),
        ]
    };
    screen.table(
        &header.each_ref().map(String::as_str),
        alike(&wrong).iter().map(row).collect(),
    );
    let bad = wrong
        .iter()
        .filter(|finding| finding.grade == Grade::Bad)
        .count();
    screen.line(text::findings(lang, bad, wrong.len() - bad));
}

/// Findings with one cause and one remedy: a hundred nodes have one trouble, not a hundred.
struct Alike<'a> {
    first: &'a Finding,
    more: usize,
}

fn alike<'a>(findings: &[&'a Finding]) -> Vec<Alike<'a>> {
    let mut groups: Vec<Alike<'a>> = Vec::new();
    for finding in findings {
        let same = |group: &&mut Alike<'a>| {
            let first = group.first;
            (first.grade, &first.check, &first.cause, &first.todo)
                == (finding.grade, &finding.check, &finding.cause, &finding.todo)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.more += 1,
            None => groups.push(Alike {
                first: finding,
                more: 0,
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_trouble_of_many_nodes_is_told_once() {
        let of = |place: &str, cause: &str| Finding::bad("port".into(), place, cause, "kill 7");
        let findings = [of("a", "x"), of("b", "y"), of("c", "x"), of("d", "x")];
        let refs: Vec<&Finding> = findings.iter().collect();
        let groups: Vec<(&str, usize)> = alike(&refs)
            .iter()
            .map(|group| (group.first.place.as_str(), group.more))
            .collect();
        assert_eq!(groups, [("a", 2), ("b", 0)]);
    }
}
