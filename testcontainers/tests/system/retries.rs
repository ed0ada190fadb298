//! What fails is tried again on time, and stands in the failed list in the end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{EventId, Timestamp};
use e2e::{
    Answer, Binary, Broker, Receiver, Stack, StackBuilder, events, kafka::NewRecord,
    receiver::Request,
};
use reqwest::Method;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);
const SCHEDULE: [&str; 5] = ["1s", "2s", "3s", "4s", "5s"];
const RATING: &[&str] = &["rating_submitted"];

fn stack() -> StackBuilder {
    Stack::builder().schedule(&SCHEDULE)
}

/// The times between the end of each attempt and the begin of the next.
fn pauses(attempts: &[Arc<Request>]) -> Vec<Duration> {
    attempts
        .windows(2)
        .map(|pair| {
            let ended = pair[0].instant + pair[0].lasted().unwrap_or_default();
            pair[1].instant.duration_since(ended)
        })
        .collect()
}

/// Waits until so many attempts are in the log; in the order of their begin.
async fn attempt_log(stack: &Stack, count: usize) -> Vec<Value> {
    stack
        .wait_for_attempts("the log of the attempts", SOON, |mut log| {
            log.sort_by_key(at);
            (log.len() >= count).then_some(log)
        })
        .await
}

/// When it began.
fn at(attempt: &Value) -> Timestamp {
    let text = attempt["at"].as_str().expect("it has a time");
    text.parse().expect("it can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_then_success_at_the_schedules_times_and_never_early() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::failing(5, 500));
    let stack = stack().start().await;
    let endpoint = stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let id = stack.client.post_event(&events::rating_submitted(2)).await;
    let got = receiver.wait_for_count("/hook", 6, 2 * SOON).await;
    let pauses = pauses(&got);
    for (pause, planned) in pauses.iter().zip([1, 2, 3, 4, 5]) {
        assert!(*pause >= Duration::from_secs(planned), "early: {pauses:?}");
    }
    let log = attempt_log(&stack, 6).await;
    let tiers: Vec<_> = log.iter().map(|attempt| &attempt["tier"]).collect();
    assert_eq!(tiers[..5], SCHEDULE, "each waits its own time");
    for (request, attempt) in got.iter().zip(1..) {
        assert_eq!(request.webhook_id(), id);
        assert_eq!(request.body, got[0].body, "the same bytes each time");
        assert_eq!(request.header("x-feedbackpro-attempt"), attempt.to_string());
        request
            .verify(&endpoint.secret)
            .expect("each attempt verifies");
    }
    assert!(stack.client.failed("").await.items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn six_failures_end_in_the_failed_list_and_a_resend_delivers_the_same_event() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::failing(6, 503));
    let stack = stack().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let id = stack.client.post_event(&events::rating_submitted(1)).await;
    let failed = stack.client.wait_for_failed(1, 2 * SOON).await;
    let entry = &failed[0];
    assert_eq!(entry["event_id"], id.as_str());
    assert_eq!(entry["reason"], "attempts_exhausted");
    assert_eq!(entry["attempts"], 6);
    assert_eq!(entry["last_status"], 503);
    assert_eq!(entry["payload"]["id"], id.as_str());
    let delivery = entry["id"].as_str().expect("an entry has an id");
    stack.client.resend(delivery).await;
    let got = receiver.wait_for_count("/hook", 7, SOON).await;
    assert_eq!(got[6].webhook_id(), id);
    assert_eq!(got[6].body, got[0].body);
    assert_eq!(got[6].header("x-feedbackpro-attempt"), "1");
    e2e::until("an empty failed list", SOON, async || {
        stack.client.failed("").await.items.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_waited_for() {
    let receiver = Receiver::start();
    let busy = Answer::WithHeaders(429, vec![("retry-after", "3".to_owned())]);
    receiver.answer("/hook", Answer::Sequence(vec![busy, Answer::Status(200)]));
    let stack = stack().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    stack.client.post_event(&events::rating_submitted(2)).await;
    let got = receiver.wait_for_count("/hook", 2, SOON).await;
    let pause = pauses(&got)[0];
    assert!(pause >= Duration::from_secs(3), "{pause:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_ends_after_five_seconds_also_when_the_body_drips() {
    let receiver = Receiver::start();
    receiver.answer(
        "/hang",
        Answer::Sequence(vec![Answer::Hang, Answer::Status(200)]),
    );
    let drip = Answer::DripBody(Duration::from_millis(100));
    receiver.answer("/drip", Answer::Sequence(vec![drip, Answer::Status(200)]));
    let stack = stack().start().await;
    for path in ["/hang", "/drip"] {
        stack
            .client
            .create_endpoint(&receiver.url(path), RATING)
            .await;
    }
    stack.client.post_event(&events::rating_submitted(2)).await;
    for path in ["/hang", "/drip"] {
        receiver.wait_for_count(path, 2, SOON).await;
        let left = format!("the client has left {path}");
        receiver
            .wait_for(&left, SOON, |log| log.to(path)[0].lasted())
            .await;
    }
    // By the clock of the dispatcher: an attempt may reach the receiver late.
    let log = attempt_log(&stack, 4).await;
    for first in log.iter().filter(|attempt| attempt["attempt"] == 1) {
        let second = log
            .iter()
            .find(|attempt| attempt["delivery"] == first["delivery"] && attempt["attempt"] == 2);
        let second = second.expect("each is tried again");
        assert_eq!(first["tier"], "1s");
        let error = first["error"].as_str().unwrap_or_default();
        assert!(error.starts_with("timeout: not done within 5 s"), "{error}");
        let lasted = Duration::from_millis(first["duration_ms"].as_u64().unwrap_or_default());
        assert!(lasted >= Duration::from_secs(5), "{first}");
        let between = at(second).since(at(first));
        assert!(between >= Duration::from_secs(6), "{between:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let receiver = Receiver::start();
    for status in [301, 302, 307, 308] {
        let path = format!("/from/{status}/");
        let to = Answer::Redirect(status, receiver.url("/to"));
        receiver.answer(&path, Answer::Sequence(vec![to, Answer::Status(200)]));
    }
    let stack = stack().start().await;
    for status in [301, 302, 307, 308] {
        let url = receiver.url(&format!("/from/{status}/"));
        stack.client.create_endpoint(&url, RATING).await;
    }
    stack.client.post_event(&events::rating_submitted(2)).await;
    let got = receiver.wait_for_count("/from/", 8, SOON).await;
    assert_eq!(got.len(), 8);
    assert_eq!(receiver.look(|log| log.to("/to").len()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_gives_up_and_disables_the_endpoint_until_a_person_resumes_it() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::Status(410));
    let stack = stack().start().await;
    let endpoint = stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    stack.client.post_event(&events::rating_submitted(2)).await;
    let failed = stack.client.wait_for_failed(1, SOON).await;
    assert_eq!(failed[0]["reason"], "endpoint_gone");
    assert_eq!(failed[0]["attempts"], 1);
    e2e::until("the endpoint is disabled", SOON, async || {
        (stack.client.endpoint(&endpoint.id).await["state"] == "disabled").then_some(())
    })
    .await;
    e2e::until("the audit tells of it", SOON, async || {
        let audit = stack
            .client
            .call(Binary::Console, Method::GET, "/api/v1/audit")
            .await;
        let newest = audit.expect(200).json()["items"][0].clone();
        (newest["action"] == "endpoint_disabled"
            && newest["token"] == "dispatcher"
            && newest["subject"] == endpoint.id)
            .then_some(())
    })
    .await;
    // It gets no new deliveries.
    stack.client.post_event(&events::rating_submitted(3)).await;
    let (group, topic) = (stack.name("dispatcher"), stack.name("feedback.events"));
    let broker = Broker::shared().await;
    broker.wait_until_committed(&group, &topic, SOON).await;
    receiver.answer("/hook", Answer::Status(200));
    stack.client.resume(&endpoint.id).await;
    assert_eq!(
        stack.client.endpoint(&endpoint.id).await["state"],
        "enabled"
    );
    let after = stack.client.post_event(&events::rating_submitted(4)).await;
    let got = receiver.wait_for_count("/hook", 2, SOON).await;
    assert_eq!(got[1].webhook_id(), after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_schedule_drains_the_topics_of_the_old_one() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::failing(1, 500));
    let mut stack = Stack::builder().schedule(&["7s"]).start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let id = stack.client.post_event(&events::rating_submitted(2)).await;
    receiver.wait_for_count("/hook", 1, SOON).await;
    stack.dispatcher.signal(e2e::Signal::Term);
    stack.dispatcher.wait_exit(SOON).await;
    stack
        .dispatcher
        .change(|settings| settings.set("retry.schedule", vec!["1s", "2s"]));
    stack.dispatcher.restart().await;
    let got = receiver.wait_for_count("/hook", 2, 2 * SOON).await;
    assert_eq!(got[1].webhook_id(), id);
    assert!(pauses(&got)[0] >= Duration::from_secs(7));

    // The empty topic may go, also while it is read.
    let broker = Broker::shared().await;
    broker.delete_topic(&stack.name("webhooks.retry.7s")).await;
    let ids = stack.client.post_ratings(20).await;
    receiver
        .wait_for_count("/hook", 2 + 2 * ids.len(), SOON)
        .await;
    let group = stack.name("dispatcher");
    let events = stack.name("feedback.events");
    broker.wait_until_committed(&group, &events, SOON).await;
    stack.dispatcher.signal(e2e::Signal::Term);
    assert!(stack.dispatcher.wait_exit(SOON).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_mebibyte_are_retried_whole_and_hold_nothing_up() {
    let receiver = Receiver::start();
    receiver.answer("/hook", Answer::failing(1, 500));
    let stack = stack().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), RATING)
        .await;
    let broker = Broker::shared().await;
    let mut bodies = BTreeMap::new();
    for number in 0..12 {
        let id = EventId::generate().to_string();
        let body = envelope_of(&id, 1_048_000);
        let headers = [
            ("account", "shop"),
            ("ce_id", &id),
            ("ce_type", "rating_submitted"),
            ("ce_time", "2026-01-01T00:00:00Z"),
            ("ce_specversion", "1.0"),
            ("content-type", "application/json"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into()));
        let record = NewRecord {
            key: Some(b"shop".to_vec()),
            value: Some(body.clone().into_bytes()),
            headers: headers.to_vec(),
            partition: Some(number % 3),
        };
        broker.write(&stack.name("feedback.events"), record).await;
        bodies.insert(id, body);
    }
    let small = stack.client.post_ratings(30).await;
    let all = bodies.len() + small.len();
    let got = receiver.wait_for_count("/hook", 2 * all, SOON).await;
    for request in &got {
        if let Some(body) = bodies.get(request.webhook_id()) {
            assert!(request.body == body.as_bytes(), "the same bytes each time");
        }
    }
    let large = |request: &&Arc<Request>| bodies.contains_key(request.webhook_id());
    assert_eq!(got.iter().filter(large).count(), 2 * bodies.len());
    assert!(stack.client.failed("").await.items.is_empty());
}

/// An envelope of so many bytes, as nobody but another producer writes it.
fn envelope_of(id: &str, bytes: usize) -> String {
    let envelope = |comment: &str| {
        format!(
            r#"{{"event":"rating_submitted","id":"{id}","timestamp":"2026-01-01T00:00:00Z","data":{{"comment":"{comment}"}}}}"#
        )
    };
    let room = bytes - envelope("").len();
    envelope(&"x".repeat(room))
}
