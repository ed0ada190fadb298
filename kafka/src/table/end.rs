//! Waiting for the end of a table's topic, as it is at a moment.

use std::{
    fmt,
    sync::{Arc, mpsc},
    time::Duration,
};

use rdkafka::{
    consumer::{BaseConsumer, Consumer},
    error::KafkaResult,
};
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{
    TableEnded,
    reader::{PARTITION, Progress},
};
use crate::{Connection, ConnectionError, Logged, patience::Patience};

/// How long the broker may take to tell the offset.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the record before that offset is waited for, before the end is
/// searched by reading.
const READ: Duration = Duration::from_secs(1);

/// Waits for the end of a table's topic; it does not keep the table.
#[derive(Clone)]
pub struct TableEnd {
    /// A broker answers the requests of a connection one after the other: on the
    /// reader's, a question would wait for the fetch that waits for records.
    client: Arc<BaseConsumer<Logged>>,
    topic: Arc<str>,
    progress: watch::Receiver<Progress>,
    end_wanted: EndWanted,
}

/// Asks the reader for the end of the topic.
#[derive(Debug, Clone)]
pub(super) struct EndWanted(pub(super) mpsc::Sender<oneshot::Sender<()>>);

impl EndWanted {
    /// Waits until the reader has found it, after the question.
    pub(super) async fn ask(&self) -> Result<(), TableEnded> {
        let (reply, reached) = oneshot::channel();
        self.0.send(reply).map_err(|_| TableEnded)?;
        reached.await.map_err(|_| TableEnded)
    }
}

impl TableEnd {
    pub(super) fn new(
        connection: &Connection,
        name: &str,
        topic: &str,
        progress: watch::Receiver<Progress>,
        end_wanted: EndWanted,
    ) -> Result<Self, ConnectionError> {
        // It joins no group; a consumer needs a name for one.
        let group = format!("{}.{name}", connection.client_id());
        let config = connection.consumer_config(&group, &[]);
        Ok(Self {
            client: Arc::new(config.create_with_context(Logged::default())?),
            topic: topic.into(),
            progress,
            end_wanted,
        })
    }

    /// Waits until everything that is on the topic now was passed on, whoever
    /// wrote it: as [`super::Table::read_to_end`], but by asking the broker for
    /// the end, which takes a round trip. A broker that does not answer is asked
    /// again until it does.
    ///
    /// Gives the offset where it ended.
    ///
    /// # Errors
    /// When the reading ends first.
    pub async fn reached(&self) -> Result<i64, TableEnded> {
        let end = self.now().await?;
        let mut progress = self.progress.clone();
        match timeout(READ, progress.wait_for(|progress| progress.next >= end)).await {
            Ok(reached) => drop(reached.map_err(|_| TableEnded)?),
            // What stands before the end may be no record to be passed on: the
            // marker of a transaction, or what compaction took.
            Err(_) => self.end_wanted.ask().await?,
        }
        Ok(end)
    }

    /// The offset after the last record.
    async fn now(&self) -> Result<i64, TableEnded> {
        let mut patience = Patience::new();
        loop {
            let (client, topic) = (Arc::clone(&self.client), Arc::clone(&self.topic));
            let ask = move || -> KafkaResult<i64> {
                // Nothing is assigned to it: this has its log written.
                drop(client.poll(Duration::ZERO));
                let (_, end) = client.fetch_watermarks(&topic, PARTITION, ANSWER)?;
                Ok(end)
            };
            // The runtime is going down when the question is not put.
            match spawn_blocking(ask).await.map_err(|_| TableEnded)? {
                Ok(end) => return Ok(end),
                Err(_) if self.progress.has_changed().is_err() => return Err(TableEnded),
                Err(error) => sleep(patience.next_pause("tell the end of a table", &error)).await,
            }
        }
    }
}

impl fmt::Debug for TableEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableEnd")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
