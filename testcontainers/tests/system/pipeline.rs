//! The way of an event: accepted, delivered once, verified.

use std::{collections::BTreeSet, time::Duration};

use e2e::{Binary, Receiver, Stack, events, service::run};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);
const ALL: [&str; 4] = [
    "new_feedback",
    "rating_submitted",
    "nps_calculated",
    "widget_dismissed",
];

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_four_events_is_delivered_once_and_verifies() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let endpoint = stack
        .client
        .create_endpoint(&receiver.url("/hook"), &ALL)
        .await;
    let mut sent = BTreeSet::new();
    for event in events::one_of_each() {
        sent.insert(stack.client.post_event(&event).await);
    }
    let got = receiver.wait_for_count("/hook", 4, SOON).await;
    let got_ids: BTreeSet<String> = got.iter().map(|r| r.webhook_id().to_owned()).collect();
    assert_eq!(got_ids, sent);
    for request in &got {
        request
            .verify(&endpoint.secret)
            .expect("both signatures verify");
        assert_eq!(request.header("x-feedbackpro-attempt"), "1");
        assert_eq!(request.header("idempotency-key"), request.webhook_id());
        assert_eq!(
            request.header("content-type"),
            "application/json; charset=utf-8"
        );
        let body = request.json();
        assert_eq!(body["event"], request.header("x-feedbackpro-event"));
        assert_eq!(body["id"], request.webhook_id());
        let text = String::from_utf8_lossy(&request.body);
        let keys = ["{\"event\":", "\"id\":", "\"timestamp\":", "\"data\":{"].map(|k| text.find(k));
        assert!(
            keys.is_sorted() && keys.iter().all(Option::is_some),
            "{text}"
        );
    }
    assert_eq!(receiver.look(|log| log.repeats("/hook")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_gets_only_the_events_of_its_account_that_it_chose() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    let other = stack.client.with_token(e2e::settings::tokens::OTHER);
    stack
        .client
        .create_endpoint(&receiver.url("/ratings"), &["rating_submitted"])
        .await;
    stack
        .client
        .create_endpoint(&receiver.url("/all"), &ALL)
        .await;
    other.create_endpoint(&receiver.url("/other"), &ALL).await;
    for event in events::one_of_each() {
        stack.client.post_event(&event).await;
    }
    let of_other = other.post_event(&events::widget_dismissed()).await;
    receiver.wait_for_events("/all", 4, SOON).await;
    receiver.wait_for_events("/ratings", 1, SOON).await;
    let got = receiver.wait_for_count("/other", 1, SOON).await;
    assert_eq!(got[0].webhook_id(), of_other);
    assert_eq!(receiver.look(|log| log.to("/ratings").len()), 1);
    assert_eq!(receiver.look(|log| log.total()), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_created_right_before_an_event_gets_it() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    for n in 0..20 {
        let path = format!("/new/{n}/");
        stack
            .client
            .create_endpoint(&receiver.url(&path), &["rating_submitted"])
            .await;
        let id = stack.client.post_event(&events::rating_submitted(3)).await;
        let got = receiver.wait_for_count(&path, 1, SOON).await;
        assert_eq!(got[0].webhook_id(), id, "endpoint {n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_are_imported_and_every_one_arrives() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), &ALL)
        .await;
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../quickstart/samples/events.ndjson");
    let samples = std::fs::read_to_string(&file).expect("the samples are in the source tree");
    let answers = stack.client.post_ndjson(&samples).await;
    let count = samples
        .lines()
        .filter(|line| !line.trim().is_empty())
        .count();
    assert!(count >= 200);
    assert_eq!(answers.len(), count);
    let refused: Vec<&Value> = answers.iter().filter(|a| a["id"].is_null()).collect();
    assert!(refused.is_empty(), "{refused:?}");
    receiver.wait_for_events("/hook", count, SOON).await;

    let path = file.to_str().expect("the path is UTF-8");
    let arguments = ["import", path, "--account", "shop"];
    let settings = stack.settings(Binary::Producer);
    let imported = run(Binary::Producer, &settings, &arguments, b"", SOON).await;
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    let counts = format!("read {count}, published {count}, refused 0, failed 0\n");
    assert_eq!(imported.stdout, counts);
    receiver.wait_for_events("/hook", 2 * count, SOON).await;

    receiver.look(|log| {
        for request in log.to("/hook") {
            let data = request.json()["data"].clone();
            let fields = data.as_object().expect("data is an object");
            assert!(fields.values().all(|value| value != ""), "{data}");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_delivers_once() {
    let receiver = Receiver::start();
    let stack = Stack::builder().start().await;
    stack
        .client
        .create_endpoint(&receiver.url("/hook"), &ALL)
        .await;
    let event = events::rating_submitted(5);
    let posts = (0..8).map(|_| stack.client.post_event_with_key(&event, "order-17"));
    let ids: BTreeSet<String> = futures_of(posts).await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    let last = stack.client.post_event(&events::rating_submitted(1)).await;
    receiver
        .wait_for("the event after it", SOON, |log| {
            (!log.attempts("/hook", &last).is_empty()).then_some(())
        })
        .await;
    let first = ids.first().expect("there is one id");
    assert_eq!(receiver.look(|log| log.attempts("/hook", first).len()), 1);
}

async fn futures_of<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    let mut results: Vec<Option<T>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, result) in running.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    results.into_iter().flatten().collect()
}
