//! Compacted tables: a topic of one partition, read to its end and followed.

use std::{ops::ControlFlow, sync::mpsc, thread::JoinHandle, time::Duration};

use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Connection, ConnectionError};

mod end;
mod reader;

use end::EndWanted;
pub use end::TableEnd;
use reader::{Progress, Reader};

/// Where a table is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The first record there is.
    Beginning,
    /// This offset: what came before it is known already.
    At(i64),
}

/// What a table's reader passes on, on its own thread.
#[derive(Debug)]
pub enum TableEvent<'a> {
    /// Records in the order of their offsets, never none.
    Records(&'a [TableRecord<'a>]),
    /// The topic does not have the offset that was to be read next (it was made
    /// anew, or records were deleted). Forget everything: the topic follows
    /// from its first record.
    Reset,
}

/// A record of a table.
#[derive(Debug)]
pub struct TableRecord<'a>(BorrowedMessage<'a>);

/// A table that is being followed.
///
/// Dropping it ends the reading and joins the thread; that takes as long as
/// the callback that is running. [`Table::stop`] does so with a limit.
#[derive(Debug)]
pub struct Table {
    topic: String,
    progress: watch::Receiver<Progress>,
    end_wanted: EndWanted,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// The table is not read any more: shutdown, its callback broke off, or the
/// client failed for good (then the log says why).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the table is not read any more")]
pub struct TableEnded;

/// The callback did not return in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the table's reader is still at work")]
pub struct StillRunning;

impl TableRecord<'_> {
    /// The key; empty where there is none.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.0.key().unwrap_or_default()
    }

    /// The value; `None` removes the key.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.0.payload()
    }

    /// The value of the last header with this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers()
            .filter(|(key, _)| *key == name)
            .last()
            .and_then(|(_, value)| value)
    }

    /// All headers in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.0
            .headers()
            .into_iter()
            .flat_map(|headers| headers.iter().map(|header| (header.key, header.value)))
    }

    /// The offset.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.0.offset()
    }

    /// When it was written, in milliseconds since 1970; `None` where the
    /// record does not say.
    #[must_use]
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.0.timestamp().to_millis()
    }
}

impl Table {
    /// Follows partition 0 of `topic` from `start` until `shutdown`, on a
    /// thread called `name` (at most 15 bytes are seen). `on_event` gets
    /// everything in order; when it answers `Break` the reading ends and what
    /// it was given counts as not read.
    ///
    /// Only records of finished transactions are read, so the reading stands
    /// still behind an open transaction. Read errors are logged and tried
    /// again; nothing is committed.
    ///
    /// # Errors
    /// When the connection's properties cannot be used. A broker that is not
    /// there is no error: the table waits for it.
    pub fn follow<F>(
        connection: &Connection,
        name: &str,
        topic: &str,
        start: Start,
        on_event: F,
        shutdown: &CancellationToken,
    ) -> Result<Self, ConnectionError>
    where
        F: FnMut(TableEvent<'_>) -> ControlFlow<()> + Send + 'static,
    {
        let stop = shutdown.child_token();
        let (end_wanted, requests) = mpsc::channel();
        let (progress, watching) = watch::channel(Progress::before(start));
        let reader = Reader::new(connection, name, topic, requests, progress, stop.clone())?;
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || reader.run(on_event))
            .map_err(|error| ConnectionError::Client(format!("no thread to read with: {error}")))?;
        Ok(Self {
            topic: topic.to_owned(),
            progress: watching,
            end_wanted: EndWanted(end_wanted),
            stop,
            thread: Some(thread),
        })
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether the end of the topic was reached once (again after a reset).
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.progress.borrow().caught_up
    }

    /// The offset after the last record that was passed on: where a later
    /// start goes on.
    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.progress.borrow().next
    }

    /// Waits until everything that was on the topic at the start was passed on.
    ///
    /// # Errors
    /// When the reading ends first.
    pub async fn caught_up(&self) -> Result<(), TableEnded> {
        self.reached(|progress| progress.caught_up).await
    }

    /// Waits until the record at `offset` was passed on: whoever wrote it then
    /// reads its own write.
    ///
    /// # Errors
    /// When the reading ends first.
    pub async fn wait_for(&self, offset: i64) -> Result<(), TableEnded> {
        self.reached(|progress| progress.next > offset).await
    }

    /// Waits until everything that is on the topic now was passed on, whoever
    /// wrote it. Takes up to 250 ms more than the reading itself.
    ///
    /// # Errors
    /// When the reading ends first.
    pub async fn read_to_end(&self) -> Result<(), TableEnded> {
        self.end_wanted.ask().await
    }

    /// What waits for the end often, without a hold on the table: a client of its
    /// own called `name`.
    ///
    /// # Errors
    /// When the connection's properties cannot be used.
    pub fn end(&self, connection: &Connection, name: &str) -> Result<TableEnd, ConnectionError> {
        let (topic, progress) = (self.topic.as_str(), self.progress.clone());
        TableEnd::new(connection, name, topic, progress, self.end_wanted.clone())
    }

    /// Waits until the table is not read any more.
    pub async fn ended(&self) {
        match self.reached(|_| false).await {
            Ok(()) | Err(TableEnded) => {}
        }
    }

    /// Ends the reading and waits for its thread, `limit` at most.
    ///
    /// # Errors
    /// When the callback did not return in time; its thread is left behind.
    pub async fn stop(mut self, limit: Duration) -> Result<(), StillRunning> {
        self.stop.cancel();
        if tokio::time::timeout(limit, self.ended()).await.is_err() {
            self.thread = None;
            return Err(StillRunning);
        }
        Ok(())
    }

    async fn reached(&self, fact: impl FnMut(&Progress) -> bool) -> Result<(), TableEnded> {
        let mut progress = self.progress.clone();
        match progress.wait_for(fact).await {
            Ok(_) => Ok(()),
            Err(_) => Err(TableEnded),
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(
                topic = self.topic,
                "the thread that reads the table has panicked"
            );
        }
    }
}
