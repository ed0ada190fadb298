//! From settings to a running console, and to its end.

use std::sync::{Arc, OnceLock};

use axum::middleware::from_fn_with_state;
use domain::TopicSpec;
use kafka::{Connection, TopicError, TopicPolicy, ensure_topics};
use prometheus::Registry as MetricRegistry;
use service::health::{Condition, Health};
use service::http::Port;
use service::settings::SettingsError;
use service::tokens::Tokens;
use service::{Running, admin, http, leaving};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Api};
use crate::attempts::Keeper;
use crate::delivery_log::DeliveryLog;
use crate::endpoints::{Foundation, Registry};
use crate::failed_list::FailedList;
use crate::metrics::Metrics;
use crate::pages;
use crate::portal;
use crate::settings::Settings;
use crate::shared::{STREAMS, Shared};
use crate::test_event::Tester;
use crate::web::{Pages, Sessions};

/// What a console is connected to beside Kafka.
#[derive(Debug)]
pub struct Parts {
    /// Where the API and the pages are served.
    pub api: Port,
    /// Where health and metrics are served; `None` serves them beside the API.
    pub admin: Option<TcpListener>,
    /// Who may ask.
    pub tokens: Tokens,
    /// What may be done about topics.
    pub topics: TopicPolicy,
    /// Where the console says how it is.
    pub health: Health,
    /// Where its metrics stand.
    pub registry: MetricRegistry,
}

/// Why a console ended, other than by shutdown.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting is wrong, or the topic is not as it must be (exit 64).
    #[error("the settings cannot be used")]
    Settings(#[from] SettingsError),
    /// The metrics of another console stand in the registry already.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A client of Kafka cannot be made, or has failed for good.
    #[error("the Kafka client cannot be used: {0}")]
    Kafka(String),
    /// A port cannot be served.
    #[error("a port cannot be served: {0}")]
    Serve(#[from] std::io::Error),
}

impl Parts {
    /// As the settings say, with new health and metrics.
    ///
    /// # Errors
    /// When a token is wrong or an address cannot be bound.
    pub async fn of(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            tokens: Tokens::new(&settings.auth)?,
            api: http::bind("http.listen", settings.http.listen)
                .await?
                .into(),
            admin: Some(admin::bind("admin.listen", settings.admin.listen).await?),
            topics: settings.topic_policy(),
            health: Health::new(),
            registry: MetricRegistry::new(),
        })
    }
}

/// Runs a console until `shutdown`, or until it cannot go on. Its port answers
/// at once; before the endpoint table was read it answers 503. What it must do
/// before it is ready is in [`Parts::health`] as soon as this returns, also
/// before the future is polled.
///
/// # Errors
/// See [`RunError`].
pub fn run(settings: Settings, parts: Parts, shutdown: CancellationToken) -> Running<RunError> {
    let ready = Ready {
        topics: parts.health.condition("topics made and checked"),
        table: parts.health.condition("endpoint table read"),
        audit: parts.health.condition("audit read"),
    };
    Box::pin(start(settings, parts, ready, shutdown))
}

async fn start(
    settings: Settings,
    parts: Parts,
    ready: Ready,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let metrics = Metrics::register(&parts.registry)?;
    let keeper = Keeper::new(&settings.index, &metrics)?;
    let connector = settings.connector()?;
    let names = settings.topic_names();
    let foundation = Foundation {
        connection: settings.connection()?,
        topic: names.endpoints.clone(),
        audit_topic: names.audit.clone(),
        keys: settings.key_ring()?,
        guard: connector.guard().clone(),
        per_account: count(settings.limits.endpoints_per_account),
        metrics: metrics.clone(),
    };
    let tests = count(settings.limits.test_events_per_minute);
    let tester = Tester::new(connector, tests, metrics.clone());
    let topics = Topics {
        specs: vec![
            names.endpoints_spec(),
            names.audit_spec(),
            names.attempts_spec(),
        ],
        policy: parts.topics,
    };

    // Whatever ends first ends the others.
    let stop = shutdown.child_token();
    let log = DeliveryLog::open(keeper.attempts(), &foundation.connection);
    let log = log.map_err(SettingsError::from)?;
    let schedule = settings.schedule()?;
    let failed = FailedList::at(settings.failed_url()?);
    let shared = Shared {
        tokens: parts.tokens,
        registry: OnceLock::new(),
        tester,
        schedule,
        log,
        failed,
        public_urls: settings.public_urls()?,
        streams: Arc::new(Semaphore::new(STREAMS)),
        stop: stop.clone(),
        metrics,
    };
    let shared = Arc::new(shared);
    let pages = Pages::new(
        Arc::clone(&shared),
        Sessions::new(&foundation.keys),
        settings.http.proxies(),
        settings.session.allow_plain_http_on_loopback,
    );
    let admin_routes = admin::routes(parts.health.clone(), parts.registry);
    let api = api::routes(Api::new(Arc::clone(&shared))).merge(portal::routes(Arc::clone(&shared)));
    let routes = api.merge(pages::routes(pages));
    let leaving = from_fn_with_state(parts.health.clone(), leaving::close_connections);
    let (routes, admin) = match parts.admin {
        Some(listener) => (routes, Some((listener, admin_routes))),
        // What is on no route gets the pages' answer.
        None => (routes.merge(admin_routes.reset_fallback()), None),
    };
    let ports = async {
        let api = http::serve(parts.api, routes.layer(leaving), stop.clone());
        let admin = async {
            match admin {
                Some((listener, routes)) => http::serve(listener, routes, stop.clone()).await,
                None => Ok(()),
            }
        };
        let served = tokio::try_join!(api, admin);
        stop.cancel();
        served
    };
    let engine = async {
        let ended = match make(&topics, &foundation.connection, &stop).await {
            Ok(()) => {
                ready.topics.set(true);
                let connection = foundation.connection.clone();
                let following = async {
                    let ended = follow(foundation, &shared, &ready, &stop).await;
                    stop.cancel();
                    ended
                };
                // Nothing waits for the index, and nothing ends with it.
                let keeping = keeper.run(&connection, &names.attempts, &stop);
                tokio::join!(following, keeping).0
            }
            Err(TopicError::Stopped) => Ok(()),
            Err(error) => Err(SettingsError::from(error).into()),
        };
        if let Err(error) = &ended {
            parts.health.fail(error.to_string());
        }
        stop.cancel();
        ended
    };
    let (served, ended) = tokio::join!(ports, engine);
    // Closing the clients of Kafka joins their threads, for which no thread of
    // the runtime should wait.
    if tokio::task::spawn_blocking(move || drop(shared))
        .await
        .is_err()
    {
        tracing::error!("the clients of Kafka could not be closed");
    }
    ended?;
    served?;
    Ok(())
}

/// What must be so before the API answers.
struct Ready {
    topics: Condition,
    table: Condition,
    audit: Condition,
}

/// The topics that must be there.
struct Topics {
    specs: Vec<TopicSpec>,
    policy: TopicPolicy,
}

async fn make(
    topics: &Topics,
    connection: &Connection,
    stop: &CancellationToken,
) -> Result<(), TopicError> {
    let Topics { specs, policy } = topics;
    for difference in ensure_topics(connection, specs, *policy, stop).await? {
        tracing::warn!("{difference}");
    }
    Ok(())
}

/// Opens the API as soon as the endpoint table was read, and watches over the
/// clients of Kafka until `stop`.
async fn follow(
    foundation: Foundation,
    shared: &Shared,
    ready: &Ready,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    let registry =
        Registry::open(foundation).map_err(|error| RunError::Kafka(error.to_string()))?;
    let registry = Arc::new(registry);
    match stop.run_until_cancelled(registry.caught_up()).await {
        Some(Ok(())) => {}
        Some(Err(ended)) => return Err(RunError::Kafka(ended.to_string())),
        None => return Ok(()),
    }
    shared.open(Arc::clone(&registry));
    ready.table.set(true);
    tracing::info!("the endpoint table was read, API and pages are open");
    let audit = async {
        if registry.audit().caught_up().await.is_ok() {
            ready.audit.set(true);
        }
    };
    let watched = async { tokio::join!(registry.failed(), audit).0 };
    match stop.run_until_cancelled(watched).await {
        Some(why) => Err(RunError::Kafka(why)),
        None => Ok(()),
    }
}

/// The settings allow a million at most.
fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
