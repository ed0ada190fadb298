//! Publishing: many records in flight, bounded, each with its outcome.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread::JoinHandle,
    time::Duration,
};

use rdkafka::{
    error::RDKafkaErrorCode,
    producer::{BaseProducer, BaseRecord, Producer},
};
use tokio::sync::{AcquireError, Semaphore, oneshot};

use crate::{Connection, ConnectionError, Record, Stored};

mod deliveries;
mod error;

pub use deliveries::Counts;
use deliveries::{Deliveries, Pending};
pub(crate) use error::is_refusal;
pub use error::{NotFlushed, PublishError};

/// How long the polling thread waits for something to do before it looks
/// whether it shall end. Acknowledgements wake it at once. (rdkafka spins
/// through the last millisecond of each wait, so a shorter one costs CPU time.)
const LOOK_FOR_STOP: Duration = Duration::from_millis(500);

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
    /// flight; then `publish` waits and `try_publish` and `offer` refuse.
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
    // Dropped after the thread below has ended.
    producer: Arc<BaseProducer<Deliveries>>,
    room: Arc<Semaphore>,
    capacity: u32,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
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
        let capacity = options.capacity.clamp(1024 * 1024, u32::MAX as usize / 2);
        let linger = format!("{:.3}", options.linger.as_secs_f64() * 1000.0);
        let message_timeout = options.message_timeout.as_millis().max(1).to_string();
        // The semaphore is the bound; librdkafka's own is above it.
        let kbytes = (2 * capacity / 1024).to_string();
        let messages = (2 * capacity / RECORD_OVERHEAD).to_string();
        let compression = match options.compression {
            Compression::None => "none",
            Compression::Lz4 => "lz4",
        };
        let config = connection.producer_config(&[
            ("linger.ms", &linger),
            ("message.timeout.ms", &message_timeout),
            ("queue.buffering.max.kbytes", &kbytes),
            ("queue.buffering.max.messages", &messages),
            ("compression.type", compression),
        ]);
        let room = Arc::new(Semaphore::new(capacity));
        let producer: BaseProducer<Deliveries> =
            config.create_with_context(Deliveries::new(Arc::clone(&room)))?;
        let producer = Arc::new(producer);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn({
                let producer = Arc::clone(&producer);
                let stop = Arc::clone(&stop);
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        producer.poll(LOOK_FOR_STOP);
                    }
                }
            })
            .map_err(|error| ConnectionError::Client(format!("no thread to poll with: {error}")))?;
        Ok(Self {
            producer,
            room,
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
            stop,
            thread: Some(thread),
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
        self.hand_over(record, cost, Some(reply))?;
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
        self.hand_over(record, cost, Some(reply))?;
        permit.forget();
        Ok(Delivery(outcome))
    }

    /// Hands the record over if there is room now, and nobody waits for its
    /// outcome; it is counted. Whether it was taken.
    pub fn offer(&self, record: Record<'_>) -> bool {
        let cost = self.cost(&record);
        let taken = self.room.try_acquire_many(cost).ok().is_some_and(|permit| {
            let taken = self.hand_over(record, cost, None).is_ok();
            if taken {
                permit.forget();
            }
            taken
        });
        if !taken {
            self.producer.context().count_dropped();
        }
        taken
    }

    /// What became of the records so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.producer.context().counts()
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
                records: self.producer.in_flight_count(),
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
        record: Record<'_>,
        permits: u32,
        reply: Option<oneshot::Sender<Result<Stored, PublishError>>>,
    ) -> Result<(), PublishError> {
        let pending = Box::new(Pending { permits, reply });
        let mut native = BaseRecord::with_opaque_to(&record.topic, pending).key(&*record.key);
        native.payload = record.value.as_deref();
        native.headers = record.headers;
        self.producer.send(native).map_err(|(error, _)| {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
            if code == RDKafkaErrorCode::QueueFull {
                PublishError::Full
            } else if code == RDKafkaErrorCode::Fatal {
                PublishError::Failed
            } else {
                // Nothing has left this process.
                let topic = record.topic.to_string();
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

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that polls the producer has panicked");
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
