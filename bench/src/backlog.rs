//! A backlog: how fast and how cheaply it is delivered.

use std::time::Duration;

use e2e::{Broker, Stack};
use indicatif::ProgressBar;

use crate::bed::{self, Bed};
use crate::figures::{Run, Runs};
use crate::load;
use crate::peer::Running;
use crate::process::Usage;
use crate::report::{Section, Target};
use crate::{Size, progress};

/// Interleaved, as the machine's noise comes and goes.
const ROUNDS: usize = 3;
/// The endpoint's limit, and what the others have under way.
const AT_ONCE: u32 = 64;
/// Kafka's client sends many records at once.
const LINGER: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(300);

pub(crate) async fn run(size: Size) -> anyhow::Result<Section> {
    let count = size.of(200_000);
    let bar = progress::bar("Backlog", count * ROUNDS * 4);
    let mut dispatcher = Runs::new("**dispatcher**");
    let mut afternoon = Runs::new("afternoon's code");
    let mut consumer = Runs::new("bare consumer with HMAC");
    let mut http = Runs::new("bare HTTP loop");
    for _ in 0..ROUNDS {
        let builder = bed::limit(Stack::builder(), AT_ONCE);
        let mut bed = Bed::new(builder, LINGER).await?;
        bed.endpoints(0..1, "new_feedback").await;
        let silent = ProgressBar::hidden();
        bed.load.write_all(count, load::feedback, &silent).await?;

        bed.start_dispatcher().await;
        let rate = drained_at(&bed, count, &bar).await;
        dispatcher.push(Run::new(count, rate, bed.usage()?));
        bed.stop_dispatcher().await;

        let (brokers, topic) = (
            Broker::shared().await.bootstrap(),
            bed.stack.name("feedback.events"),
        );
        let running = Running::afternoon(&bed, AT_ONCE, 0..1).await?;
        let rate = drained_at(&bed, count, &bar).await;
        afternoon.push(Run::new(count, rate, running.usage()?));
        running.kill()?;

        let text = count.to_string();
        let arguments = ["--brokers", brokers, "--topic", &topic, "--count", &text];
        let running = Running::start(&[&["consumer"], &arguments[..]].concat())?;
        let usage = finished(running).await?;
        consumer.push(Run::new(count, count as f64 / usage.0, usage.1));
        bar.inc(count as u64);

        let connections = AT_ONCE.to_string();
        let url = bed.sink.url(0);
        let arguments = [
            "--url",
            &url,
            "--count",
            &text,
            "--connections",
            &connections,
        ];
        let running = Running::start(&[&["http"], &arguments[..]].concat())?;
        let rate = drained_at(&bed, count, &bar).await;
        http.push(Run::new(count, rate, finished(running).await?.1));
    }
    bar.finish();

    let bare = consumer.cpu() + http.cpu();
    let targets = [
        Target::at_most(
            "CPU, of the bare loops' together",
            dispatcher.cpu() / bare,
            1.3,
        ),
        Target::at_least(
            "rate, of the afternoon's code's",
            dispatcher.rate() / afternoon.rate(),
            1.3,
        ),
        Target::at_least("deliveries a second", dispatcher.rate(), 33_000.0),
        Target::at_most("peak memory, MiB", dispatcher.peak_mib(), 64.0),
    ];
    Ok(Section::new("Backlog")
        .text(&format!(
            "{count} waiting records of {} bytes, 6 partitions, one endpoint with its limit at \
             {AT_ONCE}, a receiver that answers 200 at once. Medians of {ROUNDS} interleaved \
             rounds; the rate is from the first to the last arrival, the CPU time from the \
             process's start.",
            load::BYTES
        ))
        .runs(&[&dispatcher, &afternoon, &consumer, &http])
        .targets(&targets))
}

/// So many arrivals a second, when the whole backlog has come.
async fn drained_at(bed: &Bed, count: usize, bar: &ProgressBar) -> f64 {
    count as f64 / bed.drained(count, DEADLINE, bar).await.as_secs_f64()
}

/// Waits for a peer that ends by itself: seconds, and what it has used.
async fn finished(running: Running) -> anyhow::Result<(f64, Usage)> {
    let start = std::time::Instant::now();
    let usage = tokio::task::spawn_blocking(|| running.finish()).await??;
    Ok((start.elapsed().as_secs_f64(), usage))
}
