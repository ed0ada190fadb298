//! A console of one test, and its client.

use std::path::PathBuf;
use std::time::Duration;

use console::settings::{DEFAULTS, Settings};
use console::{Parts, run};
use domain::EventId;
use kafka::{TopicPolicy, mock};
use prometheus::Registry;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use service::health::Health;
use service::settings::load_from;
use service::tokens::Tokens;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a fact may take to come true.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) const SHOP: &str = "token-of-shop";
pub(crate) const OTHER: &str = "token-of-other";
pub(crate) const OPERATOR: &str = "token-of-operator";
pub(crate) const INGEST: &str = "token-for-ingest";

pub(crate) fn cluster() -> mock::Cluster {
    let topics = [
        ("feedback.events", 6),
        ("webhooks.endpoints", 1),
        ("webhooks.audit", 6),
        ("webhooks.attempts", 6),
        ("webhooks.dead-letter", 1),
        ("webhooks.resend", 1),
        ("webhooks.jobs", 1),
    ];
    mock::cluster(1, topics).unwrap()
}

/// The defaults with what has none, for a cluster; the test's receivers are on
/// this machine.
pub(crate) fn settings(brokers: &str) -> Settings {
    let token = |id: &str, account: &str, role: &str, token: &str| {
        let sha256 = hex(&Sha256::digest(token));
        format!(
            "{{ id = \"{id}\", account = \"{account}\", role = \"{role}\", sha256 = \"{sha256}\" }}"
        )
    };
    let tokens = [
        token("shop", "shop", "account", SHOP),
        token("other", "other", "account", OTHER),
        token("operator", "", "operator", OPERATOR),
        token("ingest", "shop", "ingest", INGEST),
    ];
    let env = [
        ("KAFKA__BROKERS", brokers.to_owned()),
        ("GUARD__ALLOW_PLAIN_HTTP_TO_LOOPBACK", "true".to_owned()),
        (
            "SECRETS__KEYS",
            r#"[{ id = "a", key = "ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE=" }]"#.to_owned(),
        ),
        ("AUTH__TOKENS", format!("[{}]", tokens.join(", "))),
    ];
    let env = env.map(|(key, value)| (format!("FEEDBACKPRO__{key}"), value));
    load_from(DEFAULTS, &[], env.into()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A running console, stopped when it is dropped.
pub(crate) struct Console {
    pub(crate) base: String,
    client: reqwest::Client,
    pub(crate) health: Health,
    pub(crate) stop: CancellationToken,
    task: JoinSet<()>,
    folder: PathBuf,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Console {
    /// Starts one and waits until it is ready.
    pub(crate) async fn start(settings: Settings) -> Self {
        let console = Self::start_unready(settings).await;
        until("the console is ready", async || {
            console.health.ready().is_ok()
        })
        .await;
        console
    }

    pub(crate) async fn start_unready(mut settings: Settings) -> Self {
        let folder = std::env::temp_dir().join(format!("console-{}", EventId::generate()));
        settings.index.path = folder.join("attempts.sqlite");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let health = Health::new();
        let parts = Parts {
            api: listener.into(),
            admin: None,
            tokens: Tokens::new(&settings.auth).unwrap(),
            topics: TopicPolicy::Trust,
            health: health.clone(),
            registry: Registry::new(),
        };
        let stop = CancellationToken::new();
        let running = run(settings, parts, stop.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { running.await.unwrap() });
        Self {
            base,
            client: reqwest::Client::new(),
            health,
            stop,
            task,
            folder,
        }
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stopped(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.task.join_next().await {
            ended.unwrap();
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::GET, path, token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path, token).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path, token).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::DELETE, path, token)).await
    }

    /// An endpoint of `shop`; its path, and the answer.
    pub(crate) async fn endpoint(&self, url: &str) -> (String, Answer) {
        let body = json!({"url": url, "events": ["rating_submitted"]});
        let answer = self.post("/api/v1/endpoints", SHOP, body).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        let path = format!("/api/v1/endpoints/{}", answer.text("id"));
        (path, answer)
    }

    /// A page of the audit.
    pub(crate) async fn audit(&self, token: &str, query: &str) -> Answer {
        let answer = self.get(&format!("/api/v1/audit{query}"), token).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer
    }

    /// The lines of `/metrics` that begin so.
    pub(crate) async fn metric(&self, begin: &str) -> Vec<String> {
        let response = self.request(Method::GET, "/metrics", "");
        let text = read(response.send().await.unwrap()).await;
        let text = String::from_utf8(text).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(begin));
        lines.map(str::to_owned).collect()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Answer {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The paths of a problem's mistakes.
    pub(crate) fn wrong_paths(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        let errors = errors.map_or(&[][..], Vec::as_slice);
        errors
            .iter()
            .filter_map(|error| error["path"].as_str())
            .collect()
    }
}

/// Sends a request; an answer without a body is `null`.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = read(response).await;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap()
    };
    let answer = Answer {
        status,
        headers,
        body,
    };
    if !status.is_success() {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.body["status"], status.as_u16());
    }
    answer
}

async fn read(mut response: reqwest::Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes.extend_from_slice(&chunk);
        assert!(bytes.len() < 1024 * 1024, "an answer is far too long");
    }
    bytes
}

/// Looks until a fact is true.
pub(crate) async fn until(fact: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let looking = async {
        while !is_true().await {
            ticks.tick().await;
        }
    };
    let looked = tokio::time::timeout(DEADLINE, looking).await;
    assert!(looked.is_ok(), "not within {DEADLINE:?}: {fact}");
}
