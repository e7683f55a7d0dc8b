//! Interactive provision: terminal, firewall, line, firewall, center and back; audit durable first.

use std::time::{Duration, Instant};

use juki_admin::AdminClient;
use juki_domain::ErrorCode;
use serde_json::{Value, json};

use super::figures::{Figures, ms, quantile};
use crate::failure::Failure;
use crate::live_network::{LiveNetwork, Sample};
use crate::screen::Screen;
use crate::text;

const SERIAL: usize = 2_000;
const WARM_UP: usize = 200;
const CLIENTS: usize = 64;
const BUSY: Duration = Duration::from_secs(3);
const AFFAIR: &str = "war-bereaved-pension";
pub(super) const TOWN: &str = "cs-352047";

/// One question at a time, then many; each run adds its figures.
pub(super) async fn measure(
    network: &LiveNetwork,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    let samples = network.samples(TOWN, 500)?;
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        // A grant lives fifteen minutes; every run has its own.
        network.log_in(screen).await?;
        let times = serial(&network.terminal(screen)?, &samples).await?;
        figures.add("query_p50_ms", "ms", quantile(&times, 0.5));
        figures.add("query_p99_ms", "ms", quantile(&times, 0.99));
        let per_s = busy(network, &samples, screen).await?;
        figures.add("query_per_s", "1/s", per_s);
    }
    Ok(())
}

/// The question about a resident by the four items.
pub(super) fn question(sample: &Sample) -> Value {
    json!({"affair": AFFAIR, "name": sample.name, "birth": sample.birth, "sex": sample.sex, "address": sample.address})
}

async fn ask(client: &AdminClient, sample: &Sample) -> Result<(), Failure> {
    let answer: Value = client.post_json("/query", &question(sample)).await?;
    match answer.get("outcome").and_then(Value::as_str) {
        // Two residents may share their four items; that too was looked up and recorded.
        Some("match" | "several") => Ok(()),
        other => Err(Failure::new(
            ErrorCode::CheckFailed,
            format!(
                "a question was answered with {}",
                other.unwrap_or("nothing")
            ),
        )),
    }
}

/// One question after the other: sorted times in milliseconds.
pub(super) async fn serial(client: &AdminClient, samples: &[Sample]) -> Result<Vec<f64>, Failure> {
    let mut times = Vec::with_capacity(SERIAL);
    for (n, sample) in samples.iter().cycle().take(WARM_UP + SERIAL).enumerate() {
        let began = Instant::now();
        ask(client, sample).await?;
        if n >= WARM_UP {
            times.push(ms(began.elapsed()));
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Many questions at once: answers in a second.
pub(super) async fn busy(
    network: &LiveNetwork,
    samples: &[Sample],
    screen: Screen,
) -> Result<f64, Failure> {
    let until = Instant::now() + BUSY;
    let began = Instant::now();
    let mut clients = Vec::new();
    for first in 0..CLIENTS {
        let client = network.terminal(screen)?;
        let samples = samples.to_vec();
        clients.push(tokio::spawn(async move {
            let mut answered = 0u32;
            for sample in samples.iter().cycle().skip(first * 7) {
                if Instant::now() >= until {
                    break;
                }
                ask(&client, sample).await?;
                answered += 1;
            }
            Ok::<u32, Failure>(answered)
        }));
    }
    let mut answered = 0;
    for client in clients {
        answered += client
            .await
            .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))??;
    }
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}
