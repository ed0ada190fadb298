//! Wiring: from settings to a running engine.

use std::{cell::RefCell, ops::ControlFlow, pin::Pin, sync::Arc, time::Duration};

use delivery::{Client, Guard, SetupError};
use kafka::{
    Compression, Connection, ConnectionError, Feed, Publisher, PublisherOptions, Start, Table,
    TableEnded, TableEvent, TopicError, TopicPolicy, ensure_topics,
};
use prometheus::Registry;
use service::{
    health::Health,
    settings::SettingsError,
    traces::{self, StartError},
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    attempt_log::AttemptLog,
    endpoints::EndpointTable,
    engine::{Conductor, Engine, EngineError},
    gate::{Gates, Limits},
    metrics::Metrics,
    pulse::Pulse,
    repeated::Repeated,
    second_look::SecondLook,
    settings::Settings,
};

/// What a dispatcher is given beside its settings.
#[derive(Debug)]
pub struct Parts {
    /// Where it says whether it is ready.
    pub health: Health,
    /// Where its metrics go.
    pub registry: Registry,
    /// What may be done about topics.
    pub topics: TopicPolicy,
}

/// Why a dispatcher ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting is wrong, or the topics are not as they must be (exit 64).
    #[error("the settings cannot be used")]
    Settings(#[from] SettingsError),
    /// The endpoint table is not read any more.
    #[error("webhooks.endpoints: {0}")]
    Table(#[from] TableEnded),
    /// A thread could not be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The engine gave up.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Traces cannot be exported.
    #[error("traces cannot be exported")]
    Traces(#[from] StartError),
    /// Metrics of that name are registered already.
    #[error("a metric cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl From<ConnectionError> for RunError {
    fn from(error: ConnectionError) -> Self {
        Self::Settings(error.into())
    }
}

impl From<SetupError> for RunError {
    fn from(error: SetupError) -> Self {
        SettingsError::new("egress", error, "nothing, or what can be used").into()
    }
}

/// The hand-on publisher. A request to Kafka carries one partition and is dear, and
/// nothing that is handed on is urgent: a record waits for others.
const HAND_ON: PublisherOptions = PublisherOptions {
    linger: Duration::from_millis(20),
    message_timeout: Duration::from_secs(30),
    compression: Compression::None,
    capacity: 8 * 1024 * 1024,
};
/// Attempt records are many and small, and nobody waits for one.
const ATTEMPT_LOG: PublisherOptions = PublisherOptions {
    linger: Duration::from_millis(100),
    message_timeout: Duration::from_secs(30),
    compression: Compression::Lz4,
    capacity: 16 * 1024 * 1024,
};
/// About 8 MiB of tasks and headers.
const TO_READY: usize = 4_096;
/// How long the endpoint table's thread may take to end.
const TABLE_STOP: Duration = Duration::from_secs(1);

/// Runs a dispatcher until `shutdown`, then drains it. The future belongs on a
/// [`tokio::runtime::LocalRuntime`], and that on a thread of its own.
///
/// # Errors
/// See [`RunError`]; a wrong setting is told before anything is started.
#[must_use]
pub fn run(
    settings: Settings,
    parts: Parts,
    shutdown: CancellationToken,
) -> Pin<Box<dyn Future<Output = Result<(), RunError>>>> {
    // Compiled here, and not in each crate that awaits it (`service::Running`).
    Box::pin(wire(settings, parts, shutdown))
}

async fn wire(
    settings: Settings,
    parts: Parts,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    settings.check()?;
    let topics = settings.topic_names();
    let schedule = settings.schedule()?;
    let connection = Connection::of(&settings.kafka, "dispatcher")?;
    let connector = settings
        .egress
        .connector(Guard::new(settings.guard.clone()))?;
    let table = Arc::new(EndpointTable::new(
        Guard::new(settings.guard.clone()),
        settings.key_ring()?,
    ));
    let metrics = Metrics::register(&parts.registry)?;

    let table_loaded = parts.health.condition("endpoint table loaded");
    let mut specs = topics.retry_specs(&schedule);
    specs.extend([
        topics.events_spec(),
        topics.ready_spec(),
        topics.resend_spec(),
        topics.dead_letter_spec(),
        topics.attempts_spec(),
        topics.endpoints_spec(),
        topics.audit_spec(),
    ]);
    match ensure_topics(&connection, &specs, parts.topics, &shutdown).await {
        Ok(differences) => {
            for difference in differences {
                tracing::warn!("{difference}");
            }
        }
        Err(TopicError::Stopped) => return Ok(()),
        Err(error) => return Err(SettingsError::from(error).into()),
    }

    // Read for as long as anything is sent, so also while it drains.
    let reading = CancellationToken::new();
    let following = Table::follow(
        &connection,
        "endpoints",
        &topics.endpoints,
        Start::Beginning,
        {
            let table = Arc::clone(&table);
            move |event| {
                match event {
                    TableEvent::Records(records) => {
                        for record in records {
                            table.apply(record);
                        }
                    }
                    TableEvent::Reset => table.clear(),
                }
                ControlFlow::Continue(())
            }
        },
        &reading,
    )?;
    tokio::select! {
        loaded = following.caught_up() => loaded?,
        () = shutdown.cancelled() => return Ok(()),
    }
    table_loaded.set(true);
    tracing::info!(endpoints = table.len(), "the endpoint table is loaded");

    let (tracer, exporting) = traces::start(
        "dispatcher",
        &settings.traces.endpoint,
        metrics.span_counters(),
    )?;
    let engine = Engine {
        gates: Gates::new(Limits {
            endpoint_start: settings.limits.endpoint_start,
            endpoint_max: settings.limits.endpoint_max,
            global: settings.limits.global,
        }),
        client: Client::new(Arc::new(connector)),
        publisher: Publisher::open(&connection, "hand-on", HAND_ON)?,
        attempt_log: AttemptLog::new(
            Feed::open(&connection, "attempt-log", ATTEMPT_LOG)?,
            topics.attempts.clone(),
            settings.attempts.keep_response,
        ),
        pulse: Pulse::start()?,
        repeated: RefCell::new(Repeated::default()),
        second_look: SecondLook::default(),
        table_end: following.end(&connection, "table-end")?,
        tracer,
        to_hand_on: RefCell::default(),
        to_ready: Arc::new(Semaphore::new(TO_READY)),
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
        schedule,
        topics,
        table,
        metrics,
    };
    let conductor = Conductor::new(engine, connection, &parts.health);
    let ended = conductor.run(&following, shutdown).await;
    exporting.stop().await;
    if following.stop(TABLE_STOP).await.is_err() {
        tracing::warn!("the endpoint table's reader did not end in time");
    }
    Ok(ended?)
}
