//! The HTTP interfaces as a customer's program calls them.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::Binary;

/// More than any answer is long.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;
const DEADLINE: Duration = Duration::from_secs(30);

/// A client with one token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    producer: String,
    dlq_consumer: String,
    console: String,
    token: String,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// An endpoint, as it was created.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub id: String,
    /// `whsec_...`
    pub secret: String,
    /// The whole answer.
    pub json: Value,
}

/// A page of the failed list.
#[derive(Debug, Clone)]
pub struct FailedPage {
    pub items: Vec<Value>,
    pub next_cursor: String,
}

impl Reply {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The body as NDJSON.
    ///
    /// # Panics
    /// When a line is no JSON.
    #[must_use]
    pub fn ndjson(&self) -> Vec<Value> {
        let text = self.text();
        let parse = |line| serde_json::from_str(line).expect("each line is JSON");
        text.lines()
            .filter(|line| !line.is_empty())
            .map(parse)
            .collect()
    }

    /// A header as text; "" where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The answer itself, when it has this status.
    ///
    /// # Panics
    /// With the whole answer, when it has another one.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        let text = self.text();
        assert_eq!(self.status, status, "{:?}\n{text}", self.headers);
        self
    }

    /// The JSON of an error: `application/problem+json` with this status.
    ///
    /// # Panics
    /// When it is anything else.
    #[must_use]
    pub fn problem(self, status: u16) -> Value {
        let reply = self.expect(status);
        let kind = reply.header("content-type");
        assert!(
            kind.starts_with("application/problem+json"),
            "{kind}: {}",
            reply.text()
        );
        reply.json()
    }
}

impl Client {
    pub(crate) fn new(
        producer: String,
        dlq_consumer: String,
        console: String,
        token: &str,
    ) -> Self {
        Self {
            http: http(),
            producer,
            dlq_consumer,
            console,
            token: token.to_owned(),
        }
    }

    /// One for a dlq-consumer alone, with the token of the account `shop`.
    ///
    /// # Panics
    /// When a call for another binary is made.
    #[must_use]
    pub fn of_dlq_consumer(service: &crate::Service) -> Self {
        let none = String::new;
        Self::new(
            none(),
            service.url(""),
            none(),
            crate::settings::tokens::SHOP,
        )
    }

    /// The same with another token; "" sends none.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// A request to a path of a binary's API, to be changed at will and sent
    /// by [`send`].
    ///
    /// # Panics
    /// For the dispatcher, which has none.
    pub fn request(&self, to: Binary, method: Method, path: &str) -> reqwest::RequestBuilder {
        let base = match to {
            Binary::Producer => &self.producer,
            Binary::DlqConsumer => &self.dlq_consumer,
            Binary::Console => &self.console,
            Binary::Dispatcher => panic!("the dispatcher has no API"),
        };
        let request = self
            .http
            .request(method, format!("{base}{path}"))
            .timeout(DEADLINE);
        if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        }
    }

    /// Calls without a body.
    pub async fn call(&self, to: Binary, method: Method, path: &str) -> Reply {
        send(self.request(to, method, path)).await
    }

    /// Calls with a JSON body.
    pub async fn call_json(&self, to: Binary, method: Method, path: &str, body: &Value) -> Reply {
        send(self.request(to, method, path).json(body)).await
    }

    // Each of the following panics, with the answer, unless that tells success.

    /// `POST /v1/events`, one event; its id.
    pub async fn post_event(&self, event: &Value) -> String {
        let reply = self
            .call_json(Binary::Producer, Method::POST, "/v1/events", event)
            .await;
        text(&reply.expect(202).json(), "id")
    }

    /// The same with an `Idempotency-Key`.
    pub async fn post_event_with_key(&self, event: &Value, key: &str) -> String {
        let request = self.request(Binary::Producer, Method::POST, "/v1/events");
        let reply = send(request.header("Idempotency-Key", key).json(event)).await;
        text(&reply.expect(202).json(), "id")
    }

    /// `POST /v1/events`, up to 1 000 lines; one answer a line.
    pub async fn post_ndjson(&self, lines: &str) -> Vec<Value> {
        let request = self.request(Binary::Producer, Method::POST, "/v1/events");
        let request = request
            .header("Content-Type", "application/x-ndjson")
            .body(lines.to_owned());
        send(request).await.expect(207).ndjson()
    }

    /// Posts so many ratings, 1 000 at once; their ids.
    pub async fn post_ratings(&self, count: usize) -> Vec<String> {
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let now = (count - ids.len()).min(1000);
            let lines = crate::events::ratings_ndjson(ids.len(), now);
            let answers = self.post_ndjson(&lines).await;
            assert_eq!(answers.len(), now, "one answer a line");
            ids.extend(answers.iter().map(|answer| text(answer, "id")));
        }
        ids
    }

    /// `POST /api/v1/endpoints`.
    pub async fn create_endpoint(&self, url: &str, events: &[&str]) -> Endpoint {
        let body = json!({"url": url, "events": events});
        let reply = self
            .call_json(Binary::Console, Method::POST, "/api/v1/endpoints", &body)
            .await;
        let json = reply.expect(201).json();
        Endpoint {
            id: text(&json, "id"),
            secret: text(&json, "secret"),
            json,
        }
    }

    /// `GET /api/v1/endpoints/{id}`.
    pub async fn endpoint(&self, id: &str) -> Value {
        self.console(Method::GET, id, "").await.expect(200).json()
    }

    /// `DELETE /api/v1/endpoints/{id}`.
    pub async fn delete_endpoint(&self, id: &str) {
        drop(self.console(Method::DELETE, id, "").await.expect(204));
    }

    /// `POST .../pause`.
    pub async fn pause(&self, id: &str) {
        assert_success(&self.console(Method::POST, id, "/pause").await);
    }

    /// `POST .../resume`.
    pub async fn resume(&self, id: &str) {
        assert_success(&self.console(Method::POST, id, "/resume").await);
    }

    /// `POST .../rotate-secret`; the new secret.
    pub async fn rotate_secret(&self, id: &str) -> String {
        let reply = self.console(Method::POST, id, "/rotate-secret").await;
        assert_success(&reply);
        text(&reply.json(), "secret")
    }

    /// `GET .../secret`.
    pub async fn secret(&self, id: &str) -> String {
        text(
            &self
                .console(Method::GET, id, "/secret")
                .await
                .expect(200)
                .json(),
            "secret",
        )
    }

    /// `POST .../test`; the whole answer.
    pub async fn test_event(&self, id: &str, event: &str) -> Value {
        let path = format!("/api/v1/endpoints/{id}/test");
        let body = json!({"event": event});
        self.call_json(Binary::Console, Method::POST, &path, &body)
            .await
            .expect(200)
            .json()
    }

    /// `GET /webhooks/failed` with this query, such as `limit=10&reason=expired`.
    pub async fn failed(&self, query: &str) -> FailedPage {
        let path = format!("/webhooks/failed?{query}");
        let json = self
            .call(Binary::DlqConsumer, Method::GET, &path)
            .await
            .expect(200)
            .json();
        let items = json["items"].as_array().expect("items is a list").clone();
        FailedPage {
            items,
            next_cursor: text(&json, "next_cursor"),
        }
    }

    /// Waits until the failed list has at least `count` entries.
    pub async fn wait_for_failed(&self, count: usize, deadline: Duration) -> Vec<Value> {
        crate::until(
            &format!("{count} entries in the failed list"),
            deadline,
            async || {
                let items = self.failed("limit=100").await.items;
                (items.len() >= count).then_some(items)
            },
        )
        .await
    }

    /// `POST /webhooks/failed/{id}/resend`.
    pub async fn resend(&self, delivery: &str) {
        let path = format!("/webhooks/failed/{delivery}/resend");
        let reply = self
            .call(Binary::DlqConsumer, Method::POST, &path)
            .await
            .expect(202);
        assert_eq!(text(&reply.json(), "id"), delivery);
    }

    /// `DELETE /webhooks/failed/{id}`.
    pub async fn delete_failed(&self, delivery: &str) {
        let path = format!("/webhooks/failed/{delivery}");
        drop(
            self.call(Binary::DlqConsumer, Method::DELETE, &path)
                .await
                .expect(204),
        );
    }

    /// `GET /webhooks/failed/count` with this query.
    pub async fn failed_count(&self, query: &str) -> u64 {
        let path = format!("/webhooks/failed/count?{query}");
        let reply = self.call(Binary::DlqConsumer, Method::GET, &path).await;
        number(&reply.expect(200).json(), "count")
    }

    /// `GET /webhooks/failed/export` with this query; a line each.
    pub async fn export_failed(&self, query: &str) -> Vec<Value> {
        let path = format!("/webhooks/failed/export?{query}");
        let reply = self.call(Binary::DlqConsumer, Method::GET, &path).await;
        reply.expect(200).ndjson()
    }

    /// `POST /webhooks/resends` as a dry run; how many would be moved.
    pub async fn dry_run(&self, action: &str, filter: &Value) -> u64 {
        let body = json!({"action": action, "filter": filter, "dry_run": true});
        number(&self.post_resends(&body).await.expect(200).json(), "count")
    }

    /// `POST /webhooks/resends`; the job.
    pub async fn start_job(&self, action: &str, filter: &Value) -> Value {
        let body = json!({"action": action, "filter": filter});
        let reply = self.post_resends(&body).await.expect(202);
        let job = reply.json();
        let place = format!("/webhooks/resends/{}", text(&job, "id"));
        assert_eq!(reply.header("location"), place);
        job
    }

    /// `GET /webhooks/resends/{id}`.
    pub async fn job(&self, id: &str) -> Value {
        let path = format!("/webhooks/resends/{id}");
        let reply = self.call(Binary::DlqConsumer, Method::GET, &path).await;
        reply.expect(200).json()
    }

    /// Waits until a job has ended; the job.
    pub async fn wait_for_job(&self, id: &str, deadline: Duration) -> Value {
        crate::until(&format!("the end of {id}"), deadline, async || {
            let job = self.job(id).await;
            (job["state"] != "running").then_some(job)
        })
        .await
    }

    /// `DELETE /webhooks/resends/{id}`; the whole answer.
    pub async fn cancel_job(&self, id: &str) -> Reply {
        let path = format!("/webhooks/resends/{id}");
        self.call(Binary::DlqConsumer, Method::DELETE, &path).await
    }

    /// `POST /webhooks/deliveries/{id}/resend` from where an attempt record
    /// says that the event stands; the whole answer.
    pub async fn resend_delivery(&self, delivery: &str, attempt: &Value) -> Reply {
        let path = format!("/webhooks/deliveries/{delivery}/resend");
        let place = json!({
            "topic": attempt["topic"], "partition": attempt["partition"],
            "offset": attempt["offset"],
        });
        self.call_json(Binary::DlqConsumer, Method::POST, &path, &place)
            .await
    }

    async fn post_resends(&self, body: &Value) -> Reply {
        let path = "/webhooks/resends";
        self.call_json(Binary::DlqConsumer, Method::POST, path, body)
            .await
    }

    async fn console(&self, method: Method, endpoint: &str, rest: &str) -> Reply {
        let path = format!("/api/v1/endpoints/{endpoint}{rest}");
        self.call(Binary::Console, method, &path).await
    }
}

/// Sends a request and reads the answer to its end.
///
/// # Panics
/// When there is no answer.
pub async fn send(request: reqwest::RequestBuilder) -> Reply {
    let answer = request
        .send()
        .await
        .unwrap_or_else(|error| panic!("no answer: {error:?}"));
    read(answer).await
}

pub(crate) async fn read(mut answer: reqwest::Response) -> Reply {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.expect("the answer is whole") {
        body.extend_from_slice(&chunk);
        assert!(
            body.len() <= ANSWER_LIMIT,
            "an answer of more than {ANSWER_LIMIT} bytes"
        );
    }
    Reply {
        status,
        headers,
        body,
    }
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .build()
        .expect("an HTTP client can be made")
}

fn text(json: &Value, key: &str) -> String {
    let value = json[key].as_str();
    value
        .unwrap_or_else(|| panic!("no text {key:?} in {json}"))
        .to_owned()
}

fn number(json: &Value, key: &str) -> u64 {
    let value = json[key].as_u64();
    value.unwrap_or_else(|| panic!("no number {key:?} in {json}"))
}

fn assert_success(reply: &Reply) {
    assert!(
        (200..300).contains(&reply.status),
        "{}: {}",
        reply.status,
        reply.text()
    );
}
