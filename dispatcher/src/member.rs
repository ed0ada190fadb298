//! The dispatcher's member of the consumer group, on a thread of its own.

use std::{
    sync::{Arc, Weak},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use domain::Topics;
use kafka::Connection;
use rdkafka::{
    Message as _,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::{
    group::GroupEvent,
    rebalance::{Context, Group},
};

/// How long one poll waits. It only bounds how late a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// How often the cluster is asked for its topics: a retry topic of another
/// schedule is read after this time.
const LOOK_AT_TOPICS: Duration = Duration::from_secs(10);

/// Fetching is kept small: a lane reads ahead by itself, and memory is bounded
/// by what is queued here for each partition. A partition whose queue is full is
/// left out of a fetch, and has to wait for that one's answer: it must be short.
const fn fetching(longest_wait_ms: &str) -> [(&str, &str); 4] {
    [
        ("queued.max.messages.kbytes", "1024"),
        ("fetch.message.max.bytes", "524288"),
        ("fetch.queue.backoff.ms", "5"),
        ("fetch.wait.max.ms", longest_wait_ms),
    ]
}

const EVENTS: [(&str, &str); 4] = fetching("10");
/// The other topics are read long before their records are due, or at the pace
/// of slow endpoints: a fetch that waits longer costs less when there is nothing.
const OTHERS: [(&str, &str); 4] = fetching("50");

/// A member of the consumer group.
pub(crate) struct Member {
    /// The thread and the lanes' queues own it; whoever is last closes it.
    pub(crate) consumer: Weak<BaseConsumer<Context>>,
    leave: CancellationToken,
    thread: JoinHandle<()>,
}

impl Member {
    /// Joins the group. What happens is told to `engine`.
    pub(crate) fn join(
        connection: &Connection,
        topics: &Topics,
        engine: &UnboundedSender<GroupEvent>,
    ) -> Result<Self, JoinError> {
        let id = topics.id("dispatcher");
        let others = connection.consumer_config(&id, &OTHERS);
        let others = others.create_with_context(Context::default())?;
        let group = Group::new(topics, Arc::new(others), engine);
        let consumer = connection.consumer_config(&id, &EVENTS);
        let consumer: BaseConsumer<Context> =
            consumer.create_with_context(Context::of_member(&group))?;
        let consumer = Arc::new(consumer);
        if !group.is_of(&consumer) {
            return Err(JoinError::Twice);
        }
        let leave = CancellationToken::new();
        let member = Arc::downgrade(&consumer);
        let thread = std::thread::Builder::new().name("group".into()).spawn({
            let leave = leave.clone();
            move || {
                if let Err(why) = poll(&consumer, &group, &leave) {
                    group.tell(GroupEvent::Fatal(why));
                }
                drop(consumer);
                group.tell(GroupEvent::Left);
            }
        })?;
        Ok(Self {
            consumer: member,
            leave,
            thread,
        })
    }

    /// Asks the thread to leave the group: partitions are revoked, which drains
    /// them, and [`GroupEvent::Left`] follows.
    pub(crate) fn leave(&self) {
        self.leave.cancel();
    }

    /// Joins the thread, after [`GroupEvent::Left`].
    pub(crate) fn close(self) {
        if self.thread.join().is_err() {
            tracing::error!("a consumer's thread panicked");
        }
    }
}

/// Why the group cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// librdkafka refused the settings or the subscription.
    #[error("a consumer cannot be made: {0}")]
    Kafka(#[from] KafkaError),
    /// The system gave no thread.
    #[error("a consumer's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    /// A consumer was set up twice.
    #[error("a consumer was set up twice")]
    Twice,
}

/// Polls until the group was left. An error says why the process cannot go on.
fn poll(
    consumer: &Arc<BaseConsumer<Context>>,
    group: &Group,
    leave: &CancellationToken,
) -> Result<(), String> {
    // What belongs together must be known before anything is assigned.
    while !leave.is_cancelled() {
        match group.look_at_topics() {
            Ok(true) => break,
            Ok(false) => tracing::warn!("feedback.events is not there yet"),
            Err(error) => tracing::warn!(%error, "the cluster does not tell its topics yet"),
        }
        serve(consumer, POLL)?;
    }
    consumer
        .subscribe(&[&group.topics.events])
        .map_err(|error| format!("feedback.events cannot be subscribed to: {error}"))?;
    let mut looked_at = Instant::now();
    let mut leaving = false;
    loop {
        if leave.is_cancelled() && !leaving {
            leaving = true;
            consumer.unsubscribe();
        }
        serve(consumer, POLL)?;
        serve(&group.others, Duration::ZERO)?;
        if leaving {
            if consumer.assignment().is_ok_and(|left| left.count() == 0) {
                return Ok(());
            }
        } else if looked_at.elapsed() >= LOOK_AT_TOPICS {
            looked_at = Instant::now();
            let looked = group.look_at_topics();
            if let Err(error) = looked.and_then(|_| group.take_new_topics(consumer)) {
                tracing::warn!(%error, "new topics are not read yet");
            }
        }
    }
}

/// Has callbacks called and errors told.
fn serve(consumer: &BaseConsumer<Context>, wait: Duration) -> Result<(), String> {
    match consumer.poll(wait) {
        None => Ok(()),
        // Passing it over would lose it.
        Some(Ok(record)) => Err(format!(
            "a record of {} partition {} came past its lane's queue",
            record.topic(),
            record.partition()
        )),
        Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
            Err(format!("the consumer cannot go on: {code}"))
        }
        Some(Err(error)) => {
            tracing::warn!(%error, "the consumer reports an error and goes on");
            Ok(())
        }
    }
}
