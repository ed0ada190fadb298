//! What an operator sees.

use std::process::Command;
use std::time::Duration;

use crate::harness::{Producer, RATING, SHOP, environment, reply};

const PRODUCER: &str = env!("CARGO_BIN_EXE_producer");

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_and_events() {
    let producer = Producer::start().await;
    producer.post_json(RATING).await.id();
    producer.post_lines(format!("{RATING}\n{{\n")).await.lines();
    producer.post_json("{").await.problem(400);
    let metrics = producer.admin("/metrics").await.text;
    for line in [
        r#"feedbackpro_producer_requests_total{kind="json",status="202"} 1"#,
        r#"feedbackpro_producer_requests_total{kind="json",status="400"} 1"#,
        r#"feedbackpro_producer_requests_total{kind="ndjson",status="207"} 1"#,
        r#"feedbackpro_producer_events_accepted_total{event="rating_submitted"} 2"#,
        r#"feedbackpro_producer_events_refused_total{reason="invalid"} 2"#,
        "feedbackpro_producer_publish_seconds_count 2",
        "feedbackpro_producer_requests_in_flight 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_what_was_let_in_come_to_its_end() {
    let mut producer = Producer::start().await;
    producer.post_json(RATING).await.id();
    let delay = Duration::from_millis(100);
    producer.cluster.broker_round_trip_time(1, delay).unwrap();
    let request = producer.post().header("content-type", "application/json");
    let (answer, ()) = tokio::join!(reply(request.body(RATING)), async {
        crate::harness::until("the request is in", async || {
            let metrics = producer.admin("/metrics").await.text;
            metrics.contains("feedbackpro_producer_requests_in_flight 1")
        })
        .await;
        producer.stop();
    });
    answer.id();
    producer.ended().await.unwrap();
    assert_eq!(producer.count(), 2);
}

#[test]
fn wrong_settings_end_with_64_and_name_the_key() {
    for (key, value, told) in [
        (
            "ingest.max_per_second",
            "0",
            "ingest.max_per_second: found 0",
        ),
        (
            "ingest.publish_timeout",
            "2m",
            "ingest.publish_timeout: found 2m",
        ),
        (
            "ingest.in_flight_bytes",
            "1",
            "ingest.in_flight_bytes: found 1",
        ),
        ("kafka.properties.acks", "1", "kafka.properties.acks"),
        ("http.listen", "8081", "http.listen: found \"8081\""),
        ("ingest.speed", "1", "ingest.speed"),
    ] {
        let output = Command::new(PRODUCER)
            .envs(environment("127.0.0.1:1", &[(key, value)]))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{key}: {stderr}");
        assert!(stderr.contains(told), "{told} is not in {stderr}");
    }
}

#[test]
fn print_config_shows_all_settings_and_no_secret() {
    let output = Command::new(PRODUCER)
        .arg("--print-config")
        .envs(environment(
            "kafka-1:9092",
            &[("kafka.properties.sasl_password", "hunter2")],
        ))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    for line in [
        "brokers = \"kafka-1:9092\"",
        "publish_timeout = \"10s\"",
        "max_per_second = 500",
        "sha256 = \"********\"",
    ] {
        assert!(stdout.contains(line), "{line} is not in\n{stdout}");
    }
    assert!(!stdout.contains("hunter2") && !stdout.contains(SHOP));
}
