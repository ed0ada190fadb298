//! The promise of the index: a million attempts, and five thousand more a second.

use std::time::{Duration, Instant};

use domain::EndpointId;
use e2e::{Binary, Service, Settings, until};

use crate::bed::{Bed, DEADLINE};

const ATTEMPTS: u32 = 1_000_000;
const ENDPOINTS: usize = 1_000;
/// Records that are written together, ten times a second.
const BATCH: u32 = 500;
const ROUNDS: u32 = 60;
/// After the last record was written; a batch waits for a quarter of a second.
const BEHIND: Duration = Duration::from_secs(3);
const MOST_MEMORY_KIB: u64 = 300 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_console_with_a_million_attempts_keeps_up_with_5000_a_second_within_300_mib() {
    let mut bed = Bed::new().await;
    bed.endpoints = (0..ENDPOINTS).map(|_| EndpointId::generate()).collect();
    bed.write(ATTEMPTS.into()).await;
    let brokers = bed.connection.brokers().to_owned();
    let settings = Settings::new(Binary::Console, &brokers, &bed.topics.prefix);
    let begun = Instant::now();
    let console = Service::start(Binary::Console, settings).await;
    let ready = begun.elapsed();
    has_taken(&console, ATTEMPTS, DEADLINE).await;
    let rebuilt = begun.elapsed();

    let cpu_before = cpu(&console);
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..ROUNDS {
        ticks.tick().await;
        bed.write(BATCH.into()).await;
    }
    has_taken(&console, ATTEMPTS + ROUNDS * BATCH, BEHIND).await;
    let cpu = cpu(&console) - cpu_before;

    let memory = most_memory_kib(&console);
    eprintln!(
        "ready after {ready:.1?}, rebuilt after {rebuilt:.1?}, {cpu:.2?} of CPU for {} records, {} MiB at most",
        ROUNDS * BATCH,
        memory / 1024
    );
    assert!(memory < MOST_MEMORY_KIB, "{memory} KiB");
}

async fn has_taken(console: &Service, attempts: u32, within: Duration) {
    let what = format!("{attempts} attempts in the index");
    until(&what, within, async || {
        let name = "feedbackpro_console_attempts_indexed_total";
        let taken = console.metric(name).await;
        taken.filter(|taken| *taken >= f64::from(attempts))
    })
    .await;
}

/// User and system time, in hundredths of a second behind the process's name.
fn cpu(console: &Service) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", console.pid())).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

fn most_memory_kib(console: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", console.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap()
}
