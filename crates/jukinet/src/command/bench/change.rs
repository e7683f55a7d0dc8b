//! Single changes at a communication server until they are durable on three tiers.

use std::time::{Duration, Instant};

use juki_admin::AdminClient;
use juki_domain::ErrorCode;
use serde_json::{Value, json};

use super::figures::{Figures, ms, quantile};
use crate::failure::Failure;
use crate::live_network::{LiveNetwork, Sample};
use crate::screen::Screen;
use crate::text;

const WRITERS: usize = 8;
const RUN: Duration = Duration::from_secs(5);
const PACED: usize = 300;
const PACE: Duration = Duration::from_millis(10);
const CATCH_UP: Duration = Duration::from_secs(60);
const TOWN: &str = "cs-352047";

/// Eight writers that each wait for durability, then one paced writer; each run adds its figures.
pub(super) async fn measure(
    network: &LiveNetwork,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    let samples = network.samples(TOWN, 800)?;
    let date = network.civil_date()?;
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let (per_s, times) = rate(network, (&samples, WRITERS), (run, &date), screen).await?;
        figures.add("change_per_s", "1/s", per_s);
        figures.add("change_durable_p50_ms", "ms", quantile(&times, 0.5));
        figures.add("change_durable_p99_ms", "ms", quantile(&times, 0.99));
        latency(network, &samples, (run, &date), figures, screen).await?;
    }
    Ok(())
}

/// A change of address.
pub(super) fn change(key: &str, sample: &Sample, date: &str, number: usize) -> Value {
    json!({
        "key": key, "resident": sample.resident, "reason": "address-change", "event_date": date,
        "address": format!("山口県萩市大字椿{number}番地"),
    })
}

/// Writers who each wait for durability, until all that they wrote is confirmed at the top: changes in a second, and the
/// sorted times until each was durable, in milliseconds.
pub(super) async fn rate(
    network: &LiveNetwork,
    (samples, writers): (&[Sample], usize),
    (run, date): (u32, &str),
    screen: Screen,
) -> Result<(f64, Vec<f64>), Failure> {
    let began = Instant::now();
    let until = began + RUN;
    let socket = network
        .deployment()
        .place(TOWN, screen.lang)?
        .admin_socket();
    let each = samples.len() / writers;
    let mut tasks = Vec::new();
    for writer in 0..writers {
        let client = AdminClient::new(socket.clone());
        let (samples, date) = (samples.to_vec(), date.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            for (number, sample) in samples
                .iter()
                .skip(writer * each)
                .take(each)
                .cycle()
                .enumerate()
            {
                if Instant::now() >= until {
                    break;
                }
                let asked = Instant::now();
                let body = change(
                    &format!("rate-{run}-{writer}-{number}"),
                    sample,
                    &date,
                    number,
                );
                let _accepted: Value = client.post_json("/v1/changes", &body).await?;
                times.push(ms(asked.elapsed()));
            }
            Ok::<Vec<f64>, Failure>(times)
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(
            task.await
                .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))??,
        );
    }
    wait_caught_up(&AdminClient::new(socket), screen).await?;
    let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
    let per_s = f64::from(count) / began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    Ok((per_s, times))
}

/// Waits until the national center has confirmed the journal's head.
async fn wait_caught_up(client: &AdminClient, screen: Screen) -> Result<(), Failure> {
    let began = Instant::now();
    let mut head = 0;
    loop {
        let status: Value = client.get_json("/status").await?;
        // The report is renewed ten times a second: two equal heads mean that nothing came after.
        let now = status
            .pointer("/journal/head")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        if now == head && status.get("behind").and_then(Value::as_u64) == Some(0) {
            return Ok(());
        }
        head = now;
        if began.elapsed() > CATCH_UP {
            return Err(Failure::new(
                ErrorCode::CheckFailed,
                text::demo_late(screen.lang, "catch-up"),
            ));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One writer that hands a change over every ten milliseconds and watches it arrive at the top.
async fn latency(
    network: &LiveNetwork,
    samples: &[Sample],
    (run, date): (u32, &str),
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    let client = AdminClient::new(
        network
            .deployment()
            .place(TOWN, screen.lang)?
            .admin_socket(),
    );
    let mut times = Vec::with_capacity(PACED);
    let mut pace = tokio::time::interval(PACE);
    for (number, sample) in samples.iter().cycle().take(PACED).enumerate() {
        pace.tick().await;
        let key = format!("paced-{run}-{number}");
        let began = Instant::now();
        let mut state: Value = client
            .post_json("/v1/changes", &change(&key, sample, date, number))
            .await?;
        while state.get("state").and_then(Value::as_str) != Some("at-national") {
            if began.elapsed() > CATCH_UP {
                return Err(Failure::new(
                    ErrorCode::CheckFailed,
                    text::demo_late(screen.lang, "at-national"),
                ));
            }
            // Asked again at once: the timer's millisecond would be most of what is measured.
            tokio::task::yield_now().await;
            state = client.get_json(&format!("/v1/changes/{key}")).await?;
        }
        times.push(ms(began.elapsed()));
    }
    times.sort_by(f64::total_cmp);
    figures.add("change_p50_ms", "ms", quantile(&times, 0.5));
    figures.add("change_p99_ms", "ms", quantile(&times, 0.99));
    Ok(())
}
