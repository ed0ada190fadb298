//! One record an attempt on `webhooks.attempts`. It never holds a delivery up:
//! what does not fit is dropped and counted.

use std::cell::RefCell;

use delivery::Attempt;
use domain::{AfterAttempt, AttemptRecord, Timestamp};
use kafka::{Feed, Record};

use crate::{metrics::Metrics, work::Delivery};

pub(crate) struct AttemptLog {
    feed: Feed,
    topic: String,
    /// Whether the first bytes of the response are kept.
    keep_response: bool,
    /// One record's memory, used again and again.
    buffer: RefCell<Vec<u8>>,
}

impl AttemptLog {
    pub(crate) fn new(feed: Feed, topic: String, keep_response: bool) -> Self {
        Self {
            feed,
            topic,
            keep_response,
            buffer: RefCell::default(),
        }
    }

    /// `attempt` is `None` for what becomes of a delivery without one.
    pub(crate) fn write(
        &self,
        delivery: &Delivery,
        at: Timestamp,
        attempt: Option<&Attempt>,
        after: AfterAttempt,
        metrics: &Metrics,
    ) {
        let source = delivery.source();
        let id = delivery.id();
        let response = attempt
            .map(|attempt| &attempt.response_start)
            .filter(|start| self.keep_response && !start.is_empty())
            .map(|start| String::from_utf8_lossy(start).into_owned());
        let millis = |attempt: &Attempt| u32::try_from(attempt.took.as_millis());
        let record = AttemptRecord {
            delivery: id,
            account: delivery.event.headers.account.clone(),
            event: delivery.event.headers.kind,
            attempt: delivery.state.attempt,
            at,
            duration_ms: attempt.map_or(0, |attempt| millis(attempt).unwrap_or(u32::MAX)),
            status: attempt.and_then(|attempt| attempt.outcome.status()),
            error: attempt.and_then(Attempt::failure),
            response,
            after,
            topic: source.topic,
            partition: source.partition,
            offset: source.offset,
        };
        let value = &mut *self.buffer.borrow_mut();
        value.clear();
        let written = serde_json::to_writer(&mut *value, &record).is_ok();
        let key = id.to_string().into_bytes();
        let taken = written
            && self
                .feed
                .offer(Record::new(self.topic.as_str(), key, value.as_slice()));
        if !taken {
            metrics.attempt_records_dropped.inc();
        }
    }

    /// Waits for what was written, for a moment.
    pub(crate) async fn flush(&self) {
        const MOMENT: std::time::Duration = std::time::Duration::from_secs(1);
        if let Err(error) = self.feed.flush(MOMENT).await {
            tracing::warn!(%error, "attempt records were given up");
        }
    }
}
