//! The whole system in one process, to be tried out: producer, dispatcher,
//! dlq-consumer and console on librdkafka's mock cluster, with a demo receiver.

mod args;
mod banner;
mod cluster;
mod demo;
mod parts;
mod receiver;
mod shop;

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use domain::Topics;
use kafka::{TopicError, ensure_topics};
use service::{
    exit,
    health::Health,
    http::{Port, bind, serve},
    settings::{LogFormat, LogSettings, SettingsError},
    shutdown, telemetry,
};
use tokio::{net::TcpStream, runtime::Runtime};
use tokio_util::sync::CancellationToken;

use crate::{
    args::Args,
    cluster::Cluster,
    parts::{Overrides, Ports},
    receiver::Receiver,
    shop::Shop,
};

/// How long the samples may take to their receiver.
const SAMPLES_WITHIN: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    exit::abort_on_panic();
    match start(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(error.as_ref()),
    }
}

fn start(args: Args) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let ended = runtime.block_on(run(args));
    // A lookup of a name cannot be cancelled: it is left behind.
    runtime.shutdown_background();
    ended
}

async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::init(&LogSettings {
        format: LogFormat::Human,
        level: "warn".to_owned(),
    })?;
    args.check()?;
    let (shutdown, _signals) = shutdown::on_signals()?;
    // The ports open once the samples have arrived: until then they are only
    // bound, so that a port in use is told at once.
    let open = CancellationToken::new();
    let held = |flag: &str, port: u16| Port::held(flag, local(port), &open);
    let ports = Ports {
        console: held("--console-port", args.console_port)?,
        producer: held("--producer-port", args.producer_port)?,
        failed: held("--failed-port", args.failed_port)?,
    };
    let receiver_port = bind("--receiver-port", local(args.receiver_port)).await?;
    let tokens = demo::Tokens {
        account: args.token.clone().unwrap_or_else(demo::new_token),
        widget: demo::new_token(),
        origin: shop::origin(args.receiver_port),
    };
    let topics = Topics::with_prefix("");
    let cluster = Cluster::start(args.kafka.as_deref(), &topics, &args.schedule)?;
    // Before anything is written: a broker may make a missing topic by itself,
    // and then not as it must be.
    let specs = topics.all_specs(&args.schedule);
    let connection = cluster.connection().map_err(SettingsError::from)?;
    match ensure_topics(&connection, &specs, cluster.policy, &shutdown).await {
        Ok(_) => {}
        Err(TopicError::Stopped) => return Ok(()),
        Err(error) => return Err(SettingsError::from(error).into()),
    }
    let services = (args.producer_port, args.failed_port);
    let settings = Overrides::new(&cluster, &args.schedule, &tokens, services);
    let health = Health::new();
    let mut services = parts::start(&settings, cluster.policy, &health, ports, &shutdown)?;

    let receiver = Arc::new(Receiver::new());
    let shop = Shop::new(
        Arc::clone(&receiver),
        args.producer_port,
        &tokens,
        open.clone(),
        shutdown.clone(),
    )?;
    let drained = CancellationToken::new();
    let routes = receiver::routes(Arc::clone(&receiver)).merge(shop::routes(shop));
    let receiving = serve(receiver_port, routes, drained.clone());
    let acting = async {
        let shown = async {
            begin(&args, &cluster, &topics, &receiver, &health).await?;
            open.cancel();
            opened(args.served_ports()).await;
            banner::show(&args, &tokens.account, cluster.is_in_memory())?;
            shutdown.cancelled().await;
            Ok(())
        };
        let mut ended = tokio::select! {
            shown = shown => shown,
            // None ends by itself: something has failed.
            Some(ended) = services.join_next() => ended.map_err(Into::into).flatten(),
            () = shutdown.cancelled() => Ok(()),
        };
        shutdown.cancel();
        while let Some(next) = services.join_next().await {
            let next = next.map_err(Into::into).flatten();
            // The first failure is the cause of the others.
            ended = if ended.is_ok() { next } else { ended };
        }
        drained.cancel();
        ended
    };
    let (received, acted) = tokio::join!(receiving, acting);
    settings.remove_indexes();
    acted?;
    Ok(received?)
}

/// Brings the samples to the demo receiver, and waits until all is ready.
async fn begin(
    args: &Args,
    cluster: &Cluster,
    topics: &Topics,
    receiver: &Receiver,
    health: &Health,
) -> anyhow::Result<()> {
    let count = demo::publish(cluster, topics, receiver, args.receiver_port).await?;
    receiver.has_received(count, SAMPLES_WITHIN).await?;
    let mut look = tokio::time::interval(Duration::from_millis(20));
    while health.ready().is_err() {
        look.tick().await;
    }
    Ok(())
}

/// Waits until these ports take connections.
async fn opened(ports: [u16; 3]) {
    let mut look = tokio::time::interval(Duration::from_millis(1));
    for port in ports {
        while TcpStream::connect(local(port)).await.is_err() {
            look.tick().await;
        }
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
