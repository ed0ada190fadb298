//! Logs: a topic of any number of partitions, followed from its newest records
//! on, for those who keep the newest only.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::BorrowedMessage,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Connection, ConnectionError, Logged, Stored,
    patience::{OnceInAWhile, Patience},
};

/// How long the thread waits for a record before it looks whether it shall
/// end. A record wakes it at once. (rdkafka spins through the last millisecond
/// of each wait, so a shorter one costs CPU time.)
const LOOK_UP: Duration = Duration::from_millis(250);
/// How long the cluster may take to name the topic's partitions.
const METADATA_TIME: Duration = Duration::from_secs(2);

/// A log that is being followed.
///
/// Dropping it ends the reading and joins the thread.
#[derive(Debug)]
pub struct Follower {
    topic: String,
    caught_up: watch::Receiver<bool>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// The log is not read any more: shutdown, or the client failed for good (then
/// the log of the process says why).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the topic is not followed any more")]
pub struct FollowerEnded;

impl Follower {
    /// Follows all partitions that `topic` has now, each from its `newest` last
    /// records on, until `shutdown`, on a thread called `name` (at most 15 bytes
    /// are seen). `on_record` gets each value with its place, in the order of
    /// its partition; records of transactions that are not finished wait.
    ///
    /// Read errors are logged and tried again, and nothing is committed. Where
    /// the topic was made anew it is read from its first record: a place may
    /// come twice.
    ///
    /// # Errors
    /// When the connection's properties cannot be used. A broker that is not
    /// there is no error: the reading waits for it.
    pub fn start<F>(
        connection: &Connection,
        name: &str,
        topic: &str,
        newest: u32,
        on_record: F,
        shutdown: &CancellationToken,
    ) -> Result<Self, ConnectionError>
    where
        F: FnMut(Stored, &[u8]) + Send + 'static,
    {
        // Nothing joins or commits in this group; assigning by hand needs a name.
        let group = format!("{}.{name}", connection.client_id());
        let mut config = connection.consumer_config(
            &group,
            &[
                ("fetch.wait.max.ms", "50"),
                ("queued.max.messages.kbytes", "1024"),
            ],
        );
        config.set("enable.partition.eof", "true");
        let stop = shutdown.child_token();
        let (reached, caught_up) = watch::channel(false);
        let reader = Reader {
            consumer: config.create_with_context(Logged::default())?,
            topic: topic.to_owned(),
            newest,
            caught_up: reached,
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || reader.run(on_record))
            .map_err(|error| ConnectionError::Client(format!("no thread to read with: {error}")))?;
        Ok(Self {
            topic: topic.to_owned(),
            caught_up,
            stop,
            thread: Some(thread),
        })
    }

    /// Whether the end of each partition was reached once.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        *self.caught_up.borrow()
    }

    /// Waits until the end of each partition was reached once.
    ///
    /// # Errors
    /// When the reading ends first.
    pub async fn caught_up(&self) -> Result<(), FollowerEnded> {
        let mut caught_up = self.caught_up.clone();
        match caught_up.wait_for(|caught_up| *caught_up).await {
            Ok(_) => Ok(()),
            Err(_) => Err(FollowerEnded),
        }
    }

    /// Waits until the log is not read any more.
    pub async fn ended(&self) {
        let mut caught_up = self.caught_up.clone();
        while caught_up.changed().await.is_ok() {}
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(
                topic = self.topic,
                "the thread that follows the topic has panicked"
            );
        }
    }
}

struct Reader {
    consumer: BaseConsumer<Logged>,
    topic: String,
    newest: u32,
    caught_up: watch::Sender<bool>,
    stop: CancellationToken,
}

impl Reader {
    /// Reads until told to stop. The consumer is closed on this thread.
    fn run(self, mut on_record: impl FnMut(Stored, &[u8])) {
        let Some(mut behind) = self.assign() else {
            return;
        };
        let mut said = OnceInAWhile::default();
        while !self.stop.is_cancelled() {
            let went = match self.consumer.poll(LOOK_UP) {
                None => ControlFlow::Continue(()),
                Some(Ok(message)) => {
                    pass_on(&message, &mut on_record);
                    ControlFlow::Continue(())
                }
                Some(Err(error)) => self.met(&error, &mut behind, &mut said),
            };
            if went.is_break() {
                return;
            }
        }
    }

    /// Deals with what came in place of a record: an end, or trouble.
    fn met(
        &self,
        error: &KafkaError,
        behind: &mut BTreeSet<i32>,
        said: &mut OnceInAWhile,
    ) -> ControlFlow<()> {
        if let KafkaError::PartitionEOF(partition) = error {
            if behind.remove(partition) && behind.is_empty() {
                self.caught_up.send_replace(true);
            }
        } else if let KafkaError::MessageConsumptionFatal(_) = error {
            tracing::error!(topic = self.topic, %error, "the topic cannot be followed any more");
            return ControlFlow::Break(());
        } else if said.may_say(&error.to_string()) {
            tracing::warn!(topic = self.topic, %error, "following the topic goes on after");
        }
        ControlFlow::Continue(())
    }

    /// Begins with all partitions; `None` when told to stop before the cluster
    /// has named them.
    fn assign(&self) -> Option<BTreeSet<i32>> {
        let mut patience = Patience::new();
        while !self.stop.is_cancelled() {
            let what = match self.partitions().and_then(|named| self.begin(&named)) {
                Ok(assigned) if !assigned.is_empty() => return Some(assigned),
                Ok(_) => "it has no partition yet".to_owned(),
                Err(error) => error.to_string(),
            };
            let what = format!("{}: {what}", self.topic);
            let until = Instant::now() + patience.next_pause("name a topic's partitions", &what);
            while !self.stop.is_cancelled() && Instant::now() < until {
                // Nothing is assigned: this only waits, and serves the client.
                drop(self.consumer.poll(LOOK_UP));
            }
        }
        None
    }

    fn partitions(&self) -> Result<BTreeSet<i32>, KafkaError> {
        let metadata = self
            .consumer
            .fetch_metadata(Some(&self.topic), METADATA_TIME)?;
        let topics = metadata.topics().iter();
        let named = topics.flat_map(|topic| topic.partitions());
        Ok(named.map(|partition| partition.id()).collect())
    }

    fn begin(&self, partitions: &BTreeSet<i32>) -> Result<BTreeSet<i32>, KafkaError> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            let offset = Offset::OffsetTail(self.newest.into());
            list.add_partition_offset(&self.topic, *partition, offset)?;
        }
        self.consumer.assign(&list)?;
        Ok(partitions.clone())
    }
}

fn pass_on(message: &BorrowedMessage<'_>, on_record: &mut impl FnMut(Stored, &[u8])) {
    let place = Stored {
        partition: message.partition(),
        offset: message.offset(),
    };
    if let Some(value) = message.payload() {
        on_record(place, value);
    }
}
