//! The same request twice.

use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::task::JoinSet;

use crate::harness::{Producer, RATING, reply};

fn keyed(producer: &Producer, key: &str, body: &str) -> RequestBuilder {
    let request = producer.post().header("content-type", "application/json");
    request.header("idempotency-key", key).body(body.to_owned())
}

/// The broker answers late, so that requests meet.
fn slow_broker(producer: &Producer) {
    let delay = Duration::from_millis(700);
    producer.cluster.broker_round_trip_time(1, delay).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_id_and_publishes_once() {
    let producer = Producer::start().await;
    // Without a timestamp each would get its own.
    let body = RATING.replace("\"timestamp\":\"2024-06-15T14:32:00Z\",", "");
    let first = reply(keyed(&producer, "order-1", &body)).await.id();
    let again = reply(keyed(&producer, "order-1", &body)).await.id();
    let other = reply(keyed(&producer, "order-2", &body)).await.id();
    assert_eq!(first, again);
    assert_ne!(first, other);
    // printf %s order-1 | openssl dgst -sha256 -hmac shop, the first 32 digits
    assert_eq!(first, "evt_18b89f05ead1e0080d43031c93ff32d3");
    assert_eq!(producer.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_another_body_is_422() {
    let producer = Producer::start().await;
    reply(keyed(&producer, "k", RATING)).await.id();
    let other = RATING.replace("4,", "5,");
    let problem = reply(keyed(&producer, "k", &other)).await.problem(422);
    assert_eq!(problem["type"], "/problems/idempotency-key-reused");
    assert_eq!(producer.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_refused_leaves_its_key_free() {
    let producer = Producer::start().await;
    let wrong = RATING.replace("4,", "6,");
    reply(keyed(&producer, "k", &wrong)).await.problem(422);
    reply(keyed(&producer, "k", RATING)).await.id();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_run_at_once_publish_once() {
    let producer = Producer::start().await;
    slow_broker(&producer);
    let other = RATING.replace("4,", "5,");
    let post = |body: &str| reply(keyed(&producer, "k", body));
    let late = async {
        // Once one of the others has the key.
        crate::harness::until("another body meets the key", async || {
            let answer = reply(keyed(&producer, "k", &other)).await;
            answer.status == 422
        })
        .await;
    };
    let (first, second, third) = (post(RATING), post(RATING), post(RATING));
    let (first, second, third) = tokio::join!(first, second, third);
    late.await;
    let id = first.id();
    assert_eq!([second.id(), third.id()], [id.clone(), id]);
    assert_eq!(producer.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_and_asks_again_meets_the_first_request() {
    let producer = Producer::start().await;
    slow_broker(&producer);
    let request = keyed(&producer, "k", RATING);
    let gave_up = request.timeout(Duration::from_millis(200)).send().await;
    assert!(gave_up.unwrap_err().is_timeout());
    reply(keyed(&producer, "k", RATING)).await.id();
    assert_eq!(producer.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_first_fails_the_second_tries_itself() {
    let producer = Producer::start_with(&[("ingest.publish_timeout", "10s")]).await;
    producer.cluster.broker_down(1).unwrap();
    let mut both = JoinSet::new();
    both.spawn(reply(keyed(&producer, "k", RATING)));
    both.spawn(reply(keyed(&producer, "k", RATING)));
    let failed = both.join_next().await.unwrap().unwrap();
    let detail = failed.problem(503)["detail"].to_string();
    assert!(detail.contains("same Idempotency-Key is safe"), "{detail}");
    producer.cluster.broker_up(1).unwrap();
    both.join_next().await.unwrap().unwrap().id();
    assert_eq!(producer.count(), 1);
}
