//! Measures the index of attempts: how fast it takes records in, how fast it
//! answers, how large it gets in memory and on disk.
//!
//! ```text
//! cargo build --release --workspace --examples
//! target/release/examples/attempts_index [--attempts 1000000] [--endpoints 1000]
//! ```
//!
//! Records of one account spread over seven days, most of them young, come as
//! JSON as from the topic. The index is built in large batches, as a rebuild
//! does; goes on in batches of a quarter of a second at 5 000 a second with the
//! oldest leaving; and is asked while that goes on at that rate.

mod ask;
mod load;
mod usage;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use console::attempts::{Attempts, Writer};
use domain::{AttemptRecord, Timestamp};
use index::{Identity, Positions};

use crate::load::Load;
use crate::usage::Usage;

/// Records that a live topic brings a second.
const RATE: usize = 5_000;
/// Records of a batch at that rate, and how long they are waited for.
const LIVE_BATCH: usize = RATE / 4;
const LIVE_BATCH_TIME: Duration = Duration::from_millis(250);
/// Records of a batch when the topic is read anew.
const REBUILD_BATCH: usize = 8192;

/// Measures the index of attempts
#[derive(Debug, Parser)]
struct Args {
    /// Records in the index
    #[arg(long, default_value_t = 1_000_000)]
    attempts: u32,
    /// Endpoints of the one account
    #[arg(long, default_value_t = 1_000)]
    endpoints: u32,
    /// Times each question is asked
    #[arg(long, default_value_t = 200)]
    times: u32,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let folder = std::env::temp_dir().join(format!("attempts-index-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let measured = measure(&args, folder.join("attempts.sqlite"));
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(args: &Args, path: PathBuf) -> anyhow::Result<()> {
    let identity = Identity {
        topic: "webhooks.attempts".to_owned(),
        cluster: "measured".to_owned(),
    };
    let (mut writer, _) = Writer::open(&path, &identity, args.attempts.into())?;
    let start = Timestamp::now();
    let mut load = Load::new(args.endpoints, args.attempts, start);

    let mut building = Spent::default();
    while load.taken() < args.attempts {
        let batch = load.next(REBUILD_BATCH);
        building.of(|| take(&mut writer, &batch))?;
    }
    building.show("built", usize::try_from(args.attempts)?)?;
    line(&format!("memory               {}", Usage::now()?.memory()))?;

    let mut live = Spent::default();
    let rounds = 80;
    for _ in 0..rounds {
        let batch = load.next_live(LIVE_BATCH);
        live.of(|| take(&mut writer, &batch))?;
    }
    live.show("full, oldest leaving", rounds * LIVE_BATCH)?;

    let attempts = Attempts::of_file(&path);
    let endpoints = load.endpoints().to_vec();
    let sample = load.sample();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writing = std::thread::spawn(move || -> anyhow::Result<Writer> {
        let mut due = Instant::now();
        loop {
            due += LIVE_BATCH_TIME;
            take(&mut writer, &load.next_live(LIVE_BATCH))?;
            match stopped.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(writer),
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let before = Usage::now()?;
    let begun = Instant::now();
    let asked = runtime.block_on(ask::all(&attempts, &endpoints, sample, args.times));
    let took = begun.elapsed();
    drop(stop);
    let writer = writing
        .join()
        .map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    line(&format!(
        "\nanswers in ms while {RATE} records a second come ({} asked in {:.0} s, {:.2} cores)\n{:>44} {:>8} {:>8} {:>8}",
        args.times,
        took.as_secs_f64(),
        (Usage::now()?.cpu - before.cpu).as_secs_f64() / took.as_secs_f64(),
        "",
        "p50",
        "p99",
        "most"
    ))?;
    for answer in asked? {
        line(&answer.to_string())?;
    }
    let sizes = writer.sizes();
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let bytes = path.metadata()?.len() + log.metadata().map_or(0, |log| log.len());
    line(&format!(
        "\nrows                 {} records, {} deliveries\nfile                 {:.0} MiB\nmemory               {}",
        sizes.attempts,
        sizes.deliveries,
        mebibytes(bytes),
        Usage::now()?.memory()
    ))
}

/// As the keeper does it, from the record's bytes on.
fn take(writer: &mut Writer, batch: &[Vec<u8>]) -> anyhow::Result<()> {
    let read = batch.iter().map(|record| serde_json::from_slice(record));
    let read: Vec<AttemptRecord> = read.collect::<Result<_, _>>()?;
    writer.apply(&read, &Positions::from([(0, 1)]), Timestamp::now())?;
    Ok(())
}

/// Time and CPU of some work.
#[derive(Default)]
struct Spent {
    time: Duration,
    cpu: Duration,
}

impl Spent {
    fn of(&mut self, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let (before, begun) = (Usage::now()?, Instant::now());
        work()?;
        self.time += begun.elapsed();
        self.cpu += Usage::now()?.cpu - before.cpu;
        Ok(())
    }

    fn show(&self, what: &str, records: usize) -> anyhow::Result<()> {
        let records = f64::from(u32::try_from(records)?);
        line(&format!(
            "{what:20} {records} records: {:.0}/s, {:.4} CPU-s per 1000, {:.0}/s of one core",
            records / self.time.as_secs_f64(),
            self.cpu.as_secs_f64() * 1000.0 / records,
            records / self.cpu.as_secs_f64(),
        ))
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn line(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}
