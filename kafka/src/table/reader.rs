//! The thread that reads a table.

use std::{ops::ControlFlow, sync::mpsc::Receiver, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Start, TableEvent, TableRecord};
use crate::{
    Connection, ConnectionError, Logged, connection::offset_is_gone, patience::OnceInAWhile,
};

/// Tables have one partition: one reader sees one order.
pub(super) const PARTITION: i32 = 0;
/// How long the thread waits for a record before it looks whether it shall
/// end or read to the end. A record wakes it at once. (rdkafka spins through
/// the last millisecond of each wait, so a shorter one costs CPU time.)
const LOOK_UP: Duration = Duration::from_millis(250);
/// How long the cluster is asked for the partition's leader.
const LEADER: Duration = Duration::from_secs(1);
/// Records that are passed on together at most. With bodies of at most 64 KiB
/// this bounds what one batch holds in memory.
const BATCH: usize = 256;

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The offset after the last record passed on.
    pub(super) next: i64,
    /// Whether the end was reached once.
    pub(super) caught_up: bool,
}

impl Progress {
    pub(super) fn before(start: Start) -> Self {
        Self {
            next: match start {
                Start::Beginning => 0,
                Start::At(offset) => offset,
            },
            caught_up: false,
        }
    }
}

/// What the next poll brought, once a batch is in hand.
enum Found {
    Nothing,
    EndOfTopic,
    OffsetGone(KafkaError),
    Fatal(KafkaError),
    Trouble(KafkaError),
}

pub(super) struct Reader {
    consumer: BaseConsumer<Logged>,
    topic: String,
    /// Where the next assignment starts: `None` is the first record there is.
    next: Option<i64>,
    /// Who waits for the end of the topic. Answered at the next end that is
    /// found after the partition was assigned anew, for only such an end lies
    /// behind everything that was written before the question.
    end_wanted: Vec<oneshot::Sender<()>>,
    requests: Receiver<oneshot::Sender<()>>,
    progress: watch::Sender<Progress>,
    stop: CancellationToken,
    said: OnceInAWhile,
}

impl Reader {
    pub(super) fn new(
        connection: &Connection,
        name: &str,
        topic: &str,
        requests: Receiver<oneshot::Sender<()>>,
        progress: watch::Sender<Progress>,
        stop: CancellationToken,
    ) -> Result<Self, ConnectionError> {
        // Nothing joins or commits in this group; assigning by hand needs a name.
        let group = format!("{}.{name}", connection.client_id());
        let mut config = connection.consumer_config(
            &group,
            &[
                // A broker answers at once when there is a record; where there is
                // none, this is how late the end of the topic is noticed.
                ("fetch.wait.max.ms", "50"),
                ("queued.max.messages.kbytes", "1024"),
            ],
        );
        config.set("enable.partition.eof", "true");
        config.set("auto.offset.reset", "error");
        let consumer = config.create_with_context(Logged::default())?;
        let start = *progress.borrow();
        Ok(Self {
            consumer,
            topic: topic.to_owned(),
            next: (start.next > 0).then_some(start.next),
            end_wanted: Vec::new(),
            requests,
            progress,
            stop,
            said: OnceInAWhile::default(),
        })
    }

    /// Reads until told to stop. The consumer is closed on this thread.
    pub(super) fn run(mut self, mut on_event: impl FnMut(TableEvent<'_>) -> ControlFlow<()>) {
        // Where the partition's leader is not known yet, librdkafka asks it for the first
        // offset half a second later. Without an answer reading begins the same.
        drop(self.consumer.fetch_metadata(Some(&self.topic), LEADER));
        self.assign_or_log();
        while !self.stop.is_cancelled() {
            self.take_requests();
            match self.step(&mut on_event) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(()) => break,
            }
        }
    }

    /// Waits for records, passes on those that are there, and deals with what
    /// comes behind them.
    fn step(
        &mut self,
        on_event: &mut impl FnMut(TableEvent<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (found, passed_on) = {
            let mut batch = Vec::new();
            let found = self.fill(&mut batch);
            let next = batch.last().map(|record| record.offset() + 1);
            if next.is_some() {
                on_event(TableEvent::Records(&batch))?;
            }
            (found, next)
        };
        if let Some(next) = passed_on {
            self.next = Some(next);
            self.progress.send_modify(|progress| progress.next = next);
        }
        match found {
            Found::Nothing => {}
            Found::EndOfTopic => self.at_end(),
            Found::OffsetGone(error) => {
                tracing::warn!(
                    topic = self.topic, offset = self.next, %error,
                    "the topic does not have the next offset, it is read anew from its first record"
                );
                on_event(TableEvent::Reset)?;
                self.next = None;
                self.progress
                    .send_replace(Progress::before(Start::Beginning));
                self.assign_or_log();
            }
            Found::Fatal(error) => {
                tracing::error!(topic = self.topic, %error, "the table cannot be read any more");
                return ControlFlow::Break(());
            }
            Found::Trouble(error) => {
                if self.said.may_say(&error.to_string()) {
                    tracing::warn!(topic = self.topic, %error, "reading the table goes on after");
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Takes what is there up to the size of a batch; waits for the first only.
    fn fill<'c>(&'c self, batch: &mut Vec<TableRecord<'c>>) -> Found {
        let mut wait = LOOK_UP;
        while batch.len() < BATCH {
            match self.consumer.poll(wait) {
                None => return Found::Nothing,
                Some(Ok(message)) => batch.push(TableRecord(message)),
                Some(Err(error)) => return found(error),
            }
            wait = Duration::ZERO;
        }
        Found::Nothing
    }

    fn at_end(&mut self) {
        for reply in self.end_wanted.drain(..) {
            // Whoever asked may have stopped waiting.
            reply.send(()).ok();
        }
        self.progress.send_if_modified(|progress| {
            let first_time = !progress.caught_up;
            progress.caught_up = true;
            first_time
        });
    }

    fn take_requests(&mut self) {
        let before = self.end_wanted.len();
        self.end_wanted.extend(self.requests.try_iter());
        if self.end_wanted.len() > before {
            self.assign_or_log();
        }
    }

    fn assign_or_log(&self) {
        if let Err(error) = self.assign() {
            tracing::error!(topic = self.topic, %error, "the table's partition cannot be assigned");
        }
    }

    fn assign(&self) -> Result<(), KafkaError> {
        let offset = self.next.map_or(Offset::Beginning, Offset::Offset);
        let mut partition = TopicPartitionList::new();
        partition.add_partition_offset(&self.topic, PARTITION, offset)?;
        self.consumer.assign(&partition)
    }
}

fn found(error: KafkaError) -> Found {
    let code = error.rdkafka_error_code();
    if matches!(error, KafkaError::PartitionEOF(_)) {
        Found::EndOfTopic
    } else if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
        Found::Fatal(error)
    } else if code.is_some_and(offset_is_gone) {
        Found::OffsetGone(error)
    } else {
        Found::Trouble(error)
    }
}
