//! Topics made and checked before anything uses them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::TopicSpec;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Connection, ConnectionError, Logged,
    connection::passes_by_waiting,
    patience::{Patience, Stopped},
};

mod compare;
mod config;

pub use compare::Difference;
use compare::{Config, in_sync_replicas};

/// How long one question to the cluster may take before shutdown is looked at.
const ASK: Duration = Duration::from_secs(2);
/// How long a broker may take to make topics or to tell their settings.
const ADMIN: Duration = Duration::from_secs(10);

/// What may be done about topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicPolicy {
    /// Make what is missing, and check the settings of what is there.
    Create {
        /// Copies of each partition; -1 is the broker's default. From 3 on, a
        /// new topic gets `min.insync.replicas=2`.
        replication: i32,
    },
    /// Others make topics: say what is missing, and check settings.
    Check,
    /// Topics must be there and have their partitions; nothing else is asked
    /// (librdkafka's mock cluster cannot answer).
    Trust,
}

/// Why the topics cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The connection's properties cannot be used (exit 64).
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// Topics are missing and may not be made (exit 64).
    #[error(
        "these topics are missing, or hidden from this user: {}. Make them, or allow it with topics.create=true:\n{}",
        topics.join(", "), commands.join("\n")
    )]
    Missing {
        /// Their names.
        topics: Vec<String>,
        /// A command for each that makes it.
        commands: Vec<String>,
    },
    /// Topics are set up in a way that breaks the promise (exit 64).
    #[error("{}", lines(.0))]
    Wrong(Vec<Difference>),
    /// The cluster refuses to make a topic (exit 64).
    #[error("topic {topic} cannot be made: {reason}. Make it yourself:\n{command}")]
    Refused {
        /// Its name.
        topic: String,
        /// What the cluster says.
        reason: String,
        /// A command that makes it.
        command: String,
    },
    /// Shutdown came before the cluster could be reached.
    #[error("stopped before the Kafka cluster could be reached")]
    Stopped,
}

impl From<Stopped> for TopicError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

fn lines(differences: &[Difference]) -> String {
    let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Makes the topics that are missing, as far as `policy` allows, and compares
/// those that are there. Waits for a cluster that cannot be reached until
/// `shutdown`. What is returned is worth a warning each, but nothing breaks.
///
/// # Errors
/// See [`TopicError`]: all but [`TopicError::Stopped`] are for exit 64.
pub async fn ensure_topics(
    connection: &Connection,
    specs: &[TopicSpec],
    policy: TopicPolicy,
    shutdown: &CancellationToken,
) -> Result<Vec<Difference>, TopicError> {
    let cluster = Cluster::new(connection)?;
    let mut patience = Patience::new();
    let partitions = loop {
        let existing = match cluster.topics(shutdown).await? {
            Ok(existing) => existing,
            Err(error) => {
                patience.pause("answer", &error, shutdown).await?;
                continue;
            }
        };
        let missing: Vec<&TopicSpec> = specs
            .iter()
            .filter(|spec| !existing.contains_key(&spec.name))
            .collect();
        if missing.is_empty() {
            break existing;
        }
        let TopicPolicy::Create { replication } = policy else {
            return Err(TopicError::Missing {
                topics: missing.iter().map(|spec| spec.name.clone()).collect(),
                commands: missing
                    .iter()
                    .map(|spec| config::command(spec, connection.brokers(), None))
                    .collect(),
            });
        };
        match create(connection, &missing, replication, shutdown).await? {
            // They are made; each broker tells so a little later.
            Ok(()) => patience.pause_quietly(shutdown).await?,
            Err(error) => patience.pause("make topics", &error, shutdown).await?,
        }
    };
    let mut differences: Vec<Difference> = specs
        .iter()
        .filter_map(|spec| compare::partitions(spec, *partitions.get(&spec.name)?))
        .collect();
    if policy != TopicPolicy::Trust {
        differences.extend(check_configs(connection, specs, shutdown).await?);
    }
    if differences.iter().any(Difference::breaks) {
        differences.retain(Difference::breaks);
        return Err(TopicError::Wrong(differences));
    }
    Ok(differences)
}

/// A client that asks for metadata.
struct Cluster(Arc<BaseConsumer<Logged>>);

impl Cluster {
    fn new(connection: &Connection) -> Result<Self, ConnectionError> {
        // Without a group this client only asks; it never asks for a topic by
        // name, which might make it.
        let consumer = connection
            .admin_config()
            .create_with_context(Logged::default())?;
        Ok(Self(Arc::new(consumer)))
    }

    /// All topics with their number of partitions.
    async fn topics(
        &self,
        shutdown: &CancellationToken,
    ) -> Result<Result<BTreeMap<String, usize>, KafkaError>, Stopped> {
        let client = Arc::clone(&self.0);
        let ask = tokio::task::spawn_blocking(move || {
            let answer = client.fetch_metadata(None, ASK);
            // Serves the client's log: nothing is consumed here.
            drop(client.poll(Duration::ZERO));
            answer.map(|metadata| metadata.topics().iter().filter_map(existing).collect())
        });
        tokio::select! {
            () = shutdown.cancelled() => Err(Stopped),
            answer = ask => Ok(answer.unwrap_or(Err(KafkaError::Canceled))),
        }
    }
}

/// A topic's name and number of partitions. One without leaders is there too:
/// clients wait for leaders by themselves.
fn existing(topic: &MetadataTopic) -> Option<(String, usize)> {
    let partitions = topic.partitions().len();
    (partitions > 0).then(|| (topic.name().to_owned(), partitions))
}

/// Makes topics; the inner error is one that waiting may cure.
async fn create(
    connection: &Connection,
    missing: &[&TopicSpec],
    replication: i32,
    shutdown: &CancellationToken,
) -> Result<Result<(), KafkaError>, TopicError> {
    let admin = admin(connection)?;
    let configs: Vec<_> = missing
        .iter()
        .map(|spec| config::of(spec, replication))
        .collect();
    let new: Vec<NewTopic<'_>> = missing
        .iter()
        .zip(&configs)
        .map(|(spec, config)| {
            let replication = TopicReplication::Fixed(replication);
            let topic = NewTopic::new(&spec.name, spec.partitions, replication);
            config
                .iter()
                .fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();
    let options = AdminOptions::new()
        .request_timeout(Some(ADMIN))
        .operation_timeout(Some(ADMIN));
    let results = tokio::select! {
        () = shutdown.cancelled() => return Err(TopicError::Stopped),
        results = admin.create_topics(&new, &options) => results,
    };
    let results = match results {
        Ok(results) => results,
        Err(error) => return Ok(Err(error)),
    };
    let mut later = Ok(());
    for (result, spec) in results.into_iter().zip(missing) {
        match result {
            Ok(topic) => tracing::info!(topic, partitions = spec.partitions, "topic made"),
            // Another process that starts now was quicker.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) if passes_by_waiting(code) => later = Err(KafkaError::AdminOp(code)),
            Err((topic, code)) => {
                return Err(TopicError::Refused {
                    topic,
                    reason: code.to_string(),
                    command: config::command(spec, connection.brokers(), Some(replication)),
                });
            }
        }
    }
    Ok(later)
}

async fn check_configs(
    connection: &Connection,
    specs: &[TopicSpec],
    shutdown: &CancellationToken,
) -> Result<Vec<Difference>, TopicError> {
    let admin = admin(connection)?;
    let topics: Vec<_> = specs
        .iter()
        .map(|spec| ResourceSpecifier::Topic(&spec.name))
        .collect();
    let options = AdminOptions::new().request_timeout(Some(ADMIN));
    let answer = tokio::select! {
        () = shutdown.cancelled() => return Err(TopicError::Stopped),
        answer = admin.describe_configs(&topics, &options) => answer,
    };
    let answers = match answer {
        Ok(answers) => answers,
        Err(error) => {
            let reason = error.to_string();
            return Ok(vec![Difference::NotChecked { reason }]);
        }
    };
    let (mut differences, mut found, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
    for (spec, answer) in specs.iter().zip(answers) {
        match answer {
            // The client says so where Kafka refuses: no topic is without any setting.
            Ok(resource) if resource.entries.is_empty() => hidden.push(&*spec.name),
            Ok(resource) => {
                let config = Config::read(|key| resource.get(key)?.value.clone());
                differences.extend(compare::config(spec, &config));
                found.push((spec, config));
            }
            Err(code) => differences.push(Difference::NotChecked {
                reason: format!("topic {}: {code}", spec.name),
            }),
        }
    }
    if !hidden.is_empty() {
        let topics = hidden.join(", ");
        differences.push(Difference::NotChecked {
            reason: format!("this user may not read them (DescribeConfigs) of {topics}"),
        });
    }
    differences.extend(in_sync_replicas(&found));
    Ok(differences)
}

fn admin(connection: &Connection) -> Result<AdminClient<Logged>, ConnectionError> {
    Ok(connection
        .admin_config()
        .create_with_context(Logged::default())?)
}
