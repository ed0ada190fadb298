//! A producer on a mock cluster of its own.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kafka::{TopicPolicy, mock};
use producer::settings::DEFAULTS;
use producer::{Parts, RunError, Settings, run};
use prometheus::Registry;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use service::health::Health;
use service::settings::load_from;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Everything of the account `shop`.
pub(crate) const SHOP: &str = "token-of-the-shop";
/// Every account.
pub(crate) const OPERATOR: &str = "token-of-an-operator";
/// Only to post as `shop`, from [`ORIGIN`].
pub(crate) const WIDGET: &str = "token-of-the-widget";
/// Only to post as `shop`, from no web page.
pub(crate) const APP: &str = "token-of-the-app";
pub(crate) const ORIGIN: &str = "https://www.shop.example";

pub(crate) const RATING: &str = r#"{"event":"rating_submitted","timestamp":"2024-06-15T14:32:00Z","data":{"customer_id":"cus_9021","email":"anna.mueller@webshop.de","score":4,"product_sku":"BW-440-RED","session_page":"/checkout/thank-you"}}"#;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
const TOPIC: &str = "feedback.events";
const PARTITIONS: i32 = 6;

/// A mock cluster of one broker with the topic.
pub(crate) fn cluster() -> mock::Cluster {
    mock::cluster(1, [(TOPIC, PARTITIONS)]).unwrap()
}

/// An entry of `auth.tokens` as TOML.
pub(crate) fn token(id: &str, account: &str, role: &str, token: &str, origins: &[&str]) -> String {
    let mut sha256 = String::new();
    for byte in Sha256::digest(token) {
        write!(sha256, "{byte:02x}").unwrap();
    }
    format!(
        "{{ id = \"{id}\", account = \"{account}\", role = \"{role}\", sha256 = \"{sha256}\", \
         origins = {origins:?} }}"
    )
}

fn tokens() -> String {
    [
        token("shop", "shop", "account", SHOP, &[]),
        token("operator", "", "operator", OPERATOR, &[]),
        token("widget", "shop", "ingest", WIDGET, &[ORIGIN]),
        token("app", "shop", "ingest", APP, &[]),
    ]
    .join(", ")
}

/// The settings that a test changes, by key.
pub(crate) type Changes<'a> = &'a [(&'a str, &'a str)];

/// The environment of a process with these settings.
pub(crate) fn environment(brokers: &str, changes: Changes<'_>) -> HashMap<String, String> {
    let tokens = format!("[{}]", tokens());
    let mut all = vec![
        ("kafka.brokers", brokers),
        ("topics.create", "false"),
        ("http.listen", "127.0.0.1:0"),
        ("admin.listen", "127.0.0.1:0"),
        ("auth.tokens", &tokens),
        ("log.format", "human"),
    ];
    all.extend(changes);
    all.into_iter()
        .map(|(key, value)| {
            let key = key.to_uppercase().replace('.', "__");
            (format!("FEEDBACKPRO__{key}"), value.to_owned())
        })
        .collect()
}

/// A running producer.
pub(crate) struct Producer {
    pub(crate) cluster: mock::Cluster,
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) address: String,
    admin: String,
    stop: CancellationToken,
    running: JoinSet<Result<(), RunError>>,
}

impl Producer {
    /// One that is ready.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// One that is ready, with other settings.
    pub(crate) async fn start_with(changes: Changes<'_>) -> Self {
        let producer = Self::spawn(cluster(), changes, &[]).await;
        producer.wait_ready().await;
        producer
    }

    /// One that may not be ready.
    pub(crate) async fn spawn(
        cluster: mock::Cluster,
        changes: Changes<'_>,
        files: &[PathBuf],
    ) -> Self {
        let mut env = environment(&cluster.bootstrap_servers(), changes);
        if !files.is_empty() {
            // The environment would stand above the files.
            env.remove("FEEDBACKPRO__AUTH__TOKENS");
        }
        let settings: Settings = load_from(DEFAULTS, files, env).unwrap();
        let bind = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (api, admin) = (bind().await, bind().await);
        let address = api.local_addr().unwrap().to_string();
        let admin_address = admin.local_addr().unwrap();
        let parts = Parts {
            api: api.into(),
            admin: Some(admin),
            health: Health::new(),
            registry: Registry::new(),
            topics: TopicPolicy::Trust,
            files: files.to_vec(),
        };
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(run(settings, parts, stop.clone()));
        Self {
            cluster,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://{address}/v1/events"),
            address,
            admin: format!("http://{admin_address}"),
            stop,
            running,
        }
    }

    /// `POST /v1/events` as the shop's backend, without a body yet.
    pub(crate) fn post(&self) -> RequestBuilder {
        self.post_with(SHOP)
    }

    /// The same with another token.
    pub(crate) fn post_with(&self, token: &str) -> RequestBuilder {
        self.http.post(&self.url).bearer_auth(token)
    }

    /// Posts one JSON event as the shop's backend.
    pub(crate) async fn post_json(&self, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.post().header("content-type", "application/json");
        reply(request.body(body)).await
    }

    /// Posts lines as the shop's backend.
    pub(crate) async fn post_lines(&self, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.post().header("content-type", "application/x-ndjson");
        reply(request.body(body)).await
    }

    /// A path of the admin port.
    pub(crate) async fn admin(&self, path: &str) -> Reply {
        reply(self.http.get(format!("{}{path}", self.admin))).await
    }

    pub(crate) async fn wait_ready(&self) {
        until("the producer is ready", async || {
            self.admin("/readyz").await.status == 200
        })
        .await;
    }

    /// How many records the topic has.
    pub(crate) fn count(&self) -> i64 {
        count(&self.cluster)
    }

    /// All records of the topic.
    pub(crate) fn records(&self) -> Vec<Stored> {
        let count = usize::try_from(self.count()).unwrap();
        let consumer = consumer(&self.cluster);
        let mut partitions = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            partitions
                .add_partition_offset(TOPIC, partition, Offset::Beginning)
                .unwrap();
        }
        consumer.assign(&partitions).unwrap();
        let start = Instant::now();
        let mut records = Vec::new();
        while records.len() < count {
            assert!(
                start.elapsed() < DEADLINE,
                "read {} of {count}",
                records.len()
            );
            if let Some(message) = consumer.poll(Duration::from_millis(100)) {
                let message = message.unwrap();
                let headers = message.headers().unwrap();
                records.push(Stored {
                    key: String::from_utf8(message.key().unwrap().to_vec()).unwrap(),
                    value: String::from_utf8(message.payload().unwrap().to_vec()).unwrap(),
                    headers: headers
                        .iter()
                        .map(|header| {
                            let value = header.value.unwrap().to_vec();
                            (header.key.to_owned(), String::from_utf8(value).unwrap())
                        })
                        .collect(),
                });
            }
        }
        records
    }

    /// Asks it to stop.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> Result<(), RunError> {
        let ended = tokio::time::timeout(DEADLINE, self.running.join_next()).await;
        ended.expect("it ends").unwrap().unwrap()
    }
}

/// How many records the topic has.
pub(crate) fn count(cluster: &mock::Cluster) -> i64 {
    let consumer = consumer(cluster);
    let watermarks = |partition| {
        let marks = consumer.fetch_watermarks(TOPIC, partition, DEADLINE);
        let (low, high) = marks.unwrap();
        high - low
    };
    (0..PARTITIONS).map(watermarks).sum()
}

fn consumer(cluster: &mock::Cluster) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers());
    config.set("group.id", "test");
    config.extend(mock::properties());
    config.create().unwrap()
}

/// A record of the topic.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Stored {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.value).unwrap()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// One JSON value a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.status, 207, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/x-ndjson"));
        let lines = self.text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The id of an accepted event.
    pub(crate) fn id(&self) -> String {
        assert_eq!(self.status, 202, "{}", self.text);
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// The document of a refusal with this status.
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["type"].is_string());
        problem
    }
}

/// Sends a request and reads the answer.
pub(crate) async fn reply(request: RequestBuilder) -> Reply {
    read(request.send().await.unwrap()).await
}

async fn read(mut response: Response) -> Reply {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(body).unwrap();
    Reply {
        status,
        headers,
        text,
    }
}

/// Asks again until the fact holds.
pub(crate) async fn until(what: &str, mut fact: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !fact().await {
        assert!(start.elapsed() < DEADLINE, "not in {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
