//! A topic with attempts, and the index of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use console::Metrics;
use console::attempts::{Attempts, Keeper, Progress, Range, Scope};
use console::settings::IndexSettings;
use domain::{
    AccountId, AfterAttempt, AttemptRecord, DeliveryId, EndpointId, EventId, EventKind, Timestamp,
    Topics,
};
use e2e::{Broker, Folder, random_hex, until};
use kafka::{Connection, Publisher, PublisherOptions, Record, TopicPolicy, ensure_topics};
use prometheus::Registry;
use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A topic with attempts, and a file for their index.
pub(crate) struct Bed {
    pub(crate) connection: Connection,
    pub(crate) topics: Topics,
    publisher: Publisher,
    pub(crate) endpoints: Vec<EndpointId>,
    folder: Folder,
}

/// An index that is kept.
pub(crate) struct Kept {
    pub(crate) attempts: Attempts,
    registry: Registry,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let brokers = Broker::shared().await.bootstrap();
        let connection = Connection::new(brokers, "attempts-index", BTreeMap::new()).unwrap();
        let bed = Self {
            publisher: Publisher::open(&connection, "publish", PublisherOptions::default())
                .unwrap(),
            topics: Topics::with_prefix(&format!("t{}.", random_hex(8))),
            endpoints: (0..20).map(|_| EndpointId::generate()).collect(),
            folder: Folder::new(),
            connection,
        };
        bed.make_topic().await;
        bed
    }

    pub(crate) async fn make_topic(&self) {
        let specs = [self.topics.attempts_spec()];
        let policy = TopicPolicy::Create { replication: 1 };
        let stop = CancellationToken::new();
        ensure_topics(&self.connection, &specs, policy, &stop)
            .await
            .unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("attempts.sqlite")
    }

    /// Writes that so many deliveries arrived.
    pub(crate) async fn write(&self, count: u64) {
        let account: AccountId = "shop".parse().unwrap();
        for number in 0..count {
            let place = usize::try_from(number).unwrap() % self.endpoints.len();
            let record = AttemptRecord {
                delivery: DeliveryId {
                    event: EventId::generate(),
                    endpoint: self.endpoints[place],
                },
                account: account.clone(),
                event: EventKind::RatingSubmitted,
                attempt: 1,
                at: Timestamp::now(),
                duration_ms: 12,
                status: Some(200),
                error: None,
                response: Some("ok".to_owned()),
                after: AfterAttempt::Delivered,
                topic: self.topics.events.as_str().into(),
                partition: 0,
                offset: i64::try_from(number).unwrap(),
            };
            self.publish(&serde_json::to_vec(&record).unwrap()).await;
        }
        self.publisher.flush(DEADLINE).await.unwrap();
    }

    pub(crate) async fn publish(&self, value: &[u8]) {
        let key = EventId::generate().to_bytes();
        let record = Record::new(self.topics.attempts.as_str(), &key[..], value);
        let written = self.publisher.start(record).await.unwrap();
        drop(written);
    }

    pub(crate) fn keep(&self) -> Kept {
        self.keep_at(&self.path())
    }

    pub(crate) fn keep_at(&self, path: &Path) -> Kept {
        let registry = Registry::new();
        let settings = IndexSettings {
            path: path.to_owned(),
            max_attempts: 1_000_000,
        };
        let metrics = Metrics::register(&registry).unwrap();
        let keeper = Keeper::new(&settings, &metrics).unwrap();
        let attempts = keeper.attempts();
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        let (connection, topic) = (self.connection.clone(), self.topics.attempts.clone());
        let stopping = stop.clone();
        running.spawn(async move { keeper.run(&connection, &topic, &stopping).await });
        Kept {
            attempts,
            registry,
            stop,
            running,
        }
    }

    pub(crate) fn admin(&self) -> AdminClient<DefaultClientContext> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.connection.brokers());
        config.create().unwrap()
    }
}

impl Kept {
    /// Waits until it holds so many deliveries and nothing is left to be read.
    pub(crate) async fn holds(&self, deliveries: u64) {
        let what = format!("{deliveries} deliveries in the index");
        until(&what, DEADLINE, async || {
            let current = self.attempts.progress() == Progress::Current;
            (current && self.delivered().await == Some(deliveries)).then_some(())
        })
        .await;
        // Each was counted once, and has one row.
        assert_eq!(self.metric("attempts_index_rows"), 2 * deliveries);
    }

    pub(crate) async fn delivered(&self) -> Option<u64> {
        let now = Timestamp::now();
        let week = self.attempts.series(Scope::All, None, Range::Week, now);
        Some(week.await.ok()?.counts.delivered)
    }

    /// The sum over all labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let name = format!("feedbackpro_console_{name}");
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name);
        let values = family
            .unwrap()
            .get_metric()
            .iter()
            .map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts"
        )]
        let sum = values.sum::<f64>() as u64;
        sum
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap();
        }
    }
}
