//! The dispatcher's binary: settings, signals, the admin port, the engine.

use std::{io::Write as _, process::ExitCode};

use clap::Parser;
use dispatcher::{DEFAULTS, Parts, Settings};
use prometheus::Registry;
use service::{admin, cli::CommonArgs, exit, health::Health, http, settings, shutdown, telemetry};
use tokio::runtime::{Builder, LocalOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AFTER_HELP: &str = "\
Examples:
  dispatcher --config /etc/feedbackpro/dispatcher.toml
  dispatcher --config dispatcher.toml --print-config
  FEEDBACKPRO__LIMITS__ENDPOINT_MAX=128 dispatcher

Any setting can be given by the environment, such as
  FEEDBACKPRO__KAFKA__BROKERS=kafka-1:9092,kafka-2:9092
Exit codes: 0 stopped, 1 failed, 64 wrong settings.";

/// Sends events as signed webhooks to the endpoints that shops configured
#[derive(Debug, Parser)]
#[command(name = "dispatcher", version, after_help = AFTER_HELP)]
struct Args {
    #[command(flatten)]
    common: CommonArgs,
}

fn main() -> ExitCode {
    exit::abort_on_panic();
    match start(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(error.as_ref()),
    }
}

fn start(args: &Args) -> anyhow::Result<()> {
    let settings: Settings = settings::load(DEFAULTS, &args.common.config)?;
    if args.common.print_config {
        return Ok(std::io::stdout().write_all(settings::print(&settings).as_bytes())?);
    }
    settings.check()?;
    telemetry::init(&settings.log)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        // Names are resolved there; one that hangs keeps its thread for long.
        .max_blocking_threads(2048)
        .build_local(LocalOptions::default())?;
    let ended = runtime.block_on(serve(settings));
    // A lookup of a name cannot be cancelled: it is left behind.
    runtime.shutdown_background();
    ended
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let (shutdown, _signals) = shutdown::on_signals()?;
    let listener = http::bind("admin.listen", settings.admin.listen).await?;
    let parts = Parts {
        health: Health::new(),
        registry: Registry::new(),
        topics: (&settings.topics).into(),
    };
    let routes = admin::routes(parts.health.clone(), parts.registry.clone());
    // Health is told until the engine has drained.
    let drained = shutdown.child_token();
    let admin = http::serve(listener, routes, drained.clone());
    let engine = async {
        let ended = dispatcher::run(settings, parts, shutdown).await;
        drained.cancel();
        ended
    };
    let (ended, served) = tokio::join!(engine, admin);
    ended?;
    Ok(served?)
}
