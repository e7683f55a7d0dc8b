//! `jukinet doctor`: what is wrong, why, and what to do next.

mod files;
mod machine;
mod nodes;

use serde::Serialize;

use juki_domain::Lang;

use crate::cli::DoctorArgs;
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
}

impl Finding {
    fn good(check: String, place: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            check,
            place: place.into(),
            grade: Grade::Good,
            cause: cause.into(),
            todo: String::new(),
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
                findings.extend(nodes::examine(&deployment, lang).await);
            }
            Err(failure) => findings.push(Finding::of_failure(
                text::check_folder(lang),
                folder.display().to_string(),
                &failure,
                lang,
            )),
        }
    }
    show(&findings, screen)?;
    let bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
    Ok(if bad { Outcome::NotHeld } else { Outcome::Held })
}

fn show(findings: &[Finding], screen: Screen) -> Result<(), Failure> {
    let lang = screen.lang;
    screen.document(findings)?;
    let wrong: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.grade != Grade::Good)
        .collect();
    if wrong.is_empty() {
        screen.line(text::healthy(lang, findings.len()));
        return Ok(());
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
    };
    let row = |finding: &&Finding| {
        vec![
            grade(finding.grade),
            finding.check.clone(),
            finding.place.clone(),
            finding.cause.clone(),
            finding.todo.clone(),
        ]
    };
    screen.table(
        &header.each_ref().map(String::as_str),
        wrong.iter().map(row).collect(),
    );
    let bad = wrong
        .iter()
        .filter(|finding| finding.grade == Grade::Bad)
        .count();
    screen.line(text::findings(lang, bad, wrong.len() - bad));
    Ok(())
}
