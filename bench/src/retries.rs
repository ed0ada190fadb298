//! How late retries are, at a steady rate, and around a rebalance. They must
//! never be early.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::ensure;
use domain::EventId;
use e2e::{Binary, Stack};

use crate::bed::Bed;
use crate::percentiles::{Sample, milliseconds};
use crate::report::{Section, Target, short};
use crate::sink::Answer;
use crate::{Size, layout, load, progress, svg};

/// Events a second, and from the first delay on as many retries.
const RATE: u32 = 1_000;
/// The delay of the first retry, which is measured, and of the others, which
/// are not reached.
const SCHEDULE: [&str; 5] = ["5s", "10s", "20s", "30s", "40s"];
const FIRST: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(120);
/// From then on after a second dispatcher was started, retries are to be in
/// time again.
const SETTLED: Duration = Duration::from_secs(3);

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let time = Duration::from_secs(size.of(20) as u64 + 9);
    let builder = Stack::builder().schedule(&SCHEDULE);
    let mut bed = Bed::new(builder, Duration::ZERO).await?;
    bed.endpoints(0..1, "nps_calculated").await;
    bed.sink.answer(0, Answer::FailsFirst);
    bed.start_dispatcher().await;
    let steady = lateness(&bed, time, None).await?;
    let mut second = bed.stack.settings(Binary::Dispatcher);
    second = second.set("log.level", "warn");
    let mut second = e2e::Service::spawn(Binary::Dispatcher, second);
    second.kill();
    second.pin(layout::MEASURED);
    let rebalanced = lateness(&bed, time, Some(&mut second)).await?;
    bed.stop_dispatcher().await;
    drop(second);

    let rows: Vec<Vec<String>> = [
        ("steady", &steady.all),
        ("around the rebalance", &rebalanced.during),
        ("from 3 s after it on", &rebalanced.after),
    ]
    .into_iter()
    .map(|(name, late)| {
        let sample = Sample::new(late.clone());
        let ms = |percent| format!("{} ms", short(sample.percentile(percent)));
        vec![
            name.to_owned(),
            sample.len().to_string(),
            ms(0),
            ms(50),
            format!("**{}**", ms(99)),
            ms(100),
        ]
    })
    .collect();
    let (all, after) = (Sample::new(steady.all), Sample::new(rebalanced.after));
    ensure!(
        all.min() >= 0.0 && after.min() >= 0.0,
        "a retry was early: that is a bug, and nothing was written"
    );
    Ok(Section::new("Retries")
        .text(&format!(
            "{RATE} retries a second for {} s, each due {FIRST:?} after the first attempt was \
             answered 500; then the same again, and a second dispatcher joins on the same core in \
             the middle. From the moment when a retry was due to its arrival.",
            time.as_secs()
        ))
        .table(&["", "retries", "earliest", "p50", "p99", "latest"], &rows)
        .targets(&[
            Target::at_most("p99, ms", all.percentile(99), 25.0),
            Target::at_most("p99 after the rebalance, ms", after.percentile(99), 25.0),
        ])
        .plot(
            "lateness",
            svg::distribution(&[("steady", &all), ("after the rebalance", &after)]),
        ))
}

/// Milliseconds.
struct Lateness {
    all: Vec<f64>,
    /// Due within [`SETTLED`] of the start of the second dispatcher.
    during: Vec<f64>,
    after: Vec<f64>,
}

async fn lateness(
    bed: &Bed,
    time: Duration,
    joins: Option<&mut e2e::Service>,
) -> anyhow::Result<Lateness> {
    let count = usize::try_from(RATE)? * usize::try_from(time.as_secs())?;
    let bar = progress::bar("Retries", count);
    let joined = async {
        let second = joins?;
        tokio::time::sleep(time / 2).await;
        let at = Instant::now();
        second.restart().await;
        Some((at, Instant::now()))
    };
    let load = bed.load.write_at(RATE, time, load::nps, &bar);
    let (written, joined) = tokio::join!(load, joined);
    drop(written?);
    bed.sink.wait_for(2 * count, DEADLINE, |_| ()).await;
    bar.finish();
    let mut due: HashMap<EventId, Instant> = HashMap::new();
    let mut late = Lateness {
        all: Vec::new(),
        during: Vec::new(),
        after: Vec::new(),
    };
    for arrival in bed.sink.take() {
        let Some(event) = arrival.event else { continue };
        if arrival.attempt == 1 {
            due.insert(event, arrival.at + FIRST);
        } else if let Some(due) = due.remove(&event) {
            let ms = milliseconds(due, arrival.at);
            late.all.push(ms);
            match joined {
                Some((from, to)) if due >= from && due < to + SETTLED => late.during.push(ms),
                Some((_, to)) if due >= to + SETTLED => late.after.push(ms),
                Some(_) | None => {}
            }
        }
    }
    Ok(late)
}
