//! Whether Kafka can be reached and has the topic: at start, and from then on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::TopicSpec;
use kafka::{Connection, Logged, TopicError, TopicPolicy, ensure_topics};
use rdkafka::consumer::{BaseConsumer, Consumer};
use service::health::Condition;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the cluster is asked.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Makes or checks the topic as soon as the cluster answers, however long that
/// takes; opens `topic_seen` then, and keeps `reachable` up to date until
/// `shutdown`.
///
/// # Errors
/// When the topic cannot be used; waiting would not help.
pub(crate) async fn follow(
    connection: &Connection,
    spec: TopicSpec,
    policy: TopicPolicy,
    topic_seen: &AtomicBool,
    reachable: &Condition,
    shutdown: &CancellationToken,
) -> Result<(), TopicError> {
    match ensure_topics(connection, std::slice::from_ref(&spec), policy, shutdown).await {
        Ok(differences) => {
            for difference in differences {
                tracing::warn!("{difference}");
            }
        }
        Err(TopicError::Stopped) => return Ok(()),
        Err(error) => return Err(error),
    }
    topic_seen.store(true, Ordering::Release);
    reachable.set(true);
    tracing::info!(topic = spec.name, "events are taken");

    let client = client(connection)?;
    let client = Arc::new(client);
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let (client, topic) = (Arc::clone(&client), spec.name.clone());
        let answer = tokio::task::spawn_blocking(move || ask(&client, &topic)).await;
        reachable.set(answer.unwrap_or(false));
    }
    Ok(())
}

/// A client that only asks, and so needs no group.
fn client(connection: &Connection) -> Result<BaseConsumer<Logged>, TopicError> {
    connection
        .consumer_config("", &[])
        .remove("group.id")
        .create_with_context(Logged::default())
        .map_err(|error| TopicError::Connection(error.into()))
}

/// Whether the cluster answers and every partition of the topic has a leader.
fn ask(client: &BaseConsumer<Logged>, topic: &str) -> bool {
    // Serves the client's log and events.
    drop(client.poll(Duration::ZERO));
    client
        .fetch_metadata(Some(topic), ANSWER_TIME)
        .is_ok_and(|metadata| {
            metadata.topics().iter().any(|it| {
                it.name() == topic
                    && !it.partitions().is_empty()
                    && it
                        .partitions()
                        .iter()
                        .all(|partition| partition.leader() >= 0)
            })
        })
}
