//! Events and attempts as producers and dispatchers write them.

use domain::record::EventHeaders;
use domain::{
    AccountId, AfterAttempt, AttemptRecord, DeliveryId, EndpointId, Envelope, EventData, EventId,
    EventKind, Timestamp,
};
use kafka::{Connection, Publisher, PublisherOptions, Record, Stored};
use serde_json::Value;

use super::fixture::{Console, OPERATOR, until};

pub(crate) struct Written {
    publisher: Publisher,
}

/// An event that stands on its topic.
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) bytes: Vec<u8>,
    account: AccountId,
    at: Stored,
}

impl Written {
    pub(crate) fn on(brokers: &str) -> Self {
        let connection = Connection::new(brokers, "tests", Default::default()).unwrap();
        let options = PublisherOptions::default();
        Self {
            publisher: Publisher::open(&connection, "tests", options).unwrap(),
        }
    }

    pub(crate) async fn event(&self, account: &str) -> Event {
        self.event_with(EventId::generate(), account).await
    }

    /// An event with this id: nobody keeps another account from one.
    pub(crate) async fn event_with(&self, id: EventId, account: &str) -> Event {
        let kind = EventKind::RatingSubmitted;
        let now = Timestamp::now();
        let envelope = Envelope::new(id, now, EventData::example(kind));
        let bytes = envelope.to_bytes().unwrap();
        let headers = EventHeaders {
            account: account.parse().unwrap(),
            id,
            kind,
            time: now,
            traceparent: None,
        };
        let record = Record::new("feedback.events", id.to_bytes().to_vec(), &bytes[..]);
        let record = record.headers(&headers.write());
        Event {
            at: self.publisher.publish(record).await.unwrap(),
            id,
            bytes,
            account: headers.account,
        }
    }

    /// An attempt at `event`, which the dispatcher has read where it stands.
    pub(crate) async fn attempt(
        &self,
        event: &Event,
        endpoint: EndpointId,
        attempt: u32,
        after: AfterAttempt,
    ) -> DeliveryId {
        let at = event.at;
        self.attempt_from(event, at, endpoint, attempt, after).await
    }

    pub(crate) async fn attempt_from(
        &self,
        event: &Event,
        place: Stored,
        endpoint: EndpointId,
        attempt: u32,
        after: AfterAttempt,
    ) -> DeliveryId {
        let delivered = after == AfterAttempt::Delivered;
        let record = AttemptRecord {
            delivery: DeliveryId {
                event: event.id,
                endpoint,
            },
            account: event.account.clone(),
            event: EventKind::RatingSubmitted,
            attempt,
            at: Timestamp::now(),
            duration_ms: 12,
            status: Some(if delivered { 200 } else { 503 }),
            error: (!delivered).then(|| "status: 503 Service Unavailable".to_owned()),
            response: Some("<b>told</b>".to_owned()),
            after,
            topic: "feedback.events".into(),
            partition: place.partition,
            offset: place.offset,
        };
        let value = serde_json::to_vec(&record).unwrap();
        let key = record.delivery.to_string();
        let record_written = Record::new("webhooks.attempts", key.into_bytes(), value);
        self.publisher.publish(record_written).await.unwrap();
        record.delivery
    }
}

impl Event {
    /// Where it stands.
    pub(crate) const fn place(&self) -> Stored {
        self.at
    }
}

/// Waits until the console's index holds so many records, and all of the topic.
pub(crate) async fn holds(console: &Console, records: u64) {
    let fact = format!("{records} records are in the index");
    until(&fact, async || {
        let page = console.get("/api/v1/statistics", OPERATOR).await;
        let total = &page.body["total"];
        let sum = |name: &str| total[name].as_u64().unwrap_or(0);
        let all = ["delivered", "retry", "dead_letter", "deferred"].map(sum);
        page.body["index"]["state"] == "current" && all.iter().sum::<u64>() == records
    })
    .await;
}

/// What a list holds of one field.
pub(crate) fn each<'a>(page: &'a Value, field: &str) -> Vec<&'a str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[field].as_str().unwrap())
        .collect()
}
