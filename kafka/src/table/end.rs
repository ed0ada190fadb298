//! Waiting for the end of a table's topic, as it is at a moment.

use std::{
    sync::{Arc, Weak, mpsc},
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
use crate::{Logged, patience::Patience};

/// How long the broker may take to tell the offset.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the record before that offset is waited for, before the end is
/// searched by reading.
const READ: Duration = Duration::from_secs(1);

/// Waits for the end of a table's topic; it does not keep the table.
#[derive(Debug, Clone)]
pub struct TableEnd {
    pub(super) consumer: Weak<BaseConsumer<Logged>>,
    pub(super) topic: Arc<str>,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) end_wanted: mpsc::Sender<oneshot::Sender<()>>,
}

impl TableEnd {
    /// Waits until everything that is on the topic now was passed on, whoever
    /// wrote it: as [`super::Table::read_to_end`], but by asking the broker for
    /// the end, which takes about a round trip. A broker that does not answer is
    /// asked again until it does.
    ///
    /// # Errors
    /// When the reading ends first.
    pub async fn reached(&self) -> Result<(), TableEnded> {
        let end = self.now().await?;
        let mut progress = self.progress.clone();
        match timeout(READ, progress.wait_for(|progress| progress.next >= end)).await {
            Ok(reached) => reached.map(|_| ()).map_err(|_| TableEnded),
            // What stands before the end may be no record to be passed on: the
            // marker of a transaction, or what compaction took.
            Err(_) => {
                let (reply, reached) = oneshot::channel();
                self.end_wanted.send(reply).map_err(|_| TableEnded)?;
                reached.await.map_err(|_| TableEnded)
            }
        }
    }

    /// The offset after the last record.
    async fn now(&self) -> Result<i64, TableEnded> {
        let mut patience = Patience::new();
        loop {
            let consumer = self.consumer.upgrade().ok_or(TableEnded)?;
            let topic = Arc::clone(&self.topic);
            let ask = move || -> KafkaResult<i64> {
                let (_, end) = consumer.fetch_watermarks(&topic, PARTITION, ANSWER)?;
                Ok(end)
            };
            // The runtime is going down when the question is not put.
            match spawn_blocking(ask).await.map_err(|_| TableEnded)? {
                Ok(end) => return Ok(end),
                Err(error) => {
                    sleep(patience.next_pause("tell the end of a table", &error)).await;
                }
            }
        }
    }
}
