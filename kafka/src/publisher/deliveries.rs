//! What happens when a record's outcome is known.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use rdkafka::{
    ClientContext, Message,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};
use tokio::sync::{Semaphore, oneshot, watch};

use super::error::{PublishError, failure};
use crate::{ClientLog, Stored};

/// What goes with a record through librdkafka and comes back with its outcome.
pub(super) struct Pending {
    /// The room it takes.
    pub(super) permits: u32,
    /// Who waits for it.
    pub(super) reply: oneshot::Sender<Result<Stored, PublishError>>,
}

/// Takes in acknowledgements, on the polling thread.
pub(super) struct Deliveries {
    room: Arc<Semaphore>,
    /// Records without an outcome. librdkafka's own count has its log lines, too.
    in_flight: AtomicI32,
    failure: watch::Sender<Option<String>>,
    log: ClientLog,
}

impl Deliveries {
    pub(super) fn new(room: Arc<Semaphore>) -> Self {
        Self {
            room,
            in_flight: AtomicI32::new(0),
            failure: watch::Sender::new(None),
            log: ClientLog::default(),
        }
    }

    /// A record is about to be given to the client.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A record has its outcome, or was not taken.
    pub(super) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Records without an outcome.
    pub(super) fn in_flight(&self) -> i32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The client cannot be used any more.
    pub(super) fn fail(&self, why: String) {
        self.failure.send_replace(Some(why));
    }

    pub(super) async fn failed(&self) -> String {
        let mut failure = self.failure.subscribe();
        // The sender lives in `self`: this cannot end without a value.
        let reason = failure.wait_for(Option::is_some).await;
        reason.map_or_else(
            |_| String::new(),
            |reason| reason.clone().unwrap_or_default(),
        )
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.log.line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        // Whoever asked may have stopped waiting.
        pending.reply.send(outcome(result)).ok();
        self.end();
        // Last: flushing waits for room, and then everything else is done.
        self.room.add_permits(pending.permits as usize);
    }
}

fn outcome(result: &DeliveryResult<'_>) -> Result<Stored, PublishError> {
    match result {
        Ok(message) => Ok(Stored {
            partition: message.partition(),
            offset: message.offset(),
        }),
        Err((error, message)) => {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
            Err(failure(code, message.topic()))
        }
    }
}
