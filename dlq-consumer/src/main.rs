//! The `dlq-consumer` binary: see `dlq-consumer --help`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use dlq_consumer::settings::{DEFAULTS, Settings};
use dlq_consumer::{Parts, RunError, run};
use service::cli::CommonArgs;
use service::{exit, settings, shutdown, telemetry};
use tokio_util::sync::CancellationToken;

const AFTER_HELP: &str = "\
Examples:
  dlq-consumer --config /etc/feedbackpro/dlq-consumer.toml
  dlq-consumer --config dlq-consumer.toml --print-config
  FEEDBACKPRO__INDEX__PATH=/var/lib/feedbackpro/failed.sqlite dlq-consumer

Any setting can be given by the environment, such as
  FEEDBACKPRO__KAFKA__BROKERS=kafka-1:9092,kafka-2:9092
Run one at a time: the one that starts last takes over, and the other ends.
Exit codes: 0 stopped, 1 failed or taken over, 64 wrong settings.";

/// Serves the failed list: looks at, sends again and discards what was given up
#[derive(Debug, Parser)]
#[command(name = "dlq-consumer", version, after_help = AFTER_HELP)]
struct Args {
    #[command(flatten)]
    common: CommonArgs,
}

fn main() -> ExitCode {
    exit::abort_on_panic();
    match start(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(error.as_ref()),
    }
}

fn start(args: Args) -> anyhow::Result<()> {
    let files = args.common.config;
    let settings: Settings = settings::load(DEFAULTS, &files)?;
    if args.common.print_config {
        write!(std::io::stdout().lock(), "{}", settings::print(&settings))?;
        return Ok(());
    }
    settings.check()?;
    telemetry::init(&settings.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (stop, _signals) = shutdown::on_signals()?;
        let parts = Parts::of(&settings).await?;
        let tokens = parts.tokens.clone();
        let ended = CancellationToken::new();
        let running = async {
            let result = run(settings, parts, stop).await;
            ended.cancel();
            result
        };
        let watching = tokens.watch(DEFAULTS, &files, ended.clone());
        let (result, ()) = tokio::join!(running, watching);
        match result {
            // As itself: the exit code is found by its type.
            Err(RunError::Settings(error)) => Err(error.into()),
            other => Ok(other?),
        }
    })
}
