//! The server's parts, put together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use kafka::TopicPolicy;
use prometheus::Registry;
use service::health::Health;
use service::http::Port;
use service::settings::SettingsError;
use service::tokens::Tokens;
use service::traces;
use service::{Running, admin, http, leaving};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Api, Origins};
use crate::idempotency::{Keys, REMEMBERED_KEYS};
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::publisher::Publisher;
use crate::rate::Rate;
use crate::reach;
use crate::settings::{DEFAULTS, Settings};
use crate::traces::EventTraces;

/// How long events may still be acknowledged after the last request was let in.
/// With the 2 s that the server gives its connections, a stop takes 5 s at most.
const STOP_TIME: Duration = Duration::from_secs(3);

/// What the parts give to a producer: ports, tokens and where it is
/// seen from outside.
#[derive(Debug)]
pub struct Parts {
    /// Where the API is served.
    pub api: Port,
    /// Where health and metrics are served; `None` where somebody else does.
    pub admin: Option<TcpListener>,
    /// What `/readyz` answers from.
    pub health: Health,
    /// What `/metrics` answers from.
    pub registry: Registry,
    /// What may be done about a missing topic.
    pub topics: TopicPolicy,
    /// The settings files: their tokens are followed. None where tokens stay.
    pub files: Vec<PathBuf>,
}

/// Why a producer ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting is wrong, or the topic cannot be used (exit 64).
    #[error("the settings cannot be used")]
    Settings(#[from] SettingsError),
    /// Two parts give the same metric.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// A port cannot be served.
    #[error("a port cannot be served")]
    Serve(#[from] std::io::Error),
    /// Traces cannot be exported.
    #[error("traces cannot be exported")]
    Traces(#[from] traces::StartError),
    /// The Kafka client cannot be used any more: start the process anew.
    #[error("the Kafka client has failed for good: {0}")]
    KafkaClient(String),
}

impl Parts {
    /// Those of a process of its own: binds the ports of the settings.
    ///
    /// # Errors
    /// When a port is not to be had.
    pub async fn of(settings: &Settings, files: Vec<PathBuf>) -> Result<Self, SettingsError> {
        Ok(Self {
            api: http::bind("http.listen", settings.http.listen)
                .await?
                .into(),
            admin: Some(admin::bind("admin.listen", settings.admin.listen).await?),
            health: Health::new(),
            registry: Registry::new(),
            topics: settings.topic_policy(),
            files,
        })
    }
}

/// Serves `POST /v1/events` until `shutdown`. A broker that is not there is
/// waited for; until then posts are answered 503.
///
/// # Errors
/// See [`RunError`].
#[must_use]
pub fn run(settings: Settings, parts: Parts, shutdown: CancellationToken) -> Running<RunError> {
    Box::pin(serve(settings, parts, shutdown))
}

async fn serve(
    settings: Settings,
    parts: Parts,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    settings.check()?;
    let connection = settings.connection()?;
    let topics = settings.topic_names();
    let metrics = Metrics::new(&parts.registry)?;
    let (tracer, exporting) =
        traces::start("producer", &settings.traces.endpoint, metrics.spans())?;
    let publisher = Publisher::connect(&connection, &topics, settings.publisher_options())
        .map_err(SettingsError::from)?;
    let tokens = Tokens::new(&settings.auth)?;
    let origins = Origins::new(&settings.auth);
    let reachable = parts.health.condition(&format!(
        "Kafka at {} answers and has the topic {}",
        connection.brokers(),
        topics.events
    ));
    let api = Arc::new(Api::new(
        tokens.clone(),
        origins.clone(),
        Intake::new(
            publisher,
            Keys::new(REMEMBERED_KEYS),
            EventTraces::new(tracer, settings.traces.sampled, topics.events.clone()),
            metrics.clone(),
        ),
        Rate::new(settings.ingest.max_per_second),
        metrics,
    ));

    // Health is answered until everything else has ended.
    let admin_stop = CancellationToken::new();
    let admin = serve_admin(
        parts.admin,
        parts.health.clone(),
        parts.registry,
        admin_stop.clone(),
    );
    let work = async {
        let stop = shutdown.child_token();
        let follow_files = async {
            if !parts.files.is_empty() {
                tokio::join!(
                    tokens.watch(DEFAULTS, &parts.files, stop.clone()),
                    origins.watch(DEFAULTS, &parts.files, stop.clone()),
                );
            }
        };
        let follow_kafka = async {
            let spec = topics.events_spec();
            let (policy, seen) = (parts.topics, &api.topic_seen);
            let ended = reach::follow(&connection, spec, policy, seen, &reachable, &stop).await;
            // A wrong topic stops the server, too.
            ended.inspect_err(|_| stop.cancel())
        };
        let client_failure = async {
            let failure = stop.run_until_cancelled(api.intake.publisher().failed());
            let failure = failure.await;
            if let Some(reason) = &failure {
                parts.health.fail(reason.clone());
                stop.cancel();
            }
            failure
        };
        let leaving = from_fn_with_state(parts.health.clone(), leaving::close_connections);
        let routes = api::routes(Arc::clone(&api)).layer(leaving);
        let server = http::serve(parts.api, routes, stop.clone());
        let (served, followed, failure, ()) =
            tokio::join!(server, follow_kafka, client_failure, follow_files);
        finish(&api).await;
        exporting.stop().await;
        served?;
        followed.map_err(SettingsError::from)?;
        failure.map_or(Ok(()), |reason| Err(RunError::KafkaClient(reason)))
    };
    let work = async {
        let result = work.await;
        admin_stop.cancel();
        result
    };
    let (result, admin) = tokio::join!(work, admin);
    drop_outside(api).await;
    result?;
    Ok(admin?)
}

async fn serve_admin(
    listener: Option<TcpListener>,
    health: Health,
    registry: Registry,
    stop: CancellationToken,
) -> std::io::Result<()> {
    match listener {
        Some(listener) => admin::serve(listener, admin::routes(health, registry), stop).await,
        None => Ok(()),
    }
}

/// Lets what was let in come to its end.
async fn finish(api: &Api) {
    api.answers.close();
    let all = async {
        api.answers.wait().await;
        api.intake.publisher().flush(STOP_TIME).await
    };
    match tokio::time::timeout(STOP_TIME, all).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "stopped with events on their way"),
        Err(_) => tracing::warn!("stopped while requests waited for Kafka"),
    }
}

/// Dropping the publisher joins its thread, for which no runtime's thread
/// should wait.
async fn drop_outside(api: Arc<Api>) {
    if tokio::task::spawn_blocking(move || drop(api))
        .await
        .is_err()
    {
        tracing::error!("the publisher could not be stopped");
    }
}
