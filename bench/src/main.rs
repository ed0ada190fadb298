//! `cargo run --release -p bench`: measures, and writes docs/BENCHMARKS.md.

mod backlog;
mod bed;
mod console;
mod crash;
mod fairness;
mod figures;
mod hanging;
mod ingest;
mod layout;
mod load;
mod machine;
mod many;
mod open_loop;
mod peer;
mod percentiles;
mod process;
mod progress;
mod report;
mod retries;
mod scaling;
mod set_aside;
mod sink;
mod slow;
mod svg;
mod whole_way;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use e2e::{Broker, Purpose};
use tokio::task::LocalSet;

use machine::Machine;
use report::Section;

#[derive(Parser)]
#[command(
    about = "Measures the release binaries on a real Apache Kafka and writes docs/BENCHMARKS.md",
    after_help = "\
Examples:
  cargo run --release -p bench
      All of it, on a quiet machine.
  cargo run --release -p bench -- --only backlog --only open-loop
      Some of it: printed, and not written into the document.
  cargo run --release -p bench -- --small
      A short run, to see that it works. Its figures say little: not written either.
  KAFKA_BROKERS=10.0.0.5:9092 cargo run --release -p bench
      On a cluster that runs already.

Needs two cores, `taskset` (util-linux), and what the tests on Kafka need."
)]
struct Args {
    /// Only this scenario; may be given several times
    #[arg(long, value_enum)]
    only: Vec<Scenario>,
    /// A twentieth of the load
    #[arg(long)]
    small: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs what the dispatcher is compared with; the bench starts it by itself
    #[command(hide = true, subcommand)]
    Peer(peer::Peer),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// 200 000 waiting records for one endpoint.
    Backlog,
    /// Waiting deliveries for 1 to 30 endpoints.
    BacklogForMany,
    /// 2 000 events a second: from acceptance to arrival.
    OpenLoop,
    /// 20 000 waiting records for a receiver that takes 50 ms.
    SlowReceiver,
    /// Two endpoints, of which one hangs.
    HangingEndpoint,
    /// kill -9 in the middle of a backlog.
    Kill9,
    /// Retries due at 1 000 a second, also around a rebalance.
    Retries,
    /// Ten endpoints, of which three are bad.
    Fairness,
    /// A backlog for an endpoint that is slow, or hangs and recovers.
    SetAside,
    /// Two dispatchers with half a core each. Needs root.
    Scaling,
    /// The producer: NDJSON and single events.
    Ingest,
    /// All four binaries at 500 events a second.
    WholeWay,
    /// The console: each page with a million attempts in the index.
    Console,
}

impl Scenario {
    async fn run(self, size: Size) -> anyhow::Result<Section> {
        match self {
            Self::Backlog => backlog::run(size).await,
            Self::BacklogForMany => many::run(size).await,
            Self::OpenLoop => open_loop::run(size).await,
            Self::SlowReceiver => slow::run(size).await,
            Self::HangingEndpoint => hanging::run(size).await,
            Self::Kill9 => crash::run(size).await,
            Self::Retries => retries::run(size).await,
            Self::Fairness => fairness::run(size).await,
            Self::SetAside => set_aside::run(size).await,
            Self::Scaling => scaling::run(size).await,
            Self::Ingest => ingest::run(size).await,
            Self::WholeWay => whole_way::run(size).await,
            Self::Console => console::run(size).await,
        }
    }
}

/// How much load there is.
#[derive(Debug, Clone, Copy)]
struct Size {
    small: bool,
}

impl Size {
    /// So many, or a twentieth.
    fn of(self, count: usize) -> usize {
        if self.small { count / 20 } else { count }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(Command::Peer(peer)) = args.command {
        return peer.run();
    }
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
    let size = Size { small: args.small };
    let all = args.only.is_empty();
    let scenarios = if all {
        Scenario::value_variants()
    } else {
        &args.only
    };
    let sections = LocalSet::new().block_on(&runtime, async {
        // Started as this, every scenario shares it.
        Broker::shared_for(Purpose::Measurement).await;
        let mut sections = Vec::new();
        for scenario in scenarios {
            sections.push(scenario.run(size).await?);
        }
        anyhow::Ok(sections)
    })?;
    let text = report::markdown(&machine, &sections);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    if !all || args.small {
        return Ok(());
    }
    let document = repository().join("docs").join("BENCHMARKS.md");
    report::write_into(&document, &text, &sections)
        .with_context(|| format!("{} cannot be changed", document.display()))
}

/// Where the workspace lies: this package is one of its folders.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
