//! What goes on while a network is loaded: an operator's questions and a clerk's changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use juki_admin::AdminClient;
use juki_domain::ErrorCode;
use serde_json::{Value, json};

use super::figures::ms;
use crate::failure::Failure;
use crate::live_network::{LiveNetwork, Sample};
use crate::screen::Screen;

const AFFAIR: &str = "war-bereaved-pension";
const ASKED_TOWN: &str = "cs-352047";
const CHANGED_TOWN: &str = "cs-355011";
const QUESTION_EVERY: Duration = Duration::from_millis(25);
const CHANGE_EVERY: Duration = Duration::from_millis(200);
/// A grant lives fifteen minutes.
const LOG_IN_EVERY: Duration = Duration::from_secs(600);

/// A person at work until told to stop.
pub(super) struct Probe {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<Vec<f64>, Failure>>,
}

impl Probe {
    /// Asks one question after the other at the ministry's terminal.
    pub(super) fn questions(network: &LiveNetwork, screen: Screen) -> Result<Self, Failure> {
        let samples = network.samples(ASKED_TOWN, 200)?;
        let terminal = network.terminal(screen)?;
        let (card, pin) = network.card()?;
        let log_in = json!({"card": card, "pin": pin});
        Ok(Self::begin(move |stop| async move {
            let mut times = Vec::new();
            let mut pace = tokio::time::interval(QUESTION_EVERY);
            let mut logged_in: Option<Instant> = None;
            for sample in samples.iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                if logged_in.is_none_or(|at| at.elapsed() > LOG_IN_EVERY) {
                    let _session: Value = terminal.post_json("/operator/login", &log_in).await?;
                    logged_in = Some(Instant::now());
                }
                pace.tick().await;
                times.push(ask(&terminal, sample).await?);
            }
            Ok(times)
        }))
    }

    /// Reports births at the smallest communication server, each durable there before the next.
    pub(super) fn changes(network: &LiveNetwork, screen: Screen) -> Result<Self, Failure> {
        let place = network.deployment().place(CHANGED_TOWN, screen.lang)?;
        let server = AdminClient::new(place.admin_socket()).with_lang(screen.lang);
        let date = network.civil_date()?;
        Ok(Self::begin(move |stop| async move {
            let mut times = Vec::new();
            let mut pace = tokio::time::interval(CHANGE_EVERY);
            for number in 1u32.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                pace.tick().await;
                let began = Instant::now();
                if report_birth(&server, number, &date).await? {
                    times.push(ms(began.elapsed()));
                }
            }
            Ok(times)
        }))
    }

    /// Ends the work and gives how long each act took, in milliseconds.
    pub(super) async fn end(self) -> Result<Vec<f64>, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        self.task
            .await
            .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?
    }

    fn begin<F>(work: impl FnOnce(Arc<AtomicBool>) -> F) -> Self
    where
        F: Future<Output = Result<Vec<f64>, Failure>> + Send + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(work(Arc::clone(&stop)));
        Self { stop, task }
    }
}

/// A person who is not registered yet is looked up and recorded like any other.
async fn ask(terminal: &AdminClient, sample: &Sample) -> Result<f64, Failure> {
    let question = json!({"affair": AFFAIR, "name": sample.name, "birth": sample.birth, "sex": sample.sex, "address": sample.address});
    let began = Instant::now();
    let answer: Value = terminal.post_json("/query", &question).await?;
    match answer.get("outcome").and_then(Value::as_str) {
        Some("match" | "several" | "no-match") => Ok(ms(began.elapsed())),
        other => Err(Failure::new(
            ErrorCode::CheckFailed,
            format!(
                "a question was answered with {}",
                other.unwrap_or("nothing")
            ),
        )),
    }
}

/// False where the stock of codes had none just then: nothing was registered.
async fn report_birth(server: &AdminClient, number: u32, date: &str) -> Result<bool, Failure> {
    let change = json!({
        "key": format!("birth-{number}"), "resident": format!("9{number:09}"), "reason": "birth", "event_date": date,
        "name": format!("架空　子{number}"), "birth": date, "sex": "female",
        "address": format!("山口県阿武郡川上村大字川上{number}番地"),
    });
    match server.post_json::<_, Value>("/v1/changes", &change).await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == ErrorCode::CodeStockEmpty => Ok(false),
        Err(error) => Err(error.into()),
    }
}
