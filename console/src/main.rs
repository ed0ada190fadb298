//! The `console` binary: see `console --help`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use console::settings::{DEFAULTS, Settings};
use console::{Parts, run};
use service::cli::CommonArgs;
use service::{exit, leaving, settings, shutdown, telemetry};
use tokio_util::sync::CancellationToken;

const EXAMPLES: &str = "\
Examples:
  console --config /etc/feedbackpro/console.toml
  console --config console.toml --print-config
  FEEDBACKPRO__SECRETS__KEYS='[{ id = \"a\", key = \"...\" }]' console

Any setting can be given by the environment, such as
  FEEDBACKPRO__KAFKA__BROKERS=kafka-1:9092,kafka-2:9092
Exit codes: 0 stopped, 1 failed, 64 wrong settings.";

/// Serves the console, its pages and its API: endpoints, deliveries, what failed
#[derive(Debug, Parser)]
#[command(name = "console", version, after_help = EXAMPLES)]
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
    let ended = runtime.block_on(async {
        let (stop, _signals) = shutdown::on_signals()?;
        let parts = Parts::of(&settings).await?;
        let (tokens, health) = (parts.tokens.clone(), parts.health.clone());
        let ended = CancellationToken::new();
        let running = async {
            let serve = async |stop| run(settings, parts, stop).await;
            let result = leaving::before_stop(&stop, &health, serve).await;
            ended.cancel();
            result
        };
        let watching = tokens.watch(DEFAULTS, &files, ended.clone());
        let (result, ()) = tokio::join!(running, watching);
        Ok(result?)
    });
    // A lookup of a name cannot be cancelled: it is left behind.
    runtime.shutdown_background();
    ended
}
