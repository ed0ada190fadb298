//! The callbacks in which partitions come and go, on the thread that polls the
//! group's consumer.
//!
//! Records never come through the polling thread: each partition's queue is
//! split off before it is assigned and is read by its lane. On revocation the
//! callback waits until the engine has drained the lanes and commits what is
//! complete; librdkafka's own thread sends heartbeats meanwhile.
//!
//! The group shares out `feedback.events`; the partitions of the other topics
//! come and go with those ([`Families`]). A consumer of their own reads them,
//! so that a fetch for events does not ask for all of them, too; what is
//! complete of them is committed by the group's member.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use domain::Topics;
use kafka::ClientLog;
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use tokio::sync::{Notify, mpsc::UnboundedSender};

use crate::{
    engine::DRAIN,
    families::Families,
    group::{Assigned, GroupEvent, commit_list},
};

/// How long the broker may take to answer a request made within a callback.
const ANSWER: Duration = Duration::from_secs(10);
/// How long it may take to tell its topics: nothing else happens meanwhile.
const TOPICS_ANSWER: Duration = Duration::from_secs(2);

/// The context of a dispatcher's consumers.
#[derive(Default)]
pub(crate) struct Context {
    log: ClientLog,
    /// Only the member of the group has it.
    group: Option<Arc<Group>>,
}

impl Context {
    pub(crate) fn of_member(group: &Arc<Group>) -> Self {
        Self {
            log: ClientLog::default(),
            group: Some(Arc::clone(group)),
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let comes = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        match &self.group {
            Some(group) if comes => group.assign(consumer, partitions),
            Some(group) => group.revoke(consumer, partitions),
            // It is being closed: librdkafka waits for the answer.
            None => {
                if let Err(error) = consumer.unassign() {
                    tracing::warn!(%error, "partitions were not given up");
                }
            }
        }
    }
}

/// The membership in the consumer group: what its callbacks know.
pub(crate) struct Group {
    pub(crate) topics: Topics,
    families: Mutex<Families>,
    engine: UnboundedSender<GroupEvent>,
    /// Splitting a queue asks for the consumer's `Arc`, which the callbacks are
    /// not given.
    member: OnceLock<Weak<BaseConsumer<Context>>>,
    /// Reads what goes with the partitions of `feedback.events`.
    pub(crate) others: Arc<BaseConsumer<Context>>,
}

impl Group {
    pub(crate) fn new(
        topics: &Topics,
        others: Arc<BaseConsumer<Context>>,
        engine: &UnboundedSender<GroupEvent>,
    ) -> Arc<Self> {
        Arc::new(Self {
            topics: topics.clone(),
            families: Mutex::default(),
            engine: engine.clone(),
            member: OnceLock::new(),
            others,
        })
    }

    /// Says which consumer is its member. Whether it had none.
    pub(crate) fn is_of(&self, member: &Arc<BaseConsumer<Context>>) -> bool {
        self.member.set(Arc::downgrade(member)).is_ok()
    }

    /// Nothing while the consumer is dropped: the engine may be who drops it.
    fn member(&self) -> Option<Arc<BaseConsumer<Context>>> {
        self.member.get().and_then(Weak::upgrade)
    }

    pub(crate) fn tell(&self, event: GroupEvent) {
        if self.engine.send(event).is_err() {
            tracing::debug!("the engine has ended");
        }
    }

    fn families(&self) -> MutexGuard<'_, Families> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the cluster for its topics. Whether `feedback.events` is there.
    pub(crate) fn look_at_topics(&self) -> KafkaResult<bool> {
        let metadata = self.others.fetch_metadata(None, TOPICS_ANSWER)?;
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
    fn assign(&self, consumer: &BaseConsumer<Context>, partitions: &TopicPartitionList) {
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
        consumer: &BaseConsumer<Context>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<()> {
        let Some(member) = self.member() else {
            return consumer.incremental_assign(partitions);
        };
        let mut all = partitions.clone();
        for (topic, partition) in self.families().members(&numbers(partitions)) {
            all.add_partition(topic, partition);
        }
        self.read(&member, &all)
    }

    /// Takes what belongs to this member's families and was not there before.
    pub(crate) fn take_new_topics(&self, member: &Arc<BaseConsumer<Context>>) -> KafkaResult<()> {
        let of_events = numbers(&member.assignment()?);
        let has: BTreeSet<_> = names(&self.others.assignment()?).into_iter().collect();
        let mut new = TopicPartitionList::new();
        for (topic, partition) in self.families().members(&of_events) {
            if !has.contains(&(topic.to_owned(), partition)) {
                new.add_partition(topic, partition);
            }
        }
        if new.count() == 0 {
            return Ok(());
        }
        self.read(member, &new)
    }

    /// Begins to read partitions where they were committed.
    fn read(
        &self,
        member: &Arc<BaseConsumer<Context>>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<()> {
        let mut assigned = Vec::with_capacity(partitions.count());
        let (mut events, mut others) = (TopicPartitionList::new(), TopicPartitionList::new());
        // They spare work: what does not come is done without.
        let ends = self.ends_of_events(member, partitions);
        let ends = ends.unwrap_or_else(|error| {
            tracing::debug!(%error, "where the events end is not known");
            TopicPartitionList::new()
        });
        for partition in committed(member, partitions)?.elements() {
            let (consumer, list) = if partition.topic() == self.topics.events {
                (member, &mut events)
            } else {
                (&self.others, &mut others)
            };
            let offset = partition.offset().to_raw().filter(|offset| *offset >= 0);
            list.add_partition_offset(
                partition.topic(),
                partition.partition(),
                offset.map_or(Offset::Beginning, Offset::Offset),
            )?;
            let mut queue = consumer
                .split_partition_queue(partition.topic(), partition.partition())
                .ok_or_else(|| KafkaError::Subscription(partition.topic().to_owned()))?;
            let nonempty = Arc::new(Notify::new());
            queue.set_nonempty_callback({
                let nonempty = Arc::clone(&nonempty);
                move || nonempty.notify_one()
            });
            assigned.push(Assigned {
                topic: partition.topic().to_owned(),
                partition: partition.partition(),
                committed: offset.map(|offset| (offset, partition.metadata().to_owned())),
                end: ends
                    .find_partition(partition.topic(), partition.partition())
                    .and_then(|found| found.offset().to_raw()),
                queue,
                nonempty,
            });
        }
        self.others.incremental_assign(&others)?;
        // New topics come without events; an assignment of none is one, too.
        if events.count() > 0 || others.count() == 0 {
            member.incremental_assign(&events)?;
        }
        self.tell(GroupEvent::Assigned(assigned));
        Ok(())
    }

    /// Where the partitions of `feedback.events` among these end now.
    fn ends_of_events(
        &self,
        member: &BaseConsumer<Context>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<TopicPartitionList> {
        let mut wanted = TopicPartitionList::new();
        for partition in partitions.elements_for_topic(&self.topics.events) {
            let (topic, number) = (partition.topic(), partition.partition());
            wanted.add_partition_offset(topic, number, Offset::End)?;
        }
        if wanted.count() == 0 {
            return Ok(wanted);
        }
        member.offsets_for_times(wanted, TOPICS_ANSWER)
    }

    /// Partitions of `feedback.events` go: gives them up with their families.
    fn revoke(&self, consumer: &BaseConsumer<Context>, partitions: &TopicPartitionList) {
        let others = self.going_with(partitions);
        if self.member().is_some() {
            self.drain(consumer, &[partitions, &others]);
        }
        for (consumer, going) in [(&*self.others, &others), (consumer, partitions)] {
            if let Err(error) = consumer.incremental_unassign(going) {
                tracing::warn!(%error, "partitions were not given up");
            }
        }
    }

    /// What is read because of these partitions of `feedback.events`.
    fn going_with(&self, partitions: &TopicPartitionList) -> TopicPartitionList {
        let of_events = numbers(partitions);
        let read = self.others.assignment().unwrap_or_else(|error| {
            tracing::warn!(%error, "the assignment is not known");
            TopicPartitionList::new()
        });
        let mut going = TopicPartitionList::new();
        let families = self.families();
        for (topic, partition) in names(&read) {
            if of_events.contains(&families.family(partition)) {
                going.add_partition(&topic, partition);
            }
        }
        going
    }

    /// Waits until the engine has drained the lanes, and commits.
    fn drain(&self, consumer: &BaseConsumer<Context>, going: &[&TopicPartitionList]) {
        let (answer, answered) = mpsc::channel();
        let lost = consumer.assignment_lost();
        self.tell(GroupEvent::Revoked {
            partitions: going.iter().flat_map(|list| names(list)).collect(),
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
    consumer: &BaseConsumer<Context>,
    partitions: &TopicPartitionList,
) -> KafkaResult<TopicPartitionList> {
    if partitions.count() == 0 {
        return Ok(TopicPartitionList::new());
    }
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

fn names(partitions: &TopicPartitionList) -> Vec<(String, i32)> {
    partitions
        .elements()
        .iter()
        .map(|partition| (partition.topic().to_owned(), partition.partition()))
        .collect()
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions
        .elements()
        .iter()
        .map(|partition| partition.partition())
        .collect()
}
