//! Test events.

use domain::{EventKind, Secret, SigningKey, feedbackpro_signature, standard_signature};
use serde_json::{Value, json};

use super::fixture::{Answer, Console, OTHER, SHOP, cluster, settings};
use super::receiver::Receiver;

async fn test(console: &Console, path: &str, event: &str) -> Answer {
    console
        .post(&format!("{path}/test"), SHOP, json!({"event": event}))
        .await
}

#[tokio::test]
async fn a_test_event_is_a_signed_delivery_of_the_example() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let receiver = Receiver::start(200, "danke 🙂").await;
    let (path, created) = console.endpoint(&receiver.url).await;
    let headers = json!({"headers": {"X-Shop": "north"}});
    assert_eq!(console.patch(&path, SHOP, headers).await.status, 200);
    let rotated = console
        .post(&format!("{path}/rotate-secret"), SHOP, Value::Null)
        .await;
    // Also while it is paused.
    console
        .post(&format!("{path}/pause"), SHOP, Value::Null)
        .await;
    let keys = [rotated.text("secret"), created.text("secret")]
        .map(|secret| SigningKey::new(&Secret::parse(secret).unwrap()));

    for event in EventKind::ALL.map(EventKind::as_str) {
        let answer = test(&console, &path, event).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        assert_eq!(answer.body["delivered"], true, "{:?}", answer.body);
        assert_eq!(answer.body["status"], 200);
        assert_eq!(answer.body["response_body"], "danke 🙂");
        assert_eq!(answer.body["reason"], Value::Null);
        assert!(answer.body["duration_ms"].is_u64());

        let received = receiver.received().pop().unwrap();
        let envelope: Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(envelope["event"], event);
        let id = envelope["id"].as_str().unwrap();
        for (name, value) in [
            ("content-type", "application/json; charset=utf-8"),
            ("x-feedbackpro-event", event),
            ("x-feedbackpro-test", "true"),
            ("x-feedbackpro-attempt", "1"),
            ("idempotency-key", id),
            ("webhook-id", id),
            ("x-shop", "north"),
        ] {
            assert_eq!(received.header(name), value, "{name}");
        }
        assert!(
            received
                .header("user-agent")
                .starts_with("FeedBackPro-Webhooks/")
        );
        let page = feedbackpro_signature(&keys, &received.body);
        assert_eq!(received.header("x-feedbackpro-signature"), page);
        let seconds: i64 = received.header("webhook-timestamp").parse().unwrap();
        let at = domain::Timestamp::from_millis(seconds * 1_000);
        let standard = standard_signature(&keys, id, at, &received.body);
        assert_eq!(received.header("webhook-signature"), standard);
    }
    assert_eq!(receiver.received().len(), 4);
    let delivered = "feedbackpro_console_test_events_total{outcome=\"delivered\"} 4";
    assert_eq!(console.metric(delivered).await.len(), 1);
}

#[tokio::test]
async fn a_test_event_that_fails_says_why() {
    let cluster = cluster();
    let settings = settings(&cluster.bootstrap_servers());
    let console = Console::start(settings.clone()).await;
    let long = Box::leak("x".repeat(2_000).into_boxed_str());
    let failing = Receiver::start(500, long).await;
    let moved = Receiver::start(307, "").await;
    let closed = "http://127.0.0.1:9/closed".to_owned();
    for (url, status, body, reason) in [
        (&failing.url, json!(500), json!("x".repeat(512)), "status: "),
        (&moved.url, json!(307), Value::Null, "status: "),
        (&closed, Value::Null, Value::Null, "connect: "),
    ] {
        let (path, _) = console.endpoint(url).await;
        let answer = test(&console, &path, "new_feedback").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["delivered"], false);
        assert_eq!(answer.body["status"], status, "{:?}", answer.body);
        assert_eq!(answer.body["response_body"], body);
        assert!(
            answer.text("reason").starts_with(reason),
            "{:?}",
            answer.body
        );
    }
    // The guard has become stricter since the endpoints were made.
    let mut stricter = settings;
    stricter.guard.allow_plain_http_to_loopback = false;
    let list = console.get("/api/v1/endpoints", SHOP).await;
    let path = format!(
        "/api/v1/endpoints/{}",
        list.body["items"][0]["id"].as_str().unwrap()
    );
    let console = Console::start(stricter).await;
    let answer = test(&console, &path, "new_feedback").await;
    assert!(
        answer.text("reason").starts_with("forbidden_address: "),
        "{:?}",
        answer.body
    );
    assert_eq!(failing.received().len(), 1);

    let refused = test(&console, &path, "order_placed").await;
    assert_eq!(
        (refused.status.as_u16(), refused.wrong_paths()),
        (422, vec!["$.event"])
    );
}

#[tokio::test]
async fn an_account_sends_as_many_test_events_a_minute_as_it_may() {
    let cluster = cluster();
    let mut settings = settings(&cluster.bootstrap_servers());
    settings.limits.test_events_per_minute = 2;
    let console = Console::start(settings).await;
    let receiver = Receiver::start(204, "").await;
    let (path, _) = console.endpoint(&receiver.url).await;
    for _ in 0..2 {
        assert_eq!(
            test(&console, &path, "new_feedback").await.body["delivered"],
            true
        );
    }
    let (another, _) = console.endpoint(&receiver.url).await;
    let refused = test(&console, &another, "new_feedback").await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait} s");
    assert_eq!(receiver.received().len(), 2);

    let body = json!({"url": receiver.url, "events": ["new_feedback"]});
    let others = console.post("/api/v1/endpoints", OTHER, body).await;
    let path = format!("/api/v1/endpoints/{}/test", others.text("id"));
    let answer = console
        .post(&path, OTHER, json!({"event": "new_feedback"}))
        .await;
    assert_eq!(answer.status, 200, "each account for itself");
}
