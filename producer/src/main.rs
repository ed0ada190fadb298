//! The `producer` binary: see `producer --help`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use producer::import::{self, Source};
use producer::settings::DEFAULTS;
use producer::{AccountId, Parts, Settings, run};
use service::cli::CommonArgs;
use service::{exit, leaving, settings, shutdown, telemetry};

const EXAMPLES: &str = "\
Examples:
  producer                                      serve with the default settings
  producer --config /etc/feedbackpro/producer.toml
  producer --config producer.toml --print-config
  producer import events.ndjson --account shop
  zcat events.ndjson.gz | producer --config producer.toml import - --account shop

Any setting can be given by the environment, such as
  FEEDBACKPRO__KAFKA__BROKERS=kafka-1:9092,kafka-2:9092
Exit codes: 0 done, 1 failed, 64 wrong settings.";

/// Takes events in over HTTP and publishes them to Kafka
#[derive(Parser)]
#[command(name = "producer", version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    common: CommonArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve POST /v1/events (what is done without a command)
    Serve,
    /// Publish the events of an NDJSON file straight to Kafka
    ///
    /// Each line is one JSON event {"event", "data"} with an optional "timestamp". A line that is
    /// no event is told with its number and does not stop the rest. Ends with counts; the exit
    /// code is 1 unless every event was published.
    #[command(after_help = "\
Examples:
  producer import events.ndjson --account shop
  tail -n +1001 events.ndjson | producer import - --account shop")]
    Import {
        /// The file; - is standard input
        file: String,
        /// Whose events they are
        #[arg(long)]
        account: AccountId,
    },
}

fn main() -> ExitCode {
    exit::abort_on_panic();
    let args = Args::parse();
    match start(args) {
        Ok(code) => code,
        Err(error) => exit::report(error.as_ref()),
    }
}

#[tokio::main]
async fn start(args: Args) -> anyhow::Result<ExitCode> {
    let files = args.common.config;
    let settings: Settings = settings::load(DEFAULTS, &files)?;
    if args.common.print_config {
        write!(std::io::stdout().lock(), "{}", settings::print(&settings))?;
        return Ok(ExitCode::SUCCESS);
    }
    settings.check()?;
    telemetry::init(&settings.log)?;
    let (stop, _signals) = shutdown::on_signals()?;
    match args.command {
        None | Some(Command::Serve) => {
            let parts = Parts::of(&settings, files).await?;
            let health = parts.health.clone();
            let serve = async |stop| run(settings, parts, stop).await;
            leaving::before_stop(&stop, &health, serve).await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Import { file, account }) => {
            let source = Source::parse(&file);
            let counts = import::import(&settings, &account, &source, &stop).await?;
            writeln!(std::io::stdout().lock(), "{counts}")?;
            Ok(if counts.is_complete() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}
