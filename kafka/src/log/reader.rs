//! The thread that reads a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    time::{Duration, Instant},
};

use domain::Timestamp;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{LogEvent, LogProgress, LogRecord};
use crate::{
    Connection, ConnectionError, Logged, connection::offset_is_gone, patience::OnceInAWhile,
};

/// How long a batch is waited for, from the first record on; also how long the
/// thread waits for that before it looks whether it shall end.
const GATHER: Duration = Duration::from_millis(250);
/// Records that are passed on together at most.
const BATCH: usize = 8192;
/// Bytes of values that are passed on together, but for the last record.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How often the cluster is asked where the topic ends.
const LOOK: Duration = Duration::from_secs(10);
/// How soon it is asked again when it did not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long one question to it may take.
const ASK: Duration = Duration::from_secs(2);

/// What ended a batch.
enum Found {
    Enough,
    OffsetGone(KafkaError),
    Fatal(KafkaError),
    Trouble(KafkaError),
}

/// Where the topic ended when it was looked at.
struct Look {
    at: Timestamp,
    ends: BTreeMap<i32, i64>,
}

pub(super) struct Reader {
    consumer: BaseConsumer<Logged>,
    topic: String,
    /// Where each partition goes on.
    next: BTreeMap<i32, i64>,
    assigned: BTreeSet<i32>,
    /// Partitions whose end was read to since the last look.
    at_end: BTreeSet<i32>,
    /// What is still to be reached.
    look: Option<Look>,
    look_due: Instant,
    /// The last look said that the topic was made anew.
    in_doubt: bool,
    progress: watch::Sender<LogProgress>,
    stop: CancellationToken,
    said: OnceInAWhile,
}

impl Reader {
    pub(super) fn new(
        connection: &Connection,
        name: &str,
        topic: &str,
        from: BTreeMap<i32, i64>,
        progress: watch::Sender<LogProgress>,
        stop: CancellationToken,
    ) -> Result<Self, ConnectionError> {
        // Nothing joins or commits in this group; assigning by hand needs a name.
        let group = format!("{}.{name}", connection.client_id());
        let mut config = connection.consumer_config(&group, &[("fetch.wait.max.ms", "100")]);
        config.set("enable.partition.eof", "true");
        config.set("auto.offset.reset", "error");
        Ok(Self {
            consumer: config.create_with_context(Logged::default())?,
            topic: topic.to_owned(),
            next: from,
            assigned: BTreeSet::new(),
            at_end: BTreeSet::new(),
            look: None,
            look_due: Instant::now(),
            in_doubt: false,
            progress,
            stop,
            said: OnceInAWhile::default(),
        })
    }

    /// Reads until told to stop. The consumer is closed on this thread.
    pub(super) fn run(mut self, mut on_event: impl FnMut(LogEvent<'_>) -> ControlFlow<()>) {
        while !self.stop.is_cancelled() {
            let flow = if self.look.is_none() && Instant::now() >= self.look_due {
                self.look(&mut on_event)
            } else if self.assigned.is_empty() {
                // Only serves the client: the cluster has not answered yet.
                drop(self.consumer.poll(GATHER));
                ControlFlow::Continue(())
            } else {
                self.step(&mut on_event)
            };
            if flow.is_break() {
                break;
            }
        }
    }

    /// Asks where the topic begins and ends now, and begins with partitions
    /// that are not read yet.
    fn look(
        &mut self,
        on_event: &mut impl FnMut(LogEvent<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let at = Timestamp::now();
        self.look_due = Instant::now() + LOOK_AGAIN;
        let bounds = match self.bounds() {
            Ok(bounds) if !bounds.is_empty() => bounds,
            Ok(_) => return ControlFlow::Continue(()),
            Err(error) => {
                if self.said.may_say(&error.to_string()) {
                    tracing::warn!(topic = self.topic, %error, "waiting for Kafka to tell where the topic ends");
                }
                return ControlFlow::Continue(());
            }
        };
        let made_anew = |(partition, next): (&i32, &i64)| {
            bounds.get(partition).is_none_or(|(_, end)| next > end)
        };
        if self.next.iter().any(made_anew) {
            // A broker that has just become leader may tell an end that is too low.
            if !std::mem::replace(&mut self.in_doubt, true) {
                return ControlFlow::Continue(());
            }
            tracing::warn!(
                topic = self.topic,
                "the topic does not reach to where it was read, it is read anew from its first record"
            );
            on_event(LogEvent::Reset)?;
            self.next.clear();
            self.assigned.clear();
            self.progress.send_replace(LogProgress::default());
        }
        self.in_doubt = false;
        self.look_due = Instant::now() + LOOK;
        for (partition, (first, _)) in &bounds {
            let next = self.next.entry(*partition).or_insert(*first);
            if *next < *first {
                tracing::warn!(
                    topic = self.topic,
                    partition,
                    lost = *first - *next,
                    "records were deleted from the topic before they were read"
                );
                *next = *first;
                self.assigned.clear();
            }
        }
        if !self.assigned.iter().eq(bounds.keys()) {
            self.assign();
        }
        self.at_end.clear();
        let ends = bounds
            .into_iter()
            .map(|(partition, (_, end))| (partition, end));
        self.look = Some(Look {
            at,
            ends: ends.collect(),
        });
        self.note_progress(0, on_event)
    }

    /// The first offset of each partition and the one after its last record.
    fn bounds(&self) -> Result<BTreeMap<i32, (i64, i64)>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), ASK)?;
        let partitions = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions());
        partitions
            .map(|partition| {
                let id = partition.id();
                Ok((id, self.consumer.fetch_watermarks(&self.topic, id, ASK)?))
            })
            .collect()
    }

    /// Waits for records, passes on what arrives for a while, and deals with
    /// what comes behind it.
    fn step(
        &mut self,
        on_event: &mut impl FnMut(LogEvent<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (found, at_end, after, count) = {
            let mut batch = Vec::new();
            let mut at_end = BTreeSet::new();
            let found = self.fill(&mut batch, &mut at_end);
            let after: BTreeMap<i32, i64> = batch
                .iter()
                .map(|record| (record.partition(), record.offset() + 1))
                .collect();
            if batch.is_empty() {
                on_event(LogEvent::Idle)?;
            } else {
                on_event(LogEvent::Records(&batch, &after))?;
            }
            (found, at_end, after, batch.len())
        };
        self.next.extend(after);
        self.at_end.extend(at_end);
        self.note_progress(count, on_event)?;
        match found {
            Found::Enough => {}
            Found::OffsetGone(error) => {
                tracing::warn!(topic = self.topic, %error, "the topic does not have an offset that was to be read");
                // The next look finds out why.
                self.look = None;
                self.look_due = Instant::now();
                self.assigned.clear();
            }
            Found::Fatal(error) => {
                tracing::error!(topic = self.topic, %error, "the log cannot be read any more");
                return ControlFlow::Break(());
            }
            Found::Trouble(error) => {
                if self.said.may_say(&error.to_string()) {
                    tracing::warn!(topic = self.topic, %error, "reading the log goes on after");
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn fill<'c>(&'c self, batch: &mut Vec<LogRecord<'c>>, at_end: &mut BTreeSet<i32>) -> Found {
        let mut until = Instant::now() + GATHER;
        let mut bytes = 0;
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let wait = until.saturating_duration_since(Instant::now());
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    if batch.is_empty() {
                        until = Instant::now() + GATHER;
                    }
                    let record = LogRecord(message);
                    bytes += record.value().len();
                    at_end.remove(&record.partition());
                    batch.push(record);
                    if wait.is_zero() {
                        break;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    at_end.insert(partition);
                }
                Some(Err(error)) => return found(error),
            }
        }
        Found::Enough
    }

    /// Tells how far the reading has come, and of an end that was reached.
    fn note_progress(
        &mut self,
        count: usize,
        on_event: &mut impl FnMut(LogEvent<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let left = self.look.as_ref().map_or(0, |look| self.left(look));
        let reached = self.look.take_if(|_| left == 0);
        if let Some(look) = &reached {
            on_event(LogEvent::Current(look.at))?;
        }
        self.progress.send_if_modified(|progress| {
            let before = *progress;
            progress.read += u64::try_from(count).unwrap_or(0);
            progress.left = left;
            progress.caught_up |= reached.is_some();
            *progress != before
        });
        ControlFlow::Continue(())
    }

    fn left(&self, look: &Look) -> u64 {
        let left = look.ends.iter().map(|(partition, end)| {
            let next = self.next.get(partition).copied().unwrap_or(0);
            // The last offsets may be markers of transactions, which nobody is given.
            let left = if self.at_end.contains(partition) {
                0
            } else {
                end - next
            };
            u64::try_from(left).unwrap_or(0)
        });
        left.sum()
    }

    fn assign(&mut self) {
        let assign = || {
            let mut partitions = TopicPartitionList::new();
            for (partition, next) in &self.next {
                let offset = Offset::Offset(*next);
                partitions.add_partition_offset(&self.topic, *partition, offset)?;
            }
            self.consumer.assign(&partitions)
        };
        match assign() {
            Ok(()) => self.assigned = self.next.keys().copied().collect(),
            Err(error) => {
                tracing::error!(topic = self.topic, %error, "the log's partitions cannot be assigned");
            }
        }
    }
}

fn found(error: KafkaError) -> Found {
    if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
        Found::Fatal(error)
    } else if error.rdkafka_error_code().is_some_and(offset_is_gone) {
        Found::OffsetGone(error)
    } else {
        Found::Trouble(error)
    }
}
