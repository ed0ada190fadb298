//! The consumer groups: a thread each that polls its consumer, and the
//! callbacks in which partitions come and go.
//!
//! Records never come through the polling thread: each partition's queue is
//! split off before it is assigned and is read by its lane. On revocation the
//! callback waits until the engine has drained the lanes and commits what is
//! complete; librdkafka's own thread sends heartbeats meanwhile.

use std::{
    sync::{
        Arc, OnceLock, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread::JoinHandle,
    time::Duration,
};

use domain::Topics;
use kafka::{ClientLog, Connection};
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{
        BaseConsumer, CommitMode, Consumer, ConsumerContext, base_consumer::PartitionQueue,
    },
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use tokio::sync::{Notify, mpsc::UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::{engine::DRAIN, offsets::Commit};

/// How long one poll waits. It only bounds how late a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// How long the broker may take to answer a request made within a callback.
const ANSWER: Duration = Duration::from_secs(10);

/// The consumer groups of a dispatcher: an assignor balances the sum over a
/// group's topics and not each topic, so topics that must be spread evenly have
/// a group of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Group {
    /// `feedback.events`.
    Events,
    /// `webhooks.ready`.
    Ready,
    /// The retry topics and `webhooks.resend`.
    Retry,
}

impl Group {
    pub(crate) const ALL: [Self; 3] = [Self::Events, Self::Ready, Self::Retry];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Ready => "ready",
            Self::Retry => "retry",
        }
    }

    /// Patterns only: a mix with plain names delays the first assignment.
    fn subscription(self, topics: &Topics) -> Vec<String> {
        match self {
            Self::Events => vec![Topics::literal_pattern(&topics.events)],
            Self::Ready => vec![Topics::literal_pattern(&topics.ready)],
            Self::Retry => vec![
                topics.retry_pattern(),
                Topics::literal_pattern(&topics.resend),
            ],
        }
    }
}

/// A partition that was assigned.
pub(crate) struct Assigned {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) committed: Option<(i64, String)>,
    pub(crate) queue: PartitionQueue<GroupContext>,
    /// Told whenever the queue becomes non-empty.
    pub(crate) nonempty: Arc<Notify>,
}

/// What to commit for a partition.
#[derive(Debug)]
pub(crate) struct ToCommit {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) commit: Commit,
}

/// What a group tells the engine.
pub(crate) enum GroupEvent {
    /// Partitions have come; none when there are more dispatchers than
    /// partitions.
    Assigned(Group, Vec<Assigned>),
    /// Partitions go. The callback waits for the answer.
    Revoked {
        group: Group,
        partitions: Vec<(String, i32)>,
        /// They are gone already: another member may work on them.
        lost: bool,
        answer: mpsc::Sender<Vec<ToCommit>>,
    },
    /// The group's thread has ended, and the consumer has left the group.
    Left(Group),
    /// The process cannot go on.
    Fatal(String),
}

/// The callbacks of one consumer.
pub(crate) struct GroupContext {
    group: Group,
    engine: UnboundedSender<GroupEvent>,
    log: ClientLog,
    /// Splitting a queue asks for the consumer's `Arc`, which the callbacks are
    /// not given.
    consumer: OnceLock<Weak<BaseConsumer<Self>>>,
}

impl GroupContext {
    fn tell(&self, event: GroupEvent) {
        if self.engine.send(event).is_err() {
            tracing::debug!(group = self.group.as_str(), "the engine has ended");
        }
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        // librdkafka waits for the answer to an assignment, also when it ends.
        let settle = || {
            if let Err(error) = consumer.incremental_assign(partitions) {
                tracing::warn!(group = self.group.as_str(), %error, "an assignment was not settled");
            }
        };
        let Some(shared) = self.consumer.get().and_then(Weak::upgrade) else {
            return settle();
        };
        let assigned = match self.assigned(&shared, partitions) {
            Ok(assigned) => assigned,
            Err(error) => {
                settle();
                return self.tell(GroupEvent::Fatal(format!(
                    "the committed offsets of group {} cannot be read: {error}",
                    self.group.as_str()
                )));
            }
        };
        let mut from = TopicPartitionList::with_capacity(assigned.len());
        for partition in &assigned {
            let offset = partition
                .committed
                .as_ref()
                .map_or(Offset::Beginning, |(offset, _)| Offset::Offset(*offset));
            if let Err(error) =
                from.add_partition_offset(&partition.topic, partition.partition, offset)
            {
                settle();
                return self.tell(GroupEvent::Fatal(format!("an offset was refused: {error}")));
            }
        }
        if let Err(error) = consumer.incremental_assign(&from) {
            return self.tell(GroupEvent::Fatal(format!(
                "partitions of group {} cannot be taken: {error}",
                self.group.as_str()
            )));
        }
        self.tell(GroupEvent::Assigned(self.group, assigned));
    }

    fn assigned(
        &self,
        consumer: &Arc<BaseConsumer<Self>>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<Vec<Assigned>> {
        if partitions.count() == 0 {
            return Ok(Vec::new());
        }
        let committed = committed(consumer, partitions)?;
        let mut assigned = Vec::with_capacity(partitions.count());
        for partition in committed.elements() {
            let (topic, number) = (partition.topic().to_owned(), partition.partition());
            let mut queue = consumer
                .split_partition_queue(&topic, number)
                .ok_or(KafkaError::Subscription(topic.clone()))?;
            let nonempty = Arc::new(Notify::new());
            queue.set_nonempty_callback({
                let nonempty = Arc::clone(&nonempty);
                move || nonempty.notify_one()
            });
            assigned.push(Assigned {
                committed: partition
                    .offset()
                    .to_raw()
                    .filter(|offset| *offset >= 0)
                    .map(|offset| (offset, partition.metadata().to_owned())),
                topic,
                partition: number,
                queue,
                nonempty,
            });
        }
        Ok(assigned)
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        // While the consumer is dropped, the engine may be who drops it.
        if self
            .consumer
            .get()
            .is_some_and(|shared| shared.strong_count() > 0)
        {
            self.drain(consumer, partitions);
        }
        if let Err(error) = consumer.incremental_unassign(partitions) {
            tracing::warn!(group = self.group.as_str(), %error, "partitions were not given up");
        }
    }

    /// Waits until the engine has drained the lanes, and commits.
    fn drain(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let (answer, answered) = mpsc::channel();
        let lost = consumer.assignment_lost();
        self.tell(GroupEvent::Revoked {
            group: self.group,
            partitions: names(partitions),
            lost,
            answer,
        });
        // The engine answers within its drain limit; without an engine the
        // channel is closed at once.
        match answered.recv_timeout(DRAIN + Duration::from_secs(1)) {
            Ok(commits) if !commits.is_empty() && !lost => {
                let stored =
                    commit_list(&commits).and_then(|list| consumer.commit(&list, CommitMode::Sync));
                if let Err(error) = stored {
                    tracing::warn!(
                        group = self.group.as_str(),
                        %error,
                        "the last commit before partitions were given up was refused: what it held complete is sent again"
                    );
                }
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(
                    group = self.group.as_str(),
                    "the engine did not drain in time: what was in flight may be sent again"
                );
            }
        }
    }
}

/// The committed offsets, asked for until there is an answer: beginning
/// elsewhere would lose or repeat records.
fn committed(
    consumer: &BaseConsumer<GroupContext>,
    partitions: &TopicPartitionList,
) -> KafkaResult<TopicPartitionList> {
    let mut wanted = TopicPartitionList::with_capacity(partitions.count());
    for partition in partitions.elements() {
        wanted.add_partition(partition.topic(), partition.partition());
    }
    // A partition may have an error of its own, and then no offset.
    let ask = || {
        let answer = consumer.committed_offsets(wanted.clone(), ANSWER)?;
        for partition in answer.elements() {
            partition.error()?;
        }
        Ok(answer)
    };
    let mut answer = ask();
    for _ in 0..3 {
        if answer.is_ok() {
            break;
        }
        answer = ask();
    }
    answer
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.assign(consumer, partitions);
        } else {
            self.revoke(consumer, partitions);
        }
    }
}

fn names(partitions: &TopicPartitionList) -> Vec<(String, i32)> {
    partitions
        .elements()
        .iter()
        .map(|partition| (partition.topic().to_owned(), partition.partition()))
        .collect()
}

/// Commits as librdkafka wants them.
pub(crate) fn commit_list(commits: &[ToCommit]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(commits.len());
    for item in commits {
        let mut partition = list.add_partition(&item.topic, item.partition);
        partition.set_offset(Offset::Offset(item.commit.offset))?;
        partition.set_metadata(&item.commit.metadata);
    }
    Ok(list)
}

/// A member of a consumer group, on a thread of its own.
pub(crate) struct Member {
    /// The thread and the lanes' queues own it; whoever is last closes it.
    pub(crate) consumer: Weak<BaseConsumer<GroupContext>>,
    leave: CancellationToken,
    thread: JoinHandle<()>,
}

impl Member {
    /// Joins the group. What happens is told to `engine`.
    pub(crate) fn join(
        group: Group,
        connection: &Connection,
        topics: &Topics,
        engine: &UnboundedSender<GroupEvent>,
    ) -> Result<Self, JoinError> {
        let config = connection.consumer_config(
            &topics.id(&format!("dispatcher.{}", group.as_str())),
            &CONSUMER_DEFAULTS,
        );
        let consumer: BaseConsumer<GroupContext> = config.create_with_context(GroupContext {
            group,
            engine: engine.clone(),
            log: ClientLog::default(),
            consumer: OnceLock::new(),
        })?;
        let consumer = Arc::new(consumer);
        if consumer
            .context()
            .consumer
            .set(Arc::downgrade(&consumer))
            .is_err()
        {
            return Err(JoinError::Twice);
        }
        let patterns = group.subscription(topics);
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        consumer.subscribe(&patterns)?;
        let leave = CancellationToken::new();
        let member = Arc::downgrade(&consumer);
        let thread = std::thread::Builder::new()
            .name(format!("group-{}", group.as_str()))
            .spawn({
                let leave = leave.clone();
                let engine = engine.clone();
                move || {
                    poll(&consumer, group, &engine, &leave);
                    drop(consumer);
                    if engine.send(GroupEvent::Left(group)).is_err() {
                        tracing::debug!(group = group.as_str(), "the engine ended first");
                    }
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

/// Why no group can be joined.
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

/// Fetching is kept small: a lane reads ahead by itself, and memory is bounded
/// by what is queued here for each partition.
const CONSUMER_DEFAULTS: [(&str, &str); 4] = [
    ("fetch.wait.max.ms", "10"),
    ("queued.max.messages.kbytes", "1024"),
    ("fetch.message.max.bytes", "524288"),
    ("fetch.queue.backoff.ms", "5"),
];

fn poll(
    consumer: &Arc<BaseConsumer<GroupContext>>,
    group: Group,
    engine: &UnboundedSender<GroupEvent>,
    leave: &CancellationToken,
) {
    let fatal = |text: String| {
        if engine.send(GroupEvent::Fatal(text)).is_err() {
            tracing::debug!("the engine has ended");
        }
    };
    let mut leaving = false;
    loop {
        if leave.is_cancelled() && !leaving {
            leaving = true;
            consumer.unsubscribe();
        }
        match consumer.poll(POLL) {
            None => {}
            Some(Ok(record)) => {
                // Passing it over would lose it.
                return fatal(format!(
                    "a record of partition {} came past its lane's queue",
                    rdkafka::Message::partition(&record)
                ));
            }
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                return fatal(format!(
                    "the consumer of group {} cannot go on: {code}",
                    group.as_str()
                ));
            }
            Some(Err(error)) => {
                tracing::warn!(group = group.as_str(), %error, "the consumer reports an error and goes on");
            }
        }
        if leaving && consumer.assignment().is_ok_and(|left| left.count() == 0) {
            return;
        }
    }
}
