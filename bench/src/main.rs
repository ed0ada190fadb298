//! `cargo run --release -p bench`: measures, and writes docs/BENCHMARKS.md.

mod accept;
mod drain;
mod latency;
mod layout;
mod load;
mod machine;
mod memory;
mod percentiles;
mod process;
mod progress;
mod report;
mod retries;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;

use machine::Machine;
use memory::Memory;
use report::Figures;

#[derive(Parser)]
#[command(
    about = "Measures the release binaries on a real Apache Kafka and writes docs/BENCHMARKS.md",
    after_help = "\
Examples:
  cargo run --release -p bench
      All of it, about two minutes beside the build, on a quiet machine.
  cargo run --release -p bench -- --events 20000 --records 10000 --seconds 5
      A short run, to see that it works. Its figures say little.
  KAFKA_BROKERS=10.0.0.5:9092 cargo run --release -p bench
      On a cluster that runs already.

Needs two cores, `taskset` (util-linux), and what the tests on Kafka need."
)]
struct Args {
    /// Events posted in each round of the producer's measurement
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(1000..))]
    events: u32,
    /// Waiting records that one dispatcher delivers in each round
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1000..))]
    records: u32,
    /// How long 500 events a second are posted, for time to delivery and for retries
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    machine::build_binaries().context("the binaries to measure cannot be built")?;
    let machine = Machine::look(&repository()).context("the machine cannot be described")?;
    ensure!(
        machine.cores >= 2,
        "two cores are needed, one of them for the measured binary alone; this machine has {}",
        machine.cores
    );
    layout::leave_the_measured_core()
        .context("`taskset` cannot pin this process; apt-get install util-linux")?;
    // Threads and processes started from here on inherit the core.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let figures = runtime.block_on(measure(&args))?;
    ensure!(
        figures.retries.lateness_ms.min() >= 0.0,
        "a retry was early by {:.1} ms: that is a bug, and nothing was written",
        -figures.retries.lateness_ms.min()
    );
    let text = report::markdown(&machine, &figures);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    let document = repository().join("docs").join("BENCHMARKS.md");
    report::write_into(&document, &text)
        .with_context(|| format!("{} cannot be changed", document.display()))
}

async fn measure(args: &Args) -> anyhow::Result<Figures> {
    let seconds = Duration::from_secs(args.seconds.into());
    let mut memory = Memory::default();
    Ok(Figures {
        accept: accept::measure(args.events as usize, &mut memory).await?,
        drain: drain::measure(args.records as usize, &mut memory).await?,
        latency: latency::measure(seconds, &mut memory).await?,
        retries: retries::measure(seconds, &mut memory).await?,
        memory,
    })
}

/// Where the workspace lies: this package is one of its folders.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
