//! Records that nobody waits for: what does not fit is dropped and counted.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    producer::{BaseProducer, DeliveryResult, Producer as _, ProducerContext},
};

use crate::{
    ClientLog, Connection, ConnectionError, NotFlushed, PublisherOptions, Record, polling::Polling,
};

/// How often a flush looks whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A producer like [`crate::Publisher`], which costs half of it: it is told of
/// failures only. For records that are many, and that may be missed.
pub struct Feed {
    // Dropped after its thread has ended: fields are dropped in this order.
    _polling: Polling,
    producer: Arc<BaseProducer<Failures>>,
}

/// Takes in what was not acknowledged.
struct Failures {
    lost: AtomicU64,
    log: ClientLog,
}

impl Feed {
    /// A feed; `name` (at most 15 bytes are seen) names its thread.
    ///
    /// # Errors
    /// When the connection's properties cannot be used. A broker that is not
    /// there is no error: records wait for it, as many as the capacity holds.
    pub fn open(
        connection: &Connection,
        name: &str,
        options: PublisherOptions,
    ) -> Result<Self, ConnectionError> {
        let mut config = options.config(connection, options.capacity());
        config.set("delivery.report.only.error", "true");
        let failures = Failures {
            lost: AtomicU64::new(0),
            log: ClientLog::default(),
        };
        let producer = Arc::new(config.create_with_context(failures)?);
        Ok(Self {
            _polling: Polling::start(name, &producer, |_, why| {
                tracing::error!(why, "nothing can be written any more");
            })?,
            producer,
        })
    }

    /// Hands a record over if there is room for it. Whether there was.
    pub fn offer(&self, mut record: Record<'_>) -> bool {
        let taken = self.producer.send(record.native(())).is_ok();
        if !taken {
            self.producer.context().count_lost();
        }
        taken
    }

    /// How many records were lost: not taken, or not acknowledged in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.producer.context().lost.load(Ordering::Relaxed)
    }

    /// Waits until everything offered so far is acknowledged or lost, `limit`
    /// at most.
    ///
    /// # Errors
    /// When something is still in flight; it may be written later, or not.
    pub async fn flush(&self, limit: Duration) -> Result<(), NotFlushed> {
        let start = Instant::now();
        loop {
            match self.producer.in_flight_count() {
                0 => return Ok(()),
                records if start.elapsed() >= limit => return Err(NotFlushed { records }),
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }
}

impl Failures {
    fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }
}

impl ClientContext for Failures {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.log.line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.count_lost();
        }
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}
