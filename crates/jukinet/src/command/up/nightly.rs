//! The nightly analysis: a report of each civil day that is over, once.

use std::time::Duration;

use juki_domain::CivilDate;

use crate::command::audit::analyse::{has_report, report_of_day};
use crate::deployment::Deployment;
use crate::local_time::unix_now;
use crate::screen::{Screen, write_error};

/// Looks again and again whether a day without report is over. What is missed while nothing runs is
/// made up for at the next start, for the last day.
pub(super) async fn report(deployment: Deployment, screen: Screen) {
    // A report that cannot be written is not tried every minute.
    let mut tried = None;
    loop {
        if let Some(day) = last_day(&deployment).filter(|day| tried != Some(*day)) {
            tried = Some(day);
            if !has_report(&deployment, day) {
                let deployment = deployment.clone();
                let made = tokio::task::spawn_blocking(move || {
                    report_of_day(&deployment, day, screen.lang)
                });
                if let Ok(Err(failure)) = made.await {
                    write_error(&failure.explained(screen.lang));
                }
            }
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// The civil day before today; `None` on the network's first day.
fn last_day(deployment: &Deployment) -> Option<CivilDate> {
    let calendar = deployment.network().calendar();
    let today = calendar.date_at(unix_now()).ok()?;
    let day = CivilDate::from_days(today.days() - 1).ok()?;
    (day >= calendar.base).then_some(day)
}

const LOOK_INTERVAL: Duration = Duration::from_secs(60);
