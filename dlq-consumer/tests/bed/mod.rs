//! A failed list on librdkafka's mock cluster, asked over HTTP. The mock has
//! no compaction and no transactions: what depends on those is tested on a
//! real Kafka (package `e2e`).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dlq_consumer::settings::DEFAULTS;
use dlq_consumer::{Parts, RunError, Settings};
use domain::record::{DeliveryHeaders, EventHeaders, Headers};
use domain::{AccountId, DeadLetterReason, DeliveryId, EndpointId, EventId, EventKind, Timestamp};
use kafka::{TopicPolicy, mock};
use prometheus::Registry;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use reqwest::Method;
use serde_json::Value;
use service::health::Health;
use service::tokens::Tokens;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const DEAD_LETTER: &str = "webhooks.dead-letter";
pub(crate) const RESEND: &str = "webhooks.resend";
pub(crate) const AUDIT: &str = "webhooks.audit";
pub(crate) const JOBS: &str = "webhooks.jobs";
pub(crate) const EVENTS: &str = "feedback.events";
const DEADLINE: Duration = Duration::from_secs(30);

/// A Kafka and a folder for the index; the list itself can be started again.
pub(crate) struct Bed {
    pub(crate) cluster: mock::Cluster,
    pub(crate) index: PathBuf,
    producer: FutureProducer,
    folder: PathBuf,
}

/// A failed list that runs.
pub(crate) struct List {
    api: String,
    admin: String,
    http: reqwest::Client,
    shutdown: CancellationToken,
    running: JoinSet<Result<(), RunError>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) kind: String,
    /// The header; "" without one.
    pub(crate) location: String,
    /// As JSON; `null` where it is none.
    pub(crate) body: Value,
    pub(crate) text: String,
}

/// A record as it was written.
pub(crate) struct Written {
    pub(crate) key: String,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: HashMap<String, String>,
}

/// A delivery that was given up, to be changed and written.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) event: EventHeaders,
    pub(crate) delivery: DeliveryHeaders,
    pub(crate) failed_at: i64,
    pub(crate) value: Vec<u8>,
}

/// A delivery of the account `shop` that failed `failed_at` milliseconds after 1970.
pub(crate) fn failure(endpoint: EndpointId, failed_at: i64) -> Failure {
    let id = EventId::generate();
    let value = format!(
        r#"{{"event":"rating_submitted","id":"{id}","timestamp":"2024-06-15T14:32:00Z","data":{{"customer_id":null,"email":"jürgen@webshop.example","score":4,"product_sku":"BW-440-RED","session_page":"/größe"}}}}"#
    );
    let mut delivery = DeliveryHeaders::first(endpoint, Timestamp::from_millis(1_000), None);
    delivery.attempt = 6;
    delivery.last_status = Some(503);
    delivery.reason = Some(DeadLetterReason::AttemptsExhausted);
    delivery.source = domain::record::Coordinates::parse("feedback.events/3/17");
    Failure {
        event: EventHeaders {
            account: account("shop"),
            id,
            kind: EventKind::RatingSubmitted,
            time: "2024-06-15T14:32:00Z".parse().unwrap(),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        },
        delivery,
        failed_at,
        value: value.into_bytes(),
    }
}

pub(crate) fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

impl Failure {
    pub(crate) fn id(&self) -> DeliveryId {
        self.delivery.id(self.event.id)
    }

    pub(crate) fn path(&self) -> String {
        format!("/webhooks/failed/{}", self.id())
    }

    pub(crate) fn of(mut self, account_name: &str) -> Self {
        self.event.account = account(account_name);
        self
    }

    /// The failure of another event.
    pub(crate) fn with_event(mut self, kind: EventKind) -> Self {
        let text = String::from_utf8(self.value).unwrap();
        let own = self.event.kind.as_str();
        self.value = text.replacen(own, kind.as_str(), 1).into_bytes();
        self.event.kind = kind;
        self
    }

    pub(crate) fn because(mut self, reason: DeadLetterReason) -> Self {
        self.delivery.reason = Some(reason);
        self
    }
}

impl Bed {
    pub(crate) fn new() -> Self {
        let topics = [DEAD_LETTER, RESEND, AUDIT, JOBS, EVENTS];
        let cluster = mock::cluster(1, topics.map(|topic| (topic, 1))).unwrap();
        let producer = client(&cluster).create().unwrap();
        let folder = std::env::temp_dir().join(format!("dlq-{}", EventId::generate()));
        Self {
            cluster,
            producer,
            index: folder.join("data").join("failed.sqlite"),
            folder,
        }
    }

    pub(crate) async fn write(&self, failure: &Failure) {
        let headers = failure.delivery.write(&failure.event);
        let key = failure.id().to_string();
        self.record(&key, Some(&failure.value), &headers, failure.failed_at)
            .await;
    }

    /// The event of a delivery, as the producer writes it.
    pub(crate) async fn publish(&self, of: &Failure) -> Value {
        let headers = of.event.write();
        let stored = self.put(EVENTS, "key", Some(&of.value), &headers, 0).await;
        serde_json::json!({"topic": EVENTS, "partition": stored.0, "offset": stored.1})
    }

    pub(crate) async fn record(&self, key: &str, value: Option<&[u8]>, headers: &Headers, at: i64) {
        self.put(DEAD_LETTER, key, value, headers, at).await;
    }

    /// Writes a record; its partition and offset.
    async fn put(
        &self,
        topic: &str,
        key: &str,
        value: Option<&[u8]>,
        headers: &Headers,
        at: i64,
    ) -> (i32, i64) {
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header {
                    key,
                    value: Some(value),
                })
            });
        let mut record = FutureRecord::<str, [u8]>::to(topic)
            .key(key)
            .headers(headers)
            .timestamp(at);
        record.payload = value;
        let written = self.producer.send(record, DEADLINE).await;
        let written = written.map_err(|(error, _)| error).unwrap();
        (written.partition, written.offset)
    }

    /// What was written to the audit topic: key and record.
    pub(crate) fn audit(&self) -> Vec<(String, Value)> {
        let records = self.read(AUDIT).into_iter();
        records
            .map(|it| (it.key, serde_json::from_slice(&it.value.unwrap()).unwrap()))
            .collect()
    }

    /// All records of partition 0 of a topic.
    pub(crate) fn read(&self, topic: &str) -> Vec<Written> {
        let consumer: BaseConsumer = client(&self.cluster)
            .set("group.id", "test")
            .set("enable.partition.eof", "true")
            .create()
            .unwrap();
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(topic, 0, Offset::Beginning)
            .unwrap();
        consumer.assign(&from).unwrap();
        let mut records = Vec::new();
        loop {
            match consumer.poll(DEADLINE).unwrap() {
                Ok(message) => records.push(Written {
                    key: text(message.key().unwrap_or_default()),
                    value: message.payload().map(<[u8]>::to_vec),
                    headers: message
                        .headers()
                        .into_iter()
                        .flat_map(|headers| headers.iter())
                        .map(|header| (header.key.to_owned(), text(header.value.unwrap())))
                        .collect(),
                }),
                Err(rdkafka::error::KafkaError::PartitionEOF(_)) => return records,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Starts the list and waits until it is ready.
    pub(crate) async fn start(&self) -> List {
        let list = self.spawn().await;
        list.ready().await;
        list
    }

    /// Starts the list.
    pub(crate) async fn spawn(&self) -> List {
        let mut settings: Settings = service::settings::load(DEFAULTS, &[]).unwrap();
        settings.kafka.brokers = self.cluster.bootstrap_servers();
        settings.index.path = self.index.clone();
        List::start(settings).await
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl List {
    async fn start(settings: Settings) -> Self {
        let (api, admin) = (local().await, local().await);
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (api_url, admin_url) = (address(&api), address(&admin));
        let parts = Parts {
            api: api.into(),
            admin: Some(admin),
            health: Health::new(),
            registry: Registry::new(),
            topics: TopicPolicy::Trust,
            tokens: tokens(),
        };
        let shutdown = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(dlq_consumer::run(settings, parts, shutdown.clone()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            api: api_url,
            admin: admin_url,
            http,
            shutdown,
            running,
        }
    }

    pub(crate) async fn ready(&self) {
        let ready = async || self.admin("/readyz").await.0 == 200;
        until("the list is ready", ready).await;
    }

    /// Stops it as SIGTERM does.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.ended().await.unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Result<(), RunError> {
        let ended = tokio::time::timeout(DEADLINE, self.running.join_next()).await;
        ended.expect("it ends in time").unwrap().unwrap()
    }

    /// A path of the admin port: status and text.
    pub(crate) async fn admin(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(format!("{}{path}", self.admin)).send().await;
        let answer = answer.unwrap();
        let status = answer.status().as_u16();
        (status, text(&whole(answer).await))
    }

    /// Calls the API; an empty token sends none.
    pub(crate) async fn call(&self, method: Method, path: &str, token: &str) -> Reply {
        self.send(self.request(method, path), token).await
    }

    /// The same with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value, token: &str) -> Reply {
        self.send(self.request(Method::POST, path).json(body), token)
            .await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api))
    }

    async fn send(&self, request: reqwest::RequestBuilder, token: &str) -> Reply {
        let request = if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (kind, location) = (header("content-type"), header("location"));
        let body = whole(answer).await;
        Reply {
            status,
            kind,
            location,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            text: text(&body),
        }
    }

    /// Starts a job with the token `shop` and waits for its end; the job.
    pub(crate) async fn job(&self, body: &Value, token: &str) -> Value {
        let reply = self.post("/webhooks/resends", body, token).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        let mut job = Value::Null;
        let ended = async || {
            job = self.call(Method::GET, &reply.location, token).await.body;
            job["state"] != "running"
        };
        until("the job's end", ended).await;
        job
    }

    /// `GET /webhooks/failed` of the account `shop`: items and cursor.
    pub(crate) async fn page(&self, query: &str) -> (Vec<Value>, String) {
        let reply = self
            .call(Method::GET, &format!("/webhooks/failed?{query}"), "shop")
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let items = reply.body["items"].as_array().unwrap().clone();
        let cursor = reply.body["next_cursor"].as_str().unwrap().to_owned();
        (items, cursor)
    }

    /// The ids of a page.
    pub(crate) async fn ids(&self, query: &str) -> Vec<String> {
        ids(&self.page(query).await.0)
    }

    /// Waits until the account `shop` sees so many entries.
    pub(crate) async fn has(&self, count: usize) {
        let fact = async || self.ids("limit=500").await.len() == count;
        until(&format!("{count} entries on the list"), fact).await;
    }
}

pub(crate) fn ids(items: &[Value]) -> Vec<String> {
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

/// Waits for a fact.
pub(crate) async fn until(what: &str, mut fact: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !fact().await {
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Changes the file of a list that does not run.
pub(crate) fn change_index(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Each token is its own id: `shop`, `other`, `widget` (ingest), `operator`.
fn tokens() -> Tokens {
    let mut file = String::from("[auth]\n");
    for (id, account, role) in [
        ("shop", "shop", "account"),
        ("other", "other", "account"),
        ("widget", "shop", "ingest"),
        ("operator", "", "operator"),
    ] {
        let mut hash = String::new();
        for byte in Sha256::digest(id) {
            write!(hash, "{byte:02x}").unwrap();
        }
        writeln!(file, "[[auth.tokens]]\nid = {id:?}\naccount = {account:?}\nrole = {role:?}\nsha256 = {hash:?}").unwrap();
    }
    #[derive(serde::Deserialize)]
    struct File {
        auth: service::settings::AuthSettings,
    }
    let file: File = service::settings::load_from(&file, &[], HashMap::new()).unwrap();
    Tokens::new(&file.auth).unwrap()
}

async fn local() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn client(cluster: &mock::Cluster) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers());
    config.extend(mock::properties());
    config
}

async fn whole(mut answer: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    body
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
