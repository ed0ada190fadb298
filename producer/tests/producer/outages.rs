//! Kafka is not there, and comes back.

use std::time::Duration;

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::{Producer, RATING, cluster, reply, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_down_at_the_start_is_waited_for() {
    let cluster = cluster();
    cluster.broker_down(1).unwrap();
    let producer = Producer::spawn(cluster, &[], &[]).await;
    let refused = producer.post_json(RATING).await;
    let problem = refused.problem(503);
    assert_eq!(problem["type"], "/problems/kafka-unavailable");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("not published")
    );
    assert_eq!(refused.header("retry-after"), Some("5"));
    let ready = producer.admin("/readyz").await;
    assert_eq!(ready.status, 503);
    let brokers = producer.cluster.bootstrap_servers();
    assert!(ready.text.contains(&brokers), "{}", ready.text);
    assert!(ready.text.contains("feedback.events"), "{}", ready.text);
    assert_eq!(producer.admin("/livez").await.status, 200);

    producer.cluster.broker_up(1).unwrap();
    producer.wait_ready().await;
    producer.post_json(RATING).await.id();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_away_is_told_and_comes_back_without_a_restart() {
    let producer = Producer::start_with(&[("ingest.publish_timeout", "3s")]).await;
    producer.post_json(RATING).await.id();
    producer.cluster.broker_down(1).unwrap();

    let refused = producer.post_json(RATING).await;
    let detail = refused.problem(503)["detail"].to_string();
    assert!(detail.contains("may have been published"), "{detail}");
    assert!(detail.contains("another id"), "{detail}");
    assert_eq!(refused.header("retry-after"), Some("5"));
    let request = producer.post().header("content-type", "application/json");
    let keyed = reply(request.header("idempotency-key", "k").body(RATING)).await;
    let detail = keyed.problem(503)["detail"].to_string();
    assert!(detail.contains("same Idempotency-Key is safe"), "{detail}");
    let lines = producer.post_lines(format!("{RATING}\n{{\n")).await.lines();
    assert_eq!(lines[0]["error"]["status"], 503);
    assert_eq!(lines[1]["error"]["status"], 400);
    until("the outage is seen", async || {
        producer.admin("/readyz").await.status == 503
    })
    .await;

    producer.cluster.broker_up(1).unwrap();
    producer.wait_ready().await;
    until("events are taken again", async || {
        let request = producer.post().header("content-type", "application/json");
        let request = request.header("idempotency-key", "k");
        reply(request.body(RATING)).await.status == 202
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_kafka_is_bounded_and_more_is_refused_soon() {
    let producer = Producer::start_with(&[
        ("ingest.publish_timeout", "60s"),
        ("ingest.in_flight_bytes", "1048576"),
    ])
    .await;
    producer.cluster.broker_down(1).unwrap();
    let mut waiting = JoinSet::new();
    for _ in 0..2 {
        let many = producer
            .post()
            .header("content-type", "application/x-ndjson");
        waiting.spawn(reply(many.body(format!("{RATING}\n").repeat(1000))));
    }
    // Who finds room waits for Kafka, and gives up here; the event goes on waiting.
    let mut refused = None;
    until("one is refused", async || {
        let one = producer.post().header("content-type", "application/json");
        let answer = timeout(Duration::from_secs(5), reply(one.body(RATING))).await;
        refused = answer.ok();
        refused.is_some()
    })
    .await;
    let refused = refused.unwrap();
    let detail = refused.problem(503)["detail"].to_string();
    assert!(detail.contains("as fast as they come"), "{detail}");
    assert!(detail.contains("was not published"), "{detail}");
    assert_eq!(refused.header("retry-after"), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_refuses_is_503_and_not_published_and_the_next_may_pass() {
    let producer = Producer::start().await;
    producer.post_json(RATING).await.id();
    let refuse = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    producer
        .cluster
        .request_errors(RDKafkaApiKey::Produce, &[refuse]);
    let problem = producer.post_json(RATING).await.problem(503);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("was not published"), "{detail}");
    until("the next passes", async || {
        producer.post_json(RATING).await.status == 202
    })
    .await;
    assert_eq!(producer.count(), 2);
}
