//! Requests that must be refused.

use e2e::{Reply, client::send};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::quickstart::Quickstart;

/// A request, and the refusal.
pub(super) struct Refused {
    pub(super) method: Method,
    /// Without the query.
    pub(super) path: String,
    pub(super) reply: Reply,
}

/// Provokes refusals of all three APIs.
///
/// # Panics
/// When one is answered with another status.
pub(super) async fn provoked(quickstart: &Quickstart) -> Vec<Refused> {
    let requests = of_console(quickstart.console)
        .into_iter()
        .chain(of_producer(quickstart.producer))
        .chain(of_failed_list(quickstart.failed));
    let mut refused = Vec::new();
    for (status, request) in requests {
        let built = request.try_clone().expect("its body is in memory").build();
        let built = built.expect("it is a request");
        let (method, path) = (built.method().clone(), built.url().path().to_owned());
        let reply = send(request).await;
        let told = format!("{method} {}: {}", built.url(), reply.text());
        assert_eq!(reply.status, status, "{told}");
        refused.push(Refused {
            method,
            path,
            reply,
        });
    }
    refused
}

fn call(port: u16, method: Method, path: &str) -> RequestBuilder {
    let url = format!("http://127.0.0.1:{port}{path}");
    Client::new().request(method, url).bearer_auth("demo")
}

fn of_console(port: u16) -> Vec<(u16, RequestBuilder)> {
    const ENDPOINTS: &str = "/api/v1/endpoints";
    const UNKNOWN: &str = "/api/v1/endpoints/ep_ffffffffffffffffffffffffffffffff";
    /// What the quickstart makes.
    const DEMO: &str = "/api/v1/endpoints/ep_00000000000000000000000000000001";
    let get = |path: &str| call(port, Method::GET, path);
    let create = |body: Value| call(port, Method::POST, ENDPOINTS).json(&body);
    let change = |version: &'static str| {
        call(port, Method::PATCH, DEMO)
            .header("If-Match", version)
            .json(&json!({}))
    };
    let text = |body: String| call(port, Method::POST, ENDPOINTS).body(body);
    let nobody = Client::new().get(format!("http://127.0.0.1:{port}{ENDPOINTS}"));
    let test_event = || {
        let body = json!({"url": "https://192.0.2.1/", "event": "rating_submitted"});
        call(port, Method::POST, "/api/v1/test-events").json(&body)
    };
    vec![
        (401, nobody.try_clone().expect("it has no body")),
        (401, nobody.bearer_auth("unknown")),
        (400, get("/api/v1/endpoints?limit=0")),
        (400, get("/api/v1/endpoints?cursor=nothing")),
        (400, get("/api/v1/endpoints?unknown=1")),
        (403, get("/api/v1/endpoints?account=other")),
        (400, get("/api/v1/audit?limit=1000")),
        (400, get("/api/v1/deliveries?limit=0")),
        (400, get("/api/v1/deliveries?cursor=nothing")),
        (404, get("/api/v1/deliveries/nothing")),
        (404, get("/api/v1/deliveries/nothing/payload")),
        (403, get("/api/v1/changes?account=other")),
        (400, get("/api/v1/statistics?range=2h")),
        (400, get("/api/v1/statistics/endpoints?cursor=nothing")),
        (404, get(UNKNOWN)),
        (404, call(port, Method::DELETE, UNKNOWN)),
        (400, text("{".to_owned())),
        (413, text(" ".repeat(128 * 1024))),
        (422, create(json!({"url": 1}))),
        (
            422,
            create(json!({"url": "http://shop.example/", "events": []})),
        ),
        (
            403,
            create(
                json!({"account": "other", "url": "https://shop.example/", "events": ["nps_calculated"]}),
            ),
        ),
        (400, change("1")),
        (412, change("\"99\"")),
        (
            422,
            call(port, Method::POST, "/api/v1/test-events")
                .json(&json!({"url": "ftp://shop.example/", "event": "rating_submitted"})),
        ),
        (422, test_event()),
    ]
}

fn of_producer(port: u16) -> Vec<(u16, RequestBuilder)> {
    const EVENTS: &str = "/v1/events";
    let post = |media: &str, body: String| {
        call(port, Method::POST, EVENTS)
            .header("Content-Type", media)
            .body(body)
    };
    let json = |body: &str| post("application/json", body.to_owned());
    let event = || json(&e2e::events::rating_submitted(4).to_string());
    let lines = |count| e2e::events::ratings_ndjson(0, count);
    let nobody = Client::new().post(format!("http://127.0.0.1:{port}{EVENTS}"));
    let mixed = format!("{}{{}}\n", lines(1));
    vec![
        (
            401,
            nobody.header("Content-Type", "application/json").body("{}"),
        ),
        (415, post("text/html", String::new())),
        (400, json("{\"event\"")),
        (422, json(&e2e::events::rating_submitted(9).to_string())),
        (413, json(&" ".repeat(256 * 1024))),
        (400, event().header("Idempotency-Key", "")),
        (202, event().header("Idempotency-Key", "conformance")),
        (
            422,
            json(&e2e::events::rating_submitted(1).to_string())
                .header("Idempotency-Key", "conformance"),
        ),
        (
            508,
            event().header("X-FeedbackPro-Event", "rating_submitted"),
        ),
        (400, post("application/x-ndjson", String::new())),
        (413, post("application/x-ndjson", lines(1001))),
        (207, post("application/x-ndjson", mixed)),
        (
            403,
            call(port, Method::OPTIONS, EVENTS).header("Origin", "https://shop.example"),
        ),
    ]
}

fn of_failed_list(port: u16) -> Vec<(u16, RequestBuilder)> {
    let get = |path: &str| call(port, Method::GET, path);
    let post = |path: &str, body: Value| call(port, Method::POST, path).json(&body);
    let unknown = "evt_ffffffffffffffffffffffffffffffff.ep_ffffffffffffffffffffffffffffffff";
    let nobody = Client::new().get(format!("http://127.0.0.1:{port}/webhooks/failed"));
    let place = json!({"topic": "elsewhere", "partition": 0, "offset": 0});
    vec![
        (401, nobody),
        (422, get("/webhooks/failed?reason=unknown")),
        (422, get("/webhooks/failed?limit=0")),
        (422, get("/webhooks/failed/count?account=other")),
        (422, get("/webhooks/failed/export?event=unknown")),
        (404, get(&format!("/webhooks/failed/{unknown}"))),
        (
            404,
            call(port, Method::DELETE, &format!("/webhooks/failed/{unknown}")),
        ),
        (
            404,
            call(
                port,
                Method::POST,
                &format!("/webhooks/failed/{unknown}/resend"),
            ),
        ),
        (422, get("/webhooks/resends?limit=0")),
        (422, post("/webhooks/resends", json!({"action": "burn"}))),
        (
            422,
            post(
                "/webhooks/resends",
                json!({"action": "discard", "filter": {"account": "other"}, "dry_run": true}),
            ),
        ),
        (
            404,
            get("/webhooks/resends/job_ffffffffffffffffffffffffffffffff"),
        ),
        (404, call(port, Method::DELETE, "/webhooks/resends/nothing")),
        (
            422,
            post(&format!("/webhooks/deliveries/{unknown}/resend"), place),
        ),
        (
            400,
            call(
                port,
                Method::POST,
                &format!("/webhooks/deliveries/{unknown}/resend"),
            )
            .body("{"),
        ),
    ]
}
