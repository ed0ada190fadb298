//! The process from its start to its end.

use std::sync::{Arc, OnceLock};

use kafka::{MoveError, Mover, TopicError, TopicPolicy, ensure_topics};
use prometheus::Registry;
use service::health::{Condition, Health};
use service::http::Port;
use service::settings::SettingsError;
use service::tokens::Tokens;
use service::{Running, admin, http};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Settings;
use crate::api;
use crate::index::{Index, IndexError, Lock};
use crate::list::{FailedList, Ingredients, Trouble};
use crate::metrics::Metrics;
use crate::settings::NAME;

/// What a run is given beside its settings.
#[derive(Debug)]
pub struct Parts {
    /// Where the API is served.
    pub api: Port,
    /// Where health and metrics are served; `None` where another part of the
    /// process does so from `health` and `registry`.
    pub admin: Option<TcpListener>,
    /// Gets this run's conditions.
    pub health: Health,
    /// Gets this run's metrics.
    pub registry: Registry,
    /// What may be done about topics.
    pub topics: TopicPolicy,
    /// Who may ask.
    pub tokens: Tokens,
}

/// Why the process ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting is wrong, or a topic is not as it must be (exit 64).
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The failed list's file.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Kafka does not give the transactional id.
    #[error("the transactional id cannot be taken: {0}")]
    Id(MoveError),
    /// Another dlq-consumer has the transactional id.
    #[error(
        "another dlq-consumer has taken over, or Kafka ended this one's right to move entries: \
         run one at a time ({0})"
    )]
    Fenced(String),
    /// A client that reads a topic has failed for good; the log says why.
    #[error("the failed list or its jobs cannot be read any more: the log says why")]
    NotRead,
    /// A metric's name is taken.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Parts {
    /// Those of a process of its own: binds the ports of the settings.
    ///
    /// # Errors
    /// When a token is wrong or a port is not to be had.
    pub async fn of(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            tokens: Tokens::new(&settings.auth)?,
            api: http::bind("http.listen", settings.http.listen)
                .await?
                .into(),
            admin: Some(http::bind("admin.listen", settings.admin.listen).await?),
            health: Health::new(),
            registry: Registry::new(),
            topics: settings.topic_policy(),
        })
    }
}

/// Serves the failed list until `shutdown`. Waits for Kafka; the API answers
/// 503 meanwhile.
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
    let metrics = Metrics::new(&parts.registry)?;
    let lock = Lock::take(&settings.index.path)?;
    let (trouble, mut troubles) = Trouble::new();
    let beginning = Beginning {
        settings: &settings,
        policy: parts.topics,
        metrics: &metrics,
        trouble: &trouble,
        checked: parts.health.condition("Kafka reached and topics checked"),
        id_taken: parts.health.condition("transactional id taken"),
        caught_up: parts
            .health
            .condition("failed list and jobs read to their ends"),
    };
    let list = Arc::new(OnceLock::new());
    let ending = shutdown.child_token();
    let mut servers = JoinSet::new();
    let router = api::routes(parts.tokens, Arc::clone(&list));
    servers.spawn(http::serve(parts.api, router, ending.clone()));
    if let Some(listener) = parts.admin {
        let router = admin::routes(parts.health.clone(), parts.registry);
        servers.spawn(admin::serve(listener, router, ending.clone()));
    }

    // Not a child of `shutdown`: moves under way then still need their threads.
    let threads = CancellationToken::new();
    let outcome = tokio::select! {
        biased;
        Some(error) = troubles.recv() => Err(error),
        outcome = beginning.keep_list(&list, &ending, &threads) => outcome,
    };
    if let Err(error) = &outcome {
        parts.health.fail(error.to_string());
    }
    ending.cancel();
    while servers.join_next().await.is_some() {}
    if let Some(list) = Arc::into_inner(list).and_then(OnceLock::into_inner) {
        list.close().await;
    }
    threads.cancel();
    if let Err(RunError::Index(error)) = &outcome
        && error.is_broken_file()
    {
        Index::remove(&settings.index.path)?;
    }
    drop(lock);
    outcome
}

/// What it takes to begin.
struct Beginning<'a> {
    settings: &'a Settings,
    policy: TopicPolicy,
    metrics: &'a Metrics,
    trouble: &'a Trouble,
    checked: Condition,
    id_taken: Condition,
    caught_up: Condition,
}

impl Beginning<'_> {
    /// Opens the list, shows it to the API, and keeps it until `shutdown`.
    async fn keep_list(
        &self,
        shown: &OnceLock<FailedList>,
        shutdown: &CancellationToken,
        threads: &CancellationToken,
    ) -> Result<(), RunError> {
        let Some(list) = self.open(shutdown, threads).await? else {
            return Ok(());
        };
        let list = shown.get_or_init(|| list);
        list.start_work(shutdown.clone());
        tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            () = list.keep(self.metrics, &self.caught_up) => Err(RunError::NotRead),
        }
    }

    /// `None` when shutdown came first.
    async fn open(
        &self,
        shutdown: &CancellationToken,
        threads: &CancellationToken,
    ) -> Result<Option<FailedList>, RunError> {
        let topics = self.settings.topic_names();
        let connection = self.settings.connection()?;
        let specs = [
            topics.dead_letter_spec(),
            topics.resend_spec(),
            topics.jobs_spec(),
            topics.audit_spec(),
        ];
        match ensure_topics(&connection, &specs, self.policy, shutdown).await {
            Ok(differences) => {
                for difference in differences {
                    tracing::warn!("{difference}");
                }
            }
            Err(TopicError::Stopped) => return Ok(None),
            Err(error) => return Err(SettingsError::from(error).into()),
        }
        self.checked.set(true);
        let told = kafka::ask(&connection, &topics.dead_letter, shutdown).await;
        let Some(told) = told.map_err(SettingsError::from)? else {
            return Ok(None);
        };
        // Before the topic is read: from here on no other process writes
        // tombstones, so the end of the topic shows what is live.
        let id = topics.id(NAME);
        let mover = Mover::open(&connection, "mover", &id, threads);
        let mover = match shutdown.run_until_cancelled(mover).await {
            Some(Ok(mover)) => mover,
            Some(Err(MoveError::Connection(error))) => {
                return Err(SettingsError::from(error).into());
            }
            Some(Err(MoveError::Fenced(reason))) => return Err(RunError::Fenced(reason)),
            Some(Err(error)) => return Err(RunError::Id(error)),
            None => return Ok(None),
        };
        self.id_taken.set(true);
        tracing::info!(transactional_id = id, "the transactional id is taken");
        let ingredients = Ingredients {
            connection: &connection,
            topics: &topics,
            told,
            path: &self.settings.index.path,
            mover,
            metrics: self.metrics,
            trouble: self.trouble,
        };
        FailedList::open(ingredients, threads).await.map(Some)
    }
}
