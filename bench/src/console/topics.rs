//! What stands on the topics before a page is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::record::{DeliveryHeaders, EventHeaders, LastError};
use domain::{
    AccountId, AfterAttempt, AttemptRecord, Cause, DeadLetterReason, DeliveryId, EndpointId,
    Envelope, EventData, EventId, EventKind, Timestamp, Topics,
};
use e2e::Broker;
use kafka::{Connection, Publisher, PublisherOptions, Record};

/// How long the last acknowledgements are waited for.
const FLUSH: Duration = Duration::from_secs(60);

/// Writes as producers and dispatchers do.
pub(super) struct Writer {
    publisher: Publisher,
    topics: Topics,
    account: AccountId,
}

impl Writer {
    pub(super) async fn open(prefix: &str, account: AccountId) -> anyhow::Result<Self> {
        let bootstrap = Broker::shared().await.bootstrap();
        let connection = Connection::new(bootstrap, "load", BTreeMap::default())?;
        let options = PublisherOptions {
            linger: Duration::from_millis(5),
            ..PublisherOptions::default()
        };
        Ok(Self {
            publisher: Publisher::open(&connection, "load", options)?,
            topics: Topics::with_prefix(prefix),
            account,
        })
    }

    /// Attempts; they are on the topic after the next [`Writer::flush`].
    pub(super) async fn attempts(
        &self,
        records: impl IntoIterator<Item = AttemptRecord>,
    ) -> anyhow::Result<()> {
        for record in records {
            let key = record.delivery.to_string().into_bytes();
            let value = serde_json::to_vec(&record)?;
            let record = Record::new(self.topics.attempts.as_str(), key, value);
            // All are waited for at the end.
            drop(self.publisher.start(record).await?);
        }
        Ok(())
    }

    pub(super) async fn flush(&self) -> anyhow::Result<()> {
        Ok(self.publisher.flush(FLUSH).await?)
    }

    /// A delivery of an event that stands on its topic: it has failed twice and
    /// waits.
    pub(super) async fn waiting(&self, endpoint: EndpointId) -> anyhow::Result<DeliveryId> {
        let (headers, body) = self.event(EventKind::RatingSubmitted)?;
        let record = Record::new(self.topics.events.as_str(), &b"customer"[..], body);
        let place = self.publisher.publish(record.headers(&headers.write()));
        let place = place.await?;
        let delivery = DeliveryId {
            event: headers.id,
            endpoint,
        };
        let attempts = [(1, "2m", 120), (2, "6h", 21_600)];
        self.attempts(attempts.map(|(attempt, tier, seconds)| AttemptRecord {
            delivery,
            account: self.account.clone(),
            event: headers.kind,
            attempt,
            at: headers.time,
            duration_ms: 12,
            status: Some(503),
            error: Some("status: 503 Service Unavailable".to_owned()),
            response: Some(r#"{"error":"down for maintenance"}"#.to_owned()),
            after: AfterAttempt::Retry {
                due_at: headers.time + Duration::from_secs(seconds),
                tier: tier.parse().expect("it is a tier"),
            },
            topic: self.topics.events.as_str().into(),
            partition: place.partition,
            offset: place.offset,
        }))
        .await?;
        self.flush().await?;
        Ok(delivery)
    }

    /// So many that were given up, one endpoint after the other; the last one.
    pub(super) async fn failed(
        &self,
        count: usize,
        endpoints: &[EndpointId],
        wrote: impl Fn(),
    ) -> anyhow::Result<String> {
        let mut last = String::new();
        for number in 0..count {
            let kind = EventKind::ALL[number % 4];
            let (event, body) = self.event(kind)?;
            let endpoint = endpoints[number % endpoints.len()];
            let mut delivery = DeliveryHeaders::first(endpoint, event.time, None);
            delivery.attempt = 6;
            delivery.last_status = Some(503);
            delivery.last_error = Some(LastError {
                cause: Cause::Status,
                text: "503 Service Unavailable".to_owned(),
            });
            delivery.reason = Some(if number % 10 == 0 {
                DeadLetterReason::Expired
            } else {
                DeadLetterReason::AttemptsExhausted
            });
            last = delivery.id(event.id).to_string();
            let key = last.clone().into_bytes();
            let record = Record::new(self.topics.dead_letter.as_str(), key, body);
            let record = record.headers(&delivery.write(&event));
            drop(self.publisher.start(record).await?);
            wrote();
        }
        self.flush().await?;
        Ok(last)
    }

    fn event(&self, kind: EventKind) -> anyhow::Result<(EventHeaders, Vec<u8>)> {
        let headers = EventHeaders {
            account: self.account.clone(),
            id: EventId::generate(),
            kind,
            time: Timestamp::now(),
            traceparent: None,
        };
        let envelope = Envelope::new(headers.id, headers.time, EventData::example(kind));
        let body = envelope.to_bytes()?;
        Ok((headers, body))
    }
}
