//! One record an attempt on `webhooks.attempts`. It never holds a delivery up:
//! what does not fit is dropped and counted.

use delivery::Attempt;
use domain::{AfterAttempt, AttemptRecord, Timestamp};
use kafka::{Publisher, Record};

use crate::{metrics::Metrics, work::Delivery};

pub(crate) struct AttemptLog {
    publisher: Publisher,
    topic: String,
    /// Whether the first bytes of the response are kept.
    keep_response: bool,
}

impl AttemptLog {
    pub(crate) fn new(publisher: Publisher, topic: String, keep_response: bool) -> Self {
        Self {
            publisher,
            topic,
            keep_response,
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
        let taken = serde_json::to_vec(&record).is_ok_and(|value| {
            let key = id.to_string().into_bytes();
            self.publisher
                .offer(Record::new(self.topic.as_str(), key, value))
        });
        if !taken {
            metrics.attempt_records_dropped.inc();
        }
    }

    /// Waits for what was written, for a moment.
    pub(crate) async fn flush(&self) {
        const MOMENT: std::time::Duration = std::time::Duration::from_secs(1);
        if let Err(error) = self.publisher.flush(MOMENT).await {
            tracing::warn!(%error, "attempt records were given up");
        }
    }
}
