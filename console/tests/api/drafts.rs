//! Test events before an endpoint is saved, and what will go out.

use std::collections::BTreeMap;

use domain::{Secret, SigningKey, Timestamp, feedbackpro_signature, standard_signature};
use serde_json::{Value, json};

use super::fixture::{Console, SHOP, cluster, settings};
use super::receiver::{Received, Receiver};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TEST: &str = "/api/v1/test-events";
const PREVIEW: &str = "/api/v1/test-events/preview";

/// What was shown is what came, to the last header.
fn assert_shown(request: &Value, received: &Received) {
    let shown: BTreeMap<String, String> =
        serde_json::from_value(request["headers"].clone()).unwrap();
    let got: BTreeMap<String, String> = received
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(shown, got);
    assert_eq!(
        request["body"].as_str().unwrap().as_bytes(),
        &*received.body
    );
}

/// Both signatures of a request as it was shown.
fn assert_signed(request: &Value, secret: &str) {
    let keys = [SigningKey::new(&Secret::parse(secret).unwrap())];
    let header = |name: &str| request["headers"][name].as_str().unwrap();
    let body = request["body"].as_str().unwrap().as_bytes();
    let page = feedbackpro_signature(&keys, body);
    assert_eq!(header("x-feedbackpro-signature"), page);
    let seconds: i64 = header("webhook-timestamp").parse().unwrap();
    let at = Timestamp::from_millis(seconds * 1_000);
    let standard = standard_signature(&keys, header("webhook-id"), at, body);
    assert_eq!(header("webhook-signature"), standard);
}

#[tokio::test]
async fn a_draft_gets_a_test_event_signed_with_its_secret_and_shown_as_sent() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let receiver = Receiver::start(200, "danke 🙂").await;
    let draft = json!({
        "url": receiver.url,
        "event": "rating_submitted",
        "headers": {"X-Shop": "north"},
        "secret": SECRET,
    });
    let answer = console.post(TEST, SHOP, draft).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.body["delivered"], true, "{:?}", answer.body);
    assert_eq!(answer.body["status"], 200);
    assert_eq!(answer.body["response_body"], "danke 🙂");
    for nothing in ["reason", "cause", "diagnosis"] {
        assert_eq!(answer.body[nothing], Value::Null, "{nothing}");
    }
    let received = receiver.received().pop().unwrap();
    assert_eq!(received.header("x-shop"), "north");
    assert_eq!(received.header("x-feedbackpro-test"), "true");
    let request = &answer.body["request"];
    assert_eq!(request["url"], receiver.url);
    assert_shown(request, &received);
    assert_signed(request, SECRET);
    assert!(!answer.body.to_string().contains(SECRET));
    // Nothing was kept.
    let list = console.get("/api/v1/endpoints", SHOP).await;
    assert_eq!(list.body["items"], json!([]));

    // Without a secret it is signed nevertheless.
    let draft = json!({"url": receiver.url, "event": "new_feedback"});
    let answer = console.post(TEST, SHOP, draft).await;
    assert_eq!(answer.body["delivered"], true);
    let received = receiver.received().pop().unwrap();
    assert!(
        received
            .header("x-feedbackpro-signature")
            .starts_with("sha256=")
    );
    assert_shown(&answer.body["request"], &received);
}

#[tokio::test]
async fn an_endpoints_test_shows_what_was_sent_too() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let receiver = Receiver::start(500, "").await;
    let (path, created) = console.endpoint(&receiver.url).await;
    let event = json!({"event": "nps_calculated"});
    let answer = console.post(&format!("{path}/test"), SHOP, event).await;
    assert_eq!(answer.body["cause"], "status");
    assert_eq!(answer.body["diagnosis"], "server_error");
    let received = receiver.received().pop().unwrap();
    assert_shown(&answer.body["request"], &received);
    assert_signed(&answer.body["request"], created.text("secret"));
}

#[tokio::test]
async fn a_preview_shows_what_would_go_out_and_sends_nothing() {
    let cluster = cluster();
    let mut settings = settings(&cluster.bootstrap_servers());
    settings.limits.test_events_per_minute = 1;
    let console = Console::start(settings).await;
    let receiver = Receiver::start(200, "").await;
    let (path, created) = console.endpoint(&receiver.url).await;
    let draft = json!({"url": receiver.url, "event": "new_feedback", "secret": SECRET});
    for _ in 0..3 {
        let of_draft = console.post(PREVIEW, SHOP, draft.clone()).await;
        assert_eq!(of_draft.status, 200, "previews are not counted");
        assert_signed(&of_draft.body, SECRET);
        let event = json!({"event": "new_feedback"});
        let saved = console
            .post(&format!("{path}/test/preview"), SHOP, event)
            .await;
        assert_signed(&saved.body, created.text("secret"));
        let body: Value = serde_json::from_str(saved.text("body")).unwrap();
        assert_eq!(body["event"], "new_feedback");
        assert_eq!(body["id"], saved.body["headers"]["webhook-id"]);
    }
    assert!(receiver.received().is_empty());

    // The same names as in a request that is sent.
    let names = |request: &Value| -> Vec<String> {
        request["headers"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let preview = console.post(PREVIEW, SHOP, draft.clone()).await;
    let sent = console.post(TEST, SHOP, draft).await;
    assert_eq!(names(&preview.body), names(&sent.body["request"]));
}

#[tokio::test]
async fn a_draft_is_judged_as_at_its_creation() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let good = json!({"url": "https://shop.example.com/", "event": "new_feedback"});
    for (field, value, wrong) in [
        ("url", json!("https://10.0.0.1/hook"), "$.url"),
        ("url", json!("http://shop.example.com/"), "$.url"),
        ("url", json!("https://localhost/"), "$.url"),
        ("url", Value::Null, "$.url"),
        ("event", json!("order_placed"), "$.event"),
        ("headers", json!({"Host": "a.example"}), "$.headers"),
        ("headers", json!({"X-FeedbackPro-Test": "no"}), "$.headers"),
        ("headers", json!({"X-A": "a\r\nX-B: b"}), "$.headers"),
        ("secret", json!("whsec_short"), "$.secret"),
        ("secret", json!("my-password"), "$.secret"),
        ("secret", Value::Null, "$.secret"),
        ("events", json!(["new_feedback"]), "$.events"),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        for path in [TEST, PREVIEW] {
            let refused = console.post(path, SHOP, body.clone()).await;
            assert_eq!(refused.status, 422, "{path} {field}: {value}");
            assert_eq!(refused.wrong_paths(), [wrong], "{:?}", refused.body);
            assert!(!refused.body.to_string().contains("my-password"));
        }
    }
    let refused = console
        .post(TEST, SHOP, json!({"event": "new_feedback", "secret": "x"}))
        .await;
    assert_eq!(refused.wrong_paths(), ["$.url", "$.secret"]);
}

#[tokio::test]
async fn drafts_and_endpoints_share_an_accounts_minute() {
    let cluster = cluster();
    let mut settings = settings(&cluster.bootstrap_servers());
    settings.limits.test_events_per_minute = 3;
    let console = Console::start(settings).await;
    let receiver = Receiver::start(204, "").await;
    let (path, _) = console.endpoint(&receiver.url).await;
    let draft = json!({"url": receiver.url, "event": "new_feedback"});
    let event = json!({"event": "new_feedback"});
    let saved = format!("{path}/test");
    assert_eq!(console.post(TEST, SHOP, draft.clone()).await.status, 200);
    // One that is refused is not counted.
    let wrong = json!({"url": "https://10.0.0.1/", "event": "new_feedback"});
    assert_eq!(console.post(TEST, SHOP, wrong).await.status, 422);
    assert_eq!(console.post(&saved, SHOP, event.clone()).await.status, 200);
    assert_eq!(console.post(TEST, SHOP, draft.clone()).await.status, 200);
    for refused in [
        console.post(TEST, SHOP, draft).await,
        console.post(&saved, SHOP, event).await,
    ] {
        assert_eq!(refused.status, 429);
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait} s");
    }
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn what_is_wrong_with_a_draft_is_told_as_for_an_endpoint() {
    let cluster = cluster();
    let console = Console::start(settings(&cluster.bootstrap_servers())).await;
    let moved = Receiver::start(301, "").await;
    let closed = "http://127.0.0.1:9/closed".to_owned();
    for (url, status, cause, diagnosis) in [
        (&moved.url, json!(301), "status", "redirected"),
        (&closed, Value::Null, "connect", "unreachable"),
    ] {
        let draft = json!({"url": url, "event": "new_feedback"});
        let answer = console.post(TEST, SHOP, draft).await;
        assert_eq!(answer.status, 200, "{url}: {:?}", answer.body);
        assert_eq!(answer.body["delivered"], false);
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.body["cause"], cause, "{:?}", answer.body);
        assert_eq!(answer.body["diagnosis"], diagnosis);
        let reason = answer.text("reason");
        assert!(reason.starts_with(&format!("{cause}: ")), "{reason}");
    }
}
