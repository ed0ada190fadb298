//! One environment on a broker, with dead letters written as a dispatcher
//! writes them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers fail like the test that calls them"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use domain::record::{DeliveryHeaders, EventHeaders};
use domain::{DeadLetterReason, DeliveryId, EndpointId, EventId, EventKind, Timestamp};
use e2e::{Binary, Broker, Service, Settings, random_hex};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A prefix, and the settings of its lists.
pub(crate) struct Place {
    bootstrap: String,
    prefix: String,
}

/// A delivery that was given up.
#[derive(Clone)]
pub(crate) struct DeadLetter {
    pub(crate) id: String,
    value: String,
    headers: OwnedHeaders,
}

impl Place {
    pub(crate) fn on(broker: &Broker) -> Self {
        Self {
            bootstrap: broker.bootstrap().to_owned(),
            prefix: format!("t{}.", random_hex(8)),
        }
    }

    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new(Binary::DlqConsumer, &self.bootstrap, &self.prefix)
    }

    /// Starts a list with an index of its own.
    pub(crate) async fn list(&self) -> Service {
        Service::start(Binary::DlqConsumer, self.settings()).await
    }

    /// Writes so many dead letters of the account `shop`, with an envelope of
    /// at least so many bytes; their ids in order.
    pub(crate) async fn fail(&self, count: usize, bytes: usize) -> Vec<String> {
        let letters: Vec<_> = (0..count).map(|_| DeadLetter::new("shop", bytes)).collect();
        self.write(&letters).await;
        letters.into_iter().map(|letter| letter.id).collect()
    }

    pub(crate) async fn write(&self, letters: &[DeadLetter]) {
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        let topic = self.topic("webhooks.dead-letter");
        let mut written = Vec::with_capacity(letters.len());
        for letter in letters {
            let record = FutureRecord::to(&topic)
                .key(&letter.id)
                .payload(&letter.value)
                .headers(letter.headers.clone());
            let handed_over = producer.send_result(record);
            written.push(handed_over.map_err(|(error, _)| error).unwrap());
        }
        for record in written {
            record.await.unwrap().map_err(|(error, _)| error).unwrap();
        }
    }

    /// How often each delivery stands on `webhooks.resend`.
    pub(crate) async fn resent(&self, broker: &Broker) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for record in broker.read(&self.topic("webhooks.resend")).await {
            let event = record.header("ce_id").unwrap();
            let delivery = format!("{event}.{}", record.header("delivery-endpoint").unwrap());
            *counts.entry(delivery).or_default() += 1;
        }
        counts
    }

    pub(crate) async fn tombstones(&self, broker: &Broker) -> usize {
        let records = broker.read(&self.topic("webhooks.dead-letter")).await;
        records
            .iter()
            .filter(|record| record.value.is_none())
            .count()
    }

    /// What was done to what, as the account `shop` did it.
    pub(crate) async fn audit(&self, broker: &Broker) -> Vec<(String, String)> {
        let records = broker.read(&self.topic("webhooks.audit")).await;
        let done = records.iter().map(|record| {
            let json = record.json();
            assert_eq!(
                (record.key_text().as_str(), &json["token"]),
                ("shop", &"shop".into())
            );
            let text = |key: &str| json[key].as_str().unwrap().to_owned();
            (text("action"), text("subject"))
        });
        done.collect()
    }
}

impl DeadLetter {
    pub(crate) fn new(account: &str, bytes: usize) -> Self {
        let id = EventId::generate();
        let event = EventHeaders {
            account: account.parse().unwrap(),
            id,
            kind: EventKind::NewFeedback,
            time: "2024-06-15T14:32:00Z".parse().unwrap(),
            traceparent: None,
        };
        let mut delivery = DeliveryHeaders::first(EndpointId::generate(), Timestamp::now(), None);
        delivery.attempt = 6;
        delivery.reason = Some(DeadLetterReason::AttemptsExhausted);
        let key = DeliveryId {
            event: id,
            endpoint: delivery.endpoint,
        };
        let value = format!(
            r#"{{"event":"new_feedback","id":"{id}","timestamp":"2024-06-15T14:32:00Z","data":{{"customer_id":null,"email":null,"comment":"{}","browser_locale":null,"session_duration_seconds":null,"session_page":"/"}}}}"#,
            "x".repeat(bytes)
        );
        let headers = delivery.write(&event);
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header {
                    key,
                    value: Some(value),
                })
            });
        Self {
            id: key.to_string(),
            value,
            headers,
        }
    }
}
