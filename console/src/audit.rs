//! The audit: who did what with whose endpoints, on `webhooks.audit`.
//!
//! A record is on all in-sync replicas before what it tells of is done. So
//! nothing is done without a record, whatever ends this process in between.
//! The reverse can happen: Kafka takes the record, and not the change right
//! after it. That change is answered with 503, and the record stands: somebody
//! who may do so has asked for it.
//!
//! What is shown are the newest records of the topic, followed into memory
//! (`entries`): the same ones in every console and after every restart.

mod entries;

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use domain::{AuditRecord, Timestamp};
use kafka::{
    Connection, ConnectionError, Follower, FollowerEnded, PublishError, Publisher, Record,
};
use tokio_util::sync::CancellationToken;

pub(crate) use entries::{Entry, Place};

use crate::actor::Scope;
use crate::metrics::Metrics;
use entries::Entries;

/// Records that are kept in memory, of all accounts together: about 40 MB.
const MOST: u32 = 100_000;

/// Writes the audit, and shows it.
#[derive(Debug)]
pub(crate) struct Audit {
    publisher: Arc<Publisher>,
    topic: String,
    entries: Arc<RwLock<Entries>>,
    follower: Follower,
}

impl Audit {
    /// Starts to follow the topic, which must be there.
    pub(crate) fn open(
        connection: &Connection,
        publisher: Arc<Publisher>,
        topic: String,
        metrics: Metrics,
    ) -> Result<Self, ConnectionError> {
        let entries = Arc::new(RwLock::new(Entries::new(MOST)));
        let keep = Arc::clone(&entries);
        let on_record =
            move |stored, value: &[u8]| match serde_json::from_slice::<AuditRecord>(value) {
                Ok(record) => write(&keep).insert(Place::of(&record, stored), record),
                Err(error) => {
                    metrics.unreadable.inc();
                    tracing::error!(
                        partition = stored.partition, offset = stored.offset,
                        category = ?error.classify(), column = error.column(),
                        "a record of the audit is passed over"
                    );
                }
            };
        // Ends when this is dropped, after requests that a shutdown overtook.
        let never = CancellationToken::new();
        let follower = Follower::start(connection, "audit", &topic, MOST, on_record, &never)?;
        Ok(Self {
            publisher,
            topic,
            entries,
            follower,
        })
    }

    /// Waits until the topic was read to its end once.
    pub(crate) async fn caught_up(&self) -> Result<(), FollowerEnded> {
        self.follower.caught_up().await
    }

    /// Waits until the topic is not read any more. Usually never.
    pub(crate) async fn ended(&self) {
        self.follower.ended().await;
    }

    /// Writes one record, and waits for all in-sync replicas to have it. What
    /// it tells of is done after that, and only then.
    ///
    /// # Errors
    /// What it tells of must not be done.
    pub(crate) async fn record(&self, record: AuditRecord) -> Result<(), PublishError> {
        let key = record.key();
        let value = serde_json::to_vec(&record).expect("a record holds only what JSON can");
        let written = Record::new(&self.topic, key.as_bytes(), value);
        let stored = self.publisher.publish(written).await?;
        // Whoever asks here next sees it, before it has come back from the topic.
        write(&self.entries).insert(Place::of(&record, stored), record);
        Ok(())
    }

    /// Up to `limit` records that `scope` reaches and `keep` wants, the newest
    /// first: those older than `before`, and not older than `since`. `None`
    /// until the topic was read to its end once.
    #[must_use]
    pub(crate) fn newest(
        &self,
        scope: &Scope,
        since: Option<Timestamp>,
        before: Option<Place>,
        limit: usize,
        keep: impl Fn(&AuditRecord) -> bool,
    ) -> Option<Vec<Entry>> {
        if !self.follower.is_caught_up() {
            return None;
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        Some(entries.newest(scope, since, before, limit, keep))
    }
}

fn write(entries: &RwLock<Entries>) -> RwLockWriteGuard<'_, Entries> {
    // A record that a panic has cut short is read again from the topic.
    entries.write().unwrap_or_else(PoisonError::into_inner)
}
