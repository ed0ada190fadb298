//! The consumer group: a thread that polls its consumer, and the callbacks in
//! which partitions come and go.
//!
//! Records never come through the polling thread: each partition's queue is
//! split off before it is assigned and is read by its lane. On revocation the
//! callback waits until the engine has drained the lanes and commits what is
//! complete; librdkafka's own thread sends heartbeats meanwhile.
//!
//! The group shares out `feedback.events`; the partitions of the other topics
//! come and go with those ([`Families`]).

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
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

use crate::{engine::DRAIN, families::Families, offsets::Commit};

/// How long one poll waits. It only bounds how late a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// How long the broker may take to answer a request made within a callback.
const ANSWER: Duration = Duration::from_secs(10);
/// How often the cluster is asked for its topics: a retry topic of another
/// schedule is read after this time.
const LOOK_AT_TOPICS: Duration = Duration::from_secs(10);
/// How long it may take to tell them: nothing else happens meanwhile.
const TOPICS_ANSWER: Duration = Duration::from_secs(2);

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
    Assigned(Vec<Assigned>),
    /// Partitions go. The callback waits for the answer.
    Revoked {
        partitions: Vec<(String, i32)>,
        /// They are gone already: another member may work on them.
        lost: bool,
        answer: mpsc::Sender<Vec<ToCommit>>,
    },
    /// The group's thread has ended, and the consumer has left the group.
    Left,
    /// The process cannot go on.
    Fatal(String),
}

/// The callbacks of the consumer. All run on the thread that polls it.
pub(crate) struct GroupContext {
    topics: Topics,
    families: Mutex<Families>,
    engine: UnboundedSender<GroupEvent>,
    log: ClientLog,
    /// Splitting a queue asks for the consumer's `Arc`, which the callbacks are
    /// not given.
    consumer: OnceLock<Weak<BaseConsumer<Self>>>,
}

impl GroupContext {
    fn tell(&self, event: GroupEvent) {
        if self.engine.send(event).is_err() {
            tracing::debug!("the engine has ended");
        }
    }

    fn families(&self) -> MutexGuard<'_, Families> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the cluster for its topics. Whether `feedback.events` is there.
    fn look_at_topics(&self, consumer: &BaseConsumer<Self>) -> KafkaResult<bool> {
        let metadata = consumer.fetch_metadata(None, TOPICS_ANSWER)?;
        let cluster = metadata.topics().iter().map(|topic| {
            let partitions = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
            (topic.name(), partitions)
        });
        let found = Families::of(&self.topics, cluster);
        let is_there = found.is_some();
        if let Some(found) = found {
            self.families().look_again(found);
        }
        Ok(is_there)
    }

    /// Partitions of `feedback.events` have come: takes them with their
    /// families.
    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        if let Err(error) = self.take(consumer, partitions) {
            // librdkafka waits for the answer to an assignment, also when it ends.
            if let Err(error) = consumer.incremental_assign(partitions) {
                tracing::warn!(%error, "an assignment was not settled");
            }
            self.tell(GroupEvent::Fatal(format!(
                "partitions that were assigned cannot be read: {error}"
            )));
        }
    }

    fn take(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<()> {
        let of_events: Vec<i32> = partitions
            .elements()
            .iter()
            .map(|partition| partition.partition())
            .collect();
        let mut all = partitions.clone();
        for (topic, partition) in self.families().members(&of_events) {
            all.add_partition(topic, partition);
        }
        self.read(consumer, &all)
    }

    /// Takes what belongs to this member's families and was not there before.
    fn take_new_topics(&self, consumer: &BaseConsumer<Self>) -> KafkaResult<()> {
        let assignment = consumer.assignment()?;
        let has: BTreeSet<(String, i32)> = names(&assignment).into_iter().collect();
        let of_events: Vec<i32> = has
            .iter()
            .filter(|(topic, _)| *topic == self.topics.events)
            .map(|(_, partition)| *partition)
            .collect();
        let mut new = TopicPartitionList::new();
        for (topic, partition) in self.families().members(&of_events) {
            if !has.contains(&(topic.to_owned(), partition)) {
                new.add_partition(topic, partition);
            }
        }
        if new.count() == 0 {
            return Ok(());
        }
        self.read(consumer, &new)
    }

    /// Begins to read partitions where they were committed.
    fn read(&self, consumer: &BaseConsumer<Self>, all: &TopicPartitionList) -> KafkaResult<()> {
        let shared = self.consumer.get().and_then(Weak::upgrade);
        let Some(shared) = shared else {
            // It is being dropped.
            return consumer.incremental_assign(all);
        };
        let assigned = self.assigned(&shared, all)?;
        let mut from = TopicPartitionList::with_capacity(assigned.len());
        for partition in &assigned {
            let offset = partition
                .committed
                .as_ref()
                .map_or(Offset::Beginning, |(offset, _)| Offset::Offset(*offset));
            from.add_partition_offset(&partition.topic, partition.partition, offset)?;
        }
        consumer.incremental_assign(&from)?;
        self.tell(GroupEvent::Assigned(assigned));
        Ok(())
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

    /// Partitions of `feedback.events` go: gives them up with their families.
    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let going = self.with_families(consumer, partitions);
        // While the consumer is dropped, the engine may be who drops it.
        if self
            .consumer
            .get()
            .is_some_and(|shared| shared.strong_count() > 0)
        {
            self.drain(consumer, &going);
        }
        if let Err(error) = consumer.incremental_unassign(&going) {
            tracing::warn!(%error, "partitions were not given up");
        }
    }

    /// These partitions and all that are read because of them.
    fn with_families(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &TopicPartitionList,
    ) -> TopicPartitionList {
        let of_events: BTreeSet<i32> = partitions
            .elements()
            .iter()
            .map(|partition| partition.partition())
            .collect();
        let mut going = partitions.clone();
        let families = self.families();
        for (topic, partition) in consumer.assignment().map_or_else(
            |error| {
                tracing::warn!(%error, "the assignment is not known");
                Vec::new()
            },
            |assignment| names(&assignment),
        ) {
            if topic != self.topics.events && of_events.contains(&families.family(partition)) {
                going.add_partition(&topic, partition);
            }
        }
        going
    }

    /// Waits until the engine has drained the lanes, and commits.
    fn drain(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let (answer, answered) = mpsc::channel();
        let lost = consumer.assignment_lost();
        self.tell(GroupEvent::Revoked {
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
                        %error,
                        "the last commit before partitions were given up was refused: what it held complete is sent again"
                    );
                }
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(
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

/// A member of the consumer group, on a thread of its own.
pub(crate) struct Member {
    /// The thread and the lanes' queues own it; whoever is last closes it.
    pub(crate) consumer: Weak<BaseConsumer<GroupContext>>,
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
        let config = connection.consumer_config(&topics.id("dispatcher"), &CONSUMER_DEFAULTS);
        let consumer: BaseConsumer<GroupContext> = config.create_with_context(GroupContext {
            topics: topics.clone(),
            families: Mutex::default(),
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
        let leave = CancellationToken::new();
        let member = Arc::downgrade(&consumer);
        let thread = std::thread::Builder::new().name("group".into()).spawn({
            let leave = leave.clone();
            let engine = engine.clone();
            move || {
                if let Err(why) = poll(&consumer, &leave)
                    && engine.send(GroupEvent::Fatal(why)).is_err()
                {
                    tracing::debug!("the engine has ended");
                }
                drop(consumer);
                if engine.send(GroupEvent::Left).is_err() {
                    tracing::debug!("the engine ended first");
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

/// Fetching is kept small: a lane reads ahead by itself, and memory is bounded
/// by what is queued here for each partition. A partition whose queue is full is
/// left out of a fetch, and has to wait for that one's answer: it must be short.
const CONSUMER_DEFAULTS: [(&str, &str); 4] = [
    ("queued.max.messages.kbytes", "1024"),
    ("fetch.message.max.bytes", "524288"),
    ("fetch.queue.backoff.ms", "5"),
    ("fetch.wait.max.ms", "10"),
];

/// Polls until the group was left. An error says why the process cannot go on.
fn poll(
    consumer: &Arc<BaseConsumer<GroupContext>>,
    leave: &CancellationToken,
) -> Result<(), String> {
    let context = consumer.context();
    // What belongs together must be known before anything is assigned.
    while !leave.is_cancelled() {
        match context.look_at_topics(consumer) {
            Ok(true) => break,
            Ok(false) => tracing::warn!("feedback.events is not there yet"),
            Err(error) => tracing::warn!(%error, "the cluster does not tell its topics yet"),
        }
        // Serves the client's log, too.
        drop(consumer.poll(POLL));
    }
    consumer
        .subscribe(&[&context.topics.events])
        .map_err(|error| format!("feedback.events cannot be subscribed to: {error}"))?;
    let mut looked_at = Instant::now();
    let mut leaving = false;
    loop {
        if leave.is_cancelled() && !leaving {
            leaving = true;
            consumer.unsubscribe();
        }
        match consumer.poll(POLL) {
            None => {}
            // Passing it over would lose it.
            Some(Ok(record)) => {
                return Err(format!(
                    "a record of partition {} came past its lane's queue",
                    rdkafka::Message::partition(&record)
                ));
            }
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                return Err(format!("the consumer cannot go on: {code}"));
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the consumer reports an error and goes on");
            }
        }
        if leaving {
            if consumer.assignment().is_ok_and(|left| left.count() == 0) {
                return Ok(());
            }
        } else if looked_at.elapsed() >= LOOK_AT_TOPICS {
            looked_at = Instant::now();
            let looked = context.look_at_topics(consumer);
            if let Err(error) = looked.and_then(|_| context.take_new_topics(consumer)) {
                tracing::warn!(%error, "new topics are not read yet");
            }
        }
    }
}
