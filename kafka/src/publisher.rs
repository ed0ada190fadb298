//! Publishing: many records in flight, bounded, each with its outcome.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rdkafka::{
    ClientConfig,
    error::RDKafkaErrorCode,
    producer::{BaseProducer, Producer},
};
use tokio::sync::{AcquireError, Semaphore, oneshot};

use crate::{Connection, ConnectionError, Record, Stored, polling::Polling};

mod deliveries;
mod error;

use deliveries::{Deliveries, Pending};
pub(crate) use error::is_refusal;
pub use error::{NotFlushed, PublishError};

/// What librdkafka keeps for each record beside its bytes, roughly.
const RECORD_OVERHEAD: usize = 256;

/// How a publisher trades time for batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherOptions {
    /// How long a record waits for others to share a request with
    /// (microseconds count).
    pub linger: Duration,
    /// After this time without an acknowledgement the outcome is given up as unknown.
    pub message_timeout: Duration,
    /// Whether batches are compressed.
    pub compression: Compression,
    /// Bytes of records, with 256 for each record itself, that may be in
    /// flight; then `publish` waits, and `try_publish` and [`crate::Feed`] refuse.
    pub capacity: usize,
}

/// Whether batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// LZ4: little CPU time for about half of the bytes of JSON.
    Lz4,
}

impl PublisherOptions {
    /// The bytes that may be in flight, within what is sensible.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.clamp(1024 * 1024, u32::MAX as usize / 2)
    }

    /// The client's settings, with a queue of so many bytes.
    pub(crate) fn config(&self, connection: &Connection, queue: usize) -> ClientConfig {
        let linger = format!("{:.3}", self.linger.as_secs_f64() * 1000.0);
        let message_timeout = self.message_timeout.as_millis().max(1).to_string();
        let compression = match self.compression {
            Compression::None => "none",
            Compression::Lz4 => "lz4",
        };
        connection.producer_config(&[
            ("linger.ms", &linger),
            ("message.timeout.ms", &message_timeout),
            ("queue.buffering.max.kbytes", &(queue / 1024).to_string()),
            (
                "queue.buffering.max.messages",
                &(queue / RECORD_OVERHEAD).to_string(),
            ),
            ("compression.type", compression),
        ])
    }
}

impl Default for PublisherOptions {
    /// 1 ms, 30 s, no compression, 16 MiB.
    fn default() -> Self {
        Self {
            linger: Duration::from_millis(1),
            message_timeout: Duration::from_secs(30),
            compression: Compression::None,
            capacity: 16 * 1024 * 1024,
        }
    }
}

/// A producer with `acks=all` and idempotence, and a thread that takes in the
/// acknowledgements. Records with the same key keep the order in which they
/// were given. A new publisher needs half a second before its first record
/// can go, so it is opened at start.
///
/// Dropping it gives up what is in flight (see [`Publisher::flush`]) and joins
/// the thread, which takes up to a second.
pub struct Publisher {
    // Dropped after its thread has ended: fields are dropped in this order.
    _polling: Polling,
    producer: Arc<BaseProducer<Deliveries>>,
    room: Arc<Semaphore>,
    capacity: u32,
}

/// The outcome of a record given to [`Publisher::try_publish`]. Dropping it
/// does not take the record back.
#[derive(Debug)]
#[must_use = "the record is durable only once this says so"]
pub struct Delivery(oneshot::Receiver<Result<Stored, PublishError>>);

impl Publisher {
    /// A publisher; `name` (at most 15 bytes are seen) names its thread.
    ///
    /// # Errors
    /// When the connection's properties cannot be used. A broker that is not
    /// there is no error: records wait for it.
    pub fn open(
        connection: &Connection,
        name: &str,
        options: PublisherOptions,
    ) -> Result<Self, ConnectionError> {
        let capacity = options.capacity();
        // The semaphore is the bound; librdkafka's own is above it.
        let config = options.config(connection, 2 * capacity);
        let room = Arc::new(Semaphore::new(capacity));
        let producer: BaseProducer<Deliveries> =
            config.create_with_context(Deliveries::new(Arc::clone(&room)))?;
        let producer = Arc::new(producer);
        let polling = Polling::start(name, &producer, Deliveries::fail)?;
        Ok(Self {
            producer,
            room,
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
            _polling: polling,
        })
    }

    /// Writes a record and waits for all in-sync replicas to have it; before
    /// that, for room.
    ///
    /// # Errors
    /// See [`PublishError`]; never [`PublishError::Full`].
    pub async fn publish(&self, record: Record<'_>) -> Result<Stored, PublishError> {
        self.start(record).await?.await
    }

    /// Waits for room and hands the record over; the outcome comes later.
    /// Records started one after the other keep their order.
    ///
    /// # Errors
    /// See [`PublishError`]; never [`PublishError::Full`].
    pub async fn start(&self, record: Record<'_>) -> Result<Delivery, PublishError> {
        let cost = self.cost(&record);
        // Closed never: this owns the semaphore. If it were, the client is gone.
        let permit = self
            .room
            .acquire_many(cost)
            .await
            .map_err(|_: AcquireError| PublishError::Closed)?;
        let (reply, outcome) = oneshot::channel();
        self.hand_over(record, cost, reply)?;
        permit.forget();
        Ok(Delivery(outcome))
    }

    /// Hands the record over if there is room now.
    ///
    /// # Errors
    /// [`PublishError::Full`] when there is no room; else see [`PublishError`].
    pub fn try_publish(&self, record: Record<'_>) -> Result<Delivery, PublishError> {
        let cost = self.cost(&record);
        let permit = self
            .room
            .try_acquire_many(cost)
            .map_err(|_| PublishError::Full)?;
        let (reply, outcome) = oneshot::channel();
        self.hand_over(record, cost, reply)?;
        permit.forget();
        Ok(Delivery(outcome))
    }

    /// Waits until the client cannot be used any more, which only a new
    /// process cures, and says why. Usually never.
    pub async fn failed(&self) -> String {
        self.producer.context().failed().await
    }

    /// Waits until everything given so far has its outcome, `limit` at most.
    ///
    /// # Errors
    /// When something is still in flight; it may be written later, or not.
    pub async fn flush(&self, limit: Duration) -> Result<(), NotFlushed> {
        let all_room = self.room.acquire_many(self.capacity);
        match tokio::time::timeout(limit, all_room).await {
            Ok(_) => Ok(()),
            Err(_) => Err(NotFlushed {
                records: self.producer.context().in_flight(),
            }),
        }
    }

    /// The permits a record takes: its bytes, but never more than there are.
    fn cost(&self, record: &Record<'_>) -> u32 {
        u32::try_from(record.bytes() + RECORD_OVERHEAD)
            .unwrap_or(u32::MAX)
            .min(self.capacity)
    }

    fn hand_over(
        &self,
        mut record: Record<'_>,
        permits: u32,
        reply: oneshot::Sender<Result<Stored, PublishError>>,
    ) -> Result<(), PublishError> {
        let pending = Box::new(Pending { permits, reply });
        let native = record.native(pending);
        let deliveries = self.producer.context();
        deliveries.begin();
        self.producer.send(native).map_err(|(error, native)| {
            deliveries.end();
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
            if code == RDKafkaErrorCode::QueueFull {
                PublishError::Full
            } else if code == RDKafkaErrorCode::Fatal {
                PublishError::Failed
            } else {
                // Nothing has left this process.
                let topic = native.topic.to_owned();
                PublishError::Refused { topic, code }
            }
        })
    }
}

impl Future for Delivery {
    type Output = Result<Stored, PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|outcome| outcome.unwrap_or(Err(PublishError::Closed)))
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("in_flight", &self.producer.context().in_flight())
            .finish_non_exhaustive()
    }
}
