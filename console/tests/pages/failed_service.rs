//! dlq-consumer beside a console.

use std::path::PathBuf;

use console::settings::Settings;
use dlq_consumer::Parts;
use domain::record::{DeliveryHeaders, EventHeaders, LastError};
use domain::{Cause, DeadLetterReason, DeliveryId, EndpointId, EventId, EventKind, Timestamp};
use kafka::{Connection, Publisher, PublisherOptions, Record, TopicPolicy};
use prometheus::Registry;
use service::health::Health;
use service::settings::load_from;
use service::tokens::Tokens;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fixture::{SHOP, settings, until};
use super::written::Event;

/// One that runs; it ends when it is dropped.
pub(crate) struct FailedService {
    url: String,
    dispatcher: Publisher,
    stop: CancellationToken,
    folder: PathBuf,
    task: JoinSet<()>,
}

impl FailedService {
    /// Starts it with the console's tokens and waits until it is ready.
    pub(crate) async fn start(brokers: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("failed-{}", EventId::generate()));
        let defaults = dlq_consumer::settings::DEFAULTS;
        let mut own: dlq_consumer::Settings = load_from(defaults, &[], Default::default()).unwrap();
        brokers.clone_into(&mut own.kafka.brokers);
        own.index.path = folder.join("failed.sqlite");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let parts = Parts {
            api: listener.into(),
            admin: None,
            health: Health::new(),
            registry: Registry::new(),
            topics: TopicPolicy::Trust,
            tokens: Tokens::new(&settings(brokers).auth).unwrap(),
        };
        let stop = CancellationToken::new();
        let running = dlq_consumer::run(own, parts, stop.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { running.await.unwrap() });
        let list = reqwest::Client::new().get(format!("{url}/webhooks/failed"));
        let list = list.bearer_auth(SHOP);
        until("the failed list is ready", async || {
            let answer = list.try_clone().unwrap().send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        let connection = Connection::new(brokers, "tests", Default::default()).unwrap();
        let options = PublisherOptions::default();
        Self {
            url,
            dispatcher: Publisher::open(&connection, "tests", options).unwrap(),
            stop,
            folder,
            task,
        }
    }

    /// A delivery of an event of `shop` that was given up, as the dispatcher
    /// writes it.
    pub(crate) async fn gets(&self, event: &Event, endpoint: EndpointId) -> DeliveryId {
        let headers = EventHeaders {
            account: "shop".parse().unwrap(),
            id: event.id,
            kind: EventKind::RatingSubmitted,
            time: Timestamp::now(),
            traceparent: None,
        };
        let mut delivery = DeliveryHeaders::first(endpoint, Timestamp::now(), None);
        delivery.attempt = 6;
        delivery.last_status = Some(503);
        delivery.last_error = Some(LastError {
            cause: Cause::Status,
            text: "503 <b>told</b>".to_owned(),
        });
        delivery.reason = Some(DeadLetterReason::AttemptsExhausted);
        let id = delivery.id(event.id);
        let key = id.to_string().into_bytes();
        let record = Record::new("webhooks.dead-letter", key, &event.bytes[..]);
        let record = record.headers(&delivery.write(&headers));
        self.dispatcher.publish(record).await.unwrap();
        id
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stopped(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.task.join_next().await {
            ended.unwrap();
        }
    }

    /// The settings of a console that asks it.
    pub(crate) fn known_to(&self, mut settings: Settings) -> Settings {
        settings.failed.url.clone_from(&self.url);
        settings
    }
}

impl Drop for FailedService {
    fn drop(&mut self) {
        self.stop.cancel();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}
