//! A dispatcher whose endpoint table lags behind its events. A real broker
//! cannot be made slow for one topic only, so this is librdkafka's mock cluster
//! with the table on a slow broker of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dispatcher::{DEFAULTS, Parts, Settings};
use domain::{
    AccountId, Endpoint, EndpointId, EventId, EventKind, Filter, KeyRing, Schedule, Secret,
    Timestamp, Topics,
    record::{DeliveryHeaders, EventHeaders},
};
use e2e::Receiver;
use kafka::{Connection, Publisher, PublisherOptions, Record, TopicPolicy, mock};
use prometheus::Registry;
use rdkafka::mocking::MockCoordinator;
use serde_json::json;
use service::{health::Health, settings::load_from};
use tokio::runtime::LocalRuntime;
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(60);
/// From a request to the broker of the table to its answer.
const ROUND_TRIP: Duration = Duration::from_secs(1);
/// In some rounds the table is read in time by chance.
const ROUNDS: usize = 4;
const KEY: (&str, &str) = ("late", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_was_there_first_gets_the_event_however_late_its_record_is_read() {
    let topics = Topics::with_prefix("");
    let schedule = Schedule::parse(&["1s"]).expect("a schedule");
    let specs = topics.all_specs(&schedule);
    let named = specs
        .iter()
        .map(|spec| (spec.name.as_str(), spec.partitions));
    let cluster = mock::cluster(2, named).expect("a cluster starts");
    for spec in &specs {
        let leader = if spec.name == topics.endpoints { 2 } else { 1 };
        for partition in 0..spec.partitions {
            let chosen = cluster.partition_leader(&spec.name, partition, Some(leader));
            chosen.expect("a leader is chosen");
        }
    }
    let group = MockCoordinator::Group(topics.id("dispatcher"));
    cluster.coordinator(group, 1).expect("a coordinator is set");
    let brokers = cluster.bootstrap_servers();
    let stop = CancellationToken::new();
    let dispatcher = std::thread::spawn({
        let (brokers, stop) = (brokers.clone(), stop.clone());
        move || run_dispatcher(&brokers, stop)
    });

    let receiver = Receiver::start();
    let shops = Shops::new(&brokers, topics);
    // It has joined its group when these have come.
    shops.open("before", &receiver.url("/before")).await;
    receiver.wait_for_events("/before", 2, SOON).await;
    let slow = cluster.broker_round_trip_time(2, ROUND_TRIP);
    slow.expect("a broker becomes slow");
    for round in 0..ROUNDS {
        let path = format!("/slow-{round}");
        shops
            .open(&format!("slow-{round}"), &receiver.url(&path))
            .await;
        receiver.wait_for_events(&path, 2, SOON).await;
    }
    stop.cancel();
    let ended = async || dispatcher.is_finished().then_some(());
    e2e::until("the dispatcher's end", SOON, ended).await;
    dispatcher.join().expect("its thread does not panic");
}

fn run_dispatcher(brokers: &str, stop: CancellationToken) {
    let (id, key) = KEY;
    let settings = [
        ("KAFKA__BROKERS", brokers),
        ("RETRY__SCHEDULE", "1s"),
        ("GUARD__ALLOW_PLAIN_HTTP_TO_LOOPBACK", "true"),
        (
            "SECRETS__KEYS",
            &format!(r#"[{{ id = "{id}", key = "{key}" }}]"#),
        ),
    ];
    let settings = settings.map(|(key, value)| (format!("FEEDBACKPRO__{key}"), value.to_owned()));
    let settings = load_from(DEFAULTS, &[], settings.into());
    let mut settings: Settings = settings.expect("the settings are good");
    settings.kafka.properties = mock::properties();
    let parts = Parts {
        health: Health::default(),
        registry: Registry::new(),
        topics: TopicPolicy::Trust,
    };
    let runtime = LocalRuntime::new().expect("a runtime starts");
    runtime
        .block_on(dispatcher::run(settings, parts, stop))
        .expect("it ends without an error");
}

/// Writes records as console, producer and dispatcher do.
struct Shops {
    topics: Topics,
    publisher: Publisher,
    keys: KeyRing,
}

impl Shops {
    fn new(brokers: &str, topics: Topics) -> Self {
        let connection = Connection::new(brokers, "shop", BTreeMap::new());
        let connection = connection.expect("the connection's properties are good");
        let publisher = Publisher::open(&connection, "shop", PublisherOptions::default());
        Self {
            topics,
            publisher: publisher.expect("a publisher is made"),
            keys: KeyRing::new([KEY]).expect("a key of 32 bytes"),
        }
    }

    /// Writes an endpoint of a new account, and once that is written an event,
    /// and a delivery of another one as a dispatcher that knows the endpoint
    /// hands it on.
    async fn open(&self, account: &str, url: &str) {
        let account = account.parse().expect("an account's id");
        let endpoint = self.endpoint(&account, url);
        let id = endpoint.id;
        let key = id.to_string().into_bytes();
        let value = serde_json::to_vec(&endpoint).expect("JSON");
        self.write(Record::new(&*self.topics.endpoints, &*key, value))
            .await;

        let (event, body) = new_event(&account);
        let source = account.to_string().into_bytes();
        let source = Record::new(&*self.topics.events, source, body);
        self.write(source.headers(&event.write())).await;

        let (event, body) = new_event(&account);
        let delivery = DeliveryHeaders::first(id, Timestamp::now(), None);
        let ready = Record::new(&*self.topics.ready, &*key, body);
        self.write(ready.headers(&delivery.write(&event))).await;
    }

    async fn write(&self, record: Record<'_>) {
        self.publisher.publish(record).await.expect("it is written");
    }

    fn endpoint(&self, account: &AccountId, url: &str) -> Endpoint {
        let (id, now) = (EndpointId::generate(), Timestamp::now());
        Endpoint {
            id,
            account: account.clone(),
            url: url.to_owned(),
            events: BTreeSet::from([EventKind::WidgetDismissed]),
            filter: Filter::default(),
            description: None,
            headers: BTreeMap::new(),
            max_per_second: None,
            paused: false,
            activation: 0,
            version: 1,
            secrets: vec![self.keys.seal(account, id, &Secret::generate())],
            created_at: now,
            updated_at: now,
        }
    }
}

fn new_event(account: &AccountId) -> (EventHeaders, Vec<u8>) {
    let headers = EventHeaders {
        account: account.clone(),
        id: EventId::generate(),
        kind: EventKind::WidgetDismissed,
        time: Timestamp::now(),
        traceparent: None,
    };
    let body = json!({
        "event": headers.kind.to_string(), "id": headers.id.to_string(),
        "timestamp": headers.time.to_string(), "data": {},
    });
    (headers, body.to_string().into_bytes())
}
