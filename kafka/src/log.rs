//! Logs: a topic of any number of partitions, read in batches from where an
//! index ends, and followed.

use std::{collections::BTreeMap, ops::ControlFlow, thread::JoinHandle, time::Duration};

use domain::Timestamp;
use rdkafka::{Message, message::BorrowedMessage};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Connection, ConnectionError, StillRunning};

mod reader;

use reader::Reader;

/// What a log's reader passes on, on its own thread.
#[derive(Debug)]
pub enum LogEvent<'a> {
    /// Records, never none, each partition's in its order, and where their
    /// partitions go on after them.
    Records(&'a [LogRecord<'a>], &'a BTreeMap<i32, i64>),
    /// Nothing came for a quarter of a second.
    Idle,
    /// Everything that was on the topic at this moment was passed on.
    Current(Timestamp),
    /// The topic was made anew. Forget everything: it follows from its first
    /// record.
    Reset,
}

/// A record of a log.
#[derive(Debug)]
pub struct LogRecord<'a>(BorrowedMessage<'a>);

impl LogRecord<'_> {
    /// The value; empty where there is none.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.0.payload().unwrap_or_default()
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.0.partition()
    }

    /// The offset.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.0.offset()
    }
}

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogProgress {
    /// Whether everything that was on the topic at the start was passed on
    /// (anew after a reset).
    pub caught_up: bool,
    /// Records passed on.
    pub read: u64,
    /// Offsets between there and the end of the topic, as it was when it was
    /// last looked at.
    pub left: u64,
}

/// A log that is being followed.
///
/// Dropping it ends the reading and joins the thread; that takes as long as
/// the callback that is running. [`Log::stop`] does so with a limit.
#[derive(Debug)]
pub struct Log {
    topic: String,
    progress: watch::Receiver<LogProgress>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// The log is not read any more: shutdown, its callback broke off, or the
/// client failed for good (then the log of the process says why).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log is not read any more")]
pub struct LogEnded;

impl Log {
    /// Follows all partitions of `topic`, each from its offset in `from` or
    /// else from its first record, until `shutdown`, on a thread called `name`
    /// (at most 15 bytes are seen). `on_event` gets everything; when it answers
    /// `Break` the reading ends and what it was given counts as not read.
    ///
    /// Records come in batches of what arrives within a quarter of a second, a
    /// few thousand at most. What the topic did not keep until it was read is
    /// passed over with a warning. Partitions that are added are read, too.
    /// Nothing is committed; read errors are logged and tried again.
    ///
    /// # Errors
    /// When the connection's properties cannot be used. A broker that is not
    /// there is no error: the log waits for it.
    pub fn follow<F>(
        connection: &Connection,
        name: &str,
        topic: &str,
        from: BTreeMap<i32, i64>,
        on_event: F,
        shutdown: &CancellationToken,
    ) -> Result<Self, ConnectionError>
    where
        F: FnMut(LogEvent<'_>) -> ControlFlow<()> + Send + 'static,
    {
        let stop = shutdown.child_token();
        let (progress, watching) = watch::channel(LogProgress::default());
        let reader = Reader::new(connection, name, topic, from, progress, stop.clone())?;
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || reader.run(on_event))
            .map_err(|error| ConnectionError::Client(format!("no thread to read with: {error}")))?;
        Ok(Self {
            topic: topic.to_owned(),
            progress: watching,
            stop,
            thread: Some(thread),
        })
    }

    /// How far the reading has come.
    #[must_use]
    pub fn progress(&self) -> LogProgress {
        *self.progress.borrow()
    }

    /// The same, for whoever wants to know after the log has ended.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<LogProgress> {
        self.progress.clone()
    }

    /// Waits until everything that was on the topic at the start was passed on.
    ///
    /// # Errors
    /// When the reading ends first.
    pub async fn caught_up(&self) -> Result<(), LogEnded> {
        let mut progress = self.progress.clone();
        match progress.wait_for(|progress| progress.caught_up).await {
            Ok(_) => Ok(()),
            Err(_) => Err(LogEnded),
        }
    }

    /// Waits until the log is not read any more.
    pub async fn ended(&self) {
        let mut progress = self.progress.clone();
        while progress.changed().await.is_ok() {}
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
}

impl Drop for Log {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(
                topic = self.topic,
                "the thread that reads the log has panicked"
            );
        }
    }
}
